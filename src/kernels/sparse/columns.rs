//! A minibatch transposed: of each pixel a bit an image, which says where it is not zero, and its
//! values.

use std::num::NonZeroU32;

use super::{Lists, PIXEL_VALUES};

/// Images of a column: one bit each. At the usual minibatch of 32 the columns of 28 × 28 pixels fit
/// an L1 cache.
pub(super) const IMAGES: usize = u32::BITS as usize;

/// One pixel of up to 32 images.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct Column {
    /// Bit i says whether the pixel is not zero in image i.
    nonzero: u32,
    /// Its value in each image where it is not zero; anything elsewhere.
    values: [u8; IMAGES],
}

/// The columns of a minibatch: for each chunk of 32 images, one for each pixel.
#[derive(Debug)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    pixels: usize,
    /// How many images the minibatch has.
    images: usize,
}

impl Columns {
    /// Allocates for minibatches of up to `batch` images of `pixels` pixels.
    pub(crate) fn new(batch: usize, pixels: usize) -> Self {
        let columns = vec![Column::default(); batch.div_ceil(IMAGES) * pixels];
        Self { columns, pixels, images: 0 }
    }

    /// The bytes that they take.
    pub(crate) fn bytes(batch: usize, pixels: usize) -> u128 {
        (batch.div_ceil(IMAGES) * pixels) as u128 * size_of::<Column>() as u128
    }

    /// Transposes `images`.
    pub(crate) fn fill(&mut self, images: &Lists) {
        self.images = images.len();
        let chunks = self.columns.chunks_exact_mut(self.pixels);
        for (columns, first) in chunks.zip((0..images.len().max(1)).step_by(IMAGES)) {
            columns.iter_mut().for_each(|column| column.nonzero = 0);
            for image in first..images.len().min(first + IMAGES) {
                for pixel in images.row(image) {
                    let column = &mut columns[pixel.index()];
                    column.nonzero |= 1 << (image - first);
                    column.values[image - first] = pixel.byte();
                }
            }
        }
    }

    /// How many images the minibatch has.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// How many chunks of up to 32 images, at least one.
    pub(super) fn chunks(&self) -> usize {
        self.images.max(1).div_ceil(IMAGES)
    }

    /// `pixel` in the images of `chunk`.
    #[inline(always)]
    pub(super) fn column(&self, chunk: usize, pixel: usize) -> &Column {
        &self.columns[chunk * self.pixels + pixel]
    }
}

impl Column {
    /// Calls `each` for the images where the pixel is not zero, in order, with its value there,
    /// scaled to \[0, 1\].
    #[inline(always)]
    pub(super) fn for_each_nonzero(&self, mut each: impl FnMut(usize, f32)) {
        let mut rest = self.nonzero;
        while let Some(bits) = NonZeroU32::new(rest) {
            let image = bits.trailing_zeros() as usize;
            each(image, PIXEL_VALUES[usize::from(self.values[image])]);
            rest &= rest - 1;
        }
    }
}
