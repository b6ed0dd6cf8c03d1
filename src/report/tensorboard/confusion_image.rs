//! A confusion matrix as a picture.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::event::Image;
use crate::image::{Error as ImageError, ImageShape};
use crate::report::confusion_heat::ConfusionHeat;
use crate::report::error::Result;
use crate::train::ConfusionMatrix;

/// About how many pixels wide it is.
const WIDTH: usize = 512;

/// `confusion` as squares, true classes from top to bottom, predicted ones from left to right: blue
/// for what was right, orange for errors.
///
/// # Errors
/// When there are more classes than a picture can have pixels.
pub(super) fn encode(confusion: &ConfusionMatrix) -> Result<Image> {
    let (heat, classes) = (ConfusionHeat::new(confusion), confusion.rows().len());
    let square = (WIDTH / classes.max(1)).max(1);
    let width = classes * square;
    let pixel = |index: usize| heat.colour(index / width / square, index % width / square);
    let pixels: Vec<[u8; 3]> = (0..width * width).map(pixel).collect();
    let refused = || ImageError::Png(ImageShape { height: width, width });
    let side = i32::try_from(width).map_err(|_| refused())?;
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(
            pixels.as_flattened(),
            side.unsigned_abs(),
            side.unsigned_abs(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|_| refused())?;
    Ok(Image { height: side, width: side, colours: 3, png })
}
