//! What a reader asks.

use crate::exec::engine::Engine;
use crate::files::Bytes;
use crate::model::Network;
use crate::train::{Ensemble, Error, Prediction};

/// What says of images what they are: a network, or several that are asked together.
#[derive(Clone, Copy, Debug)]
pub enum Judge<'a> {
    /// A network.
    Network(&'a Network),
    /// Several, whose probabilities are averaged.
    Ensemble(&'a Ensemble),
}

impl<'a> Judge<'a> {
    /// The network, or the first of several: all take the same images and have the same classes.
    #[must_use]
    pub fn network(self) -> &'a Network {
        match self {
            Self::Network(network) => network,
            Self::Ensemble(ensemble) => ensemble.first(),
        }
    }

    /// What it says of any number of images: as [`Engine::predict_batch`].
    ///
    /// # Errors
    /// As that.
    pub(super) fn predict(
        self,
        engine: &Engine,
        images: impl Into<Bytes>,
    ) -> Result<Vec<Prediction>, Error> {
        match self {
            Self::Network(network) => engine.predict_batch(network, images),
            Self::Ensemble(ensemble) => engine.predict_ensemble(ensemble, images),
        }
    }
}

impl<'a> From<&'a Network> for Judge<'a> {
    fn from(network: &'a Network) -> Self {
        Self::Network(network)
    }
}

impl<'a> From<&'a Ensemble> for Judge<'a> {
    fn from(ensemble: &'a Ensemble) -> Self {
        Self::Ensemble(ensemble)
    }
}
