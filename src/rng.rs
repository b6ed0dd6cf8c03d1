//! The seeded generator: xoshiro256++ (Blackman and Vigna, 2019), the same numbers on every
//! platform.
//!
//! A run draws from many independent streams, each named by what it is for, so that no draw
//! depends on the order in which work is done or on who does it.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

/// What a stream is for; keeps the streams of one seed apart.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Start values of a tensor; the index is the tensor's.
    Initialise = 1,
    /// Order of the samples; the index is the epoch.
    Shuffle = 2,
    /// Labels of generated digits; the index is that of ten images.
    Label = 3,
    /// The drawing of a generated digit; the index is the image's.
    Digit = 4,
    /// What dropout drops; the index is of the layer, the epoch and the sample.
    Dropout = 5,
    /// How an image is augmented; the index is of the epoch and the sample.
    Augment = 6,
    /// What the configurations of a random sweep are; the index is the configuration's.
    Sweep = 7,
    /// Which images are in which fold of a cross-validation.
    Folds = 8,
    /// The weights, images and labels that gradients are checked with; the index is the case's.
    Check = 9,
}

impl Rng {
    /// The stream number `index` for `purpose` under `seed`.
    #[must_use]
    pub fn stream(seed: u64, purpose: Stream, index: u64) -> Self {
        let mut mixed = split_mix(seed);
        for word in [purpose as u64, index] {
            mixed = split_mix(mixed ^ word);
        }
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `[0, 1)`, one of 2²⁴ equally likely ones.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 * (1.0 / 16_777_216.0)
    }

    /// A number from `low` to `high`, uniformly.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A bell-shaped number of mean 0 and deviation 1, within ±√12: the sum of four uniform ones,
    /// because logarithms and cosines differ from platform to platform.
    pub fn normal(&mut self) -> f32 {
        let bits = self.0.next_u64();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        // Each of the four is below 2¹⁶; together they have deviation 2¹⁶/√3.
        (sum as f32 - 2.0 * 65_535.0) * (1.732_050_8 / 65_536.0)
    }

    /// A number below `bound`, without bias (Lemire, 2019).
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "nothing is below zero");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = (self.0.next_u64() >> 32) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood, 2014): a bijection that spreads its bits.
fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_and_apart() {
        let draw = |seed, purpose, index| Rng::stream(seed, purpose, index).0.next_u64();
        assert_eq!(draw(0, Stream::Shuffle, 1), draw(0, Stream::Shuffle, 1));
        assert_ne!(draw(0, Stream::Shuffle, 1), draw(0, Stream::Shuffle, 2));
        assert_ne!(draw(0, Stream::Shuffle, 1), draw(0, Stream::Initialise, 1));
        assert_ne!(draw(0, Stream::Shuffle, 1), draw(1, Stream::Shuffle, 1));
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        let mut items: Vec<u32> = (0..1000).collect();
        Rng::stream(7, Stream::Shuffle, 0).shuffle(&mut items);
        assert_ne!(items[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..1000));
    }

    #[test]
    fn units_fill_the_half_open_interval() {
        let mut rng = Rng::stream(0, Stream::Initialise, 0);
        let draws: Vec<f32> = (0..10_000).map(|_| rng.unit()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f32>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut rng = Rng::stream(0, Stream::Digit, 0);
        let draws: Vec<f64> = (0..50_000).map(|_| f64::from(rng.normal())).collect();
        assert!(draws.iter().all(|x| x * x <= 12.0));
        let mean = draws.iter().sum::<f64>() / 50_000.0;
        let square = draws.iter().map(|x| x * x).sum::<f64>() / 50_000.0;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((square - 1.0).abs() < 0.02, "{square}");
    }
}
