//! A person's own pictures, drawn, scanned or photographed, and the digits in them.
//!
//! A picture is decoded to grey levels (`decode`). Its background is estimated tile by tile
//! (`background`), so that shadows do not matter, and what stands out from it is ink
//! (`threshold`). The ink falls into connected components, which are put together to digits and
//! brought into reading order (`components`), and each digit is fitted and centred as MNIST's were
//! ([`Frame::normalize`]), its strokes made as thick as those of a pen (`stroke`).
//!
//! ```no_run
//! use mnistry::image::Picture;
//! use mnistry::{Engine, EngineOptions, Network};
//!
//! let network = Network::load("model.safetensors")?;
//! let engine = Engine::new(EngineOptions::default())?;
//! for digit in Picture::open("photo.jpg")?.digits(network.architecture().input())? {
//!     print!("{}", engine.predict(&network, digit.image.pixels())?.class);
//! }
//! # Ok::<(), mnistry::Error>(())
//! ```

mod background;
mod components;
mod decode;
mod plane;
mod stroke;
#[cfg(test)]
mod tests;
mod threshold;
mod tiles;

use std::path::Path;

use super::{BoundingBox, Error, Frame, ImageShape, Raster};
use crate::files::Bytes;
use components::Cutout;
use plane::Plane;

/// A picture in grey levels: 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    levels: Raster,
}

/// A digit that was found in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Digit {
    /// Light ink on a black background, as a network reads it.
    pub image: Raster,
    /// Where in the picture it is.
    pub bounding_box: BoundingBox,
}

/// The longer side of a picture in which digits are looked for, in pixels: greater ones are made
/// smaller first, which takes noise away too.
const LONGEST: usize = 1600;

impl Picture {
    /// The most pixels of a picture that is read.
    pub const MOST_PIXELS: u64 = 1 << 26;

    /// Reads the PNG, JPEG, BMP, WebP, GIF or TIFF file at `path`, whatever its name.
    ///
    /// # Errors
    /// When it cannot be read or is no such picture, or one too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = Bytes::map(path)?;
        let picture = Self::decode(&file);
        file.check_unchanged()?;
        picture.map_err(|error| error.at(path))
    }

    /// Reads the PNG, JPEG, BMP, WebP, GIF or TIFF file `bytes`, the right way up.
    ///
    /// Its size is checked before any pixel is decoded.
    ///
    /// # Errors
    /// When `bytes` are no such picture, or one too large.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { levels: decode::grey_levels(bytes)? })
    }

    /// A picture of these grey levels.
    #[must_use]
    pub fn from_levels(levels: Raster) -> Self {
        Self { levels }
    }

    /// Height and width.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.levels.shape()
    }

    /// Its grey levels, as they were decoded.
    #[must_use]
    pub fn levels(&self) -> &Raster {
        &self.levels
    }

    /// The digits of the picture in reading order, each fitted into an image of shape `input`
    /// as MNIST's digits were.
    /// Ink may be dark on a light background or light on a dark one.
    ///
    /// A picture of that very shape is one digit as it is, on a black background, unless it is
    /// smaller than a fitted one would be.
    ///
    /// # Errors
    /// When no digit is seen.
    pub fn digits(&self, input: ImageShape) -> Result<Vec<Digit>, Error> {
        if let Some(image) = self.as_is(input) {
            return Ok(vec![Digit { image, bounding_box: BoundingBox::whole(self.shape()) }]);
        }
        let (plane, side) = Plane::downsampled(&self.levels, LONGEST);
        let ink = threshold::ink(plane).ok_or(Error::NoDigit)?;
        let frame = Frame::of(input);
        let digits =
            components::digits(&ink)?.into_iter().filter_map(|Cutout { drawing, bounds }| {
                let bounding_box = bounds.upsampled(side, self.shape());
                Some(Digit { image: normalize(frame, drawing)?, bounding_box })
            });
        let digits: Vec<_> = digits.collect();
        if digits.is_empty() { Err(Error::NoDigit) } else { Ok(digits) }
    }

    /// All that is drawn in the picture as one image of shape `input`, prepared as
    /// [`digits`](Self::digits) are.
    ///
    /// # Errors
    /// When nothing is seen.
    pub fn image(&self, input: ImageShape) -> Result<Raster, Error> {
        match self.as_is(input) {
            Some(image) => Ok(image),
            None => self.fitted(input),
        }
    }

    /// All that is drawn in the picture as one image of shape `input`, fitted and centred, also
    /// where the picture has that very shape.
    ///
    /// # Errors
    /// When nothing is seen.
    pub fn fitted(&self, input: ImageShape) -> Result<Raster, Error> {
        let (plane, _) = Plane::downsampled(&self.levels, LONGEST);
        let ink = threshold::ink(plane).ok_or(Error::NoDigit)?;
        let drawing = components::whole(&ink)?;
        drawing.and_then(|drawing| normalize(Frame::of(input), drawing)).ok_or(Error::NoDigit)
    }

    /// The picture as it is, on a black background, if it has the shape `input` and its ink is about
    /// as large as a fitted digit's or larger.
    fn as_is(&self, input: ImageShape) -> Option<Raster> {
        let ImageShape { height, width } = self.shape();
        if self.shape() != input {
            return None;
        }
        let mut image = self.levels.clone();
        let edge = |index: usize| {
            let (row, column) = (index / width, index % width);
            row == 0 || column == 0 || row + 1 == height || column + 1 == width
        };
        let edges = (0..image.pixels().len()).filter(|&index| edge(index));
        let light = edges.clone().filter(|&index| image.pixels()[index] > 127).count();
        if 2 * light > edges.count() {
            image.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        let inked = image.bounding_box()?;
        let inner = Frame::of(input).inner();
        // Four fifths: a digit of MNIST may fall a little short of its box.
        let large = 5 * inked.height >= 4 * inner.height || 5 * inked.width >= 4 * inner.width;
        large.then_some(image)
    }
}

/// Fits `drawing` into `frame` as MNIST's digits were, its strokes thick enough to be seen there.
fn normalize(frame: Frame, drawing: Raster) -> Option<Raster> {
    frame.normalize(&stroke::thickened(drawing, frame.inner()))
}

impl BoundingBox {
    /// This rectangle in the picture of shape `whole`, of which squares of `side` pixels were made
    /// one pixel each, or fewer at the end.
    fn upsampled(self, side: usize, whole: ImageShape) -> Self {
        let (top, left) = (self.top * side, self.left * side);
        let height = (self.height * side).min(whole.height.saturating_sub(top));
        let width = (self.width * side).min(whole.width.saturating_sub(left));
        Self { top, left, height, width }
    }
}
