//! How the layers of a network are computed: which stages they make, and which of them are done in
//! one go.

use crate::exec::layers::conv2d::Geometry;
use crate::exec::layers::dropout::Dropout;
use crate::kernels::conv::{Border, Padding, Pooling, Steps, Volume, Window, Windows};
use crate::model::Activation;
use crate::model::Shape;
use crate::model::{Layer, Sequential};

/// The stages of a network, first to last.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) stages: Vec<StageKind>,
}

/// What a stage is.
#[derive(Debug)]
pub(crate) enum StageKind {
    /// All layers before the first dense one, and flattening.
    Images(ImageLayers),
    Dense {
        units: usize,
        activation: Activation,
    },
    Dropout(Dropout),
}

/// Layers that see images, and what stands between them: one volume more than there are layers.
#[derive(Debug)]
pub(crate) struct ImageLayers {
    pub(crate) kinds: Vec<ImageLayerKind>,
    pub(crate) volumes: Vec<Volume>,
}

/// What a layer that sees images is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ImageLayerKind {
    Conv2d(Geometry),
    Pool(Pooling, Windows),
    Dropout(Dropout),
}

impl StageKind {
    /// How many numbers it puts out for a sample, of which it reads `inputs`.
    pub(crate) fn units(&self, inputs: usize) -> usize {
        match self {
            Self::Images(layers) => layers.volumes.last().map_or(inputs, Volume::vectors),
            Self::Dense { units, .. } => *units,
            Self::Dropout(_) => inputs,
        }
    }
}

impl Blueprint {
    /// The stages of `architecture`, which [checks](Sequential::check). Numbers are dropped only
    /// in `training`.
    pub(crate) fn new(architecture: &Sequential, training: bool) -> Self {
        let kept = |(_, layer): &(usize, Layer)| match layer {
            Layer::Flatten => false,
            Layer::Dropout { .. } => training,
            _ => true,
        };
        let mut layers = architecture.layers.iter().copied().enumerate().filter(kept).peekable();
        let is_dense = |layer: &Layer| matches!(layer, Layer::Dense { .. });
        let mut before_dense = Vec::new();
        while let Some(layer) = layers.next_if(|(_, layer)| !is_dense(layer)) {
            before_dense.push(layer);
        }
        let images = image_layers(architecture.input_shape(), &before_dense);
        let images = (!before_dense.is_empty()).then_some(StageKind::Images(images));
        let others = layers.filter_map(|(place, layer)| match layer {
            Layer::Dense { units, activation } => Some(StageKind::Dense { units, activation }),
            Layer::Dropout { rate } => Some(StageKind::Dropout(Dropout { rate, place })),
            _ => None,
        });
        Self { stages: images.into_iter().chain(others).collect() }
    }
}

/// How `layers`, which read `input`, are computed.
fn image_layers(input: Shape, layers: &[(usize, Layer)]) -> ImageLayers {
    let Shape::Image { height, width, channels } = input else {
        return ImageLayers { kinds: Vec::new(), volumes: Vec::new() };
    };
    let mut kinds = Vec::new();
    let mut volumes = Vec::from([Volume::new(height, width, channels)]);
    let mut layers = layers.iter().peekable();
    while let (Some((place, layer)), Some(input)) = (layers.next(), volumes.last_mut()) {
        let (kind, output) = match *layer {
            Layer::Conv2d { filters, kernel, stride, padding, activation } => {
                let steps = |length, size, stride| {
                    Steps::new(length, size, stride, padding).unwrap_or(Steps {
                        count: 0,
                        before: 0,
                        after: 0,
                    })
                };
                let rows = steps(input.height, kernel.height, stride.height);
                let columns = steps(input.width, kernel.width, stride.width);
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
                let geometry =
                    Geometry { input, rows, columns, kernel, stride, filters, activation, pooled };
                (ImageLayerKind::Conv2d(geometry), geometry.output())
            }
            Layer::MaxPool { size, stride } => {
                pool(Pooling::Max, *input, size, stride.unwrap_or(size))
            }
            Layer::AveragePool { size, stride } => {
                pool(Pooling::Average, *input, size, stride.unwrap_or(size))
            }
            Layer::Dropout { rate } => {
                let dropout = Dropout { rate, place: *place };
                (ImageLayerKind::Dropout(dropout), *input)
            }
            Layer::Flatten | Layer::Dense { .. } => continue,
        };
        kinds.push(kind);
        volumes.push(output);
    }
    // Volumes got their borders when the next layer was known: those of pools are copies.
    for (kind, between) in kinds.iter_mut().zip(volumes.windows(2)) {
        if let ImageLayerKind::Pool(_, windows) = kind {
            (windows.input, windows.output) = (between[0], between[1]);
        }
    }
    ImageLayers { kinds, volumes }
}

/// A max pooling that a convolution can do with its sums in registers.
fn is_square_of_two(layer: &Layer) -> bool {
    let two = Window::square(2);
    matches!(layer, Layer::MaxPool { size, stride } if *size == two && stride.unwrap_or(two) == two)
}

fn pool(pooling: Pooling, input: Volume, size: Window, stride: Window) -> (ImageLayerKind, Volume) {
    let steps = |length, size, stride| Steps::new(length, size, stride, Padding::Valid);
    let count = |steps: Option<Steps>| steps.map_or(0, |steps| steps.count);
    let output = Volume::new(
        count(steps(input.height, size.height, stride.height)),
        count(steps(input.width, size.width, stride.width)),
        input.channels,
    );
    (ImageLayerKind::Pool(pooling, Windows { input, output, size, stride }), output)
}
