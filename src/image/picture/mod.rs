//! A person's own pictures, drawn, scanned or photographed, and the digits in them.
//!
//! A picture is decoded (`decode`) to grey levels. Its ground is estimated from place to place,
//! so that shadows do not matter, and what stands out from it is ink (`ink`). The ink falls into
//! connected parts, the parts are put together to digits and brought into reading order
//! (`parts`), and each digit is fitted as MNIST's were ([`Frame`]), its strokes made as strong as
//! those of a pen (`stroke`).
//!
//! ```no_run
//! use mnistry::image::Picture;
//! use mnistry::{Engine, EngineOptions, Network};
//!
//! let network = Network::load("model.safetensors")?;
//! let engine = Engine::new(EngineOptions::default())?;
//! for digit in Picture::open("photo.jpg")?.digits(network.architecture().input)? {
//!     print!("{}", engine.predict(&network, digit.image.pixels())?.class);
//! }
//! # Ok::<(), mnistry::Error>(())
//! ```

mod decode;
mod ink;
mod parts;
mod plane;
mod stroke;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::{Error, Frame, ImageShape, Raster};
use crate::files::Bytes;
use plane::Plane;

/// A picture in grey levels: 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    levels: Raster,
}

/// A digit that was found in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digit {
    /// Light ink on black ground, as a network reads it.
    pub image: Raster,
    /// Its place in the picture, in pixels.
    pub place: Place,
}

/// A rectangle of a picture, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// How many rows.
    pub height: usize,
    /// How many columns.
    pub width: usize,
}

/// The longer side of a picture in which digits are looked for, in pixels: greater ones are made
/// smaller first, which takes noise away too.
const LONGEST: usize = 1600;

impl Picture {
    /// The most pixels of a picture that is read.
    pub const MOST_PIXELS: u64 = 1 << 26;

    /// Reads the PNG, JPEG, BMP or WebP file at `path`, whatever its name.
    ///
    /// # Errors
    /// When it cannot be read or is no such picture, or one too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::decode(&Bytes::map(path)?).map_err(|error| error.at(path))
    }

    /// Reads the PNG, JPEG, BMP or WebP file `bytes`, the right way up.
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

    /// The digits of the picture in reading order, each fitted into an image of shape `input`.
    /// Ink may be dark on light ground or light on dark ground.
    ///
    /// A picture of that very shape is one digit as it is, on black ground, unless it is smaller
    /// than a fitted one would be.
    ///
    /// # Errors
    /// When no digit is seen.
    pub fn digits(&self, input: ImageShape) -> Result<Vec<Digit>, Error> {
        if let Some(image) = self.ready(input) {
            let ImageShape { height, width } = self.shape();
            return Ok(vec![Digit { image, place: Place { top: 0, left: 0, height, width } }]);
        }
        let (plane, step) = Plane::of(&self.levels, LONGEST);
        let inked = ink::of(plane).ok_or(Error::NoDigit)?;
        let frame = Frame::of(input);
        let digits = parts::digits(&inked)?.into_iter().filter_map(|(drawing, place)| {
            Some(Digit { image: fit(frame, drawing)?, place: place.enlarged(step, self.shape()) })
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
        if let Some(image) = self.ready(input) {
            return Ok(image);
        }
        let (plane, _) = Plane::of(&self.levels, LONGEST);
        let inked = ink::of(plane).ok_or(Error::NoDigit)?;
        let drawing = parts::whole(&inked)?;
        drawing.and_then(|drawing| fit(Frame::of(input), drawing)).ok_or(Error::NoDigit)
    }

    /// The picture as it is, on black ground, if it has the shape `input` and its ink is about as
    /// large as a fitted digit's or larger.
    fn ready(&self, input: ImageShape) -> Option<Raster> {
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
        let inked = image.ink_shape()?;
        let inner = Frame::of(input).inner();
        // Four fifths: a digit of MNIST may fall a little short of its box.
        let large = 5 * inked.height >= 4 * inner.height || 5 * inked.width >= 4 * inner.width;
        large.then_some(image)
    }
}

/// Fits `drawing` into `frame`, its strokes thick enough to be seen there.
fn fit(frame: Frame, drawing: Raster) -> Option<Raster> {
    frame.normalize(&stroke::strengthen(drawing, frame.inner()))
}

impl Place {
    /// This place in the picture of shape `whole`, of which `step` rows and columns were made one,
    /// or fewer at the end.
    fn enlarged(self, step: usize, whole: ImageShape) -> Self {
        let (top, left) = (self.top * step, self.left * step);
        let height = (self.height * step).min(whole.height.saturating_sub(top));
        let width = (self.width * step).min(whole.width.saturating_sub(left));
        Self { top, left, height, width }
    }
}
