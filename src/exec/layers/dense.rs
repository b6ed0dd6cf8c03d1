//! The dense layer, z = x · w + b: one rank's part of it, forward beside backward.
//!
//! Activations x, y and gradients dz stand in panels: block g of sixteen columns of sample i at
//! `g · batch + i`. Weights stand in the blocks of the [`Partition`], each row w of a block followed
//! by its moments: `[w | m | v]`, side by side, so that the three do not alias in the cache. The
//! bias is the last row.

use crate::exec::input::{Input, Transposed};
use crate::exec::partition::{Part, Partition, WeightStrides};
use crate::kernels::Epilogue;
use crate::kernels::gemm::{AxisLayout, GemmBackend, Lhs, OutputRange, Product, Rhs};
use crate::kernels::optim::{UpdateRule, WeightBlocks};
use crate::kernels::sparse;
use crate::kernels::sparse::{TAIL, TailWeights, tail_vectors};
use crate::model::Activation;
use crate::simd::{F32x16, LANES, as_numbers, as_numbers_mut, zeroed};
use crate::simd::{Kernel, Simd};
use crate::sync::{Reader, TurnBuffer, Writer};

/// One rank's dense layer.
pub(crate) struct Dense {
    pub(crate) division: Partition,
    pub(crate) rank: usize,
    pub(crate) activation: Activation,
    /// F32x16 of a weight: itself and its moments.
    pub(crate) slots: usize,
    /// Weights and moments, in the blocks of the division.
    pub(crate) weights: TurnBuffer,
    /// The weights that a block of inputs needs, transposed: units × blocks of inputs.
    transposed: Vec<F32x16>,
    /// Room for the gradient from images without their zeros.
    room: Vec<F32x16>,
    /// The gradient of the weights of a tail block.
    tail_gradients: Vec<F32x16>,
}

impl Dense {
    /// The layer of `rank`, whose `weights` are yet to be set.
    pub(crate) fn new(
        division: Partition,
        rank: usize,
        activation: Activation,
        slots: usize,
        weights: TurnBuffer,
    ) -> Self {
        let [transposed, room, tail_gradients] = [const { Vec::new() }; 3];
        Self { division, rank, activation, slots, weights, transposed, room, tail_gradients }
    }

    /// Makes room for [`BackwardInput`] into inputs divided as `below`.
    pub(crate) fn plan_backward_input(&mut self, below: &Partition) {
        let width = below.part(self.rank, below.batch).blocks.len();
        self.transposed = zeroed(self.division.units * width);
    }

    /// Makes room for [`Update`] from images without their zeros.
    pub(crate) fn plan_sparse_input(&mut self) {
        let Partition { batch, .. } = self.division;
        self.room = zeroed(sparse::Gradient::workspace_len(batch));
        if self.division.has_tail(&self.division.part(self.rank, batch)) {
            self.tail_gradients = zeroed(tail_vectors(self.division.rows()));
        }
    }

    /// Lets others update their weights as soon as they want to, where this rank has no need of
    /// any but its own on the way back to a layer divided as `below`, or to none. To be called
    /// between forward and backward of a step.
    pub(crate) fn release_weights(&mut self, below: Option<&Partition>) {
        if below.is_none_or(|below| self.division.owns_rows(below)) {
            self.weights.release();
        }
    }

    /// Sets the rank's own part of the weights from `kernel` (inputs × units) and `bias`.
    pub(crate) fn set(&mut self, kernel: &[f32], bias: &[f32]) {
        let Self { division, rank, slots, weights, .. } = self;
        let mut writer = weights.write();
        let part = division.part(*rank, 0);
        let own = division.weights_range(&part, *slots);
        let first = own.start * LANES;
        let state = as_numbers_mut(writer.vectors(own));
        for block in part.blocks {
            let WeightStrides { first: at, row: stride, .. } = division.places(block, *slots);
            for row in part.rows.clone() {
                let values =
                    if row < division.inputs { &kernel[row * division.units..] } else { bias };
                let values = &values[..division.units];
                let columns = &values[block * LANES..values.len().min((block + 1) * LANES)];
                state[at + row * stride - first..][..columns.len()].copy_from_slice(columns);
            }
        }
    }

    /// Copies the lanes `slot` of all weights (0: the weight itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, slot: usize, kernel: &mut [f32], bias: &mut [f32]) {
        let weights = self.weights.read();
        let state = weights.as_numbers();
        let units = self.division.units;
        for block in 0..self.division.column_blocks() {
            let places = self.division.places(block, self.slots);
            let rows = kernel.chunks_exact_mut(units).chain(std::iter::once(&mut *bias));
            for (row, values) in rows.enumerate() {
                let columns = &mut values[block * LANES..units.min((block + 1) * LANES)];
                let at = places.first + row * places.row + slot * places.slot;
                columns.copy_from_slice(&state[at..][..columns.len()]);
            }
        }
    }
}

