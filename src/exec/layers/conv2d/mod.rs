//! The convolution, z = x ∗ w + b: one rank's part of it, forward beside backward.
//!
//! A rank takes its own images, sixteen at a time, all the way; only the parameters are shared.
//! Their gradient is added up in each sixteen for itself, and the sums of those in their order, so
//! that it does not matter who has which. Parameters stand in one row, kernel then biases, each
//! sixteen followed by their moments.
//!
//! A max pooling of 2 × 2 that follows at once is done while the sums are in registers.

mod geometry;
mod kernels;

pub(crate) use geometry::Geometry;

use std::ops::Range;

use self::kernels::{ActivationGradient, BackwardInput, Forward, Reduce, Update};
use crate::kernels::conv::{KernelGradient, NonZeroBounds, Volume};
use crate::kernels::optim::UpdateRule;
use crate::simd::Isa;
use crate::simd::{F32x16, LANES, vectors_for, zeroed};
use crate::sync::TurnBuffer;

/// One rank's convolution.
pub(crate) struct Conv2d {
    geometry: Geometry,
    /// F32x16 of a parameter: itself and its moments.
    slots: usize,
    pub(crate) parameters: TurnBuffer,
    /// A block of sixteen parameters after the other, for each sixteen images.
    gradients: TurnBuffer,
    /// The blocks of parameters that the rank updates.
    own: Range<usize>,
    /// The parameters in one row, and the kernel turned about, with inputs and outputs exchanged.
    row: Vec<f32>,
    turned: Vec<f32>,
    /// For each sixteen images of the rank, which number of its window is each pooled one.
    winners: Vec<F32x16>,
    dz: Vec<F32x16>,
    /// The gradient before its lanes are added.
    sums: Vec<F32x16>,
    /// The gradient of the parameters, for each sixteen images of the rank.
    totals: Vec<F32x16>,
    /// Whether anybody needs the gradient of its inputs.
    backward_input: bool,
}

/// What a convolution shares with those of other workers, and how much it has to do.
pub(crate) struct Share {
    pub(crate) slots: usize,
    pub(crate) parameters: TurnBuffer,
    pub(crate) gradients: TurnBuffer,
    /// The blocks of parameters that the rank updates.
    pub(crate) own: Range<usize>,
    /// Sixteens of images that the rank takes.
    pub(crate) sixteens: usize,
    pub(crate) backward_input: bool,
}

impl Conv2d {
    /// The convolution of a rank, whose parameters are yet to be set.
    pub(crate) fn new(geometry: Geometry, share: Share) -> Self {
        let Share { slots, parameters, gradients, own, sixteens, backward_input } = share;
        let winners = if geometry.pooled { sixteens * geometry.output().vectors() } else { 0 };
        let turned = if backward_input { geometry.weights() } else { 0 };
        Self {
            geometry,
            slots,
            parameters,
            gradients,
            own,
            row: vec![0.0; vectors_for(geometry.parameters()) * LANES],
            turned: vec![0.0; turned],
            winners: zeroed(winners),
            dz: zeroed(geometry.places().vectors()),
            sums: zeroed(geometry.parameters()),
            totals: zeroed(sixteens * vectors_for(geometry.parameters())),
            backward_input,
        }
    }

    /// Sets the rank's own parameters from `kernel` (height × width × inputs × filters) and
    /// `bias`.
    pub(crate) fn set(&mut self, kernel: &[f32], bias: &[f32]) {
        let Self { own, slots, parameters, .. } = self;
        let mut writer = parameters.write();
        let state = writer.vectors(own.start * *slots..own.end * *slots);
        let mut values = kernel.iter().chain(bias).skip(own.start * LANES);
        for lanes in state.chunks_exact_mut(*slots) {
            lanes[0].0.iter_mut().zip(&mut values).for_each(|(lane, value)| *lane = *value);
        }
    }

