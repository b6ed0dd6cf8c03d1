//! Handwritten digits made from nothing but a seed, for machines without MNIST.
//!
//! A digit is written as people write it: a style (`styles`), led by a hand (`hand`) along a curve
//! (`curve`), drawn with a pen (`ink`) and fitted as MNIST's digits were ([`Frame`]). An image
//! depends on nothing but the seed and its own number, and is computed in additions,
//! multiplications, divisions and square roots alone, which IEEE 754 defines to the bit: the
//! bytes are the same on any number of threads and on any machine.

mod curve;
mod hand;
mod ink;
pub(crate) mod pens;
mod styles;
#[cfg(test)]
mod tests;

use crate::data::{Dataset, Problem, Split};
use crate::files::Bytes;
use crate::image::{Frame, ImageShape, Raster};
use crate::rng::{Rng, Stream};
use crate::sync::map_in_parallel;

/// Images of the training set, as many as MNIST has.
pub const TRAIN: usize = 60_000;
/// Images of the test set, as many as MNIST has.
pub const TEST: usize = 10_000;

/// What a report calls generated digits.
pub const NAME: &str = "generated digits";

const DIGITS: usize = 10;
const SHAPE: ImageShape = Frame::MNIST.image();
/// The number of the first image of the test set: no image is in both sets.
const FIRST_TEST: usize = 1_000_000_000;

/// Writes a training set of `train` images and a test set of `test` others, 28 × 28 each. Each ten
/// in turn are the ten digits in random order, and fewer images are the first of more.
///
/// # Errors
/// When one of the sets is to have no images, or the training set too few to meet every digit of
/// the test set: ten do.
pub fn generate(seed: u64, train: usize, test: usize) -> Result<Dataset, Problem> {
    Dataset::new(NAME, split(seed, 0, train)?, split(seed, FIRST_TEST, test)?)
}

/// The `count` images from number `first`, a multiple of ten, on.
fn split(seed: u64, first: usize, count: usize) -> Result<Split, Problem> {
    let mut pixels = vec![0; count * SHAPE.pixels()];
    let mut labels = vec![0; count];
    let tens = pixels.chunks_mut(DIGITS * SHAPE.pixels()).zip(labels.chunks_mut(DIGITS));
    map_in_parallel(tens.enumerate().collect(), |(ten, (pixels, labels))| {
        let ten = first / DIGITS + ten;
        let mut digits: [u8; DIGITS] = std::array::from_fn(|digit| digit as u8);
        Rng::stream(seed, Stream::Label, ten as u64).shuffle(&mut digits);
        let images = pixels.chunks_exact_mut(SHAPE.pixels());
        for (nth, (pixels, label)) in images.zip(labels).enumerate() {
            *label = digits[nth];
            let rng = Rng::stream(seed, Stream::Digit, (ten * DIGITS + nth) as u64);
            pixels.copy_from_slice(image(*label, rng).pixels());
        }
    });
    Split::new(SHAPE, Bytes::from(pixels), Bytes::from(labels))
}

/// One image of `digit`.
fn image(digit: u8, mut rng: Rng) -> Raster {
    let way = hand::write(digit, &mut rng);
    let drawing = ink::draw(&way, hand::pen(&mut rng));
    // A pen leaves ink, so there is always something to fit.
    Frame::MNIST.normalize(&drawing).unwrap_or_else(|| Raster::blank(SHAPE))
}
