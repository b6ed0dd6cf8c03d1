//! A minibatch transposed: of each pixel its value in every image, and a bit an image, which says
//! where it is not zero.

use std::num::NonZeroU32;
use std::ops::Range;

use super::PIXEL_VALUES;
use crate::simd::{F32x16, LANES, Simd, as_numbers, zeroed};

/// Images of a chunk: one bit each. At the usual minibatch of 32 the columns of 28 × 28 pixels fit
/// an L1 cache.
pub(super) const IMAGES: usize = u32::BITS as usize;

/// Adjacent pixels that stand together: of each image a byte each, in 32 bits.
const QUAD: usize = 4;

/// Vectors of the images of a chunk.
const VECTORS: usize = IMAGES / LANES;

/// Pixels of an image that one vector of bytes holds.
const BYTES: usize = LANES * QUAD;

/// Which columns of a minibatch somebody reads.
#[derive(Clone, Debug)]
pub(crate) struct ColumnsRead {
    /// Images of which all pixels are read.
    pub(crate) whole: Range<usize>,
    /// Pixels that are read of all other images.
    pub(crate) pixels: Range<usize>,
}

impl ColumnsRead {
    /// All pixels of all of `count` images.
    pub(crate) fn all(count: usize) -> Self {
        Self { whole: 0..count, pixels: 0..0 }
    }
}

/// The columns of a minibatch: of each chunk of 32 images all quads of pixels.
#[derive(Debug)]
pub(crate) struct Columns {
    /// A vector for 16 images of a quad: in each lane the bits of four bytes, the first pixel's the
    /// lowest. What stands beyond the last image is of no interest.
    values: Vec<F32x16>,
    /// Of each quad for its first two pixels, and for the others: bit i says whether one of them
    /// is not zero in image i.
    nonzero: Vec<[u32; 2]>,
    pixels: usize,
    /// Of an image, the last one filled up with black.
    quads: usize,
    /// How many images the minibatch has.
    images: usize,
}

impl Columns {
    /// Allocates for minibatches of up to `batch` images of `pixels` pixels.
    pub(crate) fn new(batch: usize, pixels: usize) -> Self {
        let quads = pixels.div_ceil(QUAD);
        let count = batch.div_ceil(IMAGES) * quads;
        let (values, nonzero) = (zeroed(count * VECTORS), vec![[0; 2]; count]);
        Self { values, nonzero, pixels, quads, images: 0 }
    }

    /// The bytes that they take.
    pub(crate) fn bytes(batch: usize, pixels: usize) -> u128 {
        let quad = VECTORS * size_of::<F32x16>() + size_of::<[u32; 2]>();
        (batch.div_ceil(IMAGES) * pixels.div_ceil(QUAD)) as u128 * quad as u128
    }

