//! What the reference needs of memory.

use super::approximate::{Approximate, Sum};
use super::case::MOST_IMAGES;
use crate::memory::{Need, Shortage};
use crate::model::{Architecture, Layer, LayerSpec, Shape};

/// Checks that there is memory for the reference of `architecture` and its bounds.
///
/// # Errors
/// When there is not.
pub(super) fn check(architecture: &Architecture) -> Result<(), Shortage> {
    let (number, approximate) = (size_of::<f64>() as u128, size_of::<Approximate>() as u128);
    let count = architecture.parameters().map(|spec| spec.count() as u128).sum::<u128>();
    // Themselves, their gradient and its bounds; and sums, of the whole and of one sample: of a
    // kernel of 3 × 3 at 16 points, where there may be itself, too.
    let parameters = 3 * number + 4 * approximate + 3 * size_of::<Sum>() as u128;
    let inputs = architecture.input().pixels() as u128;
    let outputs = architecture.layers().iter().map(|spec| 2 * spec.output.numbers() as u128);
    let numbers = inputs + outputs.sum::<u128>();
    // For one sample what each stage is fed, and sums; for each the numbers from which differences
    // start.
    let of_a_sample = 2 * approximate + size_of::<Sum>() as u128;
    let of_all = u128::from(MOST_IMAGES) * number;
    let places = architecture.layers().iter().map(places);
    Need::default()
        .and("the reference's parameters", count * parameters)
        .and("the reference's activations", numbers * (of_a_sample + of_all))
        .and("the places of windows", places.sum::<u128>() * size_of::<Option<usize>>() as u128)
        .check("the check", "fewer units, smaller windows or smaller images")
}

/// How many places the windows of a layer have, if it has any.
fn places(spec: &LayerSpec) -> u128 {
    let (size, copies) = match spec.layer {
        Layer::Conv2d { kernel, .. } => (kernel, 1),
        // By window, then by channel.
        Layer::MaxPool { size, .. } | Layer::AveragePool { size, .. } => (size, 2),
        Layer::Flatten | Layer::Dropout { .. } | Layer::Dense { .. } => return 0,
    };
    match (spec.input, spec.output) {
        (Shape::Image { channels, .. }, Shape::Image { height, width, .. }) => {
            let sides = [size.height, size.width, height, width, channels, copies];
            sides.into_iter().map(|side| side as u128).product()
        }
        _ => 0,
    }
}
