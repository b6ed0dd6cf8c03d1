//! Any bytes at all are read as a network or refused in one line: no panic.

use std::fs;
use std::sync::LazyLock;

use mnistry::image::ImageShape;
use mnistry::interchange::{self, ModelFormat};
use mnistry::{Activation, Network, Sequential};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::exported;

/// What is done to a file.
#[derive(Clone, Debug)]
enum Mutation {
    /// A byte is another one.
    Set(Index, u8),
    /// A part stands somewhere else, too.
    Copied(Index, Index, usize),
    /// A part is there no longer.
    Removed(Index, usize),
    /// It ends early.
    Cut(Index),
    /// Something follows.
    Longer(Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (any::<Index>(), any::<Index>(), 1..40_usize)
            .prop_map(|(from, to, len)| Mutation::Copied(from, to, len)),
        2 => (any::<Index>(), 1..20_usize).prop_map(|(at, len)| Mutation::Removed(at, len)),
        1 => any::<Index>().prop_map(Mutation::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Mutation::Longer),
    ]
}

impl Mutation {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Set(at, byte) if !file.is_empty() => {
                let at = at.index(file.len());
                file[at] = *byte;
            }
            Self::Copied(from, to, len) if file.len() > *len => {
                let rest = file.len() - len;
                let start = |at: &Index| at.index(rest);
                file.copy_within(start(from)..start(from) + len, start(to));
            }
            Self::Removed(at, len) if file.len() > *len => {
                let start = at.index(file.len() - len);
                file.drain(start..start + len);
            }
            Self::Cut(at) => file.truncate(at.index(file.len() + 1)),
            Self::Longer(more) => file.extend(more),
            _ => {}
        }
    }
}

/// A network of every kind of layer.
fn network() -> Network {
    let layers = Sequential::new(ImageShape { height: 8, width: 8 })
        .conv2d(2, 3, Activation::Relu)
        .max_pool(2)
        .average_pool(2)
        .dropout(0.5)
        .flatten()
        .dense(4, Activation::Sigmoid)
        .dense(3, Activation::Softmax);
    Network::new(layers, 1).unwrap()
}

/// It as files, which are made once, as each is waited for until it is on the disk.
fn files() -> Vec<(ModelFormat, Vec<u8>)> {
    static FILES: LazyLock<Vec<(ModelFormat, Vec<u8>)>> = LazyLock::new(|| {
        let formats = [("m.onnx", ModelFormat::Onnx), ("m.npz", ModelFormat::Npz)];
        let file = |(name, format)| {
            let (_folder, path) = exported(&network(), name);
            (format, fs::read(path).unwrap())
        };
        formats.map(file).into()
    });
    FILES.clone()
}

/// Has `bytes` read; what is refused is refused in one line.
fn read(bytes: &[u8], format: ModelFormat) {
    match interchange::read(bytes, format) {
        Ok(imported) => {
            let mut numbers = imported.network.tensors().iter().flat_map(|tensor| &tensor.values);
            assert!(numbers.all(|number| number.is_finite()));
        }
        Err(problem) => {
            let said = problem.to_string();
            assert!(!said.chars().any(char::is_control) && said.len() < 2000, "{said:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn mutated_files_are_read_or_refused(
        (format, file) in select(files()),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = file.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        read(&bytes, format);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes, ModelFormat::Onnx);
        read(&bytes, ModelFormat::Npz);
    }
}

#[test]
fn a_file_of_nothing_but_messages_takes_little_memory() {
    // A graph of a million nodes, two bytes each, which would become some hundred bytes each.
    let mut graph = [0x0a, 0x00].repeat(1 << 20);
    let len = graph.len() as u32;
    // Its length in four groups of seven bits.
    let groups =
        (0..4).map(|group| ((len >> (7 * group)) & 0x7f) as u8 | if group < 3 { 0x80 } else { 0 });
    let mut bytes = vec![0x3a];
    bytes.extend(groups);
    bytes.append(&mut graph);
    let refused = interchange::read(&bytes, ModelFormat::Onnx).unwrap_err().to_string();
    assert!(refused.contains("bytes beside its weights"), "{refused}");
}
