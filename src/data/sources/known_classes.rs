//! What the classes of published sets are called, where names of files or a list beside them tell
//! which set it is.

use std::path::Path;

use crate::data::assemble::Reading;
use crate::data::{ClassNames, ClassProblem, Dataset, Problem, Result};
use crate::files::read_bounded;

/// What the names of a published set have in them, in lower case, and what its classes are called.
const SETS: [(&[&str], &str, [&str; 10]); 2] = [
    (
        &["fashion"],
        "Fashion-MNIST",
        [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
    ),
    (
        &["kmnist", "kuzushiji-mnist", "kuzushiji_mnist"],
        "Kuzushiji-MNIST",
        ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    ),
];

/// The characters of EMNIST's classes where all are told apart (`byclass`): digits, then capital
/// and small letters.
const BY_CLASS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The same where letters that look alike in both cases are one class (`bymerge`, `balanced`).
const MERGED: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";

/// The same where both cases are one class (`letters`).
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// The longest list of characters that is read, in bytes.
const LONGEST_MAPPING: u64 = 1 << 16;

/// `data` with the names of the classes of the set that `hint` tells of, such as the names of its
/// folder and files, if it has those classes.
pub(super) fn named(data: Dataset, hint: &str) -> Result<Dataset, Problem> {
    let hint = hint.to_lowercase();
    let is_meant = |words: &[&str]| words.iter().any(|word| hint.contains(word));
    let known = SETS.iter().find(|(words, ..)| is_meant(words));
    match known.filter(|(.., names)| names.len() == data.classes()) {
        Some((_, title, names)) if data.class_names.are_numbers() => {
            let note =
                format!("the classes are called as those of {title}, which its name tells of");
            Ok(data.with_class_names(ClassNames::new(*names)?)?.noted([note]))
        }
        _ => Ok(data),
    }
}

/// How the images and labels of the set `name` are to be read: EMNIST's images are transposed, and
/// its letters count from 1.
pub(super) fn reading_of(name: &str) -> Reading {
    Reading {
        is_transposed: name.starts_with("emnist"),
        first_label: u8::from(name == "emnist-letters"),
    }
}

/// The name of the set that the file of this name is the training set or the test set of.
pub(super) fn set_of(file: &str) -> &str {
    let stem = file.split('.').next().unwrap_or_default();
    let stem = stem.strip_suffix("train").or_else(|| stem.strip_suffix("test")).unwrap_or(stem);
    stem.trim_end_matches(['-', '_'])
}

/// `data` with these names of its classes, where there are any; as many of them as it has classes,
/// since a part of a published set may have the first ones alone.
pub(super) fn called(data: Dataset, names: Option<ClassNames>) -> Result<Dataset, Problem> {
    let Some(names) = names else { return Ok(data) };
    let names = names.first(data.classes());
    data.with_class_names(names)
}

/// The names of the classes of EMNIST's set `name`, such as `emnist-balanced`, whose files are in
/// `folder`: those of the list `emnist-balanced-mapping.txt` there, else those that were published.
/// `None` where the classes are digits.
pub(super) fn of_emnist(folder: &Path, name: &str) -> Result<Option<ClassNames>> {
    let known = match name {
        "emnist-letters" => LETTERS,
        "emnist-balanced" | "emnist-bymerge" => MERGED,
        "emnist-byclass" => BY_CLASS,
        _ => return Ok(None),
    };
    let list = folder.join(format!("{name}-mapping.txt"));
    let names = if list.is_file() {
        let text = read_bounded(&list, LONGEST_MAPPING)?;
        let first = if name == "emnist-letters" { 1 } else { 0 };
        let characters = characters(&text, first).map_err(|problem| problem.at(&list))?;
        // Of letters both cases are listed, and mean one class.
        match first {
            0 => characters,
            _ => characters.to_lowercase(),
        }
    } else {
        known.to_owned()
    };
    let names = ClassNames::new(names.chars().map(String::from));
    names.map(Some).map_err(|problem| problem.at(list))
}

/// The first character of each class in a list of lines such as `1 65 97`: the label, counted from
/// `first`, and the codes of its characters.
fn characters(text: &[u8], first: u32) -> Result<String, Problem> {
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty());
    let labels = first..;
    let of_line = |((place, line), label): ((usize, &[u8]), u32)| {
        let malformed = || ClassProblem::Mapping { line: place + 1, label }.into();
        let mut numbers = str::from_utf8(line).unwrap_or_default().split_ascii_whitespace();
        let mut next = || numbers.next()?.parse::<u32>().ok();
        match (next(), next().and_then(char::from_u32)) {
            (Some(found), Some(character)) if found == label => Ok(character),
            _ => Err(malformed()),
        }
    };
    lines.zip(labels).map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_classes_are_as_many_as_were_published() {
        assert_eq!((BY_CLASS.len(), MERGED.len(), LETTERS.len()), (62, 47, 26));
        let folder = tempfile::tempdir().unwrap();
        let names = |set: &str| of_emnist(folder.path(), set).unwrap();
        assert_eq!(names("emnist-letters").unwrap().name(25), "z");
        assert_eq!(names("emnist-balanced").unwrap().name(46), "t");
        assert_eq!(names("emnist-byclass").unwrap().name(36), "a");
        assert_eq!(names("emnist-digits"), None);
    }

    #[test]
    fn a_list_beside_the_files_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| {
            std::fs::write(folder.path().join("emnist-letters-mapping.txt"), text).unwrap();
        };
        let names = || of_emnist(folder.path(), "emnist-letters");
        write("1 65 97\r\n2 66 98\n\n");
        let found: Vec<String> = names().unwrap().unwrap().into();
        assert_eq!(found, ["a", "b"]);
        for damaged in ["0 65\n1 66\n", "1 65\n3 66\n", "1\n", "1 x\n", "1 7\n", "1 65\n2 97\n", ""]
        {
            write(damaged);
            assert!(names().is_err(), "{damaged:?}");
        }
    }
}
