//! What classes are called: `0`, `1` … unless the data say otherwise.
//!
//! People name classes by folders and by the labels of tables. Of the names of one data set none may
//! mean the same class as another: `1` and `01`, `0` and `zero`, `Cat` and `cat` are refused.
//! Letters are two classes in upper and in lower case, as EMNIST has them, where both cases have
//! more than one letter.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ClassProblem;

/// The longest name of a class, in characters.
const LONGEST: usize = 64;

/// The most classes, as labels are bytes.
const MOST: usize = 1 << u8::BITS;

/// The numbers that people write as words, from 0.
const WORDS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The names of classes, in the order of their labels.
///
/// A class beyond them is called by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct ClassNames(Vec<String>);

impl ClassNames {
    /// These names, that of class 0 first.
    ///
    /// # Errors
    /// When there are none or more than 256, when one is empty, long, or has control characters, or
    /// two are the same.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ClassProblem> {
        let names: Vec<String> = names.into_iter().take(MOST + 1).map(Into::into).collect();
        if names.is_empty() || names.len() > MOST {
            return Err(ClassProblem::Count(names.len()));
        }
        let mut known = BTreeSet::new();
        for name in &names {
            check(name)?;
            if !known.insert(name) {
                return Err(ClassProblem::Same([name.clone(), name.clone()]));
            }
        }
        Ok(Self(names))
    }

    /// The numbers from 0 as names.
    #[must_use]
    pub fn numbered(classes: usize) -> Self {
        Self((0..classes.min(MOST)).map(|class| class.to_string()).collect())
    }

    /// The classes that are meant by `texts`, such as the names of folders or the labels of a table.
    /// Where all are numbers, so are the classes, with those between that have no text; else they are
    /// in the order of numbers, then of text.
    ///
    /// # Errors
    /// When one cannot name a class, two mean the same one, a number is above 255, or there are
    /// more than 256.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ClassProblem> {
        let texts: BTreeSet<&str> = texts.into_iter().map(str::trim).collect();
        texts.iter().try_for_each(|text| check(text))?;
        check_apart(&texts)?;
        let numbers = texts.iter().map(|text| number(text));
        if let Some(numbers) = numbers.collect::<Option<Vec<_>>>()
            && let Some(greatest) = numbers.into_iter().max()
        {
            return match usize::try_from(greatest).ok().filter(|&greatest| greatest < MOST) {
                Some(greatest) => Ok(Self::numbered(greatest + 1)),
                None => Err(ClassProblem::Number(greatest)),
            };
        }
        let mut names: Vec<_> = texts.into_iter().collect();
        names.sort_by_key(|name| (number(name).unwrap_or(u64::MAX), *name));
        Self::new(names.into_iter().map(canonical))
    }

    /// The class that `text` means, as in [`from_texts`](Self::from_texts).
    #[must_use]
    pub fn class_of(&self, text: &str) -> Option<u8> {
        let meant = canonical(text);
        let class = self.0.iter().position(|name| canonical(name) == meant)?;
        u8::try_from(class).ok()
    }

    /// The name of `class`.
    #[must_use]
    pub fn name(&self, class: usize) -> Cow<'_, str> {
        match self.0.get(class) {
            Some(name) => name.into(),
            None => class.to_string().into(),
        }
    }

    /// The names of the first `classes` classes.
    pub(super) fn first(mut self, classes: usize) -> Self {
        self.0.truncate(classes.max(1));
        self
    }

    /// How many classes have names here.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there is always a class")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether each class is called by its number.
    #[must_use]
    pub fn are_numbers(&self) -> bool {
        self.0.iter().enumerate().all(|(class, name)| *name == class.to_string())
    }

    /// The names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// For each class here the one of `others` that is meant: that of the same name, else of the
    /// same in another case, where no third is so called.
    pub(super) fn counterparts(&self, others: &Self) -> Vec<Option<u8>> {
        let exact: Vec<_> = self.iter().map(|name| others.class_of(name)).collect();
        let folded = |names: &Self| names.iter().map(folded).collect::<Vec<_>>();
        let (own, theirs) = (folded(self), folded(others));
        let only = |names: &[String], name: &String| {
            let mut found = names.iter().enumerate().filter(|(_, found)| *found == name);
            let (first, _) = found.next()?;
            found.next().is_none().then_some(first)
        };
        let of = |(exact, name): (Option<u8>, &String)| {
            exact.or_else(|| {
                only(&own, name)?;
                u8::try_from(only(&theirs, name)?).ok()
            })
        };
        exact.into_iter().zip(&own).map(of).collect()
    }
}

impl TryFrom<Vec<String>> for ClassNames {
    type Error = ClassProblem;

    fn try_from(names: Vec<String>) -> Result<Self, ClassProblem> {
        Self::new(names)
    }
}

impl From<ClassNames> for Vec<String> {
    fn from(names: ClassNames) -> Self {
        names.0
    }
}

