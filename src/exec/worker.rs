//! One rank of the team that trains or asks a network: its part of every layer, and its seats
//! at the buffers between the layers.
//!
//! All workers run the same program. What one writes and others read goes through a [`TurnBuffer`], and
//! waiting there is all that keeps them in step. After the worker is made, nothing is allocated.

use std::ops::{AddAssign, ControlFlow};

use crate::exec::input::{Input, Panels, Transposed};
use crate::exec::layers::dense::{BackwardInput, Below, Forward, Update};
use crate::exec::layers::images::Pixels;
use crate::exec::layers::loss::{CrossEntropy, Outcome};
use crate::exec::noise::SampleStreams;
use crate::exec::samples::Samples;
use crate::exec::shares::share_of_samples;
use crate::exec::stage::Stage;
use crate::kernels::gemm::GemmBackend;
use crate::kernels::optim::UpdateRule;
use crate::kernels::sparse::{Columns, Lists};
use crate::model::{Network, Tensor};
use crate::simd::Isa;
use crate::simd::{F32x16, LANES};
use crate::sync::{Barrier, TurnBuffer};

/// What the team is planned for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) workers: usize,
    /// Whether they have fewer cores than they are.
    pub(crate) oversubscribed: bool,
    /// The most samples of a minibatch.
    pub(crate) batch: usize,
    /// F32x16 of a weight: itself and its moments.
    pub(crate) slots: usize,
    /// Whether it is for training, in which numbers are dropped.
    pub(crate) training: bool,
    /// Which share of each label is spread over all classes.
    pub(crate) smoothing: f32,
    pub(crate) isa: Isa,
    pub(crate) gemm: GemmBackend,
}

/// One rank.
pub(crate) struct Worker {
    pub(crate) plan: Plan,
    pub(crate) rank: usize,
    pub(crate) stages: Vec<Stage>,
    /// Which samples of the data make the minibatch.
    pub(crate) indices: Vec<u32>,
    /// Their images, where they are sparse.
    pub(crate) sparse: Option<Sparse>,
    /// The minibatch's pixels in panels, where its images are not sparse.
    pub(crate) pixels: TurnBuffer,
    /// Room for one of those images.
    pub(crate) image: Vec<f32>,
    /// The outputs of every stage but the last.
    pub(crate) outputs: Vec<TurnBuffer>,
    /// The gradients of every stage: of a dense layer, those of its sums. After the last there
    /// are outcomes.
    pub(crate) gradients: Vec<TurnBuffer>,
    /// Room for sixteen samples' logits.
    pub(crate) logits: Vec<F32x16>,
    /// Where the workers wait for each other between epochs.
    pub(crate) barrier: Barrier,
}

/// A rank's copies of a minibatch of sparse images.
pub(crate) struct Sparse {
    /// Image by image.
    pub(crate) lists: Lists,
    /// Pixel by pixel, for training.
    pub(crate) columns: Columns,
}

/// Totals over samples, added up in their order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) samples: usize,
    loss: f64,
    correct: usize,
}

impl Totals {
    fn add(&mut self, outcome: Outcome) {
        *self += Self {
            samples: 1,
            loss: f64::from(outcome.loss),
            correct: usize::from(outcome.correct),
        };
    }

    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.samples += more.samples;
        self.loss += more.loss;
        self.correct += more.correct;
    }
}

impl Worker {
    /// Takes the rank's part of the parameters of `network`.
    pub(crate) fn start(&mut self, network: &Network) {
        let mut tensors = network.tensors();
        self.stages.iter_mut().for_each(|stage| stage.set(&mut tensors));
    }

    /// Whether this is the rank that speaks for the team.
    pub(crate) fn is_primary(&self) -> bool {
        self.rank == 0
    }

    /// Copies the lanes `slot` of all weights (0: the weights themselves) into `tensors`.
    pub(crate) fn copy_parameters(&self, slot: usize, tensors: &mut [Tensor]) {
        self.stages.iter().fold(tensors, |tensors, stage| stage.get(slot, tensors));
    }

    /// Brings the samples `indices` of `data` together: the minibatch that is worked on next.
    pub(crate) fn bring(&mut self, data: &Samples<'_>, indices: &[u32]) {
        self.indices.clear();
        self.indices.extend_from_slice(indices);
        if let (Some(sparse), Some(rows)) = (&mut self.sparse, &data.rows) {
            sparse.lists.fill(rows, indices);
        }
    }

