//! Whether a small picture holds a digit that is fitted and centred already, as MNIST's are.

use crate::image::normalize::centre_of_mass;
use crate::image::{BoundingBox, Frame, Raster};

/// Ink has at least this share of the lightest level: what an image program or JPEG leaves around
/// strokes has less.
const INK: u8 = 4;
/// Ground is at most so light, and ink at least, where a picture is taken as it is.
const GROUND: u8 = 24;
const LIGHTEST: u8 = 128;
/// How large the ink is relative to the box that it is fitted into, and how far its centre of mass
/// is from the middle of the image, relative to its side.
const SIZE: std::ops::RangeInclusive<f32> = 0.88..=1.12;
const OFF_CENTRE: f64 = 0.07;

/// Images with a shorter side than this are too coarse to tell.
const COARSE: usize = 16;

/// Whether the light ink of `image` is about as large as one that is fitted into `frame`, and in its
/// middle.
pub(super) fn is_fitted(image: &Raster, frame: Frame) -> bool {
    if image.shape().height.min(image.shape().width) < COARSE {
        return true;
    }
    let lightest = image.pixels().iter().copied().max().unwrap_or(0);
    let mut ink = image.clone();
    for pixel in ink.pixels_mut() {
        *pixel = if *pixel > lightest / INK { 255 } else { 0 };
    }
    let Some(BoundingBox { height, width, .. }) = ink.bounding_box() else { return false };
    let levels = image.pixels().iter().zip(ink.pixels());
    let ground = levels.filter(|&(_, &ink)| ink == 0).map(|(&level, _)| u32::from(level));
    let (sum, count) = ground.fold((0, 0), |(sum, count), level| (sum + level, count + 1));
    let is_on_black = sum <= u32::from(GROUND) * count && lightest >= LIGHTEST;

    let (inner, whole) = (frame.inner(), frame.image());
    let size = (height as f32 / inner.height as f32).max(width as f32 / inner.width as f32);
    let is_central = centre_of_mass(&ink).is_some_and(|[row, column]| {
        let off = |centre: f64, side: usize| (centre - side as f64 / 2.0).abs() / side as f64;
        off(row, whole.height).max(off(column, whole.width)) <= OFF_CENTRE
    });
    is_on_black && SIZE.contains(&size) && is_central
}
