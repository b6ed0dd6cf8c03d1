//! Small writers of the file formats that the readers read, and one small data set.

#![allow(dead_code, reason = "each test file uses some of the writers")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The usual names of the four IDX files.
pub(crate) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The members of an npz archive.
pub(crate) const MEMBERS: [&str; 4] = ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"];

/// Dimensions and elements.
pub(crate) type Array = (Vec<usize>, Vec<u8>);

/// Three images of 2 × 3 pixels to train on and two to test with, of three classes.
pub(crate) fn arrays() -> [Array; 4] {
    [
        (vec![3, 2, 3], (0..18).collect()),
        (vec![3], vec![0, 1, 2]),
        (vec![2, 2, 3], (100..112).collect()),
        (vec![2], vec![2, 0]),
    ]
}

pub(crate) fn idx((dims, elements): &Array) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|&dim| (dim as u32).to_be_bytes()));
    file.extend(elements);
    file
}

pub(crate) fn npy((dims, elements): &Array) -> Vec<u8> {
    let dims: String = dims.iter().map(|dim| format!("{dim},")).collect();
    npy_of(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({dims}), }}"), elements)
}

/// An npy file with the header dictionary `header`, padded as NumPy pads it.
pub(crate) fn npy_of(header: &str, elements: &[u8]) -> Vec<u8> {
    let len = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let header = format!("{header:<0$}\n", len - 1);
    [b"\x93NUMPY\x01\x00", &(len as u16).to_le_bytes()[..], header.as_bytes(), elements].concat()
}

pub(crate) fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, member) in members {
        archive.start_file(*name, options).unwrap();
        archive.write_all(member).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The four arrays as members of an npz archive.
pub(crate) fn members(arrays: &[Array; 4]) -> [(&'static str, Vec<u8>); 4] {
    std::array::from_fn(|i| (MEMBERS[i], npy(&arrays[i])))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes the four arrays as IDX files into `folder`.
pub(crate) fn write_idx(folder: &Path, arrays: &[Array; 4]) {
    for (name, array) in FILES.iter().zip(arrays) {
        fs::write(folder.join(name), idx(array)).unwrap();
    }
}
