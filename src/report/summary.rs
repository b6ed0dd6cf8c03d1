//! What a network is made of, layer by layer.

use std::fmt;

use serde::Serialize;

use crate::model::{Architecture, LayerSpec, Shape};
use crate::report::text::grouped;

/// The layers of a network, their output shapes and parameters. It displays as a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The shape of its input: an image.
    pub input: Shape,
    /// Its layers, first to last.
    pub layers: Vec<LayerSummary>,
    /// How many parameters are trained.
    pub parameters: usize,
}

/// A layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerSummary {
    /// The layer in a few words.
    pub layer: String,
    /// The shape of its output for one sample.
    pub output: Shape,
    /// How many parameters are trained.
    pub parameters: usize,
}

impl Summary {
    /// Sums `network` up.
    #[must_use]
    pub fn new(network: &Architecture) -> Self {
        let layer = |spec: &LayerSpec| LayerSummary {
            layer: spec.layer.to_string(),
            output: spec.output,
            parameters: spec.parameter_count(),
        };
        let layers: Vec<_> = network.layers().iter().map(layer).collect();
        let input = network.input_shape();
        Self { input, parameters: layers.iter().map(|layer| layer.parameters).sum(), layers }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = ("input".to_owned(), self.input.to_string(), String::new());
        let row = |layer: &LayerSummary| {
            (layer.layer.clone(), layer.output.to_string(), grouped(layer.parameters as u64))
        };
        let heading = ("layer".to_owned(), "output".to_owned(), "parameters".to_owned());
        let total = ("total".to_owned(), String::new(), grouped(self.parameters as u64));
        let rows: Vec<_> = [heading, input]
            .into_iter()
            .chain(self.layers.iter().map(row))
            .chain(std::iter::once(total))
            .collect();
        let width = |text: fn(&(String, String, String)) -> &String| {
            rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0)
        };
        let (first, second, third) =
            (width(|row| &row.0), width(|row| &row.1), width(|row| &row.2));
        for (layer, output, parameters) in &rows {
            writeln!(f, "{layer:<first$}  {output:<second$}  {parameters:>third$}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageShape;
    use crate::model::Sequential;

    const TEXT: &str = "\
layer                   output       parameters
input                   28 × 28 × 1            
conv2d 6 of 5 × 5 relu  24 × 24 × 6         156
max_pool 2 × 2          12 × 12 × 6           0
conv2d 16 of 5 × 5 relu  8 × 8 × 16       2,416
";

    #[test]
    fn lenet5_is_summed_up() {
        let network = Sequential::lenet5(ImageShape { height: 28, width: 28 }, 10);
        let summary = Summary::new(&network.try_into().unwrap());
        assert_eq!(summary.parameters, 44_426);
        let text = summary.to_string();
        let words: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        let expected: Vec<Vec<&str>> =
            TEXT.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[..5], expected[..]);
        assert_eq!(words.last().unwrap()[..], ["total", "44,426"]);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}