    /// Transposes `count` images, each of which `image` gives by its number: those of `whole` in whole,
    /// which begin and end with a vector of 16 images or the last one, of the others `pixels`.
    #[inline(always)]
    pub(crate) fn fill<'a, S: Simd>(
        &mut self,
        s: S,
        count: usize,
        ColumnsRead { whole, pixels }: &ColumnsRead,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        self.images = count;
        if count == 0 {
            self.nonzero.fill([0; 2]);
        }
        for first in (0..count).step_by(LANES) {
            let last = count.min(first + LANES) - 1;
            // The last image also stands in those lanes that have none.
            let mut rows = [&[][..]; LANES];
            for (index, row) in (first..).zip(&mut rows) {
                *row = image(last.min(index));
            }
            let pixels = if whole.contains(&first) { 0..self.pixels } else { pixels.clone() };
            self.fill_lanes(s, first..last + 1, pixels, rows);
        }
    }

    /// Transposes `pixels` of the images `images`, which begin a vector, from their `rows` of pixels.
    #[inline(always)]
    fn fill_lanes<S: Simd>(
        &mut self,
        s: S,
        images: Range<usize>,
        pixels: Range<usize>,
        rows: [&[u8]; LANES],
    ) {
        let (chunk, place) = (images.start / IMAGES, images.start % IMAGES);
        let there = u32::MAX >> (IMAGES - images.len());
        // The bits of the images before, in the same chunk.
        let before = !(u32::MAX << place);
        let groups = pixels.start / BYTES..pixels.end.div_ceil(BYTES);
        let first_quad = groups.start * (BYTES / QUAD);
        let quads = chunk * self.quads + first_quad..(chunk + 1) * self.quads;
        let mut values = self.values[quads.start * VECTORS..quads.end * VECTORS]
            .chunks_exact_mut(VECTORS)
            .zip(&mut self.nonzero[quads]);
        let rows = rows.map(|row| row[..self.pixels].as_chunks::<BYTES>());
        for group in groups {
            let mut vectors = [s.zero(); LANES];
            for (vector, (whole, rest)) in vectors.iter_mut().zip(&rows) {
                let mut filled_up = [0; BYTES];
                let bytes = if group < self.pixels / BYTES {
                    &whole[group]
                } else {
                    filled_up[..rest.len()].copy_from_slice(rest);
                    &filled_up
                };
                *vector = s.with_bits(s.load_bytes(bytes));
            }
            // A lane of four bytes is a number to those that turn vectors.
            for (quad, (values, nonzero)) in s.transpose(vectors).into_iter().zip(&mut values) {
                s.store(quad, &mut values[place / LANES]);
                for (nonzero, pair) in nonzero.iter_mut().zip([0xFFFF, !0xFFFF]) {
                    let found = (s.lanes_with(s.bits_of(quad), pair) & there) << place;
                    *nonzero = *nonzero & before | found;
                }
            }
        }
    }

    /// How many images the minibatch has.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// How many pixels an image has.
    pub(super) fn pixels(&self) -> usize {
        self.pixels
    }

    /// How many chunks of up to 32 images, at least one.
    pub(super) fn chunks(&self) -> usize {
        self.images.max(1).div_ceil(IMAGES)
    }

    /// `GROUP` adjacent pixels from `pixel` on, a multiple of `GROUP`, in the images of `chunk`.
    #[inline(always)]
    pub(super) fn group<const GROUP: usize>(
        &self,
        chunk: usize,
        pixel: usize,
    ) -> PixelGroup<'_, GROUP> {
        const { assert!(matches!(GROUP, 1 | 2 | QUAD), "within a quad") };
        let (quad, place) = (chunk * self.quads + pixel / QUAD, pixel % QUAD);
        let [first, second] = self.nonzero[quad];
        let images = match (GROUP, place) {
            (QUAD, _) => first | second,
            (_, 0 | 1) => first,
            _ => second,
        };
        let values = as_numbers(&self.values[quad * VECTORS..][..VECTORS]).first_chunk();
        let values = values.expect("a quad has a number for each image of a chunk");
        PixelGroup { images, values, shift: u8::BITS * place as u32 }
    }
}

/// Adjacent pixels of up to 32 images: goes through all images where one of the pixels is not zero, and
/// maybe others, in order, and gives their values there, scaled to \[0, 1\].
pub(super) struct PixelGroup<'a, const GROUP: usize> {
    /// Bit i says whether image i is yet to come: it may have a pixel that is not zero.
    images: u32,
    /// Of each image the bits of four pixels, the group among them.
    values: &'a [f32; IMAGES],
    /// By how many bits the first pixel of the group stands above the lowest.
    shift: u32,
}

impl<const GROUP: usize> PixelGroup<'_, GROUP> {
    /// The same in those images only that have a bit in `wanted`.
    #[inline(always)]
    pub(super) fn of_images(self, wanted: u32) -> Self {
        Self { images: self.images & wanted, ..self }
    }
}

impl<const GROUP: usize> Iterator for PixelGroup<'_, GROUP> {
    type Item = (usize, [f32; GROUP]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let image = NonZeroU32::new(self.images)?.trailing_zeros() as usize;
        self.images &= self.images - 1;
        let bytes = self.values[image].to_bits() >> self.shift;
        let mut x = [0.0; GROUP];
        for (pixel, x) in x.iter_mut().enumerate() {
            *x = PIXEL_VALUES[usize::from((bytes >> (8 * pixel)) as u8)];
        }
        Some((image, x))
    }
}

