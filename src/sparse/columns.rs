//! A minibatch the other way round: which of its images light a pixel.

use super::rows::{Minibatch, PIXEL_VALUES};
use crate::buffers::{Poison, Reader, Seat, share};

/// Images of a column: one bit each, and at the usual minibatch of 32 the columns of 28 × 28
/// pixels fit an L1 cache.
const IMAGES: usize = u32::BITS as usize;

/// One pixel of up to 32 images.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Column {
    /// Bit i says whether the pixel is lit, that is not zero, in image i.
    lit: u32,
    /// Its value in each image where it is lit; anything elsewhere.
    values: [u8; IMAGES],
}

/// One member's seat at the columns of a minibatch, which the team shares.
pub(crate) struct Columns {
    seat: Seat<Column>,
    pixels: usize,
    /// This member's chunks of 32 images: this one, and every so many after it.
    first_chunk: usize,
    step: usize,
}

/// The columns of a whole minibatch.
pub(crate) struct ByPixel<'a> {
    /// For each chunk of 32 images, a column for each pixel.
    columns: Reader<'a, Column>,
    pixels: usize,
    images: usize,
}

impl Columns {
    /// A seat for each of `members`, for minibatches of up to `batch` images of `pixels` pixels.
    pub(crate) fn share(batch: usize, pixels: usize, members: usize, poison: &Poison) -> Vec<Self> {
        let chunks = batch.div_ceil(IMAGES);
        // The last members own the fewest units: the first chunk is theirs.
        let first_chunk = |member: usize| members - 1 - member;
        let own = |member| {
            let chunks = (first_chunk(member)..chunks).step_by(members);
            chunks.map(|chunk| chunk * pixels..(chunk + 1) * pixels).collect()
        };
        share(chunks * pixels, (0..members).map(own).collect(), poison)
            .into_iter()
            .enumerate()
            .map(|(member, seat)| Self {
                seat,
                pixels,
                first_chunk: first_chunk(member),
                step: members,
            })
            .collect()
    }

    /// Writes the member's chunks of the columns of `images`.
    pub(crate) fn write(&mut self, images: &Minibatch<'_>) {
        let Self { seat, pixels, first_chunk, step } = self;
        let mut writer = seat.write();
        for chunk in (*first_chunk..images.len().div_ceil(IMAGES)).step_by(*step) {
            let columns = writer.slice(chunk * *pixels..(chunk + 1) * *pixels);
            columns.iter_mut().for_each(|column| column.lit = 0);
            let first = chunk * IMAGES;
            for image in first..images.len().min(first + IMAGES) {
                for pixel in images.list(image) {
                    let column = &mut columns[pixel.index()];
                    column.lit |= 1 << (image - first);
                    column.values[image - first] = pixel.byte();
                }
            }
        }
    }

    /// The columns of a minibatch of `images` images, as all members have written them.
    pub(crate) fn read(&self, images: usize) -> ByPixel<'_> {
        ByPixel { columns: self.seat.read(), pixels: self.pixels, images }
    }
}

impl ByPixel<'_> {
    /// How many images there are.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// Tells `each` the images where `pixel` is lit, in order, with its value there, scaled to
    /// \[0, 1\].
    #[inline(always)]
    pub(super) fn for_each_lit(&self, pixel: usize, mut each: impl FnMut(usize, f32)) {
        let columns = &*self.columns;
        for first in (0..self.images).step_by(IMAGES) {
            let Column { lit, values } = &columns[first / IMAGES * self.pixels + pixel];
            let mut rest = *lit;
            while rest != 0 {
                let image = rest.trailing_zeros() as usize;
                each(first + image, PIXEL_VALUES[usize::from(values[image])]);
                rest &= rest - 1;
            }
        }
    }
}
