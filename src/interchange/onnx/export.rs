//! The graph of a network.

use super::channels::{Image, convolution_to_onnx, rows_to_onnx};
use super::messages::{
    AttributeProto, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_kind, element,
};
use super::names;
use crate::image::ImageShape;
use crate::kernels::conv::Steps;
use crate::model::{Activation, Layer, LayerSpec, Network, Padding, Shape, Tensor, Window};

/// The graph of `network`.
pub(super) fn graph(network: &Network) -> GraphProto {
    let architecture = network.architecture();
    let mut chain = Chain::new(architecture.input());
    let last = architecture.layers().len() - 1;
    let mut tensors = network.tensors().iter();
    for (number, spec) in architecture.layers().iter().enumerate() {
        let parameters = match spec.parameters {
            Some(_) => tensors.next().zip(tensors.next()),
            None => None,
        };
        chain.layer(spec, parameters, number == last);
    }
    let classes = Some(architecture.classes());
    chain.node("Softmax", names::PROBABILITIES, &[], vec![int("axis", 1)]);
    chain.current = names::LOGITS.into();
    chain.node("ArgMax", names::LABEL, &[], vec![int("axis", 1), int("keepdims", 0)]);
    let mut output = vec![
        value(names::PROBABILITIES, element::FLOAT, &[None, classes], "the softmax of the logits"),
        value(names::LOGITS, element::FLOAT, &[None, classes], "what the last layer sums up"),
        value(names::LABEL, element::INT64, &[None], "the class of the greatest logit"),
    ];
    if architecture.output() == Activation::Sigmoid {
        chain.current = names::LOGITS.into();
        chain.node("Sigmoid", names::SIGMOID, &[], Vec::new());
        let says = "the sigmoid of each logit";
        output.push(value(names::SIGMOID, element::FLOAT, &[None, classes], says));
    }
    let ImageShape { height, width } = architecture.input();
    let dims = [None, Some(height), Some(width)];
    let says =
        "grey levels from 0 to 255, as the network was trained on: white ink on black ground";
    GraphProto {
        node: chain.nodes,
        name: Some("mnistry".into()),
        initializer: chain.initializers,
        input: vec![value(names::IMAGES, element::UINT8, &dims, says)],
        output,
    }
}

/// Nodes, each of which takes what the one before it gives.
struct Chain {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    /// What the last node gives.
    current: String,
    /// Whether that has the dimension of channels, which images that come in have not.
    has_channels: bool,
    input: ImageShape,
    /// The image that was flattened, until a kernel has its rows in the same order.
    flattened: Option<Image>,
}

impl Chain {
    /// Images as the first layer reads them: bytes divided by 255.
    fn new(input: ImageShape) -> Self {
        let mut chain = Self {
            nodes: Vec::new(),
            initializers: Vec::new(),
            current: names::IMAGES.into(),
            has_channels: false,
            input,
            flattened: None,
        };
        chain.node("Cast", "levels", &[], vec![int("to", element::FLOAT.into())]);
        chain.initializers.push(floats("white", &[], [255.0]));
        chain.node("Div", "pixels", &["white"], Vec::new());
        chain
    }

    /// Adds the node `name`, which gives a value of that name; after what the last one gives, it takes
    /// `others`.
    fn node(
        &mut self,
        operator: &str,
        name: &str,
        others: &[&str],
        attributes: Vec<AttributeProto>,
    ) {
        let current = std::mem::replace(&mut self.current, name.into());
        let others = others.iter().map(|&other| other.to_owned());
        self.nodes.push(NodeProto {
            input: std::iter::once(current).chain(others).collect(),
            output: vec![name.into()],
            name: Some(name.into()),
            op_type: Some(operator.into()),
            attribute: attributes,
            domain: None,
        });
    }

    /// Adds `spec` with its kernel and bias. The last layer gives logits, whatever becomes of them.
    fn layer(&mut self, spec: &LayerSpec, parameters: Option<(&Tensor, &Tensor)>, is_last: bool) {
        let number = self.nodes.len();
        match (spec.layer, parameters, Image::of(spec.input)) {
            (
                Layer::Conv2d { kernel, stride, padding, activation, .. },
                Some(tensors),
                Some(image),
            ) => {
                let window = Sliding { kernel, stride, padding };
                self.convolution(window, image, tensors);
                self.activation(activation, layer_name(tensors.0));
            }
            (Layer::MaxPool { size, stride }, ..) => {
                self.pool("MaxPool", &format!("max_pool_{number}"), size, stride);
            }
            (Layer::AveragePool { size, stride }, ..) => {
                self.pool("AveragePool", &format!("average_pool_{number}"), size, stride);
                self.attribute(int("count_include_pad", 0));
            }
            (Layer::Flatten, ..) => self.flatten(spec.input),
            (Layer::Dense { activation, .. }, Some(tensors), _) => {
                self.flatten(spec.input);
                let name = if is_last { names::LOGITS } else { layer_name(tensors.0) };
                self.dense(name, tensors);
                if !is_last {
                    self.activation(activation, name);
                }
            }
            // Dropout is for training alone.
            _ => {}
        }
    }

