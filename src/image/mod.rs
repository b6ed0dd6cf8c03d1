//! Grey images: drawn, fitted as MNIST's digits were, moved about, and found in photographs.

mod affine;
mod normalize;
pub mod picture;
mod raster;
mod shape;

pub use affine::Distortion;
pub use normalize::Frame;
pub use picture::Picture;
pub use raster::Raster;
pub use shape::ImageShape;
