//! For tests of products: what a sum must be, and where sums start and end.

use crate::kernels::Epilogue;
use crate::rng::Rng;
use crate::simd::{LANES, Simd};

/// A sum by one scalar multiply-add after another, and what any order of rounding may make of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    /// The scalar result, rounded once a step.
    fused: f32,
    /// The same in f64, and the sum of the magnitudes of its terms.
    exact: f64,
    magnitude: f64,
    terms: u32,
}

impl Sum {
    pub(crate) fn from(start: f32) -> Self {
        let exact = f64::from(start);
        Self { fused: start, exact, magnitude: exact.abs(), terms: 0 }
    }

    pub(crate) fn add(&mut self, a: f32, b: f32) {
        let product = f64::from(a) * f64::from(b);
        self.fused = a.mul_add(b, self.fused);
        self.exact += product;
        self.magnitude += product.abs();
        self.terms += 1;
    }

    /// Whether `found` has the bits of the scalar loop.
    pub(crate) fn is(&self, found: f32) -> bool {
        self.fused.to_bits() == found.to_bits()
    }

    /// Whether `found` is the value of the scalar loop, a zero having any sign.
    pub(crate) fn equals(&self, found: f32) -> bool {
        self.fused == found
    }

    /// Whether `found` is within the a-priori error bound γ Σ|a||b| (Higham, *Accuracy and
    /// Stability of Numerical Algorithms*, section 3.1) of a sum in any order: each term is
    /// rounded as a product, in as many additions as there are terms, and once more where the
    /// start is added last. A NaN is not.
    pub(crate) fn bounds(&self, found: f32) -> bool {
        let roundings = f64::from(self.terms + 2) * f64::from(f32::EPSILON) / 2.0;
        let bound = roundings / (1.0 - roundings) * self.magnitude;
        (f64::from(found) - self.exact).abs() <= bound
    }
}

/// A number from −1 to 1, often zero.
pub(crate) fn number(rng: &mut Rng) -> f32 {
    if rng.below(8) == 0 { 0.0 } else { rng.range(-1.0, 1.0) }
}

/// What stands where nothing may be read or written: a NaN of bits that no operation makes.
pub(crate) const UNTOUCHED: f32 = f32::from_bits(0x7fa5_a5a5);

/// Whether `x` is still that very NaN.
pub(crate) fn is_untouched(x: f32) -> bool {
    x.to_bits() == UNTOUCHED.to_bits()
}

/// An epilogue that starts from one table and ends in another, of `width` column blocks a row.
pub(crate) struct Tables<'a> {
    pub(crate) starts: &'a [[f32; LANES]],
    pub(crate) found: &'a mut [[f32; LANES]],
    pub(crate) width: usize,
}

impl<S: Simd> Epilogue<S> for Tables<'_> {
    #[inline(always)]
    fn start(&self, s: S, row: usize, block: usize) -> S::F32 {
        s.load_unaligned(&self.starts[row * self.width + block])
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        for (block, sum) in (block..).zip(sums) {
            let found = &mut self.found[row * self.width + block];
            assert!(is_untouched(found[0]), "row {row}, block {block} was finished twice");
            s.store_unaligned(sum, found);
        }
    }
}
