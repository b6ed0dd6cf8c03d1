//! A stage: what stands between two of the buffers that workers share. Each does its own work; here
//! it is only told which.

use super::input::Input;
use super::layers::dense::Dense;
use super::layers::dropout::DropBlocked;
use super::layers::images::ImageStack;
use super::layout::{Blocked, BlockedBuffer, BlockedMut};
use super::link::Below;
use super::pass::Pass;
use super::plan::{Plan, StageKind, StagePlan};
use crate::kernels::optim::UpdateRule;
use crate::model::Tensor;
use crate::sync::TeamSync;

/// One worker's part of a stage.
pub(crate) enum Stage {
    /// All layers that see images, and the flattening of what they find. Only the first.
    Images(ImageStack),
    /// A dense layer.
    Dense(Dense),
    /// Dropout between dense layers.
    Dropout(DropBlocked),
}

impl Stage {
    /// Each worker's part of the stage, its parameters yet to be set.
    pub(crate) fn allocate(stage: &StagePlan, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        match &stage.kind {
            StageKind::Images(images) => {
                let stacks = ImageStack::allocate(images, plan, sync).into_iter();
                stacks.map(Self::Images).collect()
            }
            StageKind::Dense(activation) => {
                let layers = Dense::allocate(stage, *activation, plan, sync).into_iter();
                layers.map(Self::Dense).collect()
            }
            StageKind::Dropout(dropout) => {
                let layers = DropBlocked::allocate(stage, *dropout, plan).into_iter();
                layers.map(Self::Dropout).collect()
            }
        }
    }

    /// y from x, the worker's part.
    pub(crate) fn forward(&mut self, pass: &Pass<'_>, x: Input<'_>, y: &mut BlockedMut<'_>) {
        match (self, x) {
            (Self::Images(images), _) => images.forward(pass, y),
            (Self::Dense(dense), x) => dense.forward(pass, x, y),
            (Self::Dropout(dropout), Input::Dense(x)) => dropout.forward(pass, x, y),
            (Self::Dropout(_), Input::Sparse(_)) => unreachable!("dropout is never the first"),
        }
    }

    /// Between forward and backward of a step: lets the others go on where that is possible.
    pub(crate) fn end_forward(&mut self) {
        if let Self::Dense(dense) = self {
            dense.end_forward();
        }
    }

    /// From dz the gradient of the stage below, the worker's part.
    pub(crate) fn backward_input(
        &mut self,
        pass: &Pass<'_>,
        dz: Blocked<'_>,
        below: Below<'_, '_>,
    ) {
        match self {
            Self::Images(_) => unreachable!("images are the first stage"),
            Self::Dense(dense) => dense.backward_input(pass, dz, below),
            Self::Dropout(dropout) => dropout.backward(pass, dz, below),
        }
    }

    /// From dz the gradients of the parameters, and through `rule` their new values, the worker's
    /// part.
    pub(crate) fn update<R: UpdateRule>(
        &mut self,
        pass: &Pass<'_>,
        x: Input<'_>,
        dz: &BlockedBuffer,
        rule: R,
    ) {
        match self {
            Self::Images(images) => images.backward(pass, dz.read(), rule),
            Self::Dense(dense) => dense.update(pass, x, dz, rule),
            Self::Dropout(_) => {}
        }
    }

    /// How many of a network's tensors are its own.
    fn tensors(&self) -> usize {
        match self {
            Self::Images(images) => images.tensors(),
            Self::Dense(_) => 2,
            Self::Dropout(_) => 0,
        }
    }

    /// Sets slot `slot` of the worker's part of the parameters from the first of `tensors`; returns
    /// the others.
    pub(crate) fn set<'a>(&mut self, slot: usize, tensors: &'a [Tensor]) -> &'a [Tensor] {
        let (own, others) = tensors.split_at(self.tensors());
        match (self, own) {
            (Self::Images(images), own) => images.set(slot, own),
            (Self::Dense(dense), [kernel, bias]) => dense.set(slot, kernel, bias),
            _ => {}
        }
        others
    }

    /// Has all parameters be here.
    pub(crate) fn bring_all(&mut self) {
        match self {
            Self::Images(images) => images.bring_all(),
            Self::Dense(dense) => dense.bring_all(),
            Self::Dropout(_) => {}
        }
    }

    /// Copies slot `slot` of all parameters to the first of `tensors`; returns the others.
    pub(crate) fn get<'a>(&self, slot: usize, tensors: &'a mut [Tensor]) -> &'a mut [Tensor] {
        let (own, others) = tensors.split_at_mut(self.tensors());
        match (self, own) {
            (Self::Images(images), own) => images.get(slot, own),
            (Self::Dense(dense), [kernel, bias]) => dense.get(slot, kernel, bias),
            _ => {}
        }
        others
    }
}
