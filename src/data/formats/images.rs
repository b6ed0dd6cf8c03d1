//! Arrays as images: which dimensions are which, and what their numbers become.

use super::Array;
use crate::data::Problem;
use crate::data::scaling::{Scaling, Span};
use crate::files::Bytes;
use crate::image::ImageShape;

/// What a red, a green and a blue of a colour weigh in its grey, in thousandths (ITU-R BT.601).
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// An array whose dimensions are those of images.
#[derive(Clone, Debug)]
pub(in crate::data) struct ImageArray {
    array: Array,
    shape: ImageShape,
    /// Whether it has colours, in three channels that come last.
    is_colour: bool,
}

impl ImageArray {
    /// Sees images in `array`, which is count × height × width, with one channel or three after or
    /// before these if need be, or count × pixels of square images.
    ///
    /// # Errors
    /// When it is of another shape.
    pub(in crate::data) fn new(array: Array) -> Result<Self, Problem> {
        let square = |pixels: usize| {
            let side = pixels.isqrt();
            (side > 1 && side * side == pixels).then_some((side, side))
        };
        let shape = match *array.dims() {
            [_, height, width] => Some((height, width)),
            [_, height, width, 1 | 3] | [_, 1, height, width] => Some((height, width)),
            [_, pixels] => square(pixels),
            _ => None,
        };
        let Some((height, width)) = shape else {
            let expected = "count × height × width";
            let found = array.dims().to_vec();
            return Err(Problem::Dimensions { array: "images", expected, found });
        };
        let is_colour = matches!(*array.dims(), [_, _, width, 3] if width > 1);
        Ok(Self { array, shape: ImageShape { height, width }, is_colour })
    }

    /// What its numbers are.
    pub(in crate::data) fn span(&self) -> Span {
        match self.array.bytes() {
            Some(bytes) => Span::of_bytes(bytes),
            None => Span::of(self.array.numbers()),
        }
    }

    pub(in crate::data) fn shape(&self) -> ImageShape {
        self.shape
    }

    pub(in crate::data) fn is_colour(&self) -> bool {
        self.is_colour
    }

    /// The pixels: the very bytes of the file where they are pixels already.
    ///
    /// # Errors
    /// When a number is no pixel.
    pub(in crate::data) fn into_pixels(self, scaling: Scaling) -> Result<Bytes, Problem> {
        if let Some(bytes) = self.array.bytes()
            && scaling.is_none()
            && !self.is_colour
        {
            return Ok(bytes.clone());
        }
        let numbers = self.array.numbers().map(|number| scaling.pixel(number));
        let pixels = if self.is_colour {
            let channels: Vec<u8> = numbers.collect::<Result<_, _>>()?;
            channels.as_chunks().0.iter().map(grey).collect()
        } else {
            numbers.collect::<Result<Vec<_>, _>>()?
        };
        Ok(pixels.into())
    }
}

fn grey(colour: &[u8; 3]) -> u8 {
    let parts = colour.iter().zip(LUMA).map(|(&channel, weight)| f64::from(channel) * weight);
    parts.sum::<f64>().round() as u8
}
