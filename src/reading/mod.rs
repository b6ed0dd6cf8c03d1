//! Digits read from a person's picture: what the network says of each, and whether that is sure.
//!
//! A drawing that is too wide for a digit may be several that touch: every way of cutting it along
//! seams is a hypothesis, which a network judges, or several together (`judge`), and a referee that
//! knows what is no digit (`hypotheses`, `referee`). A judgement counts as much as it holds when the
//! image is moved, sheared and scaled a little (`variants`): a network that has seen nothing but
//! digits is sure of anything, but of what is no digit it is sure in another way each time.

mod hypotheses;
mod judge;
pub(crate) mod referee;
mod variants;

use std::path::Path;

use crate::data::{Bytes, ClassNames};
use crate::exec::engine::Engine;
use crate::image::{self, Digit, Picture, Segments};
use crate::train::{self, Prediction};
use hypotheses::Lattice;

pub use judge::Judge;

/// The least probability of a reading that is sure.
const PROBABILITY: f32 = 0.8;
/// The same, of the variants of its image: their geometric mean.
const OF_VARIANTS: f32 = 0.5;
/// The same, of what a drawing was read as, among all readings.
const OF_CUTS: f32 = 0.8;

/// A digit that was read in a picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The image that was judged, and where in the picture it is.
    pub digit: Digit,
    /// What is said of it.
    pub prediction: Prediction,
    /// Whether another reading is nearly as likely, or what was drawn is like no digit.
    pub is_unsure: bool,
}

/// Why a picture was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No digit is seen in it.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// The network was not asked.
    #[error(transparent)]
    Train(#[from] train::Error),
}

impl Error {
    /// This error as that of the picture at `path`.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::Image(error) => Self::Image(error.at(path)),
            other => other,
        }
    }
}

/// Whether another class is nearly as probable as the one read.
#[must_use]
pub fn is_unsure(prediction: &Prediction) -> bool {
    prediction.probability() < PROBABILITY
}

/// Reads pictures with a network, or with several together.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    engine: &'a Engine,
    judge: Judge<'a>,
}

impl<'a> Reader<'a> {
    /// One that asks `judge`: a network, or an ensemble.
    #[must_use]
    pub fn new(engine: &'a Engine, judge: impl Into<Judge<'a>>) -> Self {
        Self { engine, judge: judge.into() }
    }

    /// The digits of `picture` in reading order; those that touch are told apart.
    ///
    /// A network whose classes are not the ten digits reads what is drawn in one piece as one, and a
    /// picture of just its size as it is.
    ///
    /// # Errors
    /// When nothing is seen in the picture, or the network cannot be asked.
    pub fn read(self, picture: &Picture) -> Result<Vec<Reading>, Error> {
        let network = self.judge.network();
        let input = network.architecture().input();
        if network.names_of_classes() != ClassNames::numbered(10) {
            return self.read_each(match picture.whole(input) {
                Some(digit) => vec![digit],
                None => picture.digits(input)?,
            });
        }
        let mut readings = Vec::new();
        for segments in picture.segments(input)? {
            readings.extend(self.read_segments(&segments)?);
        }
        if readings.is_empty() { Err(image::Error::NoDigit.into()) } else { Ok(readings) }
    }

    /// What is said of any number of images that are prepared: as
    /// [`Engine::predict_batch`].
    ///
    /// # Errors
    /// As that.
    pub fn predict(self, images: impl Into<Bytes>) -> Result<Vec<Prediction>, Error> {
        Ok(self.judge.predict(self.engine, images)?)
    }

    /// Reads each of `digits`.
    fn read_each(self, digits: Vec<Digit>) -> Result<Vec<Reading>, Error> {
        let pixels = digits.iter().flat_map(|digit| digit.image.pixels()).copied();
        let predictions = self.predict(pixels.collect::<Vec<u8>>())?;
        let reading = |(digit, prediction): (Digit, Prediction)| {
            let is_unsure = is_unsure(&prediction);
            Reading { digit, prediction, is_unsure }
        };
        Ok(digits.into_iter().zip(predictions).map(reading).collect())
    }

    /// Reads a drawing that may be one digit or several.
    fn read_segments(self, segments: &Segments) -> Result<Vec<Reading>, Error> {
        let lattice = Lattice::of(segments, self)?;
        let Some(best) = lattice.best() else { return Ok(Vec::new()) };
        let is_doubtful = best.share < OF_CUTS || segments.is_odd();
        let (digits, of_variants): (Vec<Digit>, Vec<f32>) = best.digits.into_iter().unzip();
        let mut readings = self.read_each(digits)?;
        for (reading, probability) in readings.iter_mut().zip(of_variants) {
            reading.is_unsure |= is_doubtful || probability < OF_VARIANTS;
        }
        Ok(readings)
    }
}
