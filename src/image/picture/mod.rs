//! A person's own pictures, drawn, scanned or photographed, and the digits in them.
//!
//! A picture is decoded to grey levels (`decode`). What is ground and what ink is decided (`ground`),
//! the background is estimated tile by tile (`background`), so that shadows do not matter, and what
//! stands out from it is ink (`threshold`), without the rules of paper (`rules`, `lines`). The ink
//! falls into connected components, which are taken out of boxes (`enclosures`), put together to
//! digits and brought into reading order (`components`), and each digit is fitted and centred as
//! MNIST's were ([`Frame::normalize`]), its strokes made as thick as those of a pen (`stroke`).
//! Where digits may touch, seams are proposed (`seams`, `segments`), and who reads decides.
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
mod enclosures;
mod fitted;
mod ground;
mod lines;
mod morphology;
mod plane;
mod rules;
mod seams;
mod segments;
mod stroke;
#[cfg(test)]
mod tests;
mod threshold;
mod tiles;

use std::path::Path;

use super::{BoundingBox, Error, Frame, ImageShape, Raster};
use crate::files::Bytes;
use components::Cutout;
use ground::Ground;
use plane::Plane;
pub(crate) use segments::Segments;
use threshold::Ink;

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

/// Digits that are seen smaller than this, in pixels, are looked at from nearby.
const NEARBY: usize = 40;

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
    /// A picture of that very shape whose ink is as large as a fitted digit's and in the middle is
    /// one digit as it is, on a black background.
    ///
    /// # Errors
    /// When no digit is seen.
    pub fn digits(&self, input: ImageShape) -> Result<Vec<Digit>, Error> {
        let digits = self.segments(input)?.into_iter().filter_map(|segments| segments.whole());
        let digits: Vec<_> = digits.collect();
        if digits.is_empty() { Err(Error::NoDigit) } else { Ok(digits) }
    }

    /// What may be digits of the picture, in reading order: each is one, as [`digits`](Self::digits)
    /// says, or falls into several that touch.
    ///
    /// # Errors
    /// When nothing is seen.
    pub(crate) fn segments(&self, input: ImageShape) -> Result<Vec<Segments>, Error> {
        let frame = Frame::of(input);
        if let Some(image) = self.prepared(input) {
            return Ok(vec![Segments::prepared(image, frame)]);
        }
        let cutouts = self.cutouts()?;
        let mut heights: Vec<usize> =
            cutouts.iter().map(|cutout| cutout.drawing.shape().height).collect();
        let middle = heights.len() / 2;
        if heights.is_empty() {
            return Err(Error::NoDigit);
        }
        let height = *heights.select_nth_unstable(middle).1;
        Ok(cutouts.into_iter().map(|cutout| Segments::of(cutout, frame, height)).collect())
    }

    /// The digits of the picture, cut out of it, and where in it they are. Small ones in a large
    /// picture are looked at from nearby.
    fn cutouts(&self) -> Result<Vec<Cutout>, Error> {
        let drawing = Drawing::of(&self.levels).ok_or(Error::NoDigit)?;
        let mut cutouts = components::digits(&drawing.ink, drawing.picture())?;
        let highest = cutouts.iter().map(|cutout| cutout.bounds.height).max().unwrap_or(0);
        for cutout in &mut cutouts {
            cutout.bounds = drawing.place(cutout.bounds, self.shape());
        }
        if drawing.side == 1 || highest >= NEARBY {
            return Ok(cutouts);
        }
        let Some(place) = cutouts.iter().map(|cutout| cutout.bounds).reduce(BoundingBox::union)
        else {
            return Ok(cutouts);
        };
        let place = place.grown(2 * highest * drawing.side, self.shape());
        if place.height.max(place.width).div_ceil(LONGEST) >= drawing.side {
            return Ok(cutouts);
        }
        let mut nearby = Self::from_levels(self.levels.crop(place)).cutouts().unwrap_or_default();
        if nearby.len() != cutouts.len() {
            return Ok(cutouts);
        }
        for cutout in &mut nearby {
            cutout.bounds.top += place.top;
            cutout.bounds.left += place.left;
        }
        Ok(nearby)
    }

    /// The picture as one image of shape `input`, on a black background: as it is, if it has that
    /// very shape, else all that is drawn in it, [`fitted`](Self::fitted).
    ///
    /// # Errors
    /// When nothing is seen.
    pub fn image(&self, input: ImageShape) -> Result<Raster, Error> {
        match self.whole(input) {
            Some(digit) => Ok(digit.image),
            None => self.fitted(input),
        }
    }

    /// All that is drawn in the picture as one image of shape `input`, fitted and centred, also
    /// where the picture has that very shape.
    ///
    /// # Errors
    /// When nothing is seen.
    pub fn fitted(&self, input: ImageShape) -> Result<Raster, Error> {
        let drawing = Drawing::of(&self.levels).ok_or(Error::NoDigit)?;
        let drawing = components::whole(&drawing.ink, drawing.picture())?;
        drawing.and_then(|drawing| normalize(Frame::of(input), drawing)).ok_or(Error::NoDigit)
    }

    /// The picture as it is, on a black background, and where that is: all of it; if it has the shape
    /// `input`. The background is what most of the edge is, as in a data set of such pictures.
    pub(crate) fn whole(&self, input: ImageShape) -> Option<Digit> {
        let ImageShape { height, width } = self.shape();
        if self.shape() != input || input.pixels() == 0 {
            return None;
        }
        let edge = |index: usize| {
            let (row, column) = (index / width, index % width);
            row == 0 || column == 0 || row + 1 == height || column + 1 == width
        };
        let edges = (0..input.pixels()).filter(|&index| edge(index));
        let light = edges.clone().filter(|&index| self.levels.pixels()[index] > 127).count();
        let image = self.on_black(2 * light > edges.count());
        Some(Digit { image, bounding_box: BoundingBox::whole(input) })
    }

    /// The picture as it is, on a black background, if it has the shape `input` and its digit is
    /// fitted already.
    fn prepared(&self, input: ImageShape) -> Option<Raster> {
        if self.shape() != input || input.pixels() == 0 {
            return None;
        }
        let (plane, _) = Plane::downsampled(&self.levels, LONGEST);
        let image = self.on_black(!Ground::of(&plane).is_dark);
        fitted::is_fitted(&image, Frame::of(input)).then_some(image)
    }

    /// The levels of the picture, inverted if its background `is_light`.
    fn on_black(&self, is_light: bool) -> Raster {
        let mut image = self.levels.clone();
        if is_light {
            image.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        image
    }
}

