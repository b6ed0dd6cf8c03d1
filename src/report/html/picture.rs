//! Pictures that stand within a page, as data.

use std::fmt;

use askama::filters::HtmlSafe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::image::{Error as ImageError, ImageShape, Raster};
use crate::report::error::Result;

/// A picture, and its size in pixels.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) address: Address,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// A PNG file as a `data:` address: letters, digits and `:/;,+=`, of which HTML gives none a meaning.
#[derive(Clone, Debug)]
pub(super) struct Address(String);

impl HtmlSafe for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Picture {
    /// A grey image.
    ///
    /// # Errors
    /// When it is larger than a PNG file can be.
    pub(super) fn grey(image: &Raster) -> Result<Self> {
        Ok(Self::of(image.shape(), &image.to_png()?))
    }

    /// An image of `shape` whose pixels are red, green and blue, row by row.
    ///
    /// # Errors
    /// As [`grey`](Self::grey).
    pub(super) fn coloured(shape: ImageShape, pixels: &[[u8; 3]]) -> Result<Self> {
        let refused = || ImageError::Png(shape);
        let [height, width] = [shape.height, shape.width].map(u32::try_from);
        let (height, width) = (height.map_err(|_| refused())?, width.map_err(|_| refused())?);
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(pixels.as_flattened(), width, height, ExtendedColorType::Rgb8)
            .map_err(|_| refused())?;
        Ok(Self::of(shape, &png))
    }

    /// The PNG file `png`, an image of `shape`.
    fn of(shape: ImageShape, png: &[u8]) -> Self {
        let ImageShape { height, width } = shape;
        let address = Address(format!("data:image/png;base64,{}", STANDARD.encode(png)));
        Self { address, width, height }
    }
}
