//! A from-scratch, SIMD-optimised engine that trains small networks on CPUs to read handwritten
//! digits.
//!
//! Train a network as a well-known Keras tutorial does, and test it:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # std::fs::create_dir("mnist")?;
//! # for split in ["train", "t10k"] {
//! #     let (mut images, mut labels) = (vec![0, 0, 8, 3], vec![0, 0, 8, 1]);
//! #     images.extend([0, 0, 0, 64, 0, 0, 0, 4, 0, 0, 0, 4]);
//! #     images.extend((0..64 * 16).map(|i| if i / 8 % 2 == i / 16 % 2 { 255 } else { 0 }));
//! #     labels.extend([0, 0, 0, 64]);
//! #     labels.extend((0..64).map(|i| i % 2));
//! #     std::fs::write(format!("mnist/{split}-images-idx3-ubyte"), images)?;
//! #     std::fs::write(format!("mnist/{split}-labels-idx1-ubyte"), labels)?;
//! # }
//! use mnistry::{
//!     Activation, Dataset, Engine, EngineOptions, FitOptions, Network, Sequential, NoObserver,
//! };
//!
//! let data = Dataset::open("mnist")?; // a folder of IDX files, or an .npz archive
//! let layers = Sequential::new(data.shape()).dense(100, Activation::Relu);
//! let mut network = Network::new(layers.dense(data.classes(), Activation::Sigmoid), 0)?;
//!
//! let engine = Engine::new(EngineOptions::default())?;
//! engine.fit(&mut network, &data.train, &FitOptions::default(), &mut NoObserver)?;
//! println!("{:.2} %", 100.0 * engine.evaluate(&network, &data.test)?.accuracy());
//! network.save("model.safetensors")?;
//! # assert_eq!(engine.evaluate(&Network::load("model.safetensors")?, &data.test)?.accuracy(), 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Load it, and read an image:
//!
//! ```
//! # use mnistry::{Activation, Sequential, image::ImageShape};
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # let layers = Sequential::new(ImageShape { height: 28, width: 28 });
//! # Network::new(layers.dense(10, Activation::Softmax), 0)?.save("model.safetensors")?;
//! use mnistry::{Engine, EngineOptions, Network};
//!
//! let network = Network::load("model.safetensors")?;
//! let image = [0; 28 * 28]; // grey levels on black ground, row by row
//! let prediction = Engine::new(EngineOptions::default())?.predict(&network, &image)?;
//! println!("{} ({:.2} %)", prediction.class, 100.0 * prediction.probability());
//! # assert!(prediction.class < 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same seed, data and options give the same network, to the bit, on any number of threads
//! and any instruction set with fused multiply-add.
//!
//! From here: [`Dataset`] for where data come from, [`Sequential`] for networks, [`FitOptions`]
//! for a run and [`train::Observer`] to watch it, [`report::RecordedRun`] for a run that is kept in
//! a folder, [`Network`] for saved models, [`interchange`] for those of other programs, [`check`] for
//! proofs of a network's gradients, [`error`] for what can go wrong.

// Nothing from outside is unwrapped; tests may.
#![warn(clippy::unwrap_used)]
// Without the feature, nobody sees what is in `internals`.
#![cfg_attr(not(feature = "internals"), allow(dead_code, unreachable_pub))]

#[cfg(target_endian = "big")]
compile_error!(
    "bytes of files are read as little-endian machines hold them: big-endian ones are not supported"
);

pub mod check;
pub mod data;
pub mod error;
mod exec;
mod files;
pub mod image;
pub mod interchange;
mod kernels;
pub mod measure;
mod memory;
pub mod model;
pub mod ranks;
pub mod reading;
pub mod report;
mod rng;
pub mod simd;
pub mod sweep;
mod sync;
pub mod train;

/// What the benches, the tests and the fuzz targets reach into. No promise is made about it.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    /// File formats of data sets.
    pub mod formats {
        pub use crate::data::formats::*;
    }
    pub use crate::check::expected::Expected;
    pub use crate::check::reference::{Reference, sigmoid, softmax};
    pub use crate::data::generated::pens::strokes;
    pub use crate::kernels::gemm::{Gemm, MatrixMut, MatrixRef, Start};
    pub use crate::measure::{BATCH_SIZES, InputLayer, Product, Strides, Zeros, training_networks};
    pub use crate::ranks::in_process::on_each_rank;
    pub use crate::reading::referee::{DrawnPart, drawn_parts};
    pub use crate::rng::{Rng, Stream};
}

pub use data::{Dataset, Split};
pub use error::{Error, Result};
pub use exec::engine::{Engine, EngineError, EngineOptions};
pub use kernels::gemm::GemmBackend;
pub use kernels::optim;
pub use model::{Activation, Network, Sequential};
pub use optim::{Adam, Optimizer, Sgd};
pub use ranks::Ranks;
pub use train::{ConfusionMatrix, Evaluation, FitOptions, NoObserver, Prediction};
