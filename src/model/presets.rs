//! Networks that have a name.

use super::{Activation, Sequential};
use crate::image::ImageShape;

impl Sequential {
    /// LeNet-5 (LeCun and others, 1998) as it is taught today: two convolutions of 5 × 5 with
    /// ReLU and max pooling, and dense layers of 120, 84 and `classes` units, without padding.
    #[must_use]
    pub fn lenet5(input: ImageShape, classes: usize) -> Self {
        Self::new(input)
            .conv2d(6, 5, Activation::Relu)
            .max_pool(2)
            .conv2d(16, 5, Activation::Relu)
            .max_pool(2)
            .flatten()
            .dense(120, Activation::Relu)
            .dense(84, Activation::Relu)
            .dense(classes, Activation::Softmax)
    }

    /// A network for accuracy: two pairs of convolutions of 3 × 3, each pair ended by max pooling,
    /// and a dense layer, with dropout, without padding.
    #[must_use]
    pub fn cnn(input: ImageShape, classes: usize) -> Self {
        Self::new(input)
            .conv2d(16, 3, Activation::Relu)
            .conv2d(16, 3, Activation::Relu)
            .max_pool(2)
            .conv2d(32, 3, Activation::Relu)
            .conv2d(32, 3, Activation::Relu)
            .max_pool(2)
            .dropout(0.25)
            .flatten()
            .dense(128, Activation::Relu)
            .dropout(0.5)
            .dense(classes, Activation::Softmax)
    }
}
