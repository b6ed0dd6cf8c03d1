//! Headers: whether there is one, and what its names say.

use ::csv::ByteRecord;

use super::{number, start_of};
use crate::data::CsvProblem;

/// What people call the column of the labels.
const LABELS: [&str; 9] =
    ["label", "labels", "class", "classes", "target", "y", "digit", "letter", "character"];

/// What people call a column that only numbers or names the rows.
const IDS: [&str; 9] =
    ["", "id", "index", "idx", "imageid", "image_id", "filename", "file_name", "file"];

/// As many columns may be no pixels: the label and an id.
pub(super) const ENDS: usize = 2;

/// What pandas calls a column without a name, before its number.
const UNNAMED: &str = "unnamed:";

/// What the name of a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// That it has the labels.
    Label,
    /// That it numbers or names the rows.
    Id,
    /// Nothing, or that it is a pixel.
    Pixel,
}

/// Whether the first row of a file has the names of the columns.
///
/// Where most fields are numbers, they are names only if they count up: pixels do not. The label and
/// the id of an image may be text.
pub(super) fn is_header(first: &ByteRecord) -> bool {
    let numbers: Vec<f64> = first.iter().filter_map(number).collect();
    let texts = first.len() - numbers.len();
    texts >= numbers.len() || texts <= ENDS && counts_up(&numbers, ENDS - texts)
}

/// Fewer numbers may count up by chance.
const LEAST: usize = 4;

/// Whether each number is one more than that before, but for as many at the ends.
fn counts_up(numbers: &[f64], ends: usize) -> bool {
    let counts = |numbers: &[f64]| {
        numbers.len() >= LEAST
            && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
            && numbers.first().is_some_and(|&first| first == 0.0 || first == 1.0)
    };
    (0..=ends).any(|left| {
        (0..=ends - left).any(|right| {
            let end = numbers.len().checked_sub(right);
            end.and_then(|end| numbers.get(left..end)).is_some_and(counts)
        })
    })
}

/// What a name says.
pub(super) fn meaning(name: &[u8]) -> Meaning {
    let name = String::from_utf8_lossy(name.trim_ascii()).to_lowercase();
    match name.as_str() {
        name if LABELS.contains(&name) => Meaning::Label,
        name if IDS.contains(&name) || name.starts_with(UNNAMED) => Meaning::Id,
        _ => Meaning::Pixel,
    }
}

/// Checks that the names of the pixels, where they are one word and a number each, are in order.
///
/// # Errors
/// When they are not: the file was sorted by name, for example.
pub(super) fn check_order(header: &ByteRecord, pixels: &[usize]) -> Result<(), CsvProblem> {
    let names: Vec<_> = pixels.iter().map(|&at| header.get(at).unwrap_or_default()).collect();
    let numbered: Option<Vec<_>> = names.iter().map(|name| numbered(name)).collect();
    let Some(numbered) = numbered.filter(|names| names.windows(2).all(|two| two[0].0 == two[1].0))
    else {
        return Ok(());
    };
    match numbered.windows(2).position(|two| two[1].1 != two[0].1 + 1) {
        None => Ok(()),
        Some(at) => {
            let [before, after] = [names[at], names[at + 1]].map(start_of);
            Err(CsvProblem::PixelOrder { before, after })
        }
    }
}

/// The word and the number that a name is.
fn numbered(name: &[u8]) -> Option<(&[u8], u64)> {
    let name = name.trim_ascii();
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (word, digits) = name.split_at(name.len() - digits);
    Some((word, str::from_utf8(digits).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_values() {
        for (fields, expected) in [
            ("label,pixel0,pixel1,pixel2,pixel3", true),
            ("id,label,0,1,2,3", true),
            (",0,1,2,3", true),
            ("0,1,2,3,4", true),
            ("1,2,3,4", true),
            ("label,0,1,2,3", true),
            ("0,1,2,3,label", true),
            ("0,1,2,3,4,label", true),
            ("7,0,0,12,255", false),
            ("A,0,0,12,255", false),
            ("a.png,A,0,0,12,255", false),
            ("0,0,0,0,A", false),
            ("0,0,0,0", false),
            ("label,1x1,1x2,2x1,2x2", true),
            ("pixel0,pixel1,pixel2,pixel3", true),
            ("pixel0", true),
        ] {
            let record = ByteRecord::from(fields.split(',').collect::<Vec<_>>());
            assert_eq!(is_header(&record), expected, "{fields}");
        }
    }

    #[test]
    fn pixels_that_were_sorted_by_name_are_refused() {
        let check = |names: &[&str]| {
            let all: Vec<_> = (0..names.len()).collect();
            check_order(&ByteRecord::from(names.to_vec()), &all)
        };
        assert!(check(&["pixel0", "pixel1", "pixel2", "pixel3"]).is_ok());
        assert!(check(&["1x1", "1x2", "2x1", "2x2"]).is_ok());
        assert!(check(&["top", "left", "right", "down"]).is_ok());
        let said = check(&["pixel0", "pixel1", "pixel10", "pixel11"]).unwrap_err();
        let (before, after) = ("pixel1".into(), "pixel10".into());
        assert_eq!(said, CsvProblem::PixelOrder { before, after });
    }
}