    /// Copies the lanes `slot` of all parameters (0: the parameter itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, slot: usize, kernel: &mut [f32], bias: &mut [f32]) {
        let state = self.parameters.read();
        let values = state.chunks_exact(self.slots).flat_map(|lanes| &lanes[slot].0);
        kernel.iter_mut().chain(bias).zip(values).for_each(|(into, value)| *into = *value);
    }

    /// Takes the parameters as they are now: once before each minibatch.
    pub(crate) fn prepare(&mut self) {
        let Self { geometry, slots, parameters, row, turned, backward_input, .. } = self;
        let state = parameters.read();
        let (sixteens, _) = row.as_chunks_mut::<LANES>();
        for (values, lanes) in sixteens.iter_mut().zip(state.chunks_exact(*slots)) {
            *values = lanes[0].0;
        }
        if *backward_input {
            let (inputs, filters) = (geometry.input.channels, geometry.filters);
            let taps = turned.chunks_exact_mut(inputs * filters).rev();
            for (turned, tap) in taps.zip(row.chunks_exact(inputs * filters)) {
                for (input, weights) in tap.chunks_exact(filters).enumerate() {
                    let turned = turned[input..].iter_mut().step_by(inputs);
                    turned.zip(weights).for_each(|(turned, weight)| *turned = *weight);
                }
            }
        }
    }

    /// y = activation(x ∗ w + b), pooled where that follows, for the rank's `sixteen`th sixteen
    /// images, of which no more than `lit` is not zero.
    pub(crate) fn forward(
        &mut self,
        isa: Isa,
        sixteen: usize,
        (input, lit): (&[F32x16], NonZeroBounds),
        (output, volume): (&mut [F32x16], Volume),
    ) {
        let pooled = self.geometry.output().vectors();
        let winners = self.winners.chunks_exact_mut(pooled.max(1)).nth(sixteen).unwrap_or_default();
        let geometry = &self.geometry;
        isa.run(Forward { geometry, row: &self.row, input, lit, output, volume, winners });
    }

    /// From the gradient `dy` of the rank's `sixteen`th sixteen images that of the parameters,
    /// which is kept, and that of the inputs in `dx`, if anybody needs it.
    pub(crate) fn backward(
        &mut self,
        isa: Isa,
        sixteen: usize,
        passed: Passed<'_>,
        (dy, dx): (&[F32x16], &mut [F32x16]),
    ) {
        let Self { geometry, dz, sums, winners, turned, .. } = self;
        let geometry = &*geometry;
        let pooled = geometry.output().vectors();
        let winners = winners.chunks_exact(pooled.max(1)).nth(sixteen).unwrap_or_default();
        let Passed { input, lit, output, volume } = passed;
        isa.run(ActivationGradient { geometry, output, volume, winners, dy, dz });
        isa.run(KernelGradient {
            input,
            volume: geometry.input,
            nonzero: lit,
            kernel: geometry.kernel,
            stride: geometry.stride,
            dz,
            dz_volume: geometry.places(),
            sums,
        });
        let count = vectors_for(sums.len());
        isa.run(Reduce { sums, totals: &mut self.totals[sixteen * count..][..count] });
        if self.backward_input {
            isa.run(BackwardInput { geometry, turned, dz, dx });
        }
    }

    /// Lets the others see the gradients of the rank's sixteens.
    pub(crate) fn publish(&mut self, sixteens: Range<usize>) {
        let count = vectors_for(self.sums.len());
        let mut writer = self.gradients.write();
        let into = writer.vectors(sixteens.start * count..sixteens.end * count);
        into.copy_from_slice(&self.totals[..into.len()]);
    }

    /// Adds the gradients of `sixteens` sixteens, and has `rule` turn the rank's share of the
    /// sums into new parameters.
    pub(crate) fn update<R: UpdateRule>(&mut self, isa: Isa, sixteens: usize, rule: R) {
        let gradients = self.gradients.read();
        let mut writer = self.parameters.write();
        let state = writer.vectors(self.own.start * R::SLOTS..self.own.end * R::SLOTS);
        let count = vectors_for(self.sums.len());
        let gradients = &gradients[..sixteens * count];
        isa.run(Update { gradients, count, first: self.own.start, state, rule });
    }
}

/// What a convolution read and put out.
pub(crate) struct Passed<'a> {
    pub(crate) input: &'a [F32x16],
    pub(crate) lit: NonZeroBounds,
    pub(crate) output: &'a [F32x16],
    pub(crate) volume: Volume,
}
