//! What is not exactly a data set is refused, each cause with its own words.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use mnistry::data::{self, Bytes, Cache, Problem};
use mnistry::image::ImageShape;
use mnistry::{Dataset, Error, Split};
use tempfile::TempDir;
use writers::{Array, FILES, MEMBERS, arrays, gzip, members, npy_of, npz, write_idx};
use zip::CompressionMethod::{Deflated, Stored};

mod writers;

/// What is said when `path` is opened.
fn refusal(path: &Path) -> String {
    let cache = Cache::at(path.join("cache"));
    Dataset::open_with(path, &cache).expect_err("it must be refused").to_string()
}

/// Checks what is said of `path`; words that end in `…` only start it, as the rest is another
/// crate's.
#[track_caller]
fn check(path: &Path, refusal: &str, expected: &str) {
    let expected = format!("{}: {expected}", path.display());
    match expected.strip_suffix('…') {
        Some(start) => assert!(refusal.starts_with(start), "{refusal}"),
        None => assert_eq!(refusal, expected),
    }
}

/// Checks that opening a folder says this about its file `name` once that has these `bytes`.
#[track_caller]
fn check_idx(name: &str, bytes: &[u8], expected: &str) {
    let folder = TempDir::new().unwrap();
    write_idx(folder.path(), &arrays());
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    check(&path, &refusal(folder.path()), expected);
}

/// Checks that opening a folder with these arrays says this about the folder.
#[track_caller]
fn check_arrays(arrays: &[Array; 4], expected: &str) {
    let folder = TempDir::new().unwrap();
    write_idx(folder.path(), arrays);
    check(folder.path(), &refusal(folder.path()), expected);
    let path = folder.path().join("mnist.npz");
    fs::write(&path, npz(&members(arrays), Deflated)).unwrap();
    check(&path, &refusal(&path), expected);
}

/// Checks that opening the archive `bytes` says this.
#[track_caller]
fn check_npz(bytes: &[u8], expected: &str) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnist.npz");
    fs::write(&path, bytes).unwrap();
    check(&path, &refusal(&path), expected);
}

#[test]
fn idx_files() {
    let good = writers::idx(&arrays()[0]);
    let changed = |position: usize, byte: u8| {
        let mut file = good.clone();
        file[position] = byte;
        file
    };
    let huge = [&[0, 0, 8, 3][..], &[0xff; 12]].concat();
    let name = FILES[0];
    let cases = [
        (vec![], "truncated: it ends within its header, after 0 bytes"),
        (vec![0, 0, 8], "truncated: it ends within its header, after 3 bytes"),
        (good[..15].to_vec(), "truncated: it ends within its header, after 15 bytes"),
        (good[..33].to_vec(), "truncated: it has 33 of the 34 bytes that its header says"),
        (
            [&good[..], &[0]].concat(),
            "overlong: it has more than the 34 bytes that its header says",
        ),
        (changed(0, 0x50), "not an IDX file: it starts with 50 00 08, where 00 00 08 is expected"),
        (changed(1, 0x50), "not an IDX file: it starts with 00 50 08, where 00 00 08 is expected"),
        (changed(2, 0x0d), "truncated: it has 34 of the 88 bytes that its header says"),
        (changed(2, 0x55), "its elements are of the type 55, which no IDX file has"),
        (
            huge,
            "its header claims 4294967295 × 4294967295 × 4294967295 bytes of data, more than can \
             be addressed",
        ),
    ];
    for (file, expected) in cases {
        check_idx(name, &file, expected);
    }
}

#[test]
fn gzipped_idx_files() {
    let array = &arrays()[0];
    let good = gzip(&writers::idx(array));
    let cut = |end: usize| good[..good.len() - end].to_vec();
    let mut wrong_checksum = good.clone();
    let checksum = good.len() - 8;
    wrong_checksum[checksum] ^= 1;
    let mut claims = writers::idx(array);
    claims[4] = 1;
    let ended_early = "truncated: its compressed data end too early";
    let cases = [
        (cut(good.len() - 2), ended_early.to_owned()),
        (cut(12), ended_early.to_owned()),
        (cut(1), ended_early.to_owned()),
        ([&good[..], b"garbage after it"].concat(), "damaged: …".to_owned()),
        (wrong_checksum, "damaged: …".to_owned()),
        (
            gzip(&writers::idx(array)[..30]),
            "truncated: it has 30 of the 34 bytes that its header says".to_owned(),
        ),
        (
            gzip(&[&writers::idx(array)[..], &[0]].concat()),
            "overlong: it has more than the 34 bytes that its header says".to_owned(),
        ),
        (
            gzip(&claims),
            format!(
                "its header claims 100663330 bytes, more than its {} compressed bytes can hold",
                gzip(&claims).len()
            ),
        ),
    ];
    for (file, expected) in cases {
        check_idx(FILES[0], &file, &expected);
    }
}

