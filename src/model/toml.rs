//! Networks described by a person: a TOML file that lists layers in order.
//!
//! ```toml
//! [[layers]]
//! type = "conv2d"
//! filters = 8
//! kernel = 3
//! activation = "relu"
//!
//! [[layers]]
//! type = "flatten"
//!
//! [[layers]]
//! type = "dense"
//! units = 10
//! activation = "softmax"
//! ```

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Table};

use super::error::{FileProblem, Result};
use super::{Architecture, Layer, Sequential};
use crate::files::read_bounded;
use crate::image::ImageShape;

/// The largest description that is read.
const LARGEST_FILE: u64 = 1 << 20;

/// What the file says. Each layer is read by itself: of which of them an error is, and in which line, is
/// forgotten within a [`Layer`], whose kind is told by one of its own settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    layers: Vec<Spanned<Table>>,
}

impl Description {
    /// The layers that `text` describes.
    fn layers(text: &str) -> Result<Vec<Layer>, FileProblem> {
        let Self { layers } =
            toml::from_str(text).map_err(|error| refused(text, error.span(), &error))?;
        let layer = |described: Spanned<Table>| {
            let span = described.span();
            Layer::deserialize(described.into_inner())
                .map_err(|error| refused(text, Some(span), &error))
        };
        layers.into_iter().map(layer).collect()
    }
}

/// What is wrong with the part `span` of `text`, or with the whole of it.
fn refused(text: &str, span: Option<Range<usize>>, error: &toml::de::Error) -> FileProblem {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let message: Vec<_> = error.message().lines().collect();
    FileProblem::Toml { line, message: message.join("; ") }
}

impl Architecture {
    /// The network that the TOML file at `path` describes, for images of shape `input`.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, says something that is not understood, or its
    /// layers do not fit each other and the images.
    pub fn from_toml(path: impl AsRef<Path>, input: ImageShape) -> Result<Self> {
        let path = path.as_ref();
        let bytes = read_bounded(path, LARGEST_FILE)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| FileProblem::NotUtf8.at(path))?;
        let layers = Description::layers(text).map_err(|problem| problem.at(path))?;
        Self::new(Sequential { input, layers }).map_err(|error| FileProblem::from(error).at(path))
    }
}
