//! How much memory training and reading need, checked before they begin.

use super::error::Result;
use super::evaluate::BATCH;
use super::options::FitOptions;
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::plan::{Plan, TeamMemory};
use crate::exec::samples::Samples;
use crate::image::RandomAffine;
use crate::memory::Need;
use crate::model::{Architecture, Network};

/// What a worker notes of each sample: its number in an order of them.
const INDEX: u128 = size_of::<u32>() as u128;

/// What is kept of an image that was read, once by who read it, and while all are brought together.
const RESULT: u128 = 3 * 24;

const TRAINING: &str = "training";
const ADVICE: &str = "fewer units, a smaller batch or fewer threads";

impl Engine {
    /// Checks that there is memory to train `network` on `train`, and to validate it on `held_out`
    /// images more.
    ///
    /// # Errors
    /// When there is not.
    pub(super) fn check_training_memory(
        &self,
        network: &Network,
        train: &Split,
        held_out: usize,
        options: &FitOptions,
    ) -> Result<()> {
        let need = self.training_memory(network.architecture(), train, held_out, options);
        Ok(need.check(TRAINING, ADVICE)?)
    }

    /// As [`check_training_memory`](Self::check_training_memory), where the state of the run is kept
    /// in files: there it is twice more, as a copy and as their bytes.
    ///
    /// # Errors
    /// When there is not.
    pub(super) fn check_recording_memory(
        &self,
        architecture: &Architecture,
        train: &Split,
        held_out: usize,
        options: &FitOptions,
    ) -> Result<()> {
        let validates = usize::from(held_out > 0);
        let state = options.optimizer.slots() + validates;
        // A copy of the state and its bytes; and the networks that are to be saved next.
        let kept = 2 * state + 1 + validates;
        let need = self.training_memory(architecture, train, held_out, options);
        let need = need.and("checkpoints", kept as u128 * parameters(architecture));
        Ok(need.check(TRAINING, ADVICE)?)
    }

    /// Checks that there is memory for the gradients of `network` on all of `split`.
    ///
    /// # Errors
    /// When there is not.
    pub(super) fn check_gradient_memory(
        &self,
        network: &Network,
        split: &Split,
        plan: &Plan,
    ) -> Result<()> {
        let copies = parameters(network.architecture());
        let need = self.team_memory(plan, network.architecture(), split, RandomAffine::default());
        let need = need
            .and("the gradients", copies)
            .and("the order of the images", split.len() as u128 * INDEX);
        Ok(need.check("the gradient", "fewer units, fewer images or fewer threads")?)
    }

    /// Checks that there is memory to read the images of `split` with `network`, of whose classes
    /// `kept` numbers each are kept of an image.
    ///
    /// # Errors
    /// When there is not.
    pub(super) fn check_reading_memory(
        &self,
        network: &Network,
        split: &Split,
        kept: usize,
    ) -> Result<()> {
        let readers = if self.is_busy() { 1 } else { self.threads() };
        let need = self.reading_memory(network.architecture(), split, split.len(), readers);
        let results = split.len() * kept * network.architecture().classes() * size_of::<f32>();
        let need = need.and("the results", results as u128);
        Ok(need.check("reading", "a smaller network, fewer images or fewer threads")?)
    }

    /// What training needs.
    pub(super) fn training_memory(
        &self,
        architecture: &Architecture,
        train: &Split,
        held_out: usize,
        options: &FitOptions,
    ) -> Need {
        let plan = self.training_plan(options, train.len());
        // The state of the run, where its segment went on from, and where another team will; and the
        // network of the lowest validation loss.
        let states = if self.cores_to_choose().is_some() { 3 } else { 2 };
        let copies = states * options.optimizer.slots() + usize::from(held_out > 0);
        // One that all workers share, and the one before it as long as some are not done with it.
        let orders = (self.threads().min(2) * train.len()) as u128 * INDEX;
        let need = self
            .team_memory(&plan, architecture, train, options.augmentation)
            .and("the orders of the images", orders)
            .and("the network and the state of the run", copies as u128 * parameters(architecture))
            .and_all_of(self.exchange_memory(&plan, architecture));
        match held_out {
            0 => need,
            images => need.and_all_of(self.reading_memory(architecture, train, images, 1)),
        }
    }

