//! Fits and centres a drawn digit in a network's input as MNIST's digits were: scaled into a box
//! with its aspect ratio kept, then moved so that its centre of mass is the centre of the image.

use super::{BoundingBox, ImageShape, Raster};

/// An image to be filled and the box in its middle that a digit is scaled into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    image: ImageShape,
    inner: ImageShape,
}

impl Frame {
    /// MNIST's: a box of 20 × 20 in an image of 28 × 28.
    pub const MNIST: Self = Self::of(ImageShape { height: 28, width: 28 });

    /// The frame of an image of any size, in MNIST's proportions: the box takes 5/7 of each side.
    #[must_use]
    pub const fn of(image: ImageShape) -> Self {
        const fn inner(side: usize) -> usize {
            side - side * 2 / 7
        }
        Self { image, inner: ImageShape { height: inner(image.height), width: inner(image.width) } }
    }

    /// Height and width of the image.
    #[must_use]
    pub const fn image(self) -> ImageShape {
        self.image
    }

    /// Height and width of the box.
    #[must_use]
    pub const fn inner(self) -> ImageShape {
        self.inner
    }

    /// Fits and centres `drawing` as MNIST's digits were: cuts out its ink, scales it into the box
    /// and centres it by mass, to the nearest pixel and as far as the image reaches. `None` when
    /// there is no ink, or so little that scaling it leaves nothing, or when the frame has no
    /// pixels.
    ///
    /// Every pixel that is not 0 counts as ink: the background is to be black already.
    #[must_use]
    pub fn normalize(self, drawing: &Raster) -> Option<Raster> {
        if self.image.pixels() == 0 {
            return None;
        }
        let scaled = scale(drawing, drawing.bounding_box()?, self.inner);
        let [row, column] = centre_of_mass(&scaled)?;
        let start = |length: usize, part: usize, centre: f64| {
            // A cast from a negative number gives 0.
            ((length as f64 / 2.0 - centre).round() as usize).min(length - part)
        };
        let top = start(self.image.height, scaled.shape().height, row);
        let left = start(self.image.width, scaled.shape().width, column);
        let mut image = Raster::blank(self.image);
        image.paste(scaled.pixels(), scaled.shape(), top, left);
        Some(image)
    }
}

/// Scales the ink of `drawing` to the greatest size within `inner`: each pixel of the result is
/// the mean of the area that it covers.
fn scale(drawing: &Raster, ink: BoundingBox, inner: ImageShape) -> Raster {
    let step = (ink.height as f32 / inner.height as f32).max(ink.width as f32 / inner.width as f32);
    let rows = Axis::new(ink.top, ink.height, step, inner.height);
    let columns = Axis::new(ink.left, ink.width, step, inner.width);
    let width = drawing.shape().width;
    let mut scaled = Raster::blank(ImageShape { height: rows.count, width: columns.count });
    let mut sums = vec![0.0f32; width];
    for (row, to) in scaled.pixels_mut().chunks_exact_mut(columns.count).enumerate() {
        sums.fill(0.0);
        for (source, weight) in rows.covered(row) {
            let pixels = &drawing.pixels()[source * width..(source + 1) * width];
            for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                *sum += weight * f32::from(pixel);
            }
        }
        for (column, to) in to.iter_mut().enumerate() {
            let sum: f32 = columns.covered(column).map(|(x, weight)| weight * sums[x]).sum();
            *to = (sum / (step * step) + 0.5) as u8;
        }
    }
    scaled
}

/// How the pixels along one side of the scaled image cover those of the drawing.
struct Axis {
    /// Pixels of the scaled image.
    count: usize,
    /// Where the first one starts in the drawing; it may lie outside the ink.
    start: f32,
    /// Pixels of the drawing that one of the scaled image covers.
    step: f32,
    first: usize,
    last: usize,
}

impl Axis {
    /// The `length` pixels of ink from `first` on, in the middle of at most `most` steps.
    fn new(first: usize, length: usize, step: f32, most: usize) -> Self {
        // A hair less than a whole step more is rounding, not ink.
        let count = ((length as f32 / step - 1e-3).ceil() as usize).clamp(1, most);
        let start = first as f32 - (count as f32 * step - length as f32) / 2.0;
        Self { count, start, step, first, last: first + length - 1 }
    }

