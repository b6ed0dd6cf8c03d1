//! What a dense layer computes, for any instruction set: each product in one go with what comes
//! before and after it, as an [`Epilogue`].

use super::Dense;
use super::weights::{Layout, Parts, WeightsRead};
use crate::exec::input::Input;
use crate::exec::layout::{Blocked, BlockedMut};
use crate::exec::link::Below;
use crate::exec::partition::WorkRange;
use crate::kernels::Epilogue;
use crate::kernels::gemm::{GemmBackend, OutputRange, Product, Rhs};
use crate::kernels::optim::{UpdateRule, WeightBlocks};
use crate::kernels::sparse::{self, TAIL};
use crate::model::Activation;
use crate::simd::{F32x16, Kernel, LANES, Simd, as_numbers_mut, transpose_block};

/// y = activation(x · w + b), the worker's part.
pub(super) struct Forward<'a, 'w> {
    pub(super) layer: &'a mut Dense,
    pub(super) gemm: GemmBackend,
    pub(super) samples: usize,
    pub(super) x: Input<'a>,
    pub(super) y: &'a mut BlockedMut<'w>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, samples, x, y } = self;
        let Dense { partition, rank, activation, weights, sparse_workspace, .. } = layer;
        let inputs = partition.inputs;
        let work = partition.work(*rank, samples);
        let width = partition.whole_blocks(&work);
        let WeightsRead { rows, tail } = weights.for_forward(&work);
        let w = Rhs::of_vectors(rows, width, 1);
        let mut epilogue = BiasActivation {
            bias: &rows[inputs * width..],
            tail_bias: tail.map(|tail| &tail.0[inputs]),
            activation: *activation,
            y,
            first_block: work.blocks.start,
        };
        let output = OutputRange { rows: work.samples.clone(), blocks: 0..work.blocks.len() };
        match x {
            Input::Sparse(images) => {
                let workspace = &mut sparse_workspace[..];
                let product = sparse::Forward { images, weights: w, tail, output, workspace };
                product.run(s, &mut epilogue);
            }
            Input::Dense(x) => {
                let rhs = w.with_columns(partition.columns_from(&work));
                let product = Product { lhs: x.as_lhs(), rhs, k: inputs, output };
                gemm.multiply(s, &product, &mut epilogue);
            }
        }
    }
}

/// From the bias to the activation.
struct BiasActivation<'a, 'w> {
    bias: &'a [F32x16],
    /// That of a tail, which comes after those.
    tail_bias: Option<&'a [f32; TAIL]>,
    activation: Activation,
    y: &'a mut BlockedMut<'w>,
    /// The worker's first column block.
    first_block: usize,
}

impl<S: Simd> Epilogue<S> for BiasActivation<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, block: usize) -> S::F32 {
        match self.tail_bias {
            Some(bias) if block == self.bias.len() => s.repeat_four(s.load_four(bias)),
            _ => s.load(&self.bias[block]),
        }
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, block: usize, sums: [S::F32; N]) {
        for (block, z) in (self.first_block + block..).zip(sums) {
            s.store(self.activation.forward(s, z), self.y.at(block, sample));
        }
    }
}

/// dz of the layer below, (dz · wᵀ) · activation′(y): the worker's part of it.
pub(super) struct BackwardInput<'a, 'w> {
    pub(super) layer: &'a mut Dense,
    pub(super) gemm: GemmBackend,
    pub(super) samples: usize,
    /// The gradient of this layer's sums.
    pub(super) dz: Blocked<'a>,
    pub(super) below: Below<'a, 'w>,
}

impl Kernel for BackwardInput<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, samples, dz, below } = self;
        let Dense { partition, rank, weights, owns_rows, transposed, .. } = layer;
        let inputs = below.partition.work(*rank, samples);
        // All workers read, or none does.
        let everyones = (!*owns_rows).then(|| weights.read());
        if inputs.blocks.is_empty() || inputs.samples.is_empty() {
            return;
        }
        let rows_needed = RowsOfWeights { layout: weights.layout(), inputs: &inputs };
        if let Some(everyones) = everyones {
            rows_needed.transpose(s, &everyones, 0, transposed);
        } else {
            let own = partition.work(*rank, samples);
            let first = weights.layout().parts(&own).rows.start;
            rows_needed.transpose(s, weights.own_rows(&own), first, transposed);
        }
        let width = inputs.blocks.len();
        let columns = below.partition.columns_from(&inputs);
        let w = Rhs::of_vectors(transposed, width, 1).with_columns(columns);
        let mut epilogue = ActivationGradient {
            activation: below.activation,
            y: below.output,
            dz: below.gradient,
            first_block: inputs.blocks.start,
        };
        let output = OutputRange { rows: inputs.samples, blocks: 0..width };
        let product = Product { lhs: dz.as_lhs(), rhs: w, k: partition.units, output };
        gemm.multiply(s, &product, &mut epilogue);
    }
}

/// The rows of weights that belong to some blocks of inputs.
struct RowsOfWeights<'a> {
    layout: Layout,
    inputs: &'a WorkRange,
}