/// y = activation(x · w + b), the rank's part; the activation is left out for `logits`.
pub(crate) struct Forward<'a, 'w> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) gemm: GemmBackend,
    pub(crate) input: &'a Input<'a>,
    pub(crate) logits: bool,
    pub(crate) output: &'a mut Writer<'w>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, input, logits, output } = self;
        let Dense { division, weights, slots, rank, activation, .. } = layer;
        let part = division.part(*rank, input.samples());
        let (full, width) = (division.width(&part), division.width(&part) * *slots);
        let everyones;
        let own_weights = if division.is_by_columns() {
            weights.own(division.weights_range(&part, *slots))
        } else {
            everyones = weights.read();
            &everyones[division.weights_start(&part, *slots)..]
        };
        let weights = Rhs::of_vectors(own_weights, width, 1);
        let (rows, tail) = own_weights.split_at(division.rows() * width);
        let tail = division.has_tail(&part).then(|| TailWeights(as_numbers(tail).as_chunks().0));
        let output_range = OutputRange { rows: part.samples, blocks: 0..part.blocks.len() };
        let mut epilogue = BiasActivation {
            bias: &rows[division.inputs * width..][..full],
            tail_bias: tail.map(|TailWeights(rows)| &rows[division.inputs]),
            activation: if logits { Activation::Linear } else { *activation },
            output,
            first_block: part.blocks.start,
            batch: division.batch,
        };
        match input {
            Input::Sparse(images) => {
                let product = sparse::Forward { images, weights, tail, output: output_range };
                product.run(s, &mut epilogue);
            }
            Input::Dense(panels) => {
                let values = panels.lanes.as_numbers();
                let lhs = Lhs { values, rows: SAMPLES, k: columns(division.batch) };
                let product =
                    Product { lhs, rhs: weights, k: division.inputs, output: output_range };
                gemm.multiply(s, &product, &mut epilogue);
            }
        }
    }
}

/// The axis of samples of a panel.
const SAMPLES: AxisLayout = AxisLayout::strided(LANES);

/// The axis of columns across panels.
const fn columns(batch: usize) -> AxisLayout {
    AxisLayout::blocked(batch * LANES)
}

/// From the bias to the activation.
struct BiasActivation<'a, 'w> {
    bias: &'a [F32x16],
    /// That of a tail block, which comes after those.
    tail_bias: Option<&'a [f32; TAIL]>,
    activation: Activation,
    output: &'a mut Writer<'w>,
    first_block: usize,
    batch: usize,
}

impl<S: Simd> Epilogue<S> for BiasActivation<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, block: usize) -> S::F32 {
        match self.tail_bias {
            Some(bias) if block == self.bias.len() => s.load_four(bias),
            _ => s.load(&self.bias[block]),
        }
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, block: usize, sums: [S::F32; N]) {
        for (block, z) in (self.first_block + block..).zip(sums) {
            let y = self.activation.forward(s, z);
            s.store(y, self.output.at(block * self.batch + sample));
        }
    }
}

/// dz of the layer below: (dz · wᵀ) · activation′(y), the rank's part of it.
pub(crate) struct BackwardInput<'a, 'w> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) gemm: GemmBackend,
    pub(crate) samples: usize,
    /// The gradient of this layer's sums.
    pub(crate) gradient: &'a Reader<'a>,
    /// The layer below, its outputs, and where its gradient goes.
    pub(crate) below: Below<'a, 'w>,
}

/// What backward needs of the layer below.
pub(crate) struct Below<'a, 'w> {
    pub(crate) division: Partition,
    pub(crate) activation: Activation,
    pub(crate) output: &'a Reader<'a>,
    pub(crate) gradient: &'a mut Writer<'w>,
}

impl Kernel for BackwardInput<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, samples, gradient, below } = self;
        let Dense { division, weights, transposed, slots, rank, .. } = layer;
        let part = below.division.part(*rank, samples);
        if part.blocks.is_empty() || part.samples.is_empty() {
            return;
        }
        let width = part.blocks.len();
        if division.owns_rows(&below.division) {
            let own = division.weights_range(&division.part(*rank, samples), *slots);
            let state = (weights.own(own.clone()), own.start);
            transpose(s, division, state, *slots, &part, transposed);
        } else {
            transpose(s, division, (&weights.read(), 0), *slots, &part, transposed);
        }
        let lhs = Lhs { values: gradient.as_numbers(), rows: SAMPLES, k: columns(division.batch) };
        let rhs = Rhs::of_vectors(transposed, width, 1);
        let mut epilogue = ActivationGradient {
            activation: below.activation,
            output: below.output,
            gradient: below.gradient,
            first_block: part.blocks.start,
            batch: division.batch,
        };
        let output = OutputRange { rows: part.samples, blocks: 0..width };
        gemm.multiply(s, &Product { lhs, rhs, k: division.units, output }, &mut epilogue);
    }
}

