//! File formats of data sets, each read in a file of its own.

mod array;
pub mod csv;
pub mod gzip;
pub mod idx;
mod layout;
pub mod npy;
pub mod npz;
pub(crate) mod unpack;

pub(crate) use array::Array;
pub use layout::Layout;
