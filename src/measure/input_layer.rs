//! The input layer's products of one minibatch: without the zeros of its images, and with them.

use crate::data::Split;
use crate::kernels::Epilogue;
use crate::kernels::gemm::{AxisLayout, GemmBackend, Lhs, OutputRange, Product, Rhs};
use crate::kernels::sparse;
use crate::kernels::sparse::{Columns, ColumnsRead, PIXEL_VALUES};
use crate::rng::{Rng, Stream};
use crate::simd::{F32x16, Isa, Kernel, LANES, Simd, as_numbers, vectors_for, zeroed};

/// A dense layer on images, as one thread of a team has it, images prepared either way before the clock
/// starts.
pub struct InputLayer {
    isa: Isa,
    images: usize,
    pixels: usize,
    /// Column blocks: blocks of 16 units.
    width: usize,
    columns: Columns,
    /// In blocked layout: block g of 16 pixels of image i at `g · images + i`.
    inputs: Vec<F32x16>,
    /// A row for each pixel.
    weights: Vec<F32x16>,
    /// A row for each image.
    dz: Vec<F32x16>,
    /// What the products without zeros work in.
    workspace: Vec<F32x16>,
    sums: Vec<F32x16>,
}

/// What becomes of pixels that are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// They are left out.
    Skipped,
    /// They are multiplied like all others.
    Multiplied,
}

impl InputLayer {
    /// A layer of `units` units on the minibatch of all images of `split`, with random weights and
    /// gradients.
    #[must_use]
    pub fn new(isa: Isa, split: &Split, units: usize) -> Self {
        let (images, pixels, width) = (split.len(), split.shape().pixels(), vectors_for(units));
        let mut rng = Rng::stream(0, Stream::Initialise, 0);
        let mut random = |count| {
            let mut vectors = zeroed(count);
            vectors.iter_mut().flat_map(|vector| &mut vector.0).for_each(|x| *x = rng.unit() - 0.5);
            vectors
        };
        let weights = random(pixels * width);
        let dz = random(width * images);
        let mut inputs = zeroed(vectors_for(pixels) * images);
        for (index, image) in split.pixels().chunks_exact(pixels).enumerate() {
            for (block, values) in image.chunks(LANES).enumerate() {
                for (lane, &value) in inputs[block * images + index].0.iter_mut().zip(values) {
                    *lane = PIXEL_VALUES[usize::from(value)];
                }
            }
        }
        let mut columns = Columns::new(images, pixels);
        isa.run(Transpose { columns: &mut columns, split });
        Self {
            isa,
            images,
            pixels,
            width,
            columns,
            inputs,
            weights,
            dz,
            workspace: zeroed(sparse::Gradient::workspace_len(images)),
            sums: zeroed(width * pixels.max(images)),
        }
    }

    /// x · w: a row of whole column blocks for each image.
    pub fn forward(&mut self, zeros: Zeros) -> &[f32] {
        self.isa.run(Forward { layer: self, zeros });
        as_numbers(&self.sums[..self.images * self.width])
    }

    /// xᵀ · dz: a row of whole column blocks for each pixel.
    pub fn gradient(&mut self, zeros: Zeros) -> &[f32] {
        self.isa.run(Gradient { layer: self, zeros });
        as_numbers(&self.sums[..self.pixels * self.width])
    }
}

/// Turns the images, before the clock starts.
struct Transpose<'a> {
    columns: &'a mut Columns,
    split: &'a Split,
}

impl Kernel for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { columns, split } = self;
        columns.fill(s, split.len(), &ColumnsRead::all(split.len()), |index| split.image(index));
    }
}

struct Forward<'a> {
    layer: &'a mut InputLayer,
    zeros: Zeros,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let InputLayer { images, pixels, width, columns, inputs, weights, workspace, sums, .. } =
            self.layer;
        let weights = Rhs::of_vectors(weights, *width, 1);
        let mut epilogue = Store { sums, width: *width };
        let output = OutputRange { rows: 0..*images, blocks: 0..*width };
        match self.zeros {
            Zeros::Skipped => {
                let (images, tail) = (&*columns, None);
                let product = sparse::Forward { images, weights, tail, output, workspace };
                product.run(s, &mut epilogue);
            }
            Zeros::Multiplied => {
                let values = as_numbers(inputs);
                let (rows, k) = (AxisLayout::strided(LANES), AxisLayout::blocked(*images * LANES));
                let lhs = Lhs { values, rows, k };
                let product = Product { lhs, rhs: weights, k: *pixels, output };
                GemmBackend::Engine.multiply(s, &product, &mut epilogue);
            }
        }
    }
}

struct Gradient<'a> {
    layer: &'a mut InputLayer,
    zeros: Zeros,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let InputLayer { images, pixels, width, columns, inputs, dz, workspace, sums, .. } =
            self.layer;
        let dz = Rhs::of_vectors(dz, *width, 1);
        let mut epilogue = Store { sums, width: *width };
        let output = OutputRange { rows: 0..*pixels, blocks: 0..*width };
        match self.zeros {
            Zeros::Skipped => {
                let product =
                    sparse::Gradient { images: columns, dz, has_tail: false, output, workspace };
                product.run(s, &mut epilogue);
            }
            Zeros::Multiplied => {
                let values = as_numbers(inputs);
                let (rows, k) = (AxisLayout::blocked(*images * LANES), AxisLayout::strided(LANES));
                let product = Product { lhs: Lhs { values, rows, k }, rhs: dz, k: *images, output };
                GemmBackend::Engine.multiply(s, &product, &mut epilogue);
            }
        }
    }
}

/// From zero to rows of sums.
struct Store<'a> {
    sums: &'a mut [F32x16],
    width: usize,
}

impl<S: Simd> Epilogue<S> for Store<'_> {
    #[inline(always)]
    fn start(&self, s: S, _row: usize, _block: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        let vectors = &mut self.sums[row * self.width + block..][..N];
        for (sum, vector) in sums.into_iter().zip(vectors) {
            s.store(sum, vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generated::generate;

    #[test]
    fn zeros_add_nothing() {
        let digits = generate(0, 20, 10).unwrap().train;
        for isa in Isa::available() {
            let mut layer = InputLayer::new(isa, &digits, 100);
            let forward = layer.forward(Zeros::Multiplied).to_vec();
            assert!(forward.iter().any(|&sum| sum != 0.0));
            assert_eq!(layer.forward(Zeros::Skipped), forward);
            let gradient = layer.gradient(Zeros::Multiplied).to_vec();
            assert!(gradient.iter().any(|&sum| sum != 0.0));
            layer.sums.fill(F32x16([f32::NAN; LANES]));
            assert_eq!(layer.gradient(Zeros::Skipped), gradient);
        }
    }
}
