//! A confusion matrix as a heat map: a table with colours, or a picture where it is large.

use super::picture::Picture;
use crate::image::ImageShape;
use crate::report::TestReport;
use crate::report::confusion_heat::ConfusionHeat;
use crate::report::error::Result;
use crate::report::text::grouped;

/// Of more classes the matrix is a picture: a table would be larger than a screen.
const MOST_IN_TABLE: usize = 36;

/// A confusion matrix to be looked at.
#[derive(Clone, Debug)]
pub(super) enum HeatMap {
    /// With its numbers.
    Table(Vec<Row>),
    /// A pixel a number.
    Picture(Picture),
}

/// What became of the images of a class.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) class: String,
    /// By predicted class.
    pub(super) counts: Vec<Count>,
}

/// A number of a matrix.
#[derive(Clone, Debug)]
pub(super) struct Count {
    pub(super) count: String,
    /// The same as a share of the row.
    pub(super) share: String,
    /// What the style sheet calls its colour.
    pub(super) kind: &'static str,
    /// How strong that is, in per cent.
    pub(super) strength: u32,
}

impl HeatMap {
    /// The matrix of `test`.
    ///
    /// # Errors
    /// When a picture cannot be made.
    pub(super) fn new(test: &TestReport) -> Result<Self> {
        let heat = ConfusionHeat::new(&test.confusion_matrix);
        let rows = test.confusion_matrix.rows();
        if rows.len() > MOST_IN_TABLE {
            let pixel = |index: usize| heat.colour(index / rows.len(), index % rows.len());
            let pixels: Vec<_> = (0..rows.len() * rows.len()).map(pixel).collect();
            let shape = ImageShape { height: rows.len(), width: rows.len() };
            return Ok(Self::Picture(Picture::coloured(shape, &pixels)?));
        }
        let entry = |row: usize, column: usize, count: u64| Count {
            count: grouped(count),
            share: percent(heat.share(row, column)),
            kind: match (row == column, count) {
                (_, 0) => "none",
                (true, _) => "hit",
                (false, _) => "miss",
            },
            strength: (100.0 * heat.strength(row, column)).round() as u32,
        };
        let row = |(row, counts): (usize, &Vec<u64>)| Row {
            class: test.class_name(row).into_owned(),
            counts: counts.iter().enumerate().map(|(column, &n)| entry(row, column, n)).collect(),
        };
        Ok(Self::Table(rows.iter().enumerate().map(row).collect()))
    }
}

/// A share of a row in a few letters.
fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => "0".into(),
        percent if percent < 10.0 => format!("{percent:.2}"),
        percent => format!("{percent:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ClassNames;
    use crate::train::{ConfusionMatrix, Evaluation};

    fn heat_map(classes: usize, counts: &[(usize, usize, u64)]) -> HeatMap {
        let mut confusion = ConfusionMatrix::new(classes);
        for &(truth, predicted, count) in counts {
            (0..count).for_each(|_| confusion.record(truth, predicted));
        }
        let evaluation = Evaluation { loss: 0.1, confusion, misclassified: vec![] };
        let test = TestReport::new(evaluation, &ClassNames::numbered(classes)).unwrap();
        HeatMap::new(&test).unwrap()
    }

    #[test]
    fn errors_are_as_strong_as_they_are_frequent_among_errors() {
        let counts = [(0, 0, 90), (0, 1, 10), (1, 1, 15), (1, 0, 5), (2, 2, 0)];
        let HeatMap::Table(rows) = heat_map(3, &counts) else { panic!("a table was expected") };
        let seen = |row: usize, column: usize| {
            let Count { count, share, kind, strength } = &rows[row].counts[column];
            format!("{count} {share} {kind} {strength}")
        };
        assert_eq!(seen(0, 0), "90 90.0 hit 90");
        assert_eq!(seen(0, 1), "10 10.0 miss 40");
        assert_eq!(seen(1, 0), "5 25.0 miss 100");
        assert_eq!(seen(2, 2), "0 0 none 0");
    }

    #[test]
    fn the_matrix_of_many_classes_is_a_picture() {
        let HeatMap::Picture(picture) = heat_map(256, &[(255, 0, 3), (7, 7, 2)]) else {
            panic!("a picture was expected")
        };
        assert_eq!((picture.width, picture.height), (256, 256));
        assert!(picture.address.to_string().len() < 20_000);
    }
}
