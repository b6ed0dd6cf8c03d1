//! CSV files as people have them: which column is what, in whichever way the values are written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;

use mnistry::data::generated::generate;
use mnistry::data::{Cache, LabelColumn, ReadOptions, Table};
use mnistry::{Dataset, Split};
use tempfile::TempDir;
use writers::{gzip, npz};
use zip::CompressionMethod;

mod writers;

/// A folder, and digits to write into it.
struct Desk {
    folder: TempDir,
    digits: Dataset,
}

impl Desk {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), digits: generate(0, 140, 30).unwrap() }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn open(&self, name: &str, options: &ReadOptions) -> Result<Dataset, String> {
        let cache = Cache::at(self.folder.path().join("cache"));
        let path = self.folder.path().join(name);
        Dataset::open_as(path, &cache, options).map_err(|error| error.to_string())
    }

    /// The data set of a file of these rows is that of the digits, with a note that has `said` in it.
    fn reads(&self, text: &str, options: &ReadOptions, said: &str) {
        self.write("digits.csv", text);
        let found = self.open("digits.csv", options).unwrap();
        let expected = Dataset::hold_out("", &self.digits.train).unwrap();
        assert_eq!(found.train.labels(), expected.train.labels(), "{said}");
        assert_eq!(found.train.pixels(), expected.train.pixels(), "{said}");
        assert_eq!(found.test.pixels(), expected.test.pixels(), "{said}");
        let notes = found.notes.join("; ");
        assert!(notes.contains(said), "{notes}");
    }

    /// The digits to train on as text: each row as `row` makes it of its number, label and pixels.
    fn rows(&self, row: impl Fn(usize, u8, &str) -> String) -> String {
        rows(&self.digits.train, row)
    }
}

fn rows(split: &Split, row: impl Fn(usize, u8, &str) -> String) -> String {
    let text = |index: usize| {
        let pixels: Vec<_> = split.image(index).iter().map(u8::to_string).collect();
        row(index, split.labels()[index], &pixels.join(",")) + "\n"
    };
    (0..split.len()).map(text).collect()
}

/// A header of so many names, counted from `first`.
fn names(word: &str, first: usize) -> String {
    (first..first + 784).map(|number| format!("{word}{number}")).collect::<Vec<_>>().join(",")
}

#[test]
fn the_label_is_found_by_its_name() {
    let desk = Desk::new();
    let usual = ReadOptions::default();
    for name in ["label", "Class", " target ", "y"] {
        let first = format!("{name},{}\n", names("pixel", 0));
        let rows = desk.rows(|_, label, pixels| format!("{label},{pixels}"));
        desk.reads(&(first + &rows), &usual, "column 1 (");
        let last = format!("{},{name}\n", names("pixel", 0));
        let rows = desk.rows(|_, label, pixels| format!("{pixels},{label}"));
        desk.reads(&(last + &rows), &usual, "column 785 (");
    }
    let header = format!("id,{},class\n", names("p", 1));
    let rows = desk.rows(|row, label, pixels| format!("{},{pixels},{label}", 7 * row));
    desk.reads(&(header + &rows), &usual, "column 1 ('id') is an id");
    let header = format!(",label,{}\n", names("", 0));
    let rows = desk.rows(|row, label, pixels| format!("{row},{label},{pixels}"));
    desk.reads(&(header + &rows), &usual, "column 1 is an id");
}

#[test]
fn the_label_is_found_by_its_values() {
    let desk = Desk::new();
    let usual = ReadOptions::default();
    let first = desk.rows(|_, label, pixels| format!("{label},{pixels}"));
    desk.reads(&first, &usual, "column 1 has the labels");
    desk.reads(&format!("{},784\n{first}", names("", 0)), &usual, "the first line is a header");
    let last = desk.rows(|_, label, pixels| format!("{pixels},{label}"));
    desk.reads(&last, &usual, "column 785 has the labels");
    let numbered = desk.rows(|row, label, pixels| format!("{},{label},{pixels}", row + 1));
    desk.reads(&numbered, &usual, "column 2 has the labels, column 1 is an id");
    let numbered = desk.rows(|row, label, pixels| format!("{row},{pixels},{label}"));
    desk.reads(&numbered, &usual, "column 786 has the labels, column 1 is an id");
}

