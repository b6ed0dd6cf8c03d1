//! How the layers that see images are computed, and which of them in one go.

use super::{Dropout, Geometry};
use crate::kernels::conv::{Border, Pooling, Steps, Volume, Windows};
use crate::model::{Activation, Layer, Padding, Window};

/// Layers that see images, and what stands between them: one volume more than there are layers.
#[derive(Debug, Default)]
pub(crate) struct ImagesPlan {
    pub(crate) layers: Vec<ImageLayerKind>,
    pub(crate) volumes: Vec<Volume>,
}

/// What a layer that sees images is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ImageLayerKind {
    Conv2d(Geometry),
    Pool(Pooling, Windows),
    Dropout(Dropout),
}

impl ImagesPlan {
    /// How `layers`, with their indices in the network, are computed from images of `input`.
    pub(super) fn new(input: Volume, layers: &[(usize, Layer)]) -> Self {
        let mut plan = Self { layers: Vec::new(), volumes: Vec::from([input]) };
        let mut layers = layers.iter().copied().peekable();
        while let (Some((index, layer)), Some(input)) = (layers.next(), plan.volumes.last_mut()) {
            let (kind, output) = match layer {
                Layer::Conv2d { filters, kernel, stride, padding, activation } => {
                    let rows = steps(input.height, kernel.height, stride.height, padding);
                    let columns = steps(input.width, kernel.width, stride.width, padding);
                    input.border = Border {
                        top: rows.before,
                        bottom: rows.after,
                        left: columns.before,
                        right: columns.after,
                    };
                    // These two activations keep the order of their inputs to the bit.
                    let keeps_order = matches!(activation, Activation::Relu | Activation::Linear);
                    let pooled =
                        keeps_order && layers.next_if(|(_, next)| is_square_of_two(next)).is_some();
                    let input = *input;
                    let geometry = Geometry {
                        input,
                        rows,
                        columns,
                        kernel,
                        stride,
                        filters,
                        activation,
                        pooled,
                    };
                    (ImageLayerKind::Conv2d(geometry), geometry.output())
                }
                Layer::MaxPool { size, stride } => {
                    pool(Pooling::Max, *input, size, stride.unwrap_or(size))
                }
                Layer::AveragePool { size, stride } => {
                    pool(Pooling::Average, *input, size, stride.unwrap_or(size))
                }
                Layer::Dropout { rate } => {
                    (ImageLayerKind::Dropout(Dropout { rate, layer: index }), *input)
                }
                Layer::Flatten | Layer::Dense { .. } => continue,
            };
            plan.layers.push(kind);
            plan.volumes.push(output);
        }
        // Volumes got their borders when the next layer was known: those of pools are copies.
        for (kind, between) in plan.layers.iter_mut().zip(plan.volumes.windows(2)) {
            if let ImageLayerKind::Pool(_, windows) = kind {
                (windows.input, windows.output) = (between[0], between[1]);
            }
        }
        plan
    }
}

/// A max pooling that a convolution can do with its sums in registers.
fn is_square_of_two(layer: &Layer) -> bool {
    let two = Window::square(2);
    matches!(layer, Layer::MaxPool { size, stride } if *size == two && stride.unwrap_or(two) == two)
}

fn pool(pooling: Pooling, input: Volume, size: Window, stride: Window) -> (ImageLayerKind, Volume) {
    let output = Volume::new(
        steps(input.height, size.height, stride.height, Padding::Valid).count,
        steps(input.width, size.width, stride.width, Padding::Valid).count,
        input.channels,
    );
    (ImageLayerKind::Pool(pooling, Windows { input, output, size, stride }), output)
}

/// The positions of a window along one side; none where it does not fit, which an `Architecture`
/// rules out.
fn steps(length: usize, size: usize, stride: usize, padding: Padding) -> Steps {
    let none = Steps { count: 0, before: 0, after: 0 };
    Steps::new(length, size, stride, padding).unwrap_or(none)
}
