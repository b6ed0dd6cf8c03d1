//! Gradients for those who want to see them.

use super::class_weights::ClassWeights;
use super::error::{Error, Result};
use crate::data::Split;
use crate::exec::engine::{Engine, EngineError};
use crate::exec::plan::Plan;
use crate::image::RandomAffine;
use crate::kernels::optim::{KeepGradient, UpdateRule};
use crate::model::{Network, Tensor};
use crate::train::fit::check_compatible;

/// What [`Engine::gradients`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// The mean loss over the samples.
    pub loss: f64,
    /// Its gradient with respect to each parameter, under the parameter's name and shape.
    pub tensors: Vec<Tensor>,
}

impl Engine {
    /// The loss over all of `split`, taken as one minibatch, and its gradient with respect to
    /// each parameter, in the order of [`Network::tensors`]: what a step of training would use, but
    /// that nothing is dropped.
    ///
    /// # Errors
    /// When `network` does not fit `split`, or there is too little memory.
    pub fn gradients(&self, network: &Network, split: &Split) -> Result<Gradients> {
        self.gradients_with(network, split, None)
    }

    /// As [`gradients`](Self::gradients), each class counting by its weight in `split`.
    ///
    /// # Errors
    /// As [`gradients`](Self::gradients), and when a class has no sample.
    pub fn weighted_gradients(
        &self,
        network: &Network,
        split: &Split,
        weights: ClassWeights,
    ) -> Result<Gradients> {
        check_compatible(network, split)?;
        let (architecture, names) = (network.architecture(), network.names_of_classes());
        self.gradients_with(network, split, Some(weights.of(architecture, &names, split)?))
    }

    fn gradients_with(
        &self,
        network: &Network,
        split: &Split,
        class_weights: Option<Vec<f32>>,
    ) -> Result<Gradients> {
        check_compatible(network, split)?;
        self.check_idle()?;
        let plan = Plan { slots: KeepGradient::SLOTS, ..self.plan(split.len()) };
        self.check_gradient_memory(network, split, &plan)?;
        let data = self.samples(split, network, RandomAffine::default()).weighted(class_weights);
        let samples: Vec<u32> = (0..split.len() as u32).collect();
        let found = self.as_team(plan, None, network, &data, |mut worker| {
            worker.load_parameters(0, network.tensors());
            worker.load(&data, &samples);
            let totals = worker.forward_step(&data, None);
            worker.backward_step(&data, None, &[], KeepGradient);
            worker.is_primary().then(|| {
                let mut tensors = network.tensors().to_vec();
                worker.copy_parameters(1, &mut tensors);
                Gradients { loss: totals.mean_loss(), tensors }
            })
        });
        found.into_iter().flatten().next().ok_or(Error::Engine(EngineError::Busy))
    }
}
