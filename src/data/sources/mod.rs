//! Where data sets come from: files and folders, the network, and nothing but a seed.

mod cache;
mod class_folders;
#[cfg(feature = "download")]
pub mod download;
#[cfg(feature = "download")]
mod find;
mod folder;
pub mod generated;
mod open;

pub use cache::Cache;
#[cfg(feature = "download")]
pub use find::Found;
