//! The layers of a network, each in a file of its own: forward beside backward.

pub(crate) mod activation;
pub(crate) mod conv2d;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod image_block;
pub(crate) mod images;
pub(crate) mod loss;
pub(crate) mod pooling;
