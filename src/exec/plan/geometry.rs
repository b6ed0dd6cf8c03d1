//! The sizes of a convolution.

use crate::kernels::conv::{Border, Steps, Volume, Window, workspace_len};
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

    /// Vectors that the gradient of its parameters needs to work in.
    pub(crate) fn gradient_workspace(&self) -> usize {
        workspace_len(&self.input, &self.gradient_volume(), self.stride)
    }
}
