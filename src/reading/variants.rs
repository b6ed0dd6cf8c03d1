//! The same digit, a little otherwise: moved, sheared, turned and scaled (test-time augmentation).

use super::Reader;
use crate::image::{Affine, Raster};
use crate::train;

/// How far variants are sheared, turned (in radians) and scaled.
const SHEAR: f32 = 0.22;
const TURN: f32 = 0.2;
const SCALE: f32 = 0.13;

/// The least probability that counts, so that one variant alone decides nothing.
const LEAST: f32 = 1e-4;

/// The variants of any image: from where each of their pixels comes.
fn variants() -> Vec<Affine> {
    let linear = |matrix: [f32; 4]| Affine { matrix, shift: [0.0, 0.0] };
    let moved = |shift: [f32; 2]| Affine { matrix: [1.0, 0.0, 0.0, 1.0], shift };
    let (narrow, wide) = (1.0 + 2.0 * SCALE, 1.0 - SCALE);
    vec![
        moved([0.0, 0.0]),
        linear([1.0, 0.0, SHEAR, 1.0]),
        linear([1.0, 0.0, -SHEAR, 1.0]),
        linear([1.0 + SCALE, 0.0, 0.0, 1.0 + SCALE]),
        linear([1.0 - SCALE, 0.0, 0.0, 1.0 - SCALE]),
        linear([1.0, TURN, -TURN, 1.0]),
        linear([1.0, -TURN, TURN, 1.0]),
        linear([1.0, 0.0, 0.0, narrow]),
        linear([1.0, 0.0, 0.0, wide]),
        moved([1.0, 0.0]),
        moved([-1.0, 0.0]),
        moved([0.0, 1.0]),
        moved([0.0, -1.0]),
    ]
}

/// What a network says of a class: of the image as it is, and on average over all variants.
#[derive(Clone, Copy)]
pub(super) struct Judgement {
    /// Its probability for the image as it is.
    pub(super) probability: f32,
    /// The logarithm of its probability.
    pub(super) log_probability: f32,
}

/// What the network says of each class of each image.
///
/// # Errors
/// When the network cannot be asked.
pub(super) fn judge(
    Reader { engine, judge }: Reader<'_>,
    images: &[&Raster],
) -> Result<Vec<Vec<Judgement>>, train::Error> {
    let variants = variants();
    let both = images.iter().flat_map(|image| variants.iter().map(move |variant| (image, variant)));
    let pixels = both.flat_map(|(image, variant)| image.transformed(variant).into_pixels());
    let predictions = judge.predict(engine, pixels.collect::<Vec<u8>>())?;
    let of_image = |predictions: &[train::Prediction]| {
        let mean = |of: &dyn Fn(&train::Prediction) -> f32| {
            predictions.iter().map(of).sum::<f32>() / predictions.len() as f32
        };
        let judgement = |class: usize| Judgement {
            probability: predictions[0].probabilities[class],
            log_probability: mean(&|found| found.probabilities[class].max(LEAST).ln()),
        };
        (0..judge.network().architecture().classes()).map(judgement).collect()
    };
    Ok(predictions.chunks(variants.len()).map(of_image).collect())
}
