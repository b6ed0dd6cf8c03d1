//! Folders of pictures as people have them.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage, imageops};
use mnistry::Dataset;
use mnistry::image::ImageShape;
use pictures::{digits, picture, write, write_classes};
use program::Desk;
use tempfile::TempDir;

mod pictures;
mod program;

const NUMBERS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn open(path: &Path) -> Dataset {
    Dataset::open(path).unwrap()
}

fn refusal(path: &Path) -> String {
    let said = Dataset::open(path).unwrap_err().to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn parts_may_be_called_in_several_ways_and_it_is_said_which_is_what() {
    let all = digits(100);
    for [train, test] in [["Train", "TEST"], ["training", "valid"], ["train", "validation"]] {
        let folder = TempDir::new().unwrap();
        write_classes(&folder.path().join(train), &all, &NUMBERS);
        write_classes(&folder.path().join(test), &digits(50), &NUMBERS);
        let data = open(folder.path());
        assert_eq!((data.train.len(), data.test.len()), (100, 50));
        let note = format!("{train} was taken for the training set, {test} for the test set");
        assert!(data.notes.contains(&note), "{:?}", data.notes);
    }
    let folder = TempDir::new().unwrap();
    for part in ["train", "val", "test"] {
        write_classes(&folder.path().join(part), &all, &NUMBERS);
    }
    fs::write(folder.path().join("notes.txt"), "of a person").unwrap();
    let data = open(folder.path());
    let note = "left out: notes.txt, val; --validation-split keeps a share of the training set to \
                validate with";
    assert!(data.notes.contains(&note.to_owned()), "{:?}", data.notes);
    write_classes(&folder.path().join("Training"), &all, &NUMBERS);
    assert!(
        refusal(folder.path())
            .ends_with("would be the same part of the data set: put them together")
    );
}

#[test]
fn a_class_of_the_test_set_alone_is_refused() {
    let folder = TempDir::new().unwrap();
    write_classes(&folder.path().join("train"), &digits(60), &["a", "b", "c"]);
    write_classes(&folder.path().join("test"), &digits(60), &["a", "b", "d"]);
    let said = refusal(folder.path());
    assert!(
        said.ends_with("the test set has the class d, which the training set has not"),
        "{said}"
    );
}

#[test]
fn folders_that_mean_one_class_are_refused() {
    for [one, other] in [["1", "01"], ["0", "zero"], ["Cat", "cat"], ["A", "a"]] {
        let folder = TempDir::new().unwrap();
        write_classes(folder.path(), &digits(60), &[one, "5", other]);
        let said = refusal(folder.path());
        let mut names = [one, other];
        names.sort_unstable();
        let problem = format!("'{}' and '{}' mean one class", names[0], names[1]);
        assert!(said.contains(&problem), "{said}");
    }
    let folder = TempDir::new().unwrap();
    write_classes(folder.path(), &digits(60), &["A", "a", "b", "B"]);
    let names: Vec<String> = open(folder.path()).class_names.into();
    assert_eq!(names, ["A", "B", "a", "b"]);
}

#[test]
fn number_words_are_numbers_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    write_classes(folder.path(), &digits(60), &["zero", "01", "Two"]);
    let data = open(folder.path());
    assert!(data.class_names.are_numbers());
    let note = "folders were taken: 01 for 1, Two for 2, zero for 0".to_owned();
    assert!(data.notes.contains(&note), "{:?}", data.notes);
}

/// A canvas of 64 × 64 with a digit somewhere on it.
fn on_canvas(digit: &GrayImage, place: i64) -> GrayImage {
    let mut canvas = GrayImage::new(64, 64);
    imageops::overlay(&mut canvas, digit, place % 36, place * 7 % 36);
    canvas
}

