//! File formats of data sets, each read in a file of its own, and how images and labels are seen in
//! the arrays that they hold.

mod array;
pub(in crate::data) mod csv;
mod element;
pub mod gzip;
pub mod idx;
mod images;
mod labels;
mod layout;
pub mod npy;
pub mod npz;
mod roles;
pub(crate) mod unpack;
pub(in crate::data) mod zip;
pub(crate) mod zip_member;

pub(crate) use array::Array;
pub use element::Element;
pub(in crate::data) use images::ImageArray;
pub(crate) use labels::labels;
pub use layout::Layout;
pub use roles::{Pair, Roles};