/// Some names for a line of text: the first few.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.take(SHOWN).collect::<Vec<_>>().join(", ") + more
}

/// `text` as all that means the same class is written: a number without zeros before it, a word for
/// a digit as the digit.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match number(text) {
        Some(number) => number.to_string().into(),
        None => text.into(),
    }
}

/// The whole number that `text` is, in digits or as a word.
fn number(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        // One that is too long is beyond all classes anyway.
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    let word = WORDS.iter().position(|word| text.eq_ignore_ascii_case(word))?;
    u64::try_from(word).ok()
}

fn folded(text: &str) -> String {
    canonical(text).to_lowercase()
}

fn check(name: &str) -> Result<(), ClassProblem> {
    let is_sound = !name.trim().is_empty()
        && name.chars().count() <= LONGEST
        && !name.chars().any(|c| c.is_control() || turns_text(c));
    if is_sound { Ok(()) } else { Err(ClassProblem::Name(shown(name))) }
}

/// Whether `c` changes the direction in which the text around it is shown.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A name that may be anything, to be shown.
fn shown(name: &str) -> String {
    name.chars().take(LONGEST).collect::<String>().escape_debug().to_string()
}

/// Refuses two texts for one class.
fn check_apart(texts: &BTreeSet<&str>) -> Result<(), ClassProblem> {
    let cases = |is_case: fn(char) -> bool| {
        let letters = texts.iter().filter_map(|text| letter(text));
        letters.filter(|&letter| is_case(letter)).count()
    };
    let has_cases = cases(char::is_uppercase) > 1 && cases(char::is_lowercase) > 1;
    let mut known = BTreeMap::new();
    for text in texts {
        let key = match letter(text) {
            Some(letter) if has_cases => letter.to_string(),
            _ => folded(text),
        };
        if let Some(other) = known.insert(key, text) {
            return Err(ClassProblem::Same([shown(other), shown(text)]));
        }
    }
    Ok(())
}

/// The single letter that `text` is.
fn letter(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|letter| letter.is_alphabetic() && letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Result<Vec<String>, ClassProblem> {
        ClassNames::from_texts(texts.iter().copied()).map(Into::into)
    }

    #[test]
    fn numbers_are_classes_and_words_are_put_in_order() {
        assert_eq!(names(&["2", "00"]).unwrap(), ["0", "1", "2"]);
        assert_eq!(names(&["One", "0"]).unwrap(), ["0", "1"]);
        assert_eq!(names(&["b", "a", "10", "9"]).unwrap(), ["9", "10", "a", "b"]);
        let found = ClassNames::from_texts(["b", "a", "07"]).unwrap();
        assert_eq!(
            ["7", "seven", "a", " b"].map(|text| found.class_of(text).unwrap()),
            [0, 0, 1, 2]
        );
        assert_eq!(found.class_of("A"), None);
        assert_eq!((&*found.name(2), &*found.name(3)), ("b", "3"));
        assert!(ClassNames::numbered(3).are_numbers() && !found.are_numbers());
    }

    #[test]
    fn two_names_for_one_class_are_refused() {
        for texts in [
            ["1", "01", "2"],
            ["0", "zero", "1"],
            ["Cat", "cat", "dog"],
            ["A", "B", "a"],
            ["a", "b", "A"],
        ] {
            assert!(matches!(names(&texts), Err(ClassProblem::Same(_))), "{texts:?}");
        }
        assert_eq!(names(&["A", "a", "B", "b"]).unwrap(), ["A", "B", "a", "b"]);
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for name in ["", " ", "a\u{1b}[2J", "a\u{202e}b", &"x".repeat(65)] {
            assert!(matches!(ClassNames::new([name]), Err(ClassProblem::Name(_))), "{name:?}");
        }
        assert!(matches!(ClassNames::new(["a", "a"]), Err(ClassProblem::Same(_))));
        let many = (0..257).map(|class| format!("class {class}"));
        assert_eq!(ClassNames::new(many), Err(ClassProblem::Count(257)));
        assert_eq!(ClassNames::new(Vec::<String>::new()), Err(ClassProblem::Count(0)));
        assert_eq!(names(&["1", "256"]), Err(ClassProblem::Number(256)));
    }

    #[test]
    fn counterparts_have_the_same_name_and_any_case_where_that_is_clear() {
        let of = |own: &[&str], others: &[&str]| {
            let names = |names: &[&str]| ClassNames::new(names.iter().copied()).unwrap();
            names(own).counterparts(&names(others))
        };
        assert_eq!(of(&["b", "a", "z"], &["a", "b"]), [Some(1), Some(0), None]);
        assert_eq!(of(&["A", "B"], &["b", "a"]), [Some(1), Some(0)]);
        assert_eq!(of(&["A", "a"], &["a", "b"]), [None, Some(0)], "which a is meant is not clear");
        assert_eq!(of(&["zero", "1"], &["0", "1"]), [Some(0), Some(1)]);
    }
}