    /// The drawing's pixels below pixel `index`, and how much of each is covered.
    fn covered(&self, index: usize) -> impl Iterator<Item = (usize, f32)> + use<> {
        let start = self.start + index as f32 * self.step;
        let end = start + self.step;
        // A cast from a negative number gives 0.
        let from = (start as usize).max(self.first);
        let to = (end as usize).min(self.last);
        (from..=to).map(move |pixel| {
            let pixel_start = pixel as f32;
            (pixel, (end.min(pixel_start + 1.0) - start.max(pixel_start)).max(0.0))
        })
    }
}

/// Row and column of the centre of mass, where a pixel's own centre is at its index.
pub(super) fn centre_of_mass(image: &Raster) -> Option<[f64; 2]> {
    let (mut mass, mut down, mut across) = (0u64, 0u64, 0u64);
    for (row, pixels) in image.rows().enumerate() {
        let mut in_row = 0;
        for (column, &pixel) in pixels.iter().enumerate() {
            in_row += u64::from(pixel);
            across += u64::from(pixel) * column as u64;
        }
        mass += in_row;
        down += in_row * row as u64;
    }
    (mass > 0).then(|| [down as f64 / mass as f64, across as f64 / mass as f64])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawing(height: usize, width: usize, pixels: Vec<u8>) -> Raster {
        Raster::new(ImageShape { height, width }, pixels).unwrap()
    }

    #[test]
    fn mnist_has_a_box_of_20_in_28() {
        assert_eq!(Frame::MNIST.inner, ImageShape { height: 20, width: 20 });
    }

    #[test]
    fn nothing_is_fitted_where_nothing_is_drawn() {
        assert_eq!(Frame::MNIST.normalize(&drawing(3, 4, vec![0; 12])), None);
        assert_eq!(Frame::MNIST.normalize(&drawing(0, 0, vec![])), None);
        let nothing = Frame::of(ImageShape { height: 0, width: 5 });
        assert_eq!(nothing.normalize(&drawing(1, 1, vec![9])), None);
    }

    #[test]
    fn a_block_is_scaled_exactly_and_put_in_the_middle() {
        // 40 × 20 of ink become 20 × 10, around row and column 14.
        let mut pixels = vec![0; 60 * 70];
        for row in 7..47 {
            pixels[row * 70 + 40..row * 70 + 60].fill(200);
        }
        let image = Frame::MNIST.normalize(&drawing(60, 70, pixels)).unwrap();
        for (row, pixels) in image.rows().enumerate() {
            for (column, &pixel) in pixels.iter().enumerate() {
                let inked = (5..25).contains(&row) && (10..20).contains(&column);
                assert_eq!(pixel, if inked { 200 } else { 0 }, "row {row} column {column}");
            }
        }
    }

    #[test]
    fn heavy_ends_do_not_push_the_box_out_of_the_image() {
        let image =
            Frame::MNIST.normalize(&drawing(1, 20, [vec![1; 19], vec![255]].concat())).unwrap();
        assert_eq!(image.bounding_box().map(|ink| (ink.left, ink.width)), Some((0, 20)));
    }

    #[test]
    fn a_single_pixel_fills_the_box() {
        let image = Frame::MNIST.normalize(&drawing(1, 1, vec![9])).unwrap();
        assert_eq!(image.pixels().iter().filter(|&&pixel| pixel == 9).count(), 400);
    }

    proptest! {
        #[test]
        fn any_ink_is_centred_within_the_box(
            (height, width, pixels) in (1usize..70, 1usize..70).prop_flat_map(|(height, width)| {
                let pixel = prop_oneof![4 => Just(0u8), 1 => 64u8..];
                (Just(height), Just(width), prop::collection::vec(pixel, height * width))
            })
        ) {
            let drawing = drawing(height, width, pixels);
            if let Some(image) = Frame::MNIST.normalize(&drawing) {
                let ink = image.bounding_box().unwrap();
                prop_assert!(ink.height <= 20 && ink.width <= 20);
                let [row, column] = centre_of_mass(&image).unwrap();
                let sides = [(row, ink.top, ink.height), (column, ink.left, ink.width)];
                for (centre, start, length) in sides {
                    let at_the_edge = start == 0 || start + length == 28;
                    prop_assert!((centre - 14.0).abs() <= 0.5 || at_the_edge, "{}", centre);
                }
            }
        }
    }
}
