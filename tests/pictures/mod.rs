//! Folders of pictures: generated digits, in folders that are named as a test wants.

#![allow(dead_code, reason = "each test file uses some of this")]

use std::fs;
use std::path::Path;

use image::{DynamicImage, GrayImage};
use mnistry::Split;
use mnistry::data::generated::generate;

/// So many generated digits.
pub(crate) fn digits(count: usize) -> Split {
    generate(5, count, 10).unwrap().train
}

/// The image of `split` at `index`, 28 × 28, light ink on black.
pub(crate) fn picture(split: &Split, index: usize) -> GrayImage {
    GrayImage::from_raw(28, 28, split.image(index).to_vec()).unwrap()
}

/// Writes `picture` to `path`, whose folder is made; the ending says in which format.
pub(crate) fn write(path: &Path, picture: impl Into<DynamicImage>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.into().save(path).unwrap();
}

/// Writes the digits below `names.len()` among `split` as pictures into `folder`, each into the one
/// of the name of its class.
pub(crate) fn write_classes(folder: &Path, split: &Split, names: &[&str]) {
    for (index, &label) in split.labels().iter().enumerate() {
        if let Some(name) = names.get(usize::from(label)) {
            write(&folder.join(format!("{name}/{index:04}.png")), picture(split, index));
        }
    }
}
