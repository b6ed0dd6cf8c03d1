//! The parameters of a convolution: shared by all workers, and spread out by each for its kernels.

use std::ops::Range;

use crate::exec::partition::even_range;
use crate::exec::plan::{Geometry, Plan};
use crate::kernels::conv::winograd::TransformWeights;
use crate::model::Tensor;
use crate::simd::{F32x16, Isa, LANES, as_numbers, vectors_for, zeroed};
use crate::sync::{TeamSync, TurnBuffer, turn_buffer};

/// A worker's handle of the parameters, and its copies of them.
pub(super) struct Parameters {
    turns: TurnBuffer,
    /// Slots of a parameter: itself and what the optimiser keeps beside it.
    slots: usize,
    /// The vectors of parameters that the worker updates.
    own: Range<usize>,
    geometry: Geometry,
    /// All parameters in one row, without slots: padded to whole vectors.
    row: Vec<F32x16>,
    /// The kernel flipped both ways, with inputs and filters exchanged, where it is needed.
    flipped: Vec<f32>,
    /// Both kernels, transformed, where they are multiplied so.
    transformed: Option<Transformed>,
}

/// Kernels at the points of minimal filtering.
struct Transformed {
    kernel: Vec<f32>,
    flipped: Vec<f32>,
}

impl Parameters {
    /// The parameters of a convolution, all zero: a handle a worker.
    pub(super) fn allocate(
        geometry: &Geometry,
        has_input_gradient: bool,
        plan: &Plan,
        sync: &TeamSync,
    ) -> Vec<Self> {
        let (vectors, slots) = (vectors_for(geometry.parameters()), plan.slots);
        let own = |rank| even_range(vectors, rank, plan.workers);
        let ranges = (0..plan.workers).map(|rank| {
            let Range { start, end } = own(rank);
            std::iter::once(start * slots..end * slots).collect()
        });
        let handles = turn_buffer(vectors * slots, ranges.collect(), sync).into_iter();
        // None of what nobody needs the gradient of.
        let flipped = |weights: usize| vec![0.0; if has_input_gradient { weights } else { 0 }];
        let transformed = geometry.transformed_weights();
        let handle = |(rank, turns)| Self {
            turns,
            slots,
            own: own(rank),
            geometry: *geometry,
            row: zeroed(vectors),
            flipped: flipped(geometry.weights()),
            transformed: geometry.uses_winograd().then(|| Transformed {
                kernel: vec![0.0; transformed],
                flipped: flipped(transformed),
            }),
        };
        handles.enumerate().map(handle).collect()
    }

    /// Sets slot `slot` of the worker's own (0: the parameter itself) from `kernel` and `bias`.
    pub(super) fn set(&mut self, slot: usize, kernel: &Tensor, bias: &Tensor) {
        let Self { own, slots, turns, .. } = self;
        let mut writer = turns.write();
        let own_slots = writer.vectors(own.start * *slots..own.end * *slots);
        let mut values = kernel.values.iter().chain(&bias.values).skip(own.start * LANES);
        for vector in own_slots.chunks_exact_mut(*slots) {
            vector[slot].0.iter_mut().zip(&mut values).for_each(|(into, value)| *into = *value);
        }
    }

    /// Has all be here.
    pub(super) fn bring_all(&mut self) {
        self.turns.bring_all();
    }

    /// Copies slot `slot` of all (0: the parameter itself) to `kernel` and `bias`.
    pub(super) fn get(&self, slot: usize, kernel: &mut Tensor, bias: &mut Tensor) {
        let all = self.turns.read();
        let values = all.chunks_exact(self.slots).flat_map(|vector| &vector[slot].0);
        let into = kernel.values.iter_mut().chain(&mut bias.values);
        into.zip(values).for_each(|(into, value)| *into = *value);
    }

    /// Copies the parameters as they are now, for the kernels: once before each minibatch.
    pub(super) fn spread(&mut self, isa: Isa) {
        let Self { turns, slots, geometry, row, flipped, transformed, .. } = self;
        let all = turns.read();
        for (vector, slots) in row.iter_mut().zip(all.chunks_exact(*slots)) {
            *vector = slots[0];
        }
        let kernel = &as_numbers(row)[..geometry.weights()];
        if !flipped.is_empty() {
            flip(kernel, flipped, geometry.input.channels, geometry.filters);
        }
        if let Some(Transformed { kernel: points, flipped: flipped_points }) = transformed {
            isa.run(TransformWeights { weights: kernel, transformed: points });
            isa.run(TransformWeights { weights: flipped, transformed: flipped_points });
        }
    }

    /// The kernel as it is multiplied, as last [spread](Self::spread).
    pub(super) fn kernel(&self) -> &[f32] {
        match &self.transformed {
            Some(transformed) => &transformed.kernel,
            None => &as_numbers(&self.row)[..self.geometry.weights()],
        }
    }

    /// The kernel, flipped, as it is multiplied.
    pub(super) fn flipped(&self) -> &[f32] {
        self.transformed.as_ref().map_or(&self.flipped, |transformed| &transformed.flipped)
    }

    /// The biases.
    pub(super) fn biases(&self) -> &[f32] {
        &as_numbers(&self.row)[self.geometry.weights()..self.geometry.parameters()]
    }

    /// The worker's turn to update its own: `update` is given the vectors of parameters and slots,
    /// and the number of the first vector.
    pub(super) fn update(&mut self, update: impl FnOnce(&mut [F32x16], usize)) {
        let Self { own, slots, turns, .. } = self;
        let mut writer = turns.write();
        update(writer.vectors(own.start * *slots..own.end * *slots), own.start);
    }
}

/// Flips a kernel both ways, and exchanges inputs and filters.
fn flip(kernel: &[f32], flipped: &mut [f32], inputs: usize, filters: usize) {
    let taps = flipped.chunks_exact_mut(inputs * filters).rev();
    for (flipped, tap) in taps.zip(kernel.chunks_exact(inputs * filters)) {
        for (input, weights) in tap.chunks_exact(filters).enumerate() {
            let flipped = flipped[input..].iter_mut().step_by(inputs);
            flipped.zip(weights).for_each(|(flipped, weight)| *flipped = *weight);
        }
    }
}
