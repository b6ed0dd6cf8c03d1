//! Any bytes at all are read as a network, or refused in one line: no panic, and no more memory or
//! time than the file is worth.

use std::fs;
use std::path::Path;

use mnistry::interchange::keras;
use proptest::prelude::*;
use proptest::sample::Index;

use super::small;

/// A model that Keras saved; its HDF5 has no checksums.
const OF_KERAS: &[u8] = include_bytes!("../fixtures/keras/named.keras");

/// Reads `bytes` as an archive and as weights, which must be good or refused in one line.
fn read(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::write(&path, bytes).unwrap();
    let architecture = small().architecture().clone();
    let archive = keras::read_archive(&path).map(|read| read.network);
    for read in [archive, keras::read_weights(&path, architecture)] {
        if let Err(error) = read {
            check_line(&error.to_string(), &path);
        }
    }
}

fn check_line(said: &str, path: &Path) {
    assert!(said.starts_with(&path.display().to_string()), "{said}");
    assert!(!said.chars().any(char::is_control), "{said:?}");
}

/// The archive `bytes` without its checksums: what is changed in it is not noticed by them.
fn repacked(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    use std::io::{Cursor, Write};
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, member) in members {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(member).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The members of the archive `bytes`.
fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    use std::io::{Cursor, Read};
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |index| {
        let mut member = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), bytes)
    };
    (0..3).map(read).collect()
}

fn ours() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.keras");
    keras::write_archive(&small(), &path).unwrap();
    fs::read(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn changed_archives_are_read_or_refused(
        is_ours: bool,
        member in 0..3_usize,
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<Index>()),
    ) {
        let mut members = members(&if is_ours { ours() } else { OF_KERAS.to_vec() });
        let bytes = &mut members[member].1;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // Numbers for other numbers, so that JSON and sizes stay readable.
        read(&repacked(&members));
        if let Some((_, weights)) = members.into_iter().find(|(name, _)| name.ends_with(".h5")) {
            read(&weights);
        }
    }

    #[test]
    fn changed_settings_are_read_or_refused(at: Index, digit in b'0'..=b'9') {
        let mut members = members(OF_KERAS);
        let config = members.iter_mut().find(|(name, _)| name == "config.json").unwrap();
        let digits: Vec<_> =
            (0..config.1.len()).filter(|&place| config.1[place].is_ascii_digit()).collect();
        config.1[digits[at.index(digits.len())]] = digit;
        read(&repacked(&members));
    }
}

/// The tree of a group's links in the HDF5 file `bytes`, each node of which names the next one
/// twice: a few bytes, and 2⁶⁰ ways to the leaf.
fn with_many_ways(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let number = |file: &[u8], at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    // Version 0 of the superblock: the root group's header, whose first message is where its tree is.
    assert_eq!(&file[8..9], [0]);
    let root = number(&file, 64) as usize;
    let mut tree = number(&file, root + 24);
    assert_eq!(&file[tree as usize..tree as usize + 4], b"TREE");
    for level in 1..=60_u8 {
        let next = file.len() as u64;
        file.extend(b"TREE");
        file.extend([0, level, 2, 0]);
        file.extend([0xff; 16]);
        for word in [0, tree, 0, tree, 0] {
            file.extend(word.to_le_bytes());
        }
        tree = next;
    }
    let len = file.len() as u64;
    for (at, word) in [(root + 24, tree), (80, tree), (40, len)] {
        file[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }
    file
}

#[test]
fn links_that_lead_to_one_place_in_too_many_ways_are_not_walked() {
    let weights = members(OF_KERAS).into_iter().find(|(name, _)| name.ends_with(".h5")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.weights.h5");
    fs::write(&path, with_many_ways(&weights.1)).unwrap();
    // All of them would take longer than anyone lives: so they are counted.
    let error = keras::read_weights(&path, small().architecture().clone()).unwrap_err().to_string();
    assert!(error.contains("its links lead in circles"), "{error}");
}

/// Why the archive that Keras saved is refused, with each `from` in its HDF5 file replaced by `to`.
fn refused_with(from: &[u8], to: &[u8]) -> String {
    let mut members = members(OF_KERAS);
    let (_, weights) = members.iter_mut().find(|(name, _)| name.ends_with(".h5")).unwrap();
    let is_there = |weights: &[u8], at: usize| weights[at..].starts_with(from);
    let places: Vec<usize> = (0..weights.len()).filter(|&at| is_there(weights, at)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| weights[at..at + to.len()].copy_from_slice(to));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.keras");
    fs::write(&path, repacked(&members)).unwrap();
    let error = keras::read_archive(&path).unwrap_err().to_string();
    check_line(&error, &path);
    error
}

#[test]
fn floats_of_32_bits_that_are_not_those_of_ieee_754_are_refused() {
    // The message of a type: class 1, form and sign; four bytes; bits, exponent, fraction, bias.
    let f32 = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
    let with = |place: usize, byte: u8| {
        let mut other = f32;
        other[place] = byte;
        refused_with(&f32, &other)
    };
    // A bias of 100; eleven bits of exponent; a sign elsewhere; no leading bit; bits above those.
    for (place, byte) in [(16, 100), (13, 11), (12, 20), (2, 0), (1, 0), (10, 31), (15, 20)] {
        let error = with(place, byte);
        assert!(error.contains("not those of IEEE 754"), "byte {place} as {byte}: {error}");
    }
    let bias = with(16, 100);
    assert!(bias.contains("layers/") && bias.contains("/vars/"), "{bias}");
    // Bytes in the order of a VAX.
    assert!(with(1, 0x61).contains("not those of IEEE 754"));
}

#[test]
fn links_to_names_are_told_from_damage() {
    // A node of links: the first one's place is none.
    let node = b"SNOD\x01\x00";
    let members = members(OF_KERAS);
    let weights = &members.iter().find(|(name, _)| name.ends_with(".h5")).unwrap().1;
    let at = weights.windows(node.len()).position(|window| window == node).unwrap();
    let link = &weights[at..at + 24];
    let mut soft = link.to_vec();
    soft[16..24].fill(0xff);
    let error = refused_with(link, &soft);
    assert!(error.contains("leads to a name (a soft link)"), "{error}");
}