/// Fits `drawing` into `frame` as MNIST's digits were, its strokes thick enough to be seen there.
fn normalize(frame: Frame, drawing: Raster) -> Option<Raster> {
    frame.normalize(&stroke::thickened(drawing, frame.inner()))
}

/// What is drawn in a picture, at the size at which it is looked at.
struct Drawing {
    ink: Ink,
    /// How wide the margin is that was added on each side.
    margin: usize,
    /// Pixels of the picture along each side of one of the drawing.
    side: usize,
}

impl Drawing {
    /// What is drawn in the picture of these `levels`; `None` where nothing stands out.
    fn of(levels: &Raster) -> Option<Self> {
        let (plane, side) = Plane::downsampled(levels, LONGEST);
        if plane.values.is_empty() {
            return None;
        }
        let ground = Ground::of(&plane);
        let (mut plane, margin) = ground.with_margin(plane);
        if ground.is_dark {
            plane.values.iter_mut().for_each(|value| *value = 255.0 - *value);
        }
        let ink = threshold::ink(&plane)?;
        let mut drawing = Self { ink, margin, side };
        if let Some(plane) = rules::erased(&plane, &drawing.ink, drawing.picture()) {
            drawing.ink = threshold::ink(&plane)?;
        }
        Some(drawing)
    }

    /// The part of the drawing that is no margin.
    fn picture(&self) -> BoundingBox {
        let ImageShape { height, width } = self.ink.drawing.shape();
        BoundingBox {
            top: self.margin,
            left: self.margin,
            height: height - 2 * self.margin,
            width: width - 2 * self.margin,
        }
    }

    /// The rectangle of the picture, which has the shape `whole`, that is at `bounds` of the drawing.
    fn place(&self, bounds: BoundingBox, whole: ImageShape) -> BoundingBox {
        let within = |place: usize, length: usize| {
            (place.saturating_sub(self.margin) * self.side).min(length)
        };
        let (top, left) = (within(bounds.top, whole.height), within(bounds.left, whole.width));
        let bottom = within(bounds.bottom(), whole.height);
        let right = within(bounds.right(), whole.width);
        BoundingBox { top, left, height: bottom - top, width: right - left }
    }
}
