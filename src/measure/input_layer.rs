//! The input layer's products of one minibatch: without the zeros of its images, and with them.

use crate::data::Split;
use crate::kernels::gemm::{AxisLayout, Epilogue, GemmBackend, Lhs, OutputRange, Rhs};
use crate::kernels::sparse;
use crate::kernels::sparse::{Columns, Lists, PIXEL_VALUES, SparseRows};
use crate::rng::{Rng, Stream};
use crate::simd::{F32x16, LANES, vectors_for, zeroed};
use crate::simd::{Isa, Kernel, Simd};

/// A dense layer on images, as one thread of a team has it: weights with the two moments of Adam
/// beside them, images prepared either way before the clock starts.
pub struct InputLayer {
    isa: Isa,
    images: usize,
    pixels: usize,
    /// Groups of sixteen units.
    width: usize,
    lists: Lists,
    columns: Columns,
    /// Group g of sixteen pixels of image i at `g · images + i`.
    panels: Vec<F32x16>,
    /// A row of each pixel, `[w | m | v]`.
    weights: Vec<F32x16>,
    /// A row of each image.
    dz: Vec<F32x16>,
    /// What the gradient without zeros works in.
    room: Vec<F32x16>,
    sums: Vec<F32x16>,
}

/// What becomes of pixels that are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// They are left out of the images' lists.
    Skipped,
    /// They are multiplied like all others.
    Multiplied,
}

/// F32x16 of a weight: itself and Adam's moments.
const SLOTS: usize = 3;

impl InputLayer {
    /// A layer of `units` units on the minibatch of all images of `split`, with random weights and
    /// gradients.
    #[must_use]
    pub fn new(isa: Isa, split: &Split, units: usize) -> Self {
        let (images, pixels, width) = (split.len(), split.shape().pixels(), vectors_for(units));
        let mut rng = Rng::stream(0, Stream::Initialise, 0);
        let mut random = |count| {
            let mut lanes = zeroed(count);
            lanes.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|x| *x = rng.unit() - 0.5);
            lanes
        };
        let weights = random(pixels * width * SLOTS);
        let dz = random(width * images);
        let mut panels = zeroed(vectors_for(pixels) * images);
        for (index, image) in split.pixels().chunks_exact(pixels).enumerate() {
            for (block, values) in image.chunks(LANES).enumerate() {
                for (lane, &value) in panels[block * images + index].0.iter_mut().zip(values) {
                    *lane = PIXEL_VALUES[usize::from(value)];
                }
            }
        }
        let rows = SparseRows::new(split.pixels(), pixels);
        let mut lists = Lists::new(&rows, images);
        let indices: Vec<u32> = (0..images as u32).collect();
        lists.fill(&rows, &indices);
        Self {
            isa,
            images,
            pixels,
            width,
            lists,
            columns: Columns::new(images, pixels),
            panels,
            weights,
            dz,
            room: zeroed(sparse::gradient_room(images)),
            sums: zeroed(width * pixels.max(images)),
        }
    }

    /// x · w: a row of whole blocks of sixteen units for each image.
    pub fn forward(&mut self, zeros: Zeros) -> &[F32x16] {
        self.isa.run(Forward { layer: self, zeros });
        &self.sums[..self.images * self.width]
    }

    /// xᵀ · dz: a row of whole blocks of sixteen units for each pixel.
    pub fn gradient(&mut self, zeros: Zeros) -> &[F32x16] {
        self.isa.run(Gradient { layer: self, zeros });
        &self.sums[..self.pixels * self.width]
    }
}

/// The axis of images of a panel.
const IMAGES: AxisLayout = AxisLayout::even(LANES);

/// The axis of pixels across panels.
const fn pixels(images: usize) -> AxisLayout {
    AxisLayout { stride: 1, panel: LANES, panel_stride: images * LANES }
}

struct Forward<'a> {
    layer: &'a mut InputLayer,
    zeros: Zeros,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let InputLayer { images, width, lists, panels, weights, sums, .. } = self.layer;
        let weights = Rhs::of_vectors(weights, *width * SLOTS, 1);
        let mut into = Store { sums, width: *width };
        let area = OutputRange { rows: 0..*images, blocks: 0..*width };
        match self.zeros {
            Zeros::Skipped => {
                sparse::forward(s, lists, &weights, None, area, &mut into);
            }
            Zeros::Multiplied => {
                let values = crate::simd::as_numbers(panels);
                let x = Lhs { values, rows: IMAGES, depth: pixels(*images) };
                GemmBackend::Engine.multiply(s, &x, &weights, self.layer.pixels, area, &mut into);
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
        let InputLayer { images, width, lists, columns, panels, dz, room, sums, .. } = self.layer;
        let dz = Rhs::of_vectors(dz, *width, 1);
        let mut into = Store { sums, width: *width };
        let area = OutputRange { rows: 0..self.layer.pixels, blocks: 0..*width };
        match self.zeros {
            Zeros::Skipped => {
                columns.fill(lists);
                sparse::gradient(s, columns, &dz, (area, false), room, &mut into);
            }
            Zeros::Multiplied => {
                let values = crate::simd::as_numbers(panels);
                let x = Lhs { values, rows: pixels(*images), depth: IMAGES };
                GemmBackend::Engine.multiply(s, &x, &dz, *images, area, &mut into);
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
    fn start(&self, s: S, _row: usize, _group: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        let lanes = &mut self.sums[row * self.width + block..][..N];
        for (sum, lanes) in sums.into_iter().zip(lanes) {
            s.store(sum, lanes);
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
            assert!(forward.iter().flat_map(|lanes| lanes.0).any(|sum| sum != 0.0));
            assert_eq!(layer.forward(Zeros::Skipped), forward);
            let gradient = layer.gradient(Zeros::Multiplied).to_vec();
            assert!(gradient.iter().flat_map(|lanes| lanes.0).any(|sum| sum != 0.0));
            layer.sums.fill(F32x16([f32::NAN; LANES]));
            assert_eq!(layer.gradient(Zeros::Skipped), gradient);
        }
    }
}
