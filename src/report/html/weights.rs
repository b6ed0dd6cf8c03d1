//! The weights of the first layer that learns, as pictures.

use super::picture::Picture;
use super::samples::limited;
use crate::image::ImageShape;
use crate::model::{Layer, Network, Shape};
use crate::report::error::Result;
use crate::report::heat_colours::diverging;

/// So many pictures at most.
const MOST: usize = 60;

/// The weights of a layer that reads images of one channel.
#[derive(Clone, Debug)]
pub(super) struct FirstLayer {
    /// The layer in a few words.
    pub(super) name: String,
    /// What a picture shows: `unit` of a dense layer, `kernel` of a convolution.
    pub(super) what: &'static str,
    /// How many there are.
    pub(super) count: usize,
    /// From which size on weights have the strongest colour.
    pub(super) strongest: f32,
    /// The first of them.
    pub(super) pictures: Vec<Picture>,
}

/// The first layer of `network` that learns; `None` where it does not read images of one channel.
///
/// # Errors
/// When those are too large for a picture.
pub(super) fn first_layer(network: &Network) -> Result<Option<FirstLayer>> {
    let architecture = network.architecture();
    let layers = architecture.layers();
    let Some(first) = layers.iter().position(|spec| spec.parameters.is_some()) else {
        return Ok(None);
    };
    // What a picture shows of an image, row by row, and what lies beside it is of other units.
    let seen = layers[..first].iter().fold(architecture.input_shape(), |seen, spec| {
        match spec.output {
            image @ Shape::Image { .. } => image,
            // A row of numbers is still the image that it was made of.
            Shape::Vector(_) => seen,
        }
    });
    let Shape::Image { height, width, channels: 1 } = seen else { return Ok(None) };
    let (what, shape) = match layers[first].layer {
        Layer::Dense { .. } => ("unit", ImageShape { height, width }),
        Layer::Conv2d { kernel, .. } => {
            ("kernel", ImageShape { height: kernel.height, width: kernel.width })
        }
        _ => return Ok(None),
    };
    let Some(kernel) = network.tensors().first() else { return Ok(None) };
    let count = kernel.values.len() / shape.pixels().max(1);
    let strongest = strongest(&kernel.values);
    let picture = |unit: usize| {
        let weights = kernel.values.chunks_exact(count).map(|row| row[unit]);
        let pixels: Vec<_> = weights.map(|weight| diverging(weight / strongest)).collect();
        Picture::coloured(shape, &pixels)
    };
    let pictures = (0..limited(count.min(MOST), shape)).map(picture).collect::<Result<_>>()?;
    let name = layers[first].layer.to_string();
    Ok(Some(FirstLayer { name, what, count, strongest, pictures }))
}

/// The size that one in a hundred of `weights` exceeds: a few large ones would leave all others pale.
fn strongest(weights: &[f32]) -> f32 {
    let mut sizes: Vec<_> = weights.iter().map(|weight| weight.abs()).collect();
    if sizes.is_empty() {
        return f32::MIN_POSITIVE;
    }
    let at = sizes.len() * 99 / 100;
    let (_, strong, _) = sizes.select_nth_unstable_by(at, f32::total_cmp);
    // Of weights that are all nothing every colour is white.
    strong.max(f32::MIN_POSITIVE)
}
