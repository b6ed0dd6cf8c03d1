//! What the gradient of a network must be for a minibatch, by the reference, and by how much it may
//! differ from that.

use super::bounds::Bounds;
use super::reference::Reference;
use super::report::GradientReport;
use crate::data::Split;
use crate::model::Network;
use crate::rng::{Rng, Stream};
use crate::train::Gradients;

/// What the gradient and the loss must be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The mean loss.
    pub loss: f64,
    /// Its gradient by the chain rule, in the order and layout of
    /// [`Network::tensors`].
    pub gradient: Vec<Vec<f64>>,
    /// Some entries of it by central differences.
    pub slopes: Vec<Slope>,
    /// By how much the engine may be off.
    pub bounds: Bounds,
}

/// An entry of a gradient by central differences.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    /// The tensor that it is of.
    pub tensor: usize,
    /// Its place there.
    pub index: usize,
    /// What the entry must be.
    pub value: f64,
}

/// The most entries of a tensor that are taken by differences: each costs four times as much as the
/// loss, and other cases take others.
const MOST_ENTRIES: usize = 4;

/// So many products, some tenths of a second, the differences of a tensor may take; one entry is
/// taken however many it takes.
const MOST_PRODUCTS: usize = 1 << 28;

impl Expected {
    /// That of `reference` for `split` as one minibatch. The entries that are taken by differences
    /// are drawn under `seed`.
    pub fn new(reference: &mut Reference, split: &Split, seed: u64) -> Self {
        let loss = reference.loss(split);
        let gradient = reference.gradient(split);
        let bounds = reference.bounds(split);
        let an_entry = (4 * split.len()).saturating_mul(reference.products()).max(1);
        let count = (MOST_PRODUCTS / an_entry).clamp(1, MOST_ENTRIES);
        let mut slopes = Vec::new();
        for (tensor, entries) in gradient.iter().enumerate() {
            let count = count.min(entries.len());
            let mut rng = Rng::stream(seed, Stream::Check, tensor as u64);
            // A stride through the tensor from a random start meets no entry twice.
            let start = (rng.bits() % entries.len() as u64) as usize;
            let stride = entries.len() / count;
            let indices: Vec<usize> =
                (0..count).map(|i| (start + i * stride) % entries.len()).collect();
            let values = reference.slopes(tensor, indices.iter().copied(), split);
            // At a kink there is no derivative to compare with.
            slopes.extend(
                indices
                    .into_iter()
                    .zip(values)
                    .filter_map(|(index, value)| Some(Slope { tensor, index, value: value? })),
            );
        }
        Self { loss, gradient, slopes, bounds }
    }

    /// Compares what was `found` with this, in `report`, which is of the same network.
    pub(super) fn compare(&self, found: &Gradients, report: &mut GradientReport) {
        report.cases += 1;
        report.loss.compare(found.loss, self.loss, self.bounds.loss);
        let tensors = report.tensors.iter_mut().zip(&found.tensors);
        for (index, (tensor, found)) in tensors.enumerate() {
            let (expected, bounds) = (&self.gradient[index], &self.bounds.gradient[index]);
            for ((&found, &expected), &bound) in found.values.iter().zip(expected).zip(bounds) {
                tensor.add(found.into(), expected, bound);
            }
        }
        let difference = self.bounds.difference();
        for &Slope { tensor, index, value } in &self.slopes {
            let found = found.tensors[tensor].values[index];
            let bound = self.bounds.gradient[tensor][index] + difference;
            report.tensors[tensor].differences.compare(found.into(), value, bound);
        }
    }

    /// What comes of comparing `found`, of `network`'s gradient, with this.
    #[must_use]
    pub fn report(&self, network: &Network, found: &Gradients) -> GradientReport {
        let mut report = GradientReport::new(network.architecture());
        self.compare(found, &mut report);
        report
    }
}