#[test]
fn arrays_that_do_not_fit_together() {
    let with = |change: fn(&mut [Array; 4])| {
        let mut arrays = arrays();
        change(&mut arrays);
        arrays
    };
    let cases = [
        (with(|a| a[1] = (vec![4], vec![0; 4])), "training set: 3 images but 4 labels"),
        (with(|a| a[3] = (vec![1], vec![0])), "test set: 2 images but 1 labels"),
        (
            with(|a| a[0].0 = vec![3, 6]),
            "training set: its images have the shape 3 × 6, where count × height × width is \
             expected",
        ),
        (
            with(|a| a[3].0 = vec![1, 2, 1]),
            "test set: its labels have the shape 1 × 2 × 1, where one label an image is expected",
        ),
        (
            with(|a| (a[0], a[1]) = ((vec![0, 2, 3], vec![]), (vec![0], vec![]))),
            "training set: it has no images",
        ),
        (
            with(|a| (a[2], a[3]) = ((vec![0, 2, 3], vec![]), (vec![0], vec![]))),
            "test set: it has no images",
        ),
        (
            with(|a| a[2] = (vec![2, 0, 3], vec![])),
            "test set: its images have no pixels: they are 0 × 3",
        ),
        (
            with(|a| a[2].0 = vec![2, 3, 2]),
            "the training images are 2 × 3 pixels, the test images 3 × 2",
        ),
        (with(|a| a[3].1[1] = 7), "test image 1 has the label 7, but the training labels end at 2"),
    ];
    for (arrays, expected) in cases {
        check_arrays(&arrays, expected);
    }
}

#[test]
fn npy_members() {
    let long = [b"\x93NUMPY\x02\x00", &0xffff_ffffu32.to_le_bytes()[..], b"{}"].concat();
    let typed = |descr: &str| {
        npy_of(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (3,), }}"), b"abc")
    };
    let shaped = |order: &str, shape: &str, elements: &[u8]| {
        let header = format!("{{'descr': '|u1', 'fortran_order': {order}, 'shape': {shape}, }}");
        npy_of(&header, elements)
    };
    let most = usize::MAX;
    let cases = [
        (vec![], "truncated: it ends within its header, after 0 bytes".to_owned()),
        (b"\x93NUMPY\x01".to_vec(), "truncated: it ends within its header, after 7 bytes".into()),
        (
            typed("|u1")[..100].to_vec(),
            "truncated: it ends within its header, after 100 bytes".into(),
        ),
        (b"P5 28 28 255".to_vec(), "not an npy file: it does not start with \\x93NUMPY".into()),
        (
            b"\x93NUMPY\x04\x01\x00\x00".to_vec(),
            "npy version 4.1 is unknown; versions 1.0, 2.0 and 3.0 are read".into(),
        ),
        (long, "its npy header claims 4294967295 bytes; at most 10000 are read".into()),
        (
            npy_of("{'descr': '|u1'}", b""),
            "its npy header is malformed: expected all of 'descr', 'fortran_order', 'shape' at \
             byte 26"
                .into(),
        ),
        (
            typed("|O"),
            "its elements are pickled Python objects, which are never read, as unpickling runs \
             code; save the array as uint8"
                .into(),
        ),
        (typed("<f4"), "the archive says 131 bytes, its own header 140".into()),
        (
            typed("<f2"),
            "its elements are of type '<f2'; integers, float32 and float64 are read: save it as \
             uint8"
                .into(),
        ),
        (
            typed("\x1b[31m"),
            "its elements are of type '\\u{1b}[31m'; integers, float32 and float64 are read: save \
             it as uint8"
                .into(),
        ),
        (
            shaped("False", &format!("({most}, 2)"), b""),
            format!("its header claims {most} × 2 bytes of data, more than can be addressed"),
        ),
        (
            shaped("False", "(-3,)", b"abc"),
            "its npy header is malformed: expected a number that can be addressed at byte 61"
                .into(),
        ),
        (shaped("False", "(4,)", b"abc"), "the archive says 131 bytes, its own header 132".into()),
        (shaped("False", "(2,)", b"abc"), "the archive says 131 bytes, its own header 130".into()),
    ];
    for (labels, expected) in cases {
        let mut members = members(&arrays());
        members[1].1 = labels;
        for method in [Deflated, Stored] {
            check_npz(&npz(&members, method), &format!("y_train.npy: {expected}"));
        }
    }
}