/// Lays the rows of weights that the blocks of inputs of `part` have out as units × blocks. `state`
/// begins at the lane `first` of all weights.
#[inline(always)]
fn transpose<S: Simd>(
    s: S,
    division: &Partition,
    (state, first): (&[F32x16], usize),
    slots: usize,
    part: &Part,
    transposed: &mut [F32x16],
) {
    let width = part.blocks.len();
    for (column, input_block) in part.blocks.clone().enumerate() {
        let inputs = input_block * LANES..division.inputs.min((input_block + 1) * LANES);
        for (block, units) in transposed.chunks_mut(width * LANES).enumerate() {
            let mut square = [s.zero(); LANES];
            let places = division.places(block, slots);
            debug_assert!(places.row.is_multiple_of(LANES), "a tail layer has none below");
            for (weights, row) in square.iter_mut().zip(inputs.clone()) {
                *weights = s.load(&state[(places.first + row * places.row) / LANES - first]);
            }
            for (unit, weights) in units.chunks_exact_mut(width).zip(s.transpose(square)) {
                s.store(weights, &mut unit[column]);
            }
        }
    }
}

/// From zero through the activation's derivative.
struct ActivationGradient<'a, 'w> {
    activation: Activation,
    output: &'a Reader<'a>,
    gradient: &'a mut Writer<'w>,
    first_block: usize,
    batch: usize,
}

impl<S: Simd> Epilogue<S> for ActivationGradient<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, _group: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, block: usize, sums: [S::F32; N]) {
        for (block, dy) in (self.first_block + block..).zip(sums) {
            let at = block * self.batch + sample;
            let y = s.load(&self.output[at]);
            let dz = self.activation.backward(s, y, dy);
            s.store(dz, self.gradient.at(at));
        }
    }
}

/// dw = xᵀ · dz and db = Σ dz, which `rule` turns into new weights while they are at hand: the
/// rank's part.
pub(crate) struct Update<'a, R> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) gemm: GemmBackend,
    pub(crate) input: &'a Transposed<'a>,
    /// The gradient of this layer's sums, of the rank's own blocks of units from the first on.
    pub(crate) gradient: &'a [F32x16],
    pub(crate) rule: R,
}

impl<R: UpdateRule> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, input, gradient, rule } = self;
        let Dense { division, weights, room, tail_gradients, slots, rank, .. } = layer;
        let (batch, samples) = (division.batch, input.samples());
        let part = division.part(*rank, samples);
        let mut writer = weights.write();
        if part.blocks.is_empty() {
            return;
        }
        let width = division.width(&part);
        let dz = Rhs::of_vectors(gradient, 1, batch);
        let state = writer.vectors(division.weights_range(&part, *slots));
        let (state, tail_state) = state.split_at_mut(part.rows.len() * width * *slots);
        let tail = division.has_tail(&part).then_some(&mut tail_gradients[..]);
        let mut epilogue = Learn { state, width, first_row: part.rows.start, tail, rule };
        let rows = part.rows.start.min(division.inputs)..part.rows.end.min(division.inputs);
        let output = OutputRange { rows, blocks: 0..part.blocks.len() };
        match input {
            Transposed::Sparse(images) => {
                let has_tail = epilogue.tail.is_some();
                let product = sparse::Gradient { images, dz, has_tail, output, workspace: room };
                product.run(s, &mut epilogue);
            }
            Transposed::Dense(panels) => {
                let values = panels.lanes.as_numbers();
                let lhs = Lhs { values, rows: columns(batch), k: SAMPLES };
                gemm.multiply(s, &Product { lhs, rhs: dz, k: samples, output }, &mut epilogue);
            }
        }
        if part.rows.contains(&division.inputs) {
            for block in 0..part.blocks.len() {
                let samples = &gradient[block * batch..][..samples];
                let sum = samples.iter().fold(s.zero(), |sum, dz| s.add(sum, s.load(dz)));
                epilogue.finish(s, division.inputs, block, [sum]);
            }
        }
        if let Some(gradients) = epilogue.tail {
            let width = gradients.len();
            for (index, gradient) in gradients.iter().enumerate() {
                let weights = WeightBlocks { row: &mut *tail_state, width, first: index };
                rule.update(s, [s.load(gradient)], weights);
            }
        }
    }
}

/// From zero to the optimiser; for a tail block, to a list of gradients.
struct Learn<'a, R> {
    state: &'a mut [F32x16],
    /// Whole blocks of a row.
    width: usize,
    first_row: usize,
    /// Where the gradients of a tail block go, which comes after those: laid out as its weights.
    tail: Option<&'a mut [F32x16]>,
    rule: R,
}

impl<S: Simd, R: UpdateRule> Epilogue<S> for Learn<'_, R> {
    #[inline(always)]
    fn start(&self, s: S, _row: usize, _group: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        let width = self.width;
        if let (true, Some(gradients), [sum]) = (block == width, &mut self.tail, &sums[..]) {
            // The other lanes stand where the next rows' will, which come later.
            let (room, _) = as_numbers_mut(gradients)[row * TAIL..].as_chunks_mut();
            s.store_unaligned(*sum, &mut room[0]);
            return;
        }
        let start = (row - self.first_row) * width * R::SLOTS;
        let row = &mut self.state[start..start + width * R::SLOTS];
        self.rule.update(s, sums, WeightBlocks { row, width, first: block });
    }
}
