//! Where data sets come from: files and folders, the network, and nothing but a seed.

mod archive;
mod cache;
mod class_folders;
mod csv_files;
mod detect;
#[cfg(feature = "download")]
pub mod download;
#[cfg(feature = "download")]
mod find;
pub mod generated;
mod idx_folder;
mod known_classes;
mod other_programs;

pub use cache::Cache;
pub use class_folders::save_labelled;
pub use csv_files::Table;
#[cfg(feature = "download")]
pub use find::Found;

use std::env;
use std::path::PathBuf;

/// The path that an environment variable names, if it is set and not empty.
fn path_from_env(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
