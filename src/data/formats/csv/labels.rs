//! The labels of a CSV file: numbers, or names of classes.

use std::collections::BTreeMap;

use super::number;
use crate::data::{ClassNames, ClassProblem, Problem};

/// The most different labels: classes are bytes.
const MOST: usize = 1 << u8::BITS;

/// What stands where there is no label.
const MISSING: [&str; 6] = ["", "nan", "na", "n/a", "null", "?"];

/// A label for each row, as it is written.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct Labels {
    /// Each different label, and its place in the order in which they first came.
    known: BTreeMap<String, u16>,
    rows: Vec<u16>,
}

impl Labels {
    /// Adds that of the next row; `None` where it is missing, or no text.
    pub(super) fn add(&mut self, field: &[u8]) -> Option<()> {
        let text = str::from_utf8(field).ok()?.trim();
        if MISSING.iter().any(|missing| text.eq_ignore_ascii_case(missing)) {
            return None;
        }
        // `3`, `3.0` and `03` are one label.
        let whole = number(text.as_bytes()).and_then(class).map(|class| class.to_string());
        let text = whole.as_deref().unwrap_or(text);
        let place = match self.known.get(text) {
            Some(&place) => place,
            // Of more it is only said that they are too many.
            None if self.known.len() > MOST => MOST as u16,
            None => {
                let place = self.known.len() as u16;
                self.known.insert(text.to_owned(), place);
                place
            }
        };
        self.rows.push(place);
        Some(())
    }

    /// Each row's label as it is written.
    pub(in crate::data) fn texts(&self) -> impl Iterator<Item = &str> {
        let mut texts = vec![""; self.known.len()];
        for (text, &place) in &self.known {
            texts[usize::from(place)] = text;
        }
        self.rows.iter().map(move |&place| texts.get(usize::from(place)).copied().unwrap_or(""))
    }

    /// The class of each row, and what the classes are called where they have names: by those of
    /// `both`, these labels and, perhaps, others of the same data set.
    ///
    /// # Errors
    /// When a number is no class, two texts mean one class, or there are too many.
    pub(in crate::data) fn classes(
        &self,
        both: &[&Self],
    ) -> Result<(Vec<u8>, Option<ClassNames>), Problem> {
        let texts = || both.iter().flat_map(|labels| labels.known.keys().map(String::as_str));
        if texts().all(|text| number(text.as_bytes()).is_some()) {
            return Ok((self.each(|text| number(text.as_bytes()).and_then(class))?, None));
        }
        let names = ClassNames::from_texts(texts())?;
        let classes = self.each(|text| names.class_of(text))?;
        Ok((classes, Some(names)))
    }

    /// What `class` makes of each row's label.
    fn each(&self, class: impl Fn(&str) -> Option<u8>) -> Result<Vec<u8>, Problem> {
        let mut classes = vec![None; self.known.len()];
        for (text, &place) in &self.known {
            classes[usize::from(place)] = Some(class(text).ok_or(text));
        }
        let of = |(index, &place): (usize, &u16)| match classes.get(usize::from(place)) {
            Some(Some(Ok(class))) => Ok(*class),
            Some(Some(Err(text))) => {
                Err(Problem::LabelValue { index, found: text.chars().take(20).collect() })
            }
            _ => Err(ClassProblem::Count(MOST + 1).into()),
        };
        self.rows.iter().enumerate().map(of).collect()
    }
}

/// The class that a number is.
fn class(number: f64) -> Option<u8> {
    ((0.0..=255.0).contains(&number) && number.fract() == 0.0).then_some(number as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(fields: &[&str]) -> Labels {
        let mut labels = Labels::default();
        fields.iter().for_each(|field| labels.add(field.as_bytes()).unwrap());
        labels
    }

    #[test]
    fn numbers_are_classes_and_texts_are_their_names() {
        let numbers = labels(&["3", " 0", "3.0"]);
        assert_eq!(numbers.classes(&[&numbers]), Ok((vec![3, 0, 3], None)));
        let letters = labels(&["B", "A", "B"]);
        let (classes, names) = letters.classes(&[&letters]).unwrap();
        assert_eq!((classes, names.unwrap().name(1).into_owned()), (vec![1, 0, 1], "B".into()));
        let more = labels(&["0", "C"]);
        let (classes, _) = letters.classes(&[&letters, &more]).unwrap();
        assert_eq!(classes, [2, 1, 2]);
        for wrong in ["-1", "256", "0.5", "inf"] {
            let labels = labels(&["0", wrong]);
            assert!(matches!(
                labels.classes(&[&labels]),
                Err(Problem::LabelValue { index: 1, .. })
            ));
        }
        let many: Vec<String> = (0..400).map(|n| format!("class {n}")).collect();
        let many = labels(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(many.classes(&[&many]).is_err());
        for missing in [" ", "NaN", "null"] {
            assert_eq!(Labels::default().add(missing.as_bytes()), None);
        }
    }
}
