//! Small networks that files are made of, for tests and fuzz targets.

#![allow(clippy::expect_used, dead_code, reason = "each program uses some of them")]

use mnistry::image::ImageShape;
use mnistry::{Activation, Network, Sequential};

/// A network of dense layers.
pub(crate) fn dense() -> Network {
    let layers = Sequential::new(ImageShape { height: 2, width: 2 })
        .dense(3, Activation::Relu)
        .dense(2, Activation::Sigmoid);
    Network::new(layers, 1).expect("layers that fit")
}

/// A network of every kind of layer.
pub(crate) fn of_all_layers() -> Network {
    let layers = Sequential::new(ImageShape { height: 8, width: 8 })
        .conv2d(2, 3, Activation::Relu)
        .max_pool(2)
        .average_pool(2)
        .dropout(0.5)
        .flatten()
        .dense(4, Activation::Sigmoid)
        .dense(3, Activation::Softmax);
    Network::new(layers, 1).expect("layers that fit")
}
