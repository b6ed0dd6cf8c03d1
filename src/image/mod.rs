//! Grey images: drawn, fitted as MNIST's digits were, moved about, and found in photographs.

mod affine;
mod error;
mod normalize;
pub mod picture;
mod raster;
mod shape;

pub use affine::RandomAffine;
pub use error::Error;
pub use normalize::Frame;
pub use picture::Picture;
pub use raster::Raster;
pub use shape::ImageShape;
