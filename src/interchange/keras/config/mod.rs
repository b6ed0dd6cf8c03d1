//! What a model is made of, as Keras describes it: the layers with their settings, as JSON.

mod chain;
mod known;
mod note;
mod read;
mod settings;
#[cfg(test)]
mod tests;
mod write;

pub use note::Note;
pub(super) use read::read;
pub(super) use write::write;

/// What a pixel is multiplied by.
const SCALE: f64 = 1.0 / 255.0;
