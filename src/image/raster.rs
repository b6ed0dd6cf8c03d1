//! A grey image in memory.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{BoundingBox, Error, ImageShape};
use crate::files;

/// A grey image: 0 is background, 255 is ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    shape: ImageShape,
    pixels: Vec<u8>,
}

impl Raster {
    /// An image without ink.
    #[must_use]
    pub fn blank(shape: ImageShape) -> Self {
        Self { shape, pixels: vec![0; shape.pixels()] }
    }

    /// An image of these `pixels`, row by row; `None` when their number is not that of `shape`.
    #[must_use]
    pub fn new(shape: ImageShape, pixels: Vec<u8>) -> Option<Self> {
        (pixels.len() == shape.pixels()).then_some(Self { shape, pixels })
    }

    /// Height and width.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The pixels: `height` × `width`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The pixels alone.
    pub(crate) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The rows of pixels, from the top.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.pixels.chunks_exact(self.shape.width.max(1))
    }

    /// The part of the image that is at `place`, which lies within it.
    pub(super) fn crop(&self, place: BoundingBox) -> Self {
        let rows = self.rows().skip(place.top).take(place.height);
        let pixels = rows.flat_map(|row| &row[place.left..place.right()]).copied().collect();
        Self { shape: place.shape(), pixels }
    }

    /// The image with rows and columns exchanged.
    pub(super) fn transposed(&self) -> Self {
        let ImageShape { height, width } = self.shape;
        let mut turned = Self::blank(ImageShape { height: width, width: height });
        for (row, pixels) in self.rows().enumerate() {
            for (column, &pixel) in pixels.iter().enumerate() {
                turned.pixels[column * height + row] = pixel;
            }
        }
        turned
    }

    /// The image as a PNG file.
    ///
    /// # Errors
    /// When it has no pixels, or more than a PNG file can hold.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        let refused = || Error::Png(self.shape);
        let [height, width] = [self.shape.height, self.shape.width].map(u32::try_from);
        let (height, width) = (height.map_err(|_| refused())?, width.map_err(|_| refused())?);
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(&self.pixels, width, height, ExtendedColorType::L8)
            .map_err(|_| refused())?;
        Ok(file)
    }

    /// Writes the image to `path` as a PNG file, in place of a file that is there, whole or not at
    /// all; a device or a named pipe is written into.
    ///
    /// # Errors
    /// As [`to_png`](Self::to_png), and when the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(files::write_output(path.as_ref(), &self.to_png()?)?)
    }

    /// Copies an image of `shape`: its upper left pixel comes to row `top` and column `left`.
    ///
    /// # Panics
    /// When that image reaches beyond this one to the right.
    pub fn paste(&mut self, pixels: &[u8], shape: ImageShape, top: usize, left: usize) {
        let rows = self.pixels.chunks_exact_mut(self.shape.width.max(1)).skip(top);
        for (to, from) in rows.zip(pixels.chunks_exact(shape.width.max(1))) {
            to[left..left + shape.width].copy_from_slice(from);
        }
    }
}