impl RowsOfWeights<'_> {
    /// Lays them out as units × blocks of inputs. `weights` begin at vector `first` of all.
    #[inline(always)]
    fn transpose<S: Simd>(
        &self,
        s: S,
        weights: &[F32x16],
        first: usize,
        transposed: &mut [F32x16],
    ) {
        let (blocks, inputs) = (&self.inputs.blocks, self.layout.partition.inputs);
        let width = blocks.len();
        for (column, input_block) in blocks.clone().enumerate() {
            let rows = input_block * LANES..inputs.min((input_block + 1) * LANES);
            for (block, units) in transposed.chunks_mut(width * LANES).enumerate() {
                let place = self.layout.column(block);
                let rows = rows.clone().map(|row| s.load(&weights[place.at(row) - first]));
                let columns = units.chunks_exact_mut(width).map(|unit| &mut unit[column]);
                transpose_block(s, rows, columns);
            }
        }
    }
}

/// From zero through the activation's derivative.
struct ActivationGradient<'a, 'w> {
    activation: Activation,
    y: Blocked<'a>,
    dz: &'a mut BlockedMut<'w>,
    /// The worker's first column block.
    first_block: usize,
}

impl<S: Simd> Epilogue<S> for ActivationGradient<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, _block: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, block: usize, sums: [S::F32; N]) {
        for (block, dy) in (self.first_block + block..).zip(sums) {
            let y = s.load(self.y.at(block, sample));
            s.store(self.activation.backward(s, y, dy), self.dz.at(block, sample));
        }
    }
}

/// dw = xᵀ · dz and db = Σ dz, and what `rule` makes of them: the worker's part.
pub(super) struct Update<'a, R> {
    pub(super) layer: &'a mut Dense,
    pub(super) gemm: GemmBackend,
    pub(super) samples: usize,
    pub(super) x: Input<'a>,
    /// The gradient of this layer's sums, of the worker's column blocks.
    pub(super) dz: Blocked<'a>,
    pub(super) rule: R,
}

impl<R: UpdateRule> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, gemm, samples, x, dz, rule } = self;
        let Dense { partition, rank, weights, sparse_workspace, tail_gradients, .. } = layer;
        let (inputs, work) = (partition.inputs, partition.work(*rank, samples));
        let Parts { rows, tail, state, tail_state } = weights.layout().parts(&work);
        let mut writer = weights.write();
        if work.blocks.is_empty() {
            return;
        }
        let width = partition.whole_blocks(&work);
        let [rows, tail_rows, state, tail_state] = writer.parts([rows, tail, state, tail_state]);
        let tail = partition.has_tail(&work).then_some(&mut tail_gradients[..]);
        let mut epilogue = Learn { rows, state, width, first_row: work.rows.start, tail, rule };
        let output = OutputRange {
            rows: work.rows.start.min(inputs)..work.rows.end.min(inputs),
            blocks: 0..work.blocks.len(),
        };
        match x {
            Input::Sparse(images) => {
                let (dz, has_tail) = (dz.as_rhs(), epilogue.tail.is_some());
                let workspace = &mut sparse_workspace[..];
                let product = sparse::Gradient { images, dz, has_tail, output, workspace };
                product.run(s, &mut epilogue);
            }
            Input::Dense(x) => {
                let rhs = dz.as_rhs().with_columns(partition.columns_from(&work));
                let lhs = x.transposed_as_lhs();
                let product = Product { lhs, rhs, k: samples, output };
                gemm.multiply(s, &product, &mut epilogue);
            }
        }
        if work.rows.contains(&inputs) {
            for block in 0..work.blocks.len() {
                let dz = dz.row(block, 0..samples).iter();
                let sum = dz.fold(s.zero(), |sum, dz| s.add(sum, s.load(dz)));
                epilogue.finish(s, inputs, block, [sum]);
            }
        }
        if let Some(gradients) = epilogue.tail {
            let weights =
                tail_rows.chunks_exact_mut(1).zip(tail_state.chunks_exact_mut(R::SLOTS - 1));
            for (gradient, (weights, state)) in gradients.iter().zip(weights) {
                rule.update(s, [s.load(gradient)], WeightBlocks { weights, state, first: 0 });
            }
        }
    }
}

/// From zero to the optimiser: the gradient is complete here, and its update not yet applied. For
/// a tail, to a list of gradients.
struct Learn<'a, R> {
    /// The worker's rows of weights.
    rows: &'a mut [F32x16],
    /// What the optimiser keeps beside them.
    state: &'a mut [F32x16],
    /// Whole blocks of a row.
    width: usize,
    first_row: usize,
    /// Where the gradients of a tail go, which comes after those: laid out as its weights.
    tail: Option<&'a mut [F32x16]>,
    rule: R,
}

impl<S: Simd, R: UpdateRule> Epilogue<S> for Learn<'_, R> {
    #[inline(always)]
    fn start(&self, s: S, _row: usize, _block: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        let width = self.width;
        if let (true, Some(gradients), [sum]) = (block == width, &mut self.tail, &sums[..]) {
            let (rows, _) = as_numbers_mut(gradients).as_chunks_mut();
            s.store_four(s.first_four(*sum), &mut rows[row - self.first_row]);
            return;
        }
        let (start, beside) = ((row - self.first_row) * width, R::SLOTS - 1);
        let weights = &mut self.rows[start..start + width];
        let state = &mut self.state[start * beside..(start + width) * beside];
        self.rule.update(s, sums, WeightBlocks { weights, state, first: block });
    }
}
