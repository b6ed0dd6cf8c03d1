//! Grey images: fitted and centred as MNIST's digits were, augmented for training, and found in
//! photographs.

mod affine;
mod bounding_box;
mod error;
mod file_kind;
mod normalize;
mod picture;
mod raster;
mod shape;

pub(crate) use affine::Affine;
pub use affine::RandomAffine;
pub use bounding_box::BoundingBox;
pub use error::Error;
pub(crate) use file_kind::FileKind;
pub use normalize::Frame;
pub(crate) use picture::Segments;
pub use picture::{Digit, Picture};
pub use raster::Raster;
pub use shape::ImageShape;
