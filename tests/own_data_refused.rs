//! What is wrong with a person's own data is said in exact words.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat, Luma};
use mnistry::Dataset;
use mnistry::image::Picture;
use tempfile::TempDir;

/// Checks what is said when `place` is opened as a data set: the words of `expected` about `path`;
/// those that end in `…` only start it, as the rest is another crate's.
#[track_caller]
fn check(place: &Path, path: &Path, expected: &str) {
    let refusal = Dataset::open(place).expect_err("it must be refused").to_string();
    assert_says(&refusal, path, expected);
}

#[track_caller]
fn assert_says(refusal: &str, path: &Path, expected: &str) {
    let expected = format!("{}: {expected}", path.display());
    match expected.strip_suffix('…') {
        Some(start) => assert!(refusal.starts_with(start), "{refusal}"),
        None => assert_eq!(refusal, expected),
    }
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
}

#[test]
fn csv_files() {
    let header = "label,pixel0,pixel1,pixel2,pixel3\n";
    let good = "1,2,3,4,5\n".repeat(7);
    let with = |row: &str| format!("{header}{good}{row}\n{good}").into_bytes();
    let not_square = |columns: usize| {
        format!(
            "it has {columns} columns; expected are the pixels of a square image, such as 784 of \
             28 × 28, and perhaps a label and an id"
        )
    };
    let unclear = |columns: usize| {
        format!(
            "nothing tells which of its {columns} columns has the labels, or whether one does: say \
             --label-column first, last, none, or a number from 1"
        )
    };
    let field = |place: &str, text: &str| {
        format!(
            "{place}: '{text}' is no pixel; pixels are whole numbers from 0 to 255, or all of them \
             numbers from 0 to 1"
        )
    };
    let utf16 = "its text is UTF-16; save it as CSV in UTF-8".to_owned();
    let none = "it has no images".to_owned();
    let only_header =
        "it has a header, and no images; if its first line is an image, say --no-header".to_owned();
    let cases: Vec<(Vec<u8>, String)> = vec![
        (vec![], none.clone()),
        (b"\xef\xbb\xbf\r\n\n".to_vec(), none),
        (header.into(), only_header.clone()),
        (vec![0; 100], only_header),
        (b"\xff\xfel\0a\0".to_vec(), utf16.clone()),
        (b"\xfe\xff\0l\0a".to_vec(), utf16),
        (with("1,NaN,3,4,5"), field("line 9, column 2", "NaN")),
        (with("nan,2,3,4,5"), "line 9, column 1: 'nan' is no label".into()),
        (with(",2,3,4,5"), "line 9, column 1: '' is no label".into()),
        (with("1,2,3,4,inf"), field("line 9, column 5", "inf")),
        (with("1,2,-3,4,5"), field("line 9, column 3", "-3")),
        (with("1,2,3,256,5"), field("line 9, column 4", "256")),
        (with("256,2,3,4,5"), "label 7 is 256; labels are whole numbers from 0 to 255".into()),
        (with("1,2,3.5,4,5"), field("line 9, column 3", "3.5")),
        (with("1,2,1e9,4,5"), field("line 9, column 3", "1e9")),
        (with("1,2,,4,5"), field("line 9, column 3", "")),
        (with("1,2,\x1b[2J,4,5"), field("line 9, column 3", "\\u{1b}[2J")),
        (with(&format!("1,2,3,{},5", "9".repeat(99))), field("line 9, column 4", &"9".repeat(20))),
        (with("\r\n\n1,x,3,4,5"), field("line 11, column 2", "x")),
        (with("1,2,3,4"), "line 9 has 4 columns where the first has 5".into()),
        (with("1,2,3,4,5,6"), "line 9 has 6 columns where the first has 5".into()),
        (with("\"1,2,3,4,5"), "line 9 has 1 columns where the first has 5".into()),
        (b"label,pixel0,pixel1,pixel2\n1,2,3,4\n".to_vec(), not_square(4)),
        (b"1,2,3\n4,5,6\n".to_vec(), unclear(3)),
        (b"1,2,3,4,5\n6,7,8,9,1\n".to_vec(), unclear(5)),
        (b"label,y,pixel0\n1,2,3\n".to_vec(), unclear(3)),
        (b"id,label,pixel0,pixel1,pixel2\n1,2,3,4,5\n".to_vec(), not_square(5)),
        (
            b"label,pixel0,pixel1,pixel10,pixel2\n1,2,3,4,5\n".to_vec(),
            "its pixels are not in order: 'pixel10' follows 'pixel1'".into(),
        ),
        (
            b"label;pixel0;pixel1\n1;2;3\n".to_vec(),
            "its columns are separated by ';'; separate them by commas".into(),
        ),
        (
            b"label\tpixel0\n1\t2\n".to_vec(),
            "its columns are separated by '\\t'; separate them by commas".into(),
        ),
        (
            b"pixel0\n1\n2\n".to_vec(),
            "it has no labels, so nothing can be learnt from it; only `predict` reads it".into(),
        ),
        (
            format!("{header}1,2,3,4,5\n").into_bytes(),
            "it has 1 images; it takes 7, as every seventh is kept to test with".into(),
        ),
        (
            format!("{header}{}2,2,3,4,5", "1,2,3,4,5\n".repeat(6)).into_bytes(),
            "test image 0 has the label 2, but the training labels end at 1".into(),
        ),
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("digits.csv");
    for (file, expected) in cases {
        fs::write(&path, file).unwrap();
        check(&path, &path, &expected);
    }
}

#[test]
fn csv_files_in_a_folder() {
    let folder = TempDir::new().unwrap();
    let [train, test] = ["train.csv", "test.csv"].map(|name| folder.path().join(name));
    let rows = |rows: &str| format!("label,pixel0\n{rows}");
    fs::write(&train, rows(&"0,5\n".repeat(7))).unwrap();
    fs::write(&test, rows("0,5\n0,x\n")).unwrap();
    let problem = "line 3, column 2: 'x' is no pixel; pixels are whole numbers from 0 to 255, or \
                   all of them numbers from 0 to 1";
    check(folder.path(), &test, problem);
    fs::write(&test, "label,a,b,c,d\n0,1,2,3,4\n").unwrap();
    let problem = "the training images are 1 × 1 pixels, the test images 2 × 2";
    check(folder.path(), &test, problem);
    fs::write(&test, rows("1,5\n")).unwrap();
    let problem = "test image 0 has the label 1, but the training labels end at 0";
    check(folder.path(), &test, problem);
    fs::write(&train, rows("0,5\n0\n")).unwrap();
    check(folder.path(), &train, "line 3 has 1 columns where the first has 2");
}

/// A picture of `height` × `width` pixels with a dark stroke.
fn picture(format: ImageFormat, (height, width): (u32, u32)) -> Vec<u8> {
    let level = |x, _| Luma([if x == 4 { 20 } else { 220_u8 }]);
    let mut file = Cursor::new(Vec::new());
    GrayImage::from_fn(width, height, level).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// The picture with another size in its header.
fn claiming(height: u32, width: u32) -> Vec<u8> {
    let mut file = picture(ImageFormat::Bmp, (10, 10));
    file[18..22].copy_from_slice(&width.to_le_bytes());
    file[22..26].copy_from_slice(&height.to_le_bytes());
    file
}

#[test]
fn pictures() {
    let png = picture(ImageFormat::Png, (30, 20));
    let cut = |format| {
        let file = picture(format, (30, 20));
        file[..file.len() * 2 / 3].to_vec()
    };
    let mut wrong_checksum = png.clone();
    let pixels = png.windows(4).position(|name| name == b"IDAT").unwrap();
    wrong_checksum[pixels + 6] ^= 1;
    let no_picture =
        "not a picture that is read: a PNG, JPEG, BMP, WebP, GIF or TIFF file is expected";
    let no_digit = "no digit is seen in it: expected is ink that is clearly darker, or lighter, \
                    than the ground around it";
    let large = |size: &str| {
        format!(
            "it is {size} pixels; at most 67108864, and 16384 a side, are read: make it smaller"
        )
    };
    let truncated = "truncated: its pixels end too early";
    let checkerboard =
        GrayImage::from_fn(120, 120, |x, y| Luma([if x % 3 == 0 && y % 3 == 0 { 0 } else { 255 }]));
    let mut many = Cursor::new(Vec::new());
    checkerboard.write_to(&mut many, ImageFormat::Png).unwrap();
    let grey = GrayImage::from_pixel(50, 50, Luma([90]));
    let mut blank = Cursor::new(Vec::new());
    grey.write_to(&mut blank, ImageFormat::WebP).unwrap();
    let cases: Vec<(Vec<u8>, String)> = vec![
        (vec![], no_picture.into()),
        (b"seven".to_vec(), no_picture.into()),
        (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "damaged: Format error decoding Gif: …".into()),
        (cut(ImageFormat::Png), truncated.into()),
        (cut(ImageFormat::Bmp), truncated.into()),
        (cut(ImageFormat::WebP), "damaged: …".into()),
        (png[..20].to_vec(), truncated.into()),
        (wrong_checksum, "damaged: …".into()),
        (claiming(20_000, 10), large("20000 × 10")),
        (claiming(10_000, 10_000), large("10000 × 10000")),
        (
            claiming(8_000, 8_000),
            "its header claims 8000 × 8000 pixels, more than a picture in 1198 bytes has".into(),
        ),
        (blank.into_inner(), no_digit.into()),
        (
            many.into_inner(),
            "it falls into 1600 parts, where 1000 at most can be digits: take a picture with less \
             beside them"
                .into(),
        ),
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("digit.png");
    let input = mnistry::image::Frame::MNIST.image();
    for (file, expected) in cases {
        fs::write(&path, file).unwrap();
        let read = Picture::open(&path)
            .and_then(|picture| picture.digits(input).map_err(|error| error.at(&path)));
        assert_says(&read.unwrap_err().to_string(), &path, &expected);
    }
}

#[test]
fn folders_of_pictures() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), bytes).unwrap();
        at(name)
    };
    let root = folder.path();
    fs::create_dir(at("0")).unwrap();
    check(root, root, "it has no images");
    write("0/a.png", &picture(ImageFormat::Png, (20, 20)));
    check(root, root, "it has 1 images; it takes 7, as every seventh is kept to test with");

    let stray = write("notes.txt", b"7");
    let problem =
        "a stray file: pictures lie in folders, one for each class, and nothing lies beside them";
    check(root, &stray, problem);
    fs::remove_file(stray).unwrap();

    fs::create_dir(at("256")).unwrap();
    let beyond = "not a class: a class that is named by a number is one of 0 to 255, not 256";
    check(root, root, beyond);
    fs::remove_dir(at("256")).unwrap();
    for other in ["00", "zero", "Zero"] {
        fs::create_dir(at(other)).unwrap();
        let said = Dataset::open(root).unwrap_err().to_string();
        let problem = format!("'0' and '{other}' mean one class: put them together, or rename one");
        assert!(said.ends_with(&problem), "{said}");
        fs::remove_dir(at(other)).unwrap();
    }

    let text = write("0/notes.txt", b"7");
    let problem =
        "not a picture that is read: a PNG, JPEG, BMP, WebP, GIF or TIFF file is expected";
    check(root, &text, problem);
    fs::remove_file(text).unwrap();

    let blank = write("0/blank.bmp", &picture(ImageFormat::Bmp, (3, 3)));
    let problem = "no digit is seen in it: expected is ink that is clearly darker, or lighter, \
                   than the ground around it";
    check(root, &blank, problem);
    fs::remove_file(blank).unwrap();

    fs::create_dir(at("train")).unwrap();
    let problem = "it has the folder train but no test; without both, the classes lie in it";
    check(root, root, problem);
    write("train/0/a.png", &picture(ImageFormat::Png, (20, 20)));
    write("test/1/a.png", &picture(ImageFormat::Png, (20, 20)));
    check(root, &at("test"), "the test set has the class 1, which the training set has not");
    fs::remove_dir_all(at("train/0")).unwrap();
    check(root, &at("train"), "it has no images");
}