    /// How the minibatches of a run on `samples` samples are computed.
    pub(super) fn training_plan(&self, options: &FitOptions, samples: usize) -> Plan {
        let plan = Plan {
            slots: options.optimizer.slots(),
            drops: true,
            smoothing: options.label_smoothing,
            ..self.plan(options.batch_size.min(samples))
        };
        self.training_plan_by(plan, plan.workers)
    }

    /// What `readers` workers need, each a team of one, to read `images` images such as those of
    /// `split`.
    fn reading_memory(
        &self,
        architecture: &Architecture,
        split: &Split,
        images: usize,
        readers: usize,
    ) -> Need {
        let readers = readers.min(images).max(1);
        let batch = BATCH.min(images.div_ceil(readers));
        let is_sparse = self.are_sparse(architecture, split, RandomAffine::default());
        let TeamMemory { parameters, activations, images: of_minibatch } =
            self.plan(batch).alone().memory(architecture, is_sparse);
        let each = format!("of {} that each read {batch} at a time", threads(readers));
        let readers = readers as u128;
        Need::default()
            .and(format!("the weights {each}"), readers * parameters)
            .and(format!("the activations {each}"), readers * activations)
            .and(format!("the images {each}"), readers * of_minibatch)
            .and("the results", images as u128 * (INDEX + RESULT))
    }

    /// What a team that works as `plan` says needs for the images of `split`.
    fn team_memory(
        &self,
        plan: &Plan,
        architecture: &Architecture,
        split: &Split,
        augmentation: RandomAffine,
    ) -> Need {
        let is_sparse = self.are_sparse(architecture, split, augmentation);
        let TeamMemory { parameters, activations, images } = plan.memory(architecture, is_sparse);
        let of_minibatch = format!("of minibatches of {} on {}", plan.batch, threads(plan.workers));
        Need::default()
            .and("the weights, what is kept beside each and copies of them", parameters)
            .and(format!("the activations {of_minibatch}"), activations)
            .and(format!("the images {of_minibatch}"), images)
    }

    /// What messages between ranks need, where there are several: at most all that a team shares, as
    /// what this rank tells and as what all do; of parameters also with what is kept beside them.
    fn exchange_memory(&self, plan: &Plan, architecture: &Architecture) -> Need {
        let TeamMemory { parameters, activations, .. } = plan.memory(architecture, false);
        match self.ranks() {
            None => Need::default(),
            Some(_) => {
                Need::default().and("what ranks tell each other", 2 * activations + 4 * parameters)
            }
        }
    }

    fn are_sparse(
        &self,
        architecture: &Architecture,
        split: &Split,
        augmentation: RandomAffine,
    ) -> bool {
        Samples::are_sparse(split, architecture, self.gemm_backend(), augmentation)
    }
}

fn threads(count: usize) -> String {
    if count == 1 { "1 thread".into() } else { format!("{count} threads") }
}

/// The bytes of a network's tensors.
fn parameters(architecture: &Architecture) -> u128 {
    let counts = architecture.layers().iter().map(|layer| layer.parameter_count() as u128);
    counts.sum::<u128>() * size_of::<f32>() as u128
}

/// What the tests compare with what an allocator sees.
#[cfg(feature = "internals")]
impl Engine {
    /// The bytes that [`fit`](Self::fit) is told to need.
    #[doc(hidden)]
    #[must_use]
    pub fn estimate_training(&self, network: &Network, data: &Split, options: &FitOptions) -> u128 {
        let count = options.training_samples(data.len());
        let held_out = data.len() - count;
        self.training_memory(
            network.architecture(),
            &data.take(count).unwrap_or_else(|_| data.clone()),
            held_out,
            options,
        )
        .bytes()
    }

    /// The bytes that [`evaluate`](Self::evaluate) is told to need.
    #[doc(hidden)]
    #[must_use]
    pub fn estimate_evaluation(&self, network: &Network, data: &Split) -> u128 {
        self.reading_memory(network.architecture(), data, data.len(), self.threads()).bytes()
    }
}