    fn convolution(&mut self, window: Sliding, image: Image, (kernel, bias): (&Tensor, &Tensor)) {
        self.channels();
        let Tensor { name, shape, values } = kernel;
        if let [height, width, inputs, filters] = shape[..] {
            let values = convolution_to_onnx(values, [height, width, inputs, filters]);
            self.initializers.push(floats(name, &[filters, inputs, height, width], values));
        }
        self.initializers.push(floats(&bias.name, &bias.shape, bias.values.iter().copied()));
        let Sliding { kernel: Window { height, width }, stride, .. } = window;
        let attributes = vec![
            ints("dilations", &[1, 1]),
            int("group", 1),
            ints("kernel_shape", &[height, width]),
            ints("pads", &window.pads(image)),
            ints("strides", &[stride.height, stride.width]),
        ];
        self.node("Conv", layer_name(kernel), &[name, &bias.name], attributes);
    }

    fn pool(&mut self, operator: &str, name: &str, size: Window, stride: Option<Window>) {
        self.channels();
        let stride = stride.unwrap_or(size);
        let attributes = vec![
            ints("kernel_shape", &[size.height, size.width]),
            ints("pads", &[0; 4]),
            ints("strides", &[stride.height, stride.width]),
        ];
        self.node(operator, name, &[], attributes);
    }

    fn dense(&mut self, name: &str, (kernel, bias): (&Tensor, &Tensor)) {
        let rows = match (self.flattened.take(), kernel.shape.last()) {
            (Some(image), Some(&units)) => rows_to_onnx(&kernel.values, image, units),
            _ => kernel.values.clone(),
        };
        self.initializers.push(floats(&kernel.name, &kernel.shape, rows));
        self.initializers.push(floats(&bias.name, &bias.shape, bias.values.iter().copied()));
        self.node("Gemm", name, &[&kernel.name, &bias.name], Vec::new());
    }

    /// Adds `activation` after the layer `name`.
    fn activation(&mut self, activation: Activation, name: &str) {
        let operator = match activation {
            Activation::Relu => "Relu",
            Activation::Sigmoid => "Sigmoid",
            // A softmax is the last, and the logits are its own.
            Activation::Linear | Activation::Softmax => return,
        };
        self.node(operator, &format!("{name}_{}", operator.to_lowercase()), &[], Vec::new());
    }

    /// Gives images that come in the dimension of channels.
    fn channels(&mut self) {
        if !std::mem::replace(&mut self.has_channels, true) {
            let ImageShape { height, width } = self.input;
            let dims = [0, 1, height as i64, width as i64];
            self.initializers.push(TensorProto {
                dims: vec![4],
                data_type: Some(element::INT64),
                name: Some("one_channel".into()),
                raw_data: Some(dims.iter().flat_map(|dim| dim.to_le_bytes()).collect()),
                ..TensorProto::default()
            });
            self.node("Reshape", "channels", &["one_channel"], Vec::new());
        }
    }

    /// Makes a row of `shape`, if it is none.
    fn flatten(&mut self, shape: Shape) {
        if let Some(image) = Image::of(shape) {
            let name = format!("flatten_{}", self.nodes.len());
            self.node("Flatten", &name, &[], vec![int("axis", 1)]);
            self.flattened = Some(image).filter(|image| !image.has_one_order());
        }
    }

    /// Gives the last node one more attribute.
    fn attribute(&mut self, attribute: AttributeProto) {
        if let Some(node) = self.nodes.last_mut() {
            node.attribute.push(attribute);
        }
    }
}

/// How a window slides over images.
struct Sliding {
    kernel: Window,
    stride: Window,
    padding: Padding,
}

impl Sliding {
    /// How many zeros are before and after an image: rows, columns, rows, columns. Where their number
    /// is odd, ONNX's own ways to say it are not heeded by all.
    fn pads(&self, image: Image) -> [usize; 4] {
        let Self { kernel, stride, padding } = *self;
        let rows = Steps::new(image.height, kernel.height, stride.height, padding);
        let columns = Steps::new(image.width, kernel.width, stride.width, padding);
        // Windows of a checked architecture fit.
        let around =
            |steps: Option<Steps>| steps.map_or([0; 2], |steps| [steps.before, steps.after]);
        let ([top, bottom], [left, right]) = (around(rows), around(columns));
        [top, left, bottom, right]
    }
}

/// What the layer of `kernel` is called: `dense_1` for `dense_1.kernel`.
fn layer_name(kernel: &Tensor) -> &str {
    kernel.name.split('.').next().unwrap_or(&kernel.name)
}

fn int(name: &str, value: i64) -> AttributeProto {
    let kind = Some(attribute_kind::INT);
    AttributeProto { name: Some(name.into()), i: Some(value), kind, ..AttributeProto::default() }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let (ints, kind) = (signed(values), Some(attribute_kind::INTS));
    AttributeProto { name: Some(name.into()), ints, kind, ..AttributeProto::default() }
}

fn floats(name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> TensorProto {
    let values = values.into_iter();
    let mut bytes = Vec::with_capacity(size_of::<f32>() * values.size_hint().0);
    values.for_each(|value| bytes.extend(value.to_le_bytes()));
    TensorProto {
        dims: signed(dims),
        data_type: Some(element::FLOAT),
        name: Some(name.into()),
        raw_data: Some(bytes),
        ..TensorProto::default()
    }
}

/// Sizes of a checked architecture, as ONNX has them.
fn signed(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

/// An input or output; the dimension that is none is the number of images.
fn value(name: &str, element: i32, dims: &[Option<usize>], says: &str) -> ValueInfoProto {
    let dim = dims.iter().map(|dim| DimensionProto {
        dim_value: dim.map(|dim| dim as i64),
        dim_param: dim.is_none().then(|| "N".into()),
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(element), shape });
    let kind = Some(TypeProto { tensor_type });
    ValueInfoProto { name: Some(name.into()), kind, doc_string: Some(says.into()) }
}
