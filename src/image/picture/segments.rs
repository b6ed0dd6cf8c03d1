//! A connected drawing that may be one digit or several that touch.

use super::components::Cutout;
use super::seams::{self, Seam};
use super::{Digit, normalize};
use crate::image::{BoundingBox, Frame, Raster};

/// A drawing is cut if it is so wide, relative to the height of the digits; what is wider is no row of
/// digits.
const WIDE: f32 = 0.7;
const TOO_WIDE: f32 = 12.0;

/// Neighbouring segments as one digit, fitted and centred as MNIST's digits were.
pub(crate) struct Part {
    pub(crate) digit: Digit,
    /// Height and width, relative to the height of the picture's digits.
    pub(crate) height: f32,
    pub(crate) width: f32,
}

/// What is written falls into so many pieces at most.
const PIECES: usize = 3;
/// A blot covers this share of its bounding box, of which neither side is less than so much of the
/// other.
const SOLID: f32 = 0.7;
const BLOT: f32 = 0.6;

/// A connected drawing that may be one digit or several that touch: it is cut along seams, and
/// neighbouring segments together may be a digit.
pub(crate) struct Segments {
    frame: Frame,
    drawing: Raster,
    is_prepared: bool,
    bounding_box: BoundingBox,
    /// How many connected components it was put together from.
    pieces: usize,
    seams: Vec<Seam>,
    /// How high the picture's digits usually are.
    height: usize,
}

impl Segments {
    /// An image that is a digit as it is.
    pub(super) fn prepared(image: Raster, frame: Frame) -> Self {
        let bounding_box = BoundingBox::whole(image.shape());
        Self {
            frame,
            height: bounding_box.height,
            drawing: image,
            is_prepared: true,
            pieces: 1,
            bounding_box,
            seams: Vec::new(),
        }
    }

    /// Those of what was cut out of a picture in which digits are usually `height` pixels high.
    pub(super) fn of(cutout: Cutout, frame: Frame, height: usize) -> Self {
        let Cutout { drawing, pieces, bounds: bounding_box } = cutout;
        let wide = drawing.shape().width as f32 / height.max(1) as f32;
        let is_wide = (WIDE..TOO_WIDE).contains(&wide);
        let seams = if is_wide { seams::seams(&drawing) } else { Vec::new() };
        Self {
            frame,
            drawing,
            is_prepared: false,
            bounding_box,
            pieces,
            seams,
            height: height.max(1),
        }
    }

    /// Whether it is like nothing that is written: in many pieces, as dots are, or a blot.
    pub(crate) fn is_odd(&self) -> bool {
        let BoundingBox { height, width, .. } = self.bounding_box;
        let is_round = (BLOT..=1.0 / BLOT).contains(&(width as f32 / height.max(1) as f32));
        let inked = self.drawing.pixels().iter().filter(|&&pixel| pixel > 0).count();
        let is_solid = inked as f32 >= SOLID * self.drawing.pixels().len() as f32;
        !self.is_prepared && (self.pieces > PIECES || is_round && is_solid)
    }

    /// How many segments there are.
    pub(crate) fn count(&self) -> usize {
        self.seams.len() + 1
    }

    /// How many widths of a stroke are cut through before segment `index`; 0 at the edge.
    pub(crate) fn cost(&self, index: usize) -> f32 {
        self.seam_before(index).map_or(0.0, |seam| seam.cost)
    }

    /// All segments as one digit.
    pub(super) fn whole(&self) -> Option<Digit> {
        self.part(0, self.count()).map(|part| part.digit)
    }

    /// The segments from `from` to before `to`; `None` where nothing is drawn.
    pub(crate) fn part(&self, from: usize, to: usize) -> Option<Part> {
        if self.is_prepared {
            let digit = Digit { image: self.drawing.clone(), bounding_box: self.bounding_box };
            return Some(Part { digit, height: 1.0, width: 1.0 });
        }
        let part = seams::between(&self.drawing, self.seam_before(from), self.seam_before(to));
        let ink = part.bounding_box()?;
        let [height, width] = [ink.height, ink.width].map(|side| side as f32 / self.height as f32);
        let image = normalize(self.frame, part.crop(ink))?;
        Some(Part { digit: Digit { image, bounding_box: self.place(ink) }, height, width })
    }

    fn seam_before(&self, index: usize) -> Option<&Seam> {
        index.checked_sub(1).and_then(|seam| self.seams.get(seam))
    }

    /// Where in the picture the rectangle `ink` of the drawing is.
    fn place(&self, ink: BoundingBox) -> BoundingBox {
        let BoundingBox { top, left, height, width } = self.bounding_box;
        let shape = self.drawing.shape();
        let down = |row: usize| row * height / shape.height.max(1);
        let across = |column: usize| column * width / shape.width.max(1);
        BoundingBox {
            top: top + down(ink.top),
            left: left + across(ink.left),
            height: (down(ink.bottom()) - down(ink.top)).max(1),
            width: (across(ink.right()) - across(ink.left)).max(1),
        }
    }
}
