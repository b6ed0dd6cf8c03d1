//! Any bytes at all are read as a network or as the state of a run, or refused in one line: no
//! panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::error::Error;
use std::fs;
use std::path::Path;

use mnistry::image::ImageShape;
use mnistry::train::State;
use mnistry::{Activation, FitOptions, Network, Sequential};
use proptest::prelude::*;
use proptest::sample::Index;

/// What is done to a file.
#[derive(Clone, Debug)]
enum Mutation {
    /// A byte is another one.
    Set(Index, u8),
    /// A digit of the header is another one: sizes, offsets, numbers of layers.
    Digit(Index, u8),
    /// A part of the header stands somewhere else in it too.
    Copied(Index, Index, usize),
    /// It ends early.
    Cut(Index),
    /// The length of the header is something else.
    Header(u64),
    /// Something follows.
    Longer(Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        3 => (any::<Index>(), b'0'..=b'9').prop_map(|(at, digit)| Mutation::Digit(at, digit)),
        2 => (any::<Index>(), any::<Index>(), 1..40_usize)
            .prop_map(|(from, to, len)| Mutation::Copied(from, to, len)),
        1 => any::<Index>().prop_map(Mutation::Cut),
        1 => prop_oneof![0..4096_u64, any::<u64>()].prop_map(Mutation::Header),
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Mutation::Longer),
    ]
}

impl Mutation {
    fn apply(&self, file: &mut Vec<u8>) {
        // The length of the header, then the header, which is JSON.
        let header = 8..file.len().min(8 + header_len(file));
        match self {
            Self::Set(at, byte) if !file.is_empty() => {
                let at = at.index(file.len());
                file[at] = *byte;
            }
            Self::Digit(at, digit) => {
                let is_digit = |&place: &usize| file[place].is_ascii_digit();
                let digits: Vec<_> = header.filter(is_digit).collect();
                if !digits.is_empty() {
                    file[digits[at.index(digits.len())]] = *digit;
                }
            }
            Self::Copied(from, to, len) if header.len() > *len => {
                let start = |at: &Index| header.start + at.index(header.len() - len);
                file.copy_within(start(from)..start(from) + len, start(to));
            }
            Self::Cut(at) => file.truncate(at.index(file.len() + 1)),
            Self::Header(len) if file.len() >= 8 => file[..8].copy_from_slice(&len.to_le_bytes()),
            Self::Longer(more) => file.extend(more),
            _ => {}
        }
    }
}

fn header_len(file: &[u8]) -> usize {
    file.first_chunk().map_or(0, |len| u64::from_le_bytes(*len).min(1 << 20) as usize)
}

/// A network of every kind of layer.
fn network() -> Network {
    let layers = Sequential::new(ImageShape { height: 8, width: 8 })
        .conv2d(2, 3, Activation::Relu)
        .max_pool(2)
        .dropout(0.5)
        .flatten()
        .dense(4, Activation::Relu)
        .dense(3, Activation::Softmax);
    Network::new(layers, 1).unwrap()
}

/// The bytes that `save` writes.
fn written<E: Error>(save: impl FnOnce(&Path) -> Result<(), E>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.safetensors");
    save(&path).unwrap();
    fs::read(path).unwrap()
}

/// Writes `bytes` and has them read; what is refused is refused in one line that names the file.
fn read<T, E: Error>(bytes: &[u8], load: impl FnOnce(&Path) -> Result<T, E>) -> Option<T> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.safetensors");
    fs::write(&path, bytes).unwrap();
    match load(&path) {
        Ok(found) => Some(found),
        Err(error) => {
            let said = error.to_string();
            let is_line = !said.chars().any(char::is_control) && said.len() < 2000;
            assert!(is_line && said.contains("file.safetensors"), "{said:?}");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn mutated_models_are_read_or_refused(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = written(|path| network().save(path));
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        if let Some(network) = read(&bytes, |path| Network::load(path)) {
            let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
            prop_assert!(network.tensors().iter().all(|tensor| finite(&tensor.values)));
        }
    }

    #[test]
    fn mutated_states_are_read_or_refused(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let state = State::new(network(), FitOptions::default());
        let mut bytes = written(|path| state.save(path));
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        read(&bytes, |path| State::load(path));
    }
}

#[test]
fn what_was_not_mutated_is_read() {
    let network = network();
    let bytes = written(|path| network.save(path));
    assert_eq!(read(&bytes, |path| Network::load(path)), Some(network.clone()));
    let state = State::new(network, FitOptions::default());
    let bytes = written(|path| state.save(path));
    assert_eq!(read(&bytes, |path| State::load(path)), Some(state));
}

#[test]
fn what_is_said_of_a_file_has_no_control_characters_of_it() {
    let bytes = written(|path| network().save(path));
    let header = 8..8 + header_len(&bytes);
    for place in header {
        let mut mutated = bytes.clone();
        mutated[place] = 0x7f;
        read(&mutated, |path| Network::load(path));
    }
}