#[test]
fn what_is_unclear_is_refused_until_a_person_says_it() {
    let desk = Desk::new();
    let say = |column| ReadOptions::default().label_column(Some(column));
    // Both ends may be labels.
    let both = |_, label: u8, pixels: &str| {
        let rest = pixels.split_once(',').unwrap().1;
        format!("{label},{},{rest},{}", label % 5, label % 3)
    };
    desk.write("digits.csv", desk.rows(both));
    for options in [ReadOptions::default(), say(LabelColumn::First)] {
        let said = desk.open("digits.csv", &options).unwrap_err();
        assert!(said.contains("786 columns"), "{said}");
    }
    let ends = desk.rows(|_, label, pixels| {
        let (pixels, _) = pixels.rsplit_once(',').unwrap();
        format!("{label},{pixels},{}", label % 3)
    });
    desk.write("digits.csv", &ends);
    let said = desk.open("digits.csv", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("--label-column first, last, none"), "{said}");
    let labels = |column| desk.open("digits.csv", &say(column)).unwrap().train.labels().to_vec();
    let of_digits = Dataset::hold_out("", &desk.digits.train).unwrap().train.labels().to_vec();
    assert_eq!(labels(LabelColumn::First), of_digits);
    assert_eq!(labels(LabelColumn::Number(1)), of_digits);
    let thirds: Vec<u8> = of_digits.iter().map(|label| label % 3).collect();
    assert_eq!(labels(LabelColumn::Last), thirds);
    assert_eq!(labels(LabelColumn::Number(785)), thirds);
    for (column, said) in [("786", "no column '786'"), ("size", "no column 'size'")] {
        let found = desk.open("digits.csv", &say(column.parse().unwrap())).unwrap_err();
        assert!(found.contains(said), "{found}");
    }
    // A table without labels is only for `predict`.
    let none = desk.rows(|_, _, pixels| pixels.to_owned());
    let table = Table::parse(none.as_bytes(), &ReadOptions::default()).unwrap();
    assert!(table.labels().is_none() && table.pixels()[..] == *desk.digits.train.pixels());
    desk.write("digits.csv", &none);
    let said = desk.open("digits.csv", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("it has no labels"), "{said}");
}

#[test]
fn a_first_row_that_counts_up_is_a_row_if_a_person_says_so() {
    let text = "0,1,2,3\n3,2,1,0\n";
    let rows =
        |options: &ReadOptions| Table::parse(text.as_bytes(), options).unwrap().pixels().to_vec();
    assert_eq!(rows(&ReadOptions::default()), [3, 2, 1, 0]);
    assert_eq!(rows(&ReadOptions::default().no_header(true)), [0, 1, 2, 3, 3, 2, 1, 0]);
    let turned = ReadOptions::default().no_header(true).transpose(true);
    assert_eq!(rows(&turned), [0, 2, 1, 3, 3, 1, 2, 0]);
}

#[test]
fn labels_may_be_text() {
    let desk = Desk::new();
    let letter = |label: u8| char::from(b'A' + label);
    let text = desk.rows(|_, label, pixels| format!("{},{pixels}", letter(label)));
    desk.reads(&text, &ReadOptions::default(), "column 1 has the labels");
    let found = desk.open("digits.csv", &ReadOptions::default()).unwrap();
    let names: Vec<_> = found.class_names.iter().collect();
    assert_eq!(names, ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]);
    // In whichever order a test set has them.
    let test = rows(&desk.digits.test, |_, label, pixels| format!("{},{pixels}", letter(label)));
    desk.write("letters_train.csv", &text);
    desk.write("letters_test.csv", test);
    fs::remove_file(desk.folder.path().join("digits.csv")).unwrap();
    let found = desk.open("", &ReadOptions::default()).unwrap();
    assert_eq!(found.test.labels(), desk.digits.test.labels());
}

#[test]
fn other_scales_become_that_of_bytes() {
    let desk = Desk::new();
    let usual = ReadOptions::default();
    let scaled = |pixel: &dyn Fn(u8) -> String| {
        let train = &desk.digits.train;
        let row = |index: usize| {
            let pixels: Vec<_> = train.image(index).iter().map(|&level| pixel(level)).collect();
            format!("{},{}\n", train.labels()[index], pixels.join(","))
        };
        (0..train.len()).map(row).collect::<String>()
    };
    let to_one = scaled(&|level| (f64::from(level) / 255.0).to_string());
    desk.reads(&to_one, &usual, "pixels from 0 to 1 were scaled");
    desk.reads(&scaled(&|level| format!("{level}.0")), &usual, "has the labels");
    let of_two: String = scaled(&|level| (level / 128).to_string());
    desk.write("digits.csv", of_two);
    let found = desk.open("digits.csv", &usual).unwrap();
    assert!(found.train.pixels().iter().all(|&level| level == 0 || level == 255));
    let standardised = scaled(&|level| ((f64::from(level) - 33.3) / 78.6).to_string());
    desk.write("digits.csv", standardised);
    let said = desk.open("digits.csv", &usual).unwrap_err();
    assert!(said.contains("line 1, column 2: '-0.42"), "{said}");
}