#[test]
fn small_pictures_are_as_they_are_wherever_the_ink_is() {
    let folder = TempDir::new().unwrap();
    let all = digits(70);
    let inverted = folder.path().join("inverted");
    let plain = folder.path().join("plain");
    for (index, label) in all.labels().iter().enumerate() {
        let mut canvas = on_canvas(&picture(&all, index), index as i64);
        write(&plain.join(format!("{label}/{index:03}.png")), canvas.clone());
        imageops::invert(&mut canvas);
        // In a few, ink fills the edge.
        if index == 3 {
            canvas.enumerate_pixels_mut().for_each(|(x, _, pixel)| {
                if !(2..62).contains(&x) {
                    *pixel = Luma([10]);
                }
            });
        }
        write(&inverted.join(format!("{label}/{index:03}.png")), canvas);
    }
    let (plain, inverted) = (open(&plain), open(&inverted));
    assert_eq!(plain.shape(), ImageShape { height: 64, width: 64 });
    let lit = |data: &Dataset| data.train.pixels().iter().map(|&p| u64::from(p)).sum::<u64>();
    let digits: u64 = all.pixels().iter().map(|&p| u64::from(p)).sum();
    let tested: u64 = plain.test.pixels().iter().map(|&p| u64::from(p)).sum();
    assert_eq!(lit(&plain) + tested, digits, "not a pixel more or less");
    let same = plain.train.labels().iter().enumerate();
    let same = same.filter(|&(index, _)| plain.train.image(index) == inverted.train.image(index));
    assert!(same.count() >= plain.train.len() - 1, "but for the one with the edge");
    assert_eq!(plain.notes, ["pictures of 64 × 64, taken as they are: on dark ground"]);
    let note =
        "pictures of 64 × 64, taken as they are: inverted, as the ground is light in 69 of 70";
    assert_eq!(inverted.notes, [note]);
}

#[test]
fn pictures_of_several_sizes_are_all_prepared() {
    let folder = TempDir::new().unwrap();
    let all = digits(30);
    write_classes(folder.path(), &all, &NUMBERS);
    let before = open(folder.path());
    assert_eq!(before.train.image(0), all.image((0..30).find(|&i| all.labels()[i] == 0).unwrap()));
    write(&folder.path().join("0/large.png"), on_canvas(&picture(&all, 0), 9));
    let after = open(folder.path());
    assert_eq!(after.shape(), ImageShape { height: 28, width: 28 });
    assert!(after.notes[0].starts_with("pictures of several sizes or larger than 64 × 64: all"));
}

#[test]
fn a_few_pictures_that_cannot_be_used_are_left_out_and_named() {
    let desk = Desk::new();
    let folder = desk.path("digits");
    write_classes(&folder, &digits(60), &NUMBERS);
    write(&folder.join("3/blank.png"), GrayImage::from_pixel(28, 28, Luma([255])));
    fs::write(folder.join("4/broken.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    fs::write(folder.join("5/notes.txt"), "of a person").unwrap();
    let data = open(&folder);
    assert_eq!((data.train.len() + data.test.len(), data.left_out.len()), (60, 3));
    let note = data.notes.iter().find(|note| note.contains("left out")).unwrap();
    let start = "3 of 63 pictures are left out: 3/blank.png: no digit is seen in it";
    assert!(note.starts_with(start) && note.contains("; 5/notes.txt: not a picture"), "{note}");
    let train = "train --data digits --epochs 1 --hidden 4 --run-dir run";
    let ended = desk.run(train);
    assert!(ended.code == Some(0) && ended.stderr.contains(note), "{ended:?}");
    let strict = desk.run(&format!("{train} --strict"));
    assert_eq!((strict.code, strict.stderr.lines().count()), (Some(1), 1));
    assert!(strict.stderr.starts_with("error: digits/3/blank.png: no digit is seen"), "{strict:?}");

    fs::write(folder.join("6/more.png"), "of a person").unwrap();
    let said = refusal(&folder);
    assert!(said.ends_with("; so 4 of 64 pictures cannot be used, more than 1 in 20"), "{said}");
}

#[test]
fn colours_frames_and_formats() {
    let folder = TempDir::new().unwrap();
    let all = digits(16);
    let names = ["png", "gif", "tiff", "tif", "bmp", "webp"];
    for index in 0..16 {
        let grey = picture(&all, index);
        let red = RgbImage::from_fn(28, 28, |x, y| Rgb([grey.get_pixel(x, y).0[0], 0, 0]));
        let path = folder.path().join(format!("{}/{index}.{}", index % 2, names[index % 6]));
        match index < 12 {
            true => {
                write(&path, RgbImage::from_fn(28, 28, |x, y| Rgb([grey.get_pixel(x, y).0[0]; 3])))
            }
            false => write(&path, red),
        }
    }
    let data = open(folder.path());
    assert_eq!(data.train.len() + data.test.len(), 16);
    let note = "4 of 16 pictures have colours, which were made grey".to_owned();
    assert!(data.notes.contains(&note), "{:?}", data.notes);
}