#[test]
fn archives() {
    let good = members(&arrays());
    let stored = npz(&good, Stored);
    check_npz(b"", "not a readable zip archive: …");
    let truncated =
        "truncated: its directory, which comes last in a zip archive, is missing: fetch it again";
    for cut in [1, 30, stored.len() / 2] {
        check_npz(&stored[..stored.len() - cut], truncated);
    }
    check_npz(&npz(&good[..2], Stored), "it lacks x_test.npy, y_test.npy");
    let mut other_names = good.clone();
    other_names[0].0 = "train_images.npy";
    check_npz(&npz(&other_names, Stored), "it lacks x_train.npy");
    let huge = npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (999999, 28, 28), }", b"");
    let mut claims = good.clone();
    claims[0].1 = huge;
    check_npz(
        &npz(&claims, Stored),
        "x_train.npy: its header claims 783999344 bytes, more than its 128 compressed bytes can \
         hold",
    );
}

/// Offsets within a member's record in the directory of a zip archive.
mod record {
    pub(crate) const FLAGS: usize = 8;
    pub(crate) const METHOD: usize = 10;
    pub(crate) const CRC: usize = 16;
    pub(crate) const PACKED_LEN: usize = 20;
    pub(crate) const UNPACKED_LEN: usize = 24;
    pub(crate) const HEADER_START: usize = 42;
    pub(crate) const NAME: usize = 46;
}

/// Where the directory's record of a member starts.
fn record_of(archive: &[u8], name: &str) -> usize {
    let is_record = |&start: &usize| {
        archive[start..].starts_with(b"PK\x01\x02")
            && archive[start + record::NAME..].starts_with(name.as_bytes())
    };
    (0..archive.len() - record::NAME).find(is_record).unwrap()
}

#[test]
fn archives_whose_directory_lies() {
    let good = members(&arrays());
    let (stored, deflated) = (npz(&good, Stored), npz(&good, Deflated));
    let name = MEMBERS[2];
    let patched = |archive: &[u8], field: usize, bytes: &[u8]| {
        let mut archive = archive.to_vec();
        let start = record_of(&archive, name) + field;
        archive[start..start + bytes.len()].copy_from_slice(bytes);
        archive
    };
    let check = |archive: Vec<u8>, expected: &str| check_npz(&archive, expected);

    check(
        patched(&deflated, record::FLAGS, &[1, 0]),
        "x_test.npy: it is encrypted; save it without a password",
    );
    check(
        patched(&deflated, record::METHOD, &[12, 0]),
        "x_test.npy: its compression method is not read; save it with numpy.savez or \
         numpy.savez_compressed",
    );
    let mut renamed = stored.clone();
    let start = record_of(&stored, MEMBERS[3]) + record::NAME;
    renamed[start..start + name.len()].copy_from_slice(name.as_bytes());
    check(renamed, "it holds two members of the same name");
    for archive in [&stored, &deflated] {
        let start = record_of(archive, name) + record::CRC;
        let crc = u32::from_le_bytes(archive[start..start + 4].try_into().unwrap());
        check(
            patched(archive, record::CRC, &[1, 2, 3, 4]),
            &format!("x_test.npy: damaged: its checksum is {crc:08x} and should be 04030201"),
        );
        check(
            patched(archive, record::UNPACKED_LEN, &[200, 0, 0, 0]),
            "x_test.npy: the archive says 200 bytes, its own header 140",
        );
    }

    // Both the archive and the header say 140 bytes, but less or more is there.
    check(
        patched(&stored, record::PACKED_LEN, &[139, 0, 0, 0]),
        "x_test.npy: truncated: it has 139 of the 140 bytes that its header says",
    );
    check(
        patched(&stored, record::PACKED_LEN, &[141, 0, 0, 0]),
        "x_test.npy: overlong: it has more than the 140 bytes that its header says",
    );
    let mut bomb = good.clone();
    bomb[2].1.resize(1 << 20, 0);
    check(
        patched(&npz(&bomb, Deflated), record::UNPACKED_LEN, &[140, 0, 0, 0]),
        "x_test.npy: overlong: it has more than the 140 bytes that its header says",
    );

    // Stored and deflated, the compressed bytes must lie within the file, and be each member's own.
    let start = u64::from(u32::from_le_bytes({
        let at = record_of(&stored, name) + record::HEADER_START;
        stored[at..at + 4].try_into().unwrap()
    }));
    let held = stored.len() as u64 - (start + 30 + name.len() as u64);
    check(
        patched(&stored, record::PACKED_LEN, &[0, 0, 0, 1]),
        &format!("x_test.npy: it claims 16777216 bytes where the file holds at most {held}"),
    );
}

