//! One rank's part of a layer, or of the layers that see images together: what stands between
//! two of the buffers that workers share.

use crate::exec::layers::dense::Dense;
use crate::exec::layers::dropout::DropPanels;
use crate::exec::layers::images::Images;
use crate::exec::partition::Partition;
use crate::model::{Activation, Tensor};

/// A part of a network whose outputs are panels that all workers read.
pub(crate) enum Stage {
    /// All layers that see images, and the flattening of what they find. Only the first.
    Images {
        /// The rank's part of them.
        images: Box<Images>,
        /// As of a layer with as many units as numbers are found.
        division: Partition,
    },
    /// A dense layer.
    Dense(Dense),
    /// Dropout between dense layers.
    Dropout(DropPanels),
}

impl Stage {
    /// How its outputs are divided, and their gradient.
    pub(crate) fn division(&self) -> &Partition {
        match self {
            Self::Images { division, .. } => division,
            Self::Dense(dense) => &dense.division,
            Self::Dropout(dropout) => &dropout.division,
        }
    }

    /// Through which activation the gradient of its outputs must go.
    pub(crate) fn activation(&self) -> Activation {
        match self {
            Self::Dense(dense) => dense.activation,
            // These take the gradient of their outputs.
            Self::Images { .. } | Self::Dropout(_) => Activation::Linear,
        }
    }

    /// How many of a network's tensors are its own.
    fn tensors(&self) -> usize {
        match self {
            Self::Images { images, .. } => 2 * images.convolutions().count(),
            Self::Dense(_) => 2,
            Self::Dropout(_) => 0,
        }
    }

    /// Takes the rank's part of the first of `tensors`, and leaves the others.
    pub(crate) fn set(&mut self, tensors: &mut &[Tensor]) {
        let (own, others) = tensors.split_at(self.tensors().min(tensors.len()));
        *tensors = others;
        match (self, own) {
            (Self::Images { images, .. }, own) => images.set(own),
            (Self::Dense(dense), [kernel, bias]) => dense.set(&kernel.values, &bias.values),
            _ => {}
        }
    }

    /// Copies the lanes `slot` of all parameters to the first of `tensors`, and leaves the others.
    pub(crate) fn get<'a>(&self, slot: usize, tensors: &'a mut [Tensor]) -> &'a mut [Tensor] {
        let (own, others) = tensors.split_at_mut(self.tensors().min(tensors.len()));
        let mut pairs = own.chunks_exact_mut(2);
        match self {
            Self::Images { images, .. } => {
                for (convolution, pair) in images.convolutions().zip(&mut pairs) {
                    let [kernel, bias] = pair else { continue };
                    convolution.get(slot, &mut kernel.values, &mut bias.values);
                }
            }
            Self::Dense(dense) => {
                if let Some([kernel, bias]) = pairs.next() {
                    dense.get(slot, &mut kernel.values, &mut bias.values);
                }
            }
            Self::Dropout(_) => {}
        }
        others
    }
}