/// Whether `GROUP` pixels from `pixel` on lie in `pixels`, and in one quad.
#[inline(always)]
pub(super) fn is_group<const GROUP: usize>(pixel: usize, pixels: &Range<usize>) -> bool {
    pixel.is_multiple_of(GROUP) && pixel + GROUP <= pixels.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::on_each_isa;

    /// What `group` says of `GROUP` pixels from `pixel` on: values of the images that it gives.
    fn given<const GROUP: usize>(columns: &Columns, pixel: usize) -> Vec<(usize, [f32; GROUP])> {
        let mut given = Vec::new();
        for chunk in 0..columns.chunks() {
            let group = columns.group::<GROUP>(chunk, pixel);
            given.extend(group.map(|(image, x)| (chunk * IMAGES + image, x)));
        }
        given
    }

    /// Every image where a pixel of the group is not zero is given once, in order, and what is given
    /// besides is zero.
    fn check<const GROUP: usize>(columns: &Columns, images: &[&[u8]], size: usize) {
        for pixel in (0..size).filter(|&pixel| is_group::<GROUP>(pixel, &(0..size))) {
            let given = given::<GROUP>(columns, pixel);
            assert!(given.iter().is_sorted_by(|(one, _), (other, _)| one < other));
            for (image, values) in &given {
                let pixels = images[*image][pixel..][..GROUP].iter();
                assert!(pixels.map(|&pixel| f32::from(pixel) / 255.0).eq(*values));
            }
            let is_given = |image: &usize| given.iter().any(|(given, _)| given == image);
            let is_black = |image: &usize| images[*image][pixel..][..GROUP].iter().all(|&x| x == 0);
            assert!((0..images.len()).all(|image| is_given(&image) || is_black(&image)));
        }
    }

    /// The pixels of 65 images of `size` pixels.
    fn some_pixels(size: usize) -> Vec<u8> {
        let value = |i: usize| if i.is_multiple_of(3) || i % 50 < 20 { 0 } else { (i % 251) as u8 };
        (0..65 * size).map(value).collect()
    }

    #[test]
    fn columns_hold_what_images_hold() {
        for size in [1, 3, 4, 63, 64, 65, 784] {
            let pixels = some_pixels(size);
            let images: Vec<_> = pixels.chunks_exact(size).collect();
            on_each_isa!(s => {
                let mut columns = Columns::new(65, size);
                // After a larger minibatch too.
                for count in [65, 33, 17, 16, 1, 0] {
                    columns.fill(s, count, &ColumnsRead::all(count), |index| images[index]);
                    check::<1>(&columns, &images[..count], size);
                    check::<2>(&columns, &images[..count], size);
                    check::<QUAD>(&columns, &images[..count], size);
                }
            });
        }
    }

    /// What is read is as if all had been transposed, after other minibatches too.
    #[test]
    fn a_part_of_the_columns_is_that_of_all() {
        for size in [1, 65, 200, 784] {
            let pixels = some_pixels(size);
            let images: Vec<_> = pixels.chunks_exact(size).collect();
            on_each_isa!(s => {
                let mut all = Columns::new(65, size);
                let mut part = Columns::new(65, size);
                for (count, whole) in [(65, 0..32), (65, 48..65), (50, 16..48), (33, 0..0)] {
                    let read = ColumnsRead { whole, pixels: size / 3..size / 2 + 1 };
                    all.fill(s, count, &ColumnsRead::all(count), |index| images[64 - index]);
                    part.fill(s, count, &read, |index| images[64 - index]);
                    for pixel in 0..size {
                        let [all, part] = [&all, &part].map(|columns| given::<1>(columns, pixel));
                        if read.pixels.contains(&pixel) {
                            assert_eq!(part, all);
                        } else {
                            let is_read = |(image, _): &&(usize, _)| read.whole.contains(image);
                            assert!(part.iter().filter(is_read).eq(all.iter().filter(is_read)));
                        }
                    }
                }
            });
        }
    }
}
