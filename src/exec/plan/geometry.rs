//! The sizes of a convolution.

use crate::kernels::conv::{
    Border, Steps, Volume, Window, fill_lanes, filter_workspace_len, winograd, workspace_len,
};
use crate::model::Activation;

/// What a convolution is: sizes, without numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// Its input, with the border that padding makes.
    pub(crate) input: Volume,
    /// Its positions.
    pub(crate) rows: Steps,
    pub(crate) columns: Steps,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    pub(crate) filters: usize,
    pub(crate) activation: Activation,
    /// Whether a max pooling of 2 × 2 follows.
    pub(crate) pooled: bool,
}

impl Geometry {
    /// Weights and biases.
    pub(crate) fn parameters(&self) -> usize {
        self.weights() + self.filters
    }

    pub(crate) fn weights(&self) -> usize {
        self.kernel.height * self.kernel.width * self.input.channels * self.filters
    }

    /// What it puts out, after pooling, without a border.
    pub(crate) fn output(&self) -> Volume {
        let part = if self.pooled { 2 } else { 1 };
        Volume::new(self.rows.count / part, self.columns.count / part, self.filters)
    }

    /// The gradient of its sums, spread as far apart as the windows, with the border that windows
    /// need to reach every input.
    pub(crate) fn gradient_volume(&self) -> Volume {
        let side = |steps: Steps, length: usize, size: usize, stride: usize| {
            let spread = (steps.count - 1) * stride + 1;
            // From the first window that meets the first input to the last that meets the last.
            (spread, size - 1 - steps.before, (length + steps.before).saturating_sub(spread))
        };
        let Self { input, kernel, stride, .. } = self;
        let (height, top, bottom) = side(self.rows, input.height, kernel.height, stride.height);
        let (width, left, right) = side(self.columns, input.width, kernel.width, stride.width);
        let border = Border { top, bottom, left, right };
        Volume { height, width, channels: self.filters, border }
    }

    /// Whether it is computed by minimal filtering.
    pub(crate) fn uses_winograd(&self) -> bool {
        let positions = Window { height: self.rows.count, width: self.columns.count };
        let Self { input, kernel, stride, filters, .. } = *self;
        winograd::Sizes { kernel, stride, inputs: input.channels, filters, positions }.suit()
    }

    /// Numbers of the kernel, transformed, where it is.
    pub(crate) fn transformed_weights(&self) -> usize {
        if self.uses_winograd() { winograd::transformed_len(self.weights()) } else { 0 }
    }

    /// How the gradient of its parameters is computed.
    pub(crate) fn kernel_gradient(&self) -> GradientMethod {
        if self.uses_winograd() {
            GradientMethod::Winograd
        } else if self.input.channels > 1 && fill_lanes(self.filters) {
            GradientMethod::Filters
        } else {
            GradientMethod::Images
        }
    }

    /// Vectors of the gradient of its parameters whose lanes are yet to be added.
    pub(crate) fn lane_sums(&self) -> usize {
        match self.kernel_gradient() {
            GradientMethod::Images => self.parameters(),
            GradientMethod::Winograd | GradientMethod::Filters => 0,
        }
    }

    /// Vectors that it and its gradients need to work in.
    pub(crate) fn workspace(&self) -> usize {
        let (inputs, outputs) = (self.input.channels, self.filters);
        match self.kernel_gradient() {
            GradientMethod::Winograd => winograd::correlation_workspace_len(inputs, outputs)
                .max(winograd::gradient_workspace_len(inputs, outputs)),
            GradientMethod::Filters => filter_workspace_len(self.weights() / outputs),
            GradientMethod::Images => {
                workspace_len(&self.input, &self.gradient_volume(), self.stride)
            }
        }
    }
}

/// How the gradient of a convolution's parameters is computed: by the sizes alone, as sums are rounded
/// in another order by each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientMethod {
    /// By minimal filtering.
    Winograd,
    /// Filters are lanes.
    Filters,
    /// Images are lanes, which are added in the end.
    Images,
}