    /// One step of training on the minibatch: forward, loss, backward, update. `next` are the
    /// samples of the step after it. `seen` is told the totals as soon as they are known, and may
    /// end the step there: then nothing is learnt, and that is returned.
    ///
    /// By then every rank has finished its part of the step before, and all that it did before
    /// its outputs of this one is known to the others.
    pub(crate) fn step<R: UpdateRule>(
        &mut self,
        data: &Samples<'_>,
        next: &[u32],
        (rule, noise): (R, Option<SampleStreams>),
        seen: impl FnOnce(Totals) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if let Some(Sparse { lists, columns }) = &mut self.sparse {
            columns.fill(lists);
        }
        self.forward(data, true, noise);
        let mut totals = Totals::default();
        self.outcomes(|outcome| totals.add(outcome));
        seen(totals)?;
        let Self { plan, stages, indices, sparse, pixels, outputs, gradients, .. } = self;
        let mut below = None;
        for stage in stages.iter_mut() {
            if let Stage::Dense(layer) = stage {
                layer.release_weights(below.as_ref());
            }
            below = Some(*stage.division());
        }
        let (isa, gemm, samples) = (plan.isa, plan.gemm, indices.len());
        for index in (0..stages.len()).rev() {
            let (lower, upper) = gradients.split_at_mut(index);
            let (stages_below, stage) = stages.split_at_mut(index);
            let below = stages_below.last().map(|below| (below.division(), below.activation()));
            match &mut stage[0] {
                Stage::Dense(layer) => {
                    if let Some((division, activation)) = below {
                        let below = Below {
                            division: *division,
                            activation,
                            output: &outputs[index - 1].read(),
                            gradient: &mut lower[index - 1].write(),
                        };
                        let gradient = &upper[0].read();
                        isa.run(BackwardInput { layer, gemm, samples, gradient, below });
                    }
                    if let (0, Some(rows)) = (index, &data.rows) {
                        rows.prefetch(next);
                    }
                    let input = match (index.checked_sub(1), &*sparse) {
                        (Some(below), _) => {
                            Transposed::Dense(Panels::read(&outputs[below], samples))
                        }
                        (None, Some(sparse)) => Transposed::Sparse(&sparse.columns),
                        (None, None) => Transposed::Dense(Panels::read(pixels, samples)),
                    };
                    let everyones;
                    let gradient = if layer.division.is_by_columns() {
                        upper[0].own(layer.division.own_panels(layer.rank))
                    } else {
                        everyones = upper[0].read();
                        &everyones[..]
                    };
                    isa.run(Update { layer, gemm, input: &input, gradient, rule });
                }
                Stage::Dropout(dropout) => {
                    if let Some((_, activation)) = below {
                        let output = outputs[index - 1].read();
                        let into = &mut lower[index - 1].write();
                        let gradient = upper[0].read();
                        dropout.backward(isa, samples, &gradient, (activation, &output), into);
                    }
                }
                Stage::Images { images, .. } => images.backward(samples, &upper[0].read(), rule),
            }
            upper[0].release();
            if let Some(below) = index.checked_sub(1) {
                outputs[below].release();
            }
        }
        ControlFlow::Continue(())
    }

    /// Forward through all layers on the minibatch; in training, `noise` drops some of their
    /// numbers.
    ///
    /// Where the loss is wanted, the last gradients and the outcomes are left behind, else the
    /// logits in the place of the last gradients.
    pub(crate) fn forward(&mut self, data: &Samples<'_>, loss: bool, noise: Option<SampleStreams>) {
        if !self.pixels.is_empty() {
            self.read_pixels(data, noise);
        }
        let Self {
            plan, rank, stages, indices, sparse, pixels, outputs, gradients, logits, ..
        } = self;
        let Plan { isa, gemm, batch: most, smoothing, .. } = *plan;
        let (indices, samples) = (&**indices, indices.len());
        for (index, stage) in stages.iter_mut().enumerate() {
            let last = index == outputs.len();
            let (below, above) = outputs.split_at_mut(index);
            let seat = if last { &mut gradients[index] } else { &mut above[0] };
            let mut output = match stage {
                Stage::Images { images, .. } => {
                    let mut output = seat.write();
                    images.forward(&mut data.pixels(noise), indices, noise, &mut output);
                    output
                }
                Stage::Dropout(dropout) => {
                    let input = below.last().map(TurnBuffer::read);
                    let mut output = seat.write();
                    if let (Some(input), Some(noise)) = (input, noise) {
                        dropout.forward(isa, (noise, indices), &input, &mut output);
                    }
                    output
                }
                Stage::Dense(layer) => {
                    let input = match (below.last(), &*sparse) {
                        (Some(below), _) => Input::Dense(Panels::read(below, samples)),
                        (None, Some(sparse)) => Input::Sparse(&sparse.lists),
                        (None, None) => Input::Dense(Panels::read(pixels, samples)),
                    };
                    let mut output = seat.write();
                    let (input, into) = (&input, &mut output);
                    isa.run(Forward { layer, gemm, input, logits: last, output: into });
                    output
                }
            };
            if last && loss {
                let division = stage.division();
                isa.run(CrossEntropy {
                    samples: division.part(*rank, samples).samples,
                    label: |sample: usize| data.labels()[indices[sample] as usize],
                    classes: division.units,
                    smoothing,
                    scale: 1.0 / samples as f32,
                    panels: &mut output,
                    batch: most,
                    logits,
                });
            }
        }
    }

    /// Tells `each` what became of each sample of the minibatch, in order.
    pub(crate) fn outcomes(&self, mut each: impl FnMut(Outcome)) {
        let Some(gradients) = self.gradients.last() else { return };
        let outcomes = &gradients.read()[self.logits.len() / LANES * self.plan.batch..];
        (0..self.indices.len()).for_each(|sample| each(Outcome::of(sample, outcomes)));
    }

    /// The logits of sample `sample`, after a [`forward`](Self::forward) without loss.
    pub(crate) fn logits(&self, sample: usize) -> Vec<F32x16> {
        let Some(gradients) = self.gradients.last() else { return Vec::new() };
        let panels = gradients.read();
        let blocks = 0..self.logits.len() / LANES;
        blocks.map(|block| panels[block * self.plan.batch + sample]).collect()
    }

    /// Writes the rank's share of the minibatch's pixels into panels.
    fn read_pixels(&mut self, data: &Samples<'_>, noise: Option<SampleStreams>) {
        let Plan { batch, workers, .. } = self.plan;
        let indices = &self.indices;
        let own = share_of_samples(batch, self.rank, workers);
        let own = own.start.min(indices.len())..own.end.min(indices.len());
        let mut pixels = data.pixels(noise);
        let mut panels = self.pixels.write();
        for (sample, &index) in own.clone().zip(&indices[own]) {
            pixels.read(index, &mut self.image);
            for (panel, numbers) in self.image.chunks(LANES).enumerate() {
                panels.at(panel * batch + sample).0[..numbers.len()].copy_from_slice(numbers);
            }
        }
    }
}