#[test]
fn members_that_share_their_bytes() {
    // All four records point to the same deflated bytes.
    let images = (
        vec![1, 20, 20],
        (0..400u32).map(|i| (i.wrapping_mul(2_654_435_769) >> 24) as u8).collect(),
    );
    let same: [Array; 4] = std::array::from_fn(|_| images.clone());
    let mut archive = npz(&members(&same), Deflated);
    let records = MEMBERS.map(|name| record_of(&archive, name));
    let first = records[0] + record::HEADER_START;
    let header_start: [u8; 4] = archive[first..first + 4].try_into().unwrap();
    let packed_len = records[0] + record::PACKED_LEN;
    let one = u32::from_le_bytes(archive[packed_len..packed_len + 4].try_into().unwrap());
    let directory = records[0];
    for record in records {
        let at = record + record::HEADER_START;
        archive[at..at + 4].copy_from_slice(&header_start);
    }
    // The bytes of the other three are taken out, and the directory moves up.
    let end = 30 + MEMBERS[0].len() + one as usize;
    archive.drain(end..directory);
    let end_record = archive.len() - 22;
    archive[end_record + 16..end_record + 20].copy_from_slice(&(end as u32).to_le_bytes());
    let expected =
        format!("it claims {} bytes where the file holds at most {}", 4 * one, archive.len());
    check_npz(&archive, &expected);
}

#[test]
fn places_without_a_data_set() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let missing = refusal(&at("nowhere"));
    assert!(
        missing.starts_with(&format!("cannot open {}: ", at("nowhere").display())),
        "{missing}"
    );

    fs::write(at("digits.txt"), "7").unwrap();
    assert_eq!(
        refusal(&at("digits.txt")),
        format!(
            "{}: neither a folder nor an .npz or .csv file; for IDX files, name the folder that \
             holds all four",
            at("digits.txt").display()
        )
    );

    let lacks = |files: &str| {
        format!(
            "{}: the folder lacks {files} (as they are, or gzipped and ending in .gz), and there \
             is no mnist.npz",
            folder.path().display()
        )
    };
    let nothing = "no data set is in this folder: it is to hold MNIST's four IDX files, mnist.npz, \
                   train.csv, or a folder of pictures for each class, named 0, 1 …";
    check(folder.path(), &refusal(folder.path()), nothing);
    write_idx(folder.path(), &arrays());
    fs::remove_file(at(FILES[1])).unwrap();
    fs::remove_file(at(FILES[2])).unwrap();
    assert_eq!(refusal(folder.path()), lacks("train-labels-idx1-ubyte, t10k-images-idx3-ubyte"));
}

#[test]
fn arrays_from_memory() {
    let split = |height, width, pixels: usize, labels: Vec<u8>| {
        Split::new(ImageShape { height, width }, vec![0; pixels].into(), Bytes::from(labels))
    };
    let cases = [
        (split(2, 3, 7, vec![0]), "7 pixels are not a whole number of images of 2 × 3 pixels"),
        (split(2, 3, 6, vec![]), "1 images but 0 labels"),
        (split(2, 3, 0, vec![]), "it has no images"),
        (split(0, 3, 0, vec![0]), "its images have no pixels: they are 0 × 3"),
    ];
    for (split, expected) in cases {
        assert_eq!(split.unwrap_err().to_string(), expected);
    }
    assert!(split(usize::MAX, 2, 6, vec![0]).is_err());
    let all = split(1, 1, 2, vec![0, 1]).unwrap();
    assert_eq!(all.take(0).unwrap_err().to_string(), "it has no images");
}

#[test]
fn the_cause_of_a_refusal_can_be_told_from_others() {
    let open = |path: &Path| Dataset::open(path).map_err(Error::from).expect_err("it is refused");
    let folder = TempDir::new().unwrap();
    let error = open(folder.path());
    let Error::Data(data::Error::Invalid { path, problem: Problem::NoData }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(path, folder.path());
    let source = std::error::Error::source(&error).expect("it has a source");
    assert_eq!(source.downcast_ref(), Some(&Problem::NoData));

    let missing = open(&folder.path().join("missing"));
    let source = std::error::Error::source(&missing).expect("it has a source");
    let said: &std::io::Error = source.downcast_ref().expect("the system said it");
    assert_eq!(said.kind(), std::io::ErrorKind::NotFound);
}
