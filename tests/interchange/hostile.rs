//! Any bytes at all are read as a network or refused in one line: no panic.

use std::fs;
use std::sync::LazyLock;

use mnistry::interchange::{self, ModelFormat};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use readers::networks::of_all_layers;

use super::exported;

#[path = "../readers/mod.rs"]
mod readers;

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

/// A network of every kind of layer as files, which are made once, as each is waited for until it is on the disk.
fn files() -> Vec<(ModelFormat, Vec<u8>)> {
    static FILES: LazyLock<Vec<(ModelFormat, Vec<u8>)>> = LazyLock::new(|| {
        let formats = [
            ("m.onnx", ModelFormat::Onnx),
            ("m.npz", ModelFormat::Npz),
            ("m.keras", ModelFormat::Keras),
            ("m.weights.h5", ModelFormat::KerasWeights),
        ];
        let file = |(name, format)| {
            let (_folder, path) = exported(&of_all_layers(), name);
            (format, fs::read(path).unwrap())
        };
        formats.map(file).into()
    });
    FILES.clone()
}

/// Has `bytes` read as what they should be, which must not fail.
fn read(bytes: &[u8], format: ModelFormat) {
    match format {
        ModelFormat::Onnx => readers::onnx(bytes),
        ModelFormat::Npz => readers::weights_npz(bytes),
        ModelFormat::Keras => readers::keras(bytes),
        _ => readers::weights_h5(bytes),
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
        files().iter().for_each(|(format, _)| read(&bytes, *format));
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
