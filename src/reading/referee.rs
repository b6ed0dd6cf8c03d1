//! Whether a part of a drawing is one digit at all.
//!
//! A person's network has seen nothing but digits, and is as sure of half a zero as of a one. The
//! referee is a small network of our own that has seen parts of drawings, digits and others: what
//! is left of digits when they are cut in the wrong places, and several at once. It was trained on
//! generated digits alone, by `tests/referee.rs`, which can make the same bytes again.

use std::path::Path;
use std::sync::LazyLock;

use super::hypotheses::Candidate;
use crate::exec::engine::Engine;
use crate::image::{self, BoundingBox, Digit, Frame, Picture, Raster};
use crate::model::Network;
use crate::train;

/// The ten digits, and this.
const NO_DIGIT: usize = 10;

/// No probability counts as nearer to 0 or 1: the referee is to decide nothing by itself.
const NEAREST: f32 = 1e-4;

static REFEREE: LazyLock<Network> = LazyLock::new(|| {
    let bytes = include_bytes!("referee.safetensors");
    Network::from_bytes(Path::new("referee.safetensors"), bytes).expect("a network that we saved")
});

/// The log-odds that each of `images` is one digit.
///
/// # Errors
/// When the referee cannot be asked.
pub(super) fn log_odds(engine: &Engine, images: &[&Raster]) -> Result<Vec<f32>, train::Error> {
    let fitted = |image: &&Raster| match image.shape() == Frame::MNIST.image() {
        true => image.pixels().to_vec(),
        false => {
            let blank = || Raster::blank(Frame::MNIST.image());
            Frame::MNIST.normalize(image).unwrap_or_else(blank).into_pixels()
        }
    };
    let pixels: Vec<u8> = images.iter().flat_map(fitted).collect();
    let said = engine.predict_batch(&REFEREE, pixels)?;
    let log_odds = |said: train::Prediction| {
        let none = said.probabilities[NO_DIGIT].clamp(NEAREST, 1.0 - NEAREST);
        ((1.0 - none) / none).ln()
    };
    Ok(said.into_iter().map(log_odds).collect())
}

/// What the referee learns from: a part of a drawing, and where in the picture it is.
#[derive(Clone, Debug)]
pub struct DrawnPart {
    /// As a network of MNIST's images sees it.
    pub image: Raster,
    /// Where it is.
    pub bounding_box: BoundingBox,
}

/// The parts of all drawings in `picture` that may be taken for digits.
///
/// # Errors
/// When nothing is seen in it.
pub fn drawn_parts(picture: &Picture) -> Result<Vec<DrawnPart>, image::Error> {
    let drawings = picture.segments(Frame::MNIST.image())?;
    let part =
        |Candidate { digit: Digit { image, bounding_box }, .. }| DrawnPart { image, bounding_box };
    Ok(drawings.iter().flat_map(Candidate::all).map(part).collect())
}
