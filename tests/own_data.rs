//! A person's own data: CSV files, and folders of pictures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};
use mnistry::Dataset;
use mnistry::data::{LabelColumn, ReadOptions, Table};
use mnistry::image::ImageShape;
use tempfile::TempDir;

/// Writes a grey picture; the ending of its name says in which format.
fn write_picture(path: &Path, (height, width): (u32, u32), level: impl Fn(u32, u32) -> u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(width, height, |x, y| Luma([level(y, x)])).save(path).unwrap();
}

#[test]
fn the_same_images_from_every_way_of_writing_them() {
    let plain = "label,pixel0,pixel1,pixel2,pixel3\n3,0,1,2,255\n0,9,8,7,6\n";
    let ways = [
        plain.to_owned(),
        plain.trim_end().to_owned(),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\n\n\r\n"),
        format!("\u{feff}{plain}"),
        plain.replace(',', " , ").replace('\n', " \n"),
        plain.replace("255", "\"255\"").replace("label", "\"Label\""),
        plain.replace("0,9", "000,009"),
    ];
    for way in ways {
        let table = Table::parse(way.as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!(table.shape(), ImageShape { height: 2, width: 2 });
        assert_eq!(table.pixels()[..], [0, 1, 2, 255, 9, 8, 7, 6], "{way:?}");
        assert_eq!(table.labels().unwrap().collect::<Vec<_>>(), ["3", "0"], "{way:?}");
    }
    let first = ReadOptions::default().label_column(Some(LabelColumn::First));
    let headless = plain.split_once('\n').unwrap().1;
    let table = Table::parse(headless.as_bytes(), &first).unwrap();
    assert_eq!(table.labels().unwrap().collect::<Vec<_>>(), ["3", "0"]);
    for unlabelled in ["pixel0,pixel1,pixel2,pixel3\n1,2,3,5", "1,2,3,5"] {
        let table = Table::parse(unlabelled.as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!(table.pixels()[..], [1, 2, 3, 5]);
        assert!(table.labels().is_none());
    }
}

/// Rows of one pixel, which is the row's number, and of two classes.
fn rows(count: usize) -> String {
    let row = |row: usize| format!("{},{row}\n", row % 2);
    "label,pixel0\n".to_owned() + &(0..count).map(row).collect::<String>()
}

#[test]
fn every_seventh_row_is_kept_to_test_with() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("digits.CSV");
    fs::write(&path, rows(15)).unwrap();
    let data = Dataset::open(&path).unwrap();
    assert_eq!(data.name, "digits.CSV");
    assert_eq!(data.test.pixels(), [6, 13]);
    assert_eq!(data.test.labels(), [0, 1]);
    assert_eq!(data.train.pixels(), [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 14]);
}

#[test]
fn a_folder_may_hold_csv_files() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let open = || Dataset::open(folder.path()).unwrap();
    write("train.csv", rows(14));
    assert_eq!(open().test.pixels(), [6, 13]);
    // As Kaggle's, without labels: nothing can be tested with it.
    write("test.csv", "pixel0\n50\n".into());
    assert_eq!(open().test.pixels(), [6, 13]);
    write("test.csv", "label,pixel0\n1,50\n".into());
    let data = open();
    assert_eq!((data.train.len(), data.test.pixels()), (14, &[50][..]));
}

#[test]
fn small_pictures_of_one_size_are_taken_as_they_are() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Class 0 is light on black, class 1 dark on white; the level tells the pictures apart.
    for number in 0..7 {
        let format = ["png", "bmp", "webp"][usize::from(number) % 3];
        let stroke = move |y: u32, x: u32| (2..10).contains(&y) && x == 5 + u32::from(number) % 2;
        let light = move |y, x| if stroke(y, x) { 200 + number } else { 0 };
        let dark = move |y, x| 255 - light(y, x);
        write_picture(&at(&format!("0/{number}.{format}")), (12, 11), light);
        write_picture(&at(&format!("1/{number}.{format}")), (12, 11), dark);
    }
    fs::write(at("1/.DS_Store"), "of a system").unwrap();
    fs::write(at("Thumbs.db"), "of a system").unwrap();
    let data = Dataset::open(folder.path()).unwrap();
    assert_eq!(data.shape(), ImageShape { height: 12, width: 11 });
    assert_eq!((data.train.len(), data.test.labels()), (12, &[0, 1][..]));
    for images in [&data.train, &data.test] {
        for index in 0..images.len() {
            let image = images.image(index);
            let level = *image.iter().max().unwrap();
            let number = usize::from(level - 200);
            assert_eq!(image.iter().filter(|&&pixel| pixel == level).count(), 8);
            assert_eq!(image[2 * 11 + 5 + number % 2], level);
            assert!(image.iter().all(|&pixel| pixel == level || pixel == 0));
        }
    }
}

#[test]
fn other_pictures_are_fitted_as_those_of_mnist() {
    for [train, test] in [["train", "test"], ["training", "testing"]] {
        let folder = TempDir::new().unwrap();
        let at = |name: String| folder.path().join(name);
        let stroke = |y: u32, x: u32| {
            if (40..80).contains(&y) && (20..30).contains(&x) { 40 } else { 230 }
        };
        write_picture(&at(format!("{train}/0/a.jpg")), (100, 90), stroke);
        write_picture(&at(format!("{train}/1/a.png")), (90, 100), |y, x| stroke(x, y));
        write_picture(&at(format!("{test}/1/a.png")), (95, 100), |y, x| stroke(x, y));
        let data = Dataset::open(folder.path()).unwrap();
        assert_eq!(data.shape(), ImageShape { height: 28, width: 28 });
        assert_eq!((data.train.labels(), data.test.labels()), (&[0, 1][..], &[1][..]));
        // The stroke fills the box of 20 from top to bottom, and its middle is the image's.
        let upright = data.train.image(0);
        assert!(upright[5 * 28 + 14] > 200 && upright[22 * 28 + 14] > 200, "{upright:?}");
        assert!(upright[2 * 28 + 14] == 0 && upright[14 * 28 + 8] == 0, "{upright:?}");
        let lying = data.test.image(0);
        assert!(lying[14 * 28 + 5] > 200 && lying[14 * 28 + 22] > 200, "{lying:?}");
    }
}