#[test]
fn compressed_tables_are_read() {
    let desk = Desk::new();
    let text = desk.rows(|_, label, pixels| format!("{label},{pixels}"));
    let expected = Dataset::hold_out("", &desk.digits.train).unwrap();
    let zipped = gzip(text.as_bytes());
    let filled = [&zipped[..], &[0; 700]].concat();
    for bytes in [&zipped, &filled] {
        desk.write("digits.csv.gz", bytes);
        let found = desk.open("digits.csv.gz", &ReadOptions::default()).unwrap();
        assert_eq!(found.train.pixels(), expected.train.pixels());
    }
    let followed = [&zipped[..], b"more"].concat();
    desk.write("digits.csv.gz", followed);
    let said = desk.open("digits.csv.gz", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("neither gzip nor zeros"), "{said}");
    desk.write("digits.csv.gz", &zipped[..zipped.len() / 2]);
    let said = desk.open("digits.csv.gz", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("truncated"), "{said}");
}

#[test]
fn an_archive_of_tables_is_read_as_it_was_handed_out() {
    let desk = Desk::new();
    let header = format!("label,{}\n", names("pixel", 0));
    let train = header + &desk.rows(|_, label, pixels| format!("{label},{pixels}"));
    let unlabelled = rows(&desk.digits.test, |_, _, pixels| pixels.to_owned());
    let unlabelled = format!("{}\n{unlabelled}", names("pixel", 0));
    let sample = b"ImageId,Label\n1,0\n".to_vec();
    let members = [
        ("sample_submission.csv", sample.clone()),
        ("test.csv", unlabelled.into_bytes()),
        ("train.csv", train.clone().into_bytes()),
    ];
    let archive = npz(&members, CompressionMethod::Deflated);
    desk.write("digit-recognizer.zip", &archive);
    let found = desk.open("digit-recognizer.zip", &ReadOptions::default()).unwrap();
    let expected = Dataset::hold_out("", &desk.digits.train).unwrap();
    assert_eq!(found.train.pixels(), expected.train.pixels());
    let notes = found.notes.join("; ");
    assert!(notes.contains("left out: sample_submission.csv"), "{notes}");
    assert!(notes.contains("left out: test.csv, which has no labels"), "{notes}");

    desk.write("cut.zip", &archive[..archive.len() / 2]);
    let said = desk.open("cut.zip", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("truncated"), "{said}");
    desk.write("other.zip", npz(&[("a.txt", sample)], CompressionMethod::Stored));
    let said = desk.open("other.zip", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("it holds a.txt; expected are train.csv and test.csv"), "{said}");
}

#[test]
fn options_that_a_data_set_cannot_follow_are_refused() {
    let desk = Desk::new();
    desk.digits.write_idx(desk.folder.path()).unwrap();
    let said = desk.open("", &ReadOptions::default().no_header(true)).unwrap_err();
    assert!(said.contains("it is no CSV file"), "{said}");
    let turned = desk.open("", &ReadOptions::default().transpose(true)).unwrap();
    let (image, original) = (turned.train.image(3), desk.digits.train.image(3));
    assert!((0..784).all(|at| image[at] == original[at % 28 * 28 + at / 28]));
}

#[test]
fn what_is_no_data_at_all_is_called_what_it_is() {
    let desk = Desk::new();
    let page = b"<!DOCTYPE html><html><body>not found</body></html>";
    for (name, bytes, expected) in [
        ("page.npz", page.to_vec(), "it is a web page: download the file itself"),
        ("mnist.pkl.gz", gzip(b"\x80\x02(cnumpy"), "it is a Python pickle, which is never read"),
        ("digits.parquet", b"PAR1\x15".to_vec(), "it is a Parquet file: write it as CSV or .npz"),
        (
            "digits.csv",
            b"% MNIST\n@relation digits\n".to_vec(),
            "it is an ARFF file: save it as CSV",
        ),
        ("digits.mat", b"MATLAB 5.0 MAT-file, from".to_vec(), "it is a MATLAB file"),
        ("digits.h5", b"\x89HDF\r\n\x1a\n".to_vec(), "it is an HDF5 file"),
    ] {
        let path = desk.write(name, bytes);
        let said = desk.open(name, &ReadOptions::default()).unwrap_err();
        assert!(said.starts_with(&format!("{}: {expected}", path.display())), "{said}");
    }
    for name in writers::FILES {
        desk.write(&format!("{name}.gz"), page);
    }
    let said = desk.open("", &ReadOptions::default()).unwrap_err();
    assert!(said.contains("it is a web page"), "{said}");
}
