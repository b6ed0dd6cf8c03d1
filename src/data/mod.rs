//! Data sets of labelled grey images: where they are found, how they are read and checked.
//!
//! [`Dataset::open`] reads one from files (what is read there is listed with it), `Dataset::find`
//! fetches one if need be, [`generated`] makes one of nothing but a seed.

mod assemble;
mod checksum;
mod class_names;
mod class_problem;
mod contact_sheet;
mod csv_problem;
mod dataset;
mod error;
mod folds;
pub(crate) mod formats;
mod hold_out;
mod matching;
mod problem;
mod read_options;
mod scaling;
mod sources;
mod split;
mod statistics;

pub use crate::files::Bytes;
pub(crate) use checksum::{Sha256Sum, sha256};
pub use class_names::ClassNames;
pub use class_problem::ClassProblem;
pub use contact_sheet::contact_sheet;
pub use csv_problem::CsvProblem;
pub use dataset::Dataset;
pub use error::Error;
pub(crate) use error::Result;
pub use folds::{Fold, Folds};
pub use problem::Problem;
pub use read_options::{LabelColumn, ReadOptions};
pub use sources::{Cache, Table, generated, save_labelled};
#[cfg(feature = "download")]
pub use sources::{Found, download};
pub use split::Split;
pub use statistics::Statistics;
