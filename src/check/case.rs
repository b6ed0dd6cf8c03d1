//! What gradients are checked with: random weights, images and labels.

use super::error::Result;
use crate::data::Split;
use crate::model::{self, Architecture, Network};
use crate::rng::{Rng, Stream};

/// A network with random weights, and a minibatch of random images with random labels.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Glorot-uniform kernels; biases from −0.3 to 0.3, as training leaves them.
    pub(super) network: Network,
    /// One to three quarters of the pixels are black: the engine leaves zeros out where there are many.
    pub(super) split: Split,
}

/// The most images of a case: minibatches of 16 images, of which the last may be short, and of 32, and
/// some more.
pub(super) const MOST_IMAGES: u32 = 40;

impl Case {
    /// Case number `number` under `seed`, of a network of `architecture`: the same for the same three.
    ///
    /// # Errors
    /// When there is too little memory for the network.
    pub(super) fn draw(architecture: &Architecture, seed: u64, number: u64) -> Result<Self> {
        let mut rng = Rng::stream(seed, Stream::Check, number);
        let mut network =
            Network::new(architecture.clone(), rng.bits()).map_err(model::Error::from)?;
        for tensor in network.tensors_mut().iter_mut().filter(|tensor| tensor.shape.len() == 1) {
            tensor.values.fill_with(|| rng.range(-0.3, 0.3));
        }
        let (shape, classes) = (architecture.input(), architecture.classes() as u32);
        let count = 1 + rng.below(MOST_IMAGES) as usize;
        let lit = 1 + rng.below(3);
        let mut pixel = || if rng.below(4) < lit { rng.below(256) as u8 } else { 0 };
        let pixels: Vec<u8> = (0..count * shape.pixels()).map(|_| pixel()).collect();
        let labels: Vec<u8> = (0..count).map(|_| rng.below(classes) as u8).collect();
        let split = Split::new(shape, pixels.into(), labels.into())?;
        Ok(Self { network, split })
    }
}
