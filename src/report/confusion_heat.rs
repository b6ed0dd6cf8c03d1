//! How warm each number of a confusion matrix is.

use super::heat_colours::{right, wrong};
use crate::train::ConfusionMatrix;

/// A confusion matrix as shares of its rows, and how strongly each is to be seen.
#[derive(Clone, Debug)]
pub(super) struct ConfusionHeat {
    shares: Vec<Vec<f64>>,
    /// The greatest share that is an error.
    worst: f64,
}

impl ConfusionHeat {
    /// That of `confusion`.
    pub(super) fn new(confusion: &ConfusionMatrix) -> Self {
        // Nothing where a class has no images.
        let normalised = |row: &Vec<u64>| -> Vec<f64> {
            let total = row.iter().sum::<u64>().max(1) as f64;
            row.iter().map(|&count| count as f64 / total).collect()
        };
        let shares: Vec<_> = confusion.rows().iter().map(normalised).collect();
        let off = |(row, shares): (usize, &Vec<f64>)| {
            let errors = shares.iter().enumerate().filter(|(column, _)| *column != row);
            errors.map(|(_, &share)| share).fold(0.0, f64::max)
        };
        let worst = shares.iter().enumerate().map(off).fold(0.0, f64::max);
        Self { shares, worst }
    }

    /// What share of its row a number is.
    pub(super) fn share(&self, row: usize, column: usize) -> f64 {
        self.shares[row][column]
    }

    /// How strong the colour of a number is, from 0 to 1. Errors are few: their colours are told
    /// apart among themselves.
    pub(super) fn strength(&self, row: usize, column: usize) -> f64 {
        match self.share(row, column) {
            share if row == column => share,
            share if share > 0.0 => share / self.worst,
            _ => 0.0,
        }
    }

    /// The colour of a number.
    pub(super) fn colour(&self, row: usize, column: usize) -> [u8; 3] {
        let strength = self.strength(row, column) as f32;
        if row == column { right(strength) } else { wrong(strength) }
    }
}
