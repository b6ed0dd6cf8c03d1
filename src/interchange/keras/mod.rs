//! Networks as Keras 3 keeps them.
//!
//! A `.keras` archive holds a model: what it is made of as JSON (`config/`), and its weights as
//! HDF5 (`weights.rs`). A `.weights.h5` file is the second of these alone.
//!
//! The model is the network and what goes before it: pixels as they are in images, from 0 to 255,
//! are divided by 255 within the model, so that its `predict` takes images as they are. What it puts
//! out is what the last layer does: probabilities after a softmax, what a sigmoid gives after a
//! sigmoid, logits after neither.

mod archive;
mod bounded_source;
mod config;
mod float_type;
mod problem;
mod weights;

pub use archive::{read_archive, write_archive};
pub use config::Note;
pub use problem::{KerasProblem, LayerProblem};
pub use weights::{read_weights, write_weights};

pub(super) use archive::{from_bytes as of_archive, to_bytes as archive_of};
pub(super) use weights::{from_bytes as of_weights, to_bytes as weights_of};

use crate::model::Network;

/// A network that was read from a file of Keras.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// How what the file leaves open was understood.
    pub notes: Vec<Note>,
}

/// The largest file that is read: no network needs more, with all that an optimiser keeps of it.
const LARGEST_FILE: u64 = 1 << 32;
