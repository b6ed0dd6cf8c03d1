//! Graphs as other programs write them, and graphs that are no network.

mod constants;
mod meaning;
mod shapes;

use prost::Message;

use super::messages::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, element,
};
use super::{Imported, read};
use crate::image::ImageShape;
use crate::model::{Activation, Layer, Network, Padding, Sequential, Window};

/// A graph of nodes that take what the one before gives.
#[derive(Clone)]
struct Chain {
    graph: GraphProto,
    current: String,
}

fn chain(element: i32, dims: &[i64]) -> Chain {
    let dim = std::iter::once(None).chain(dims.iter().copied().map(Some));
    let dim = dim.map(|dim_value| DimensionProto { dim_value, dim_param: None }).collect();
    let tensor_type =
        TensorTypeProto { elem_type: Some(element), shape: Some(TensorShapeProto { dim }) };
    let kind = Some(TypeProto { tensor_type: Some(tensor_type) });
    let input = ValueInfoProto { name: Some("x".into()), kind, doc_string: None };
    let graph = GraphProto { input: vec![input], ..GraphProto::default() };
    Chain { graph, current: "x".into() }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: Some(name.into()), ints: ints.into(), ..AttributeProto::default() }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(i), ..AttributeProto::default() }
}

/// Numbers that all differ.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|number| number as f32 / 64.0 - 1.0).collect()
}

impl Chain {
    fn node(mut self, operator: &str, others: &[&str], attributes: &[AttributeProto]) -> Self {
        let output = format!("{operator}_{}", self.graph.node.len());
        let others = others.iter().map(|&other| other.to_owned());
        self.graph.node.push(NodeProto {
            input: std::iter::once(self.current).chain(others).collect(),
            output: vec![output.clone()],
            name: Some(format!("/{output}")),
            op_type: Some(operator.into()),
            attribute: attributes.into(),
            domain: None,
        });
        self.current = output;
        self
    }

    fn floats(mut self, name: &str, dims: &[i64], values: Vec<f32>) -> Self {
        self.graph.initializer.push(TensorProto {
            dims: dims.into(),
            data_type: Some(element::FLOAT),
            float_data: values,
            name: Some(name.into()),
            ..TensorProto::default()
        });
        self
    }

    fn shape(mut self, name: &str, values: &[i64]) -> Self {
        self.graph.initializer.push(TensorProto {
            dims: vec![values.len() as i64],
            data_type: Some(element::INT64),
            int64_data: values.into(),
            name: Some(name.into()),
            ..TensorProto::default()
        });
        self
    }

    /// The file, whose output is what the last node gives.
    fn file(mut self) -> Vec<u8> {
        let output = ValueInfoProto { name: Some(self.current), ..ValueInfoProto::default() };
        self.graph.output.push(output);
        let opset = OperatorSetIdProto { domain: Some(String::new()), version: Some(17) };
        let (graph, opset_import) = (Some(self.graph), vec![opset]);
        ModelProto { ir_version: Some(8), graph, opset_import, ..ModelProto::default() }
            .encode_to_vec()
    }

    fn read(self) -> Imported {
        read(&self.file()).unwrap()
    }

    /// That it is refused, and that this is said.
    fn refused(self, said: &str) {
        let refused = read(&self.file()).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused:?} does not say {said:?}");
    }
}

/// As PyTorch writes it: images of 1 × 6 × 5, two filters, four classes.
fn torch() -> Chain {
    chain(element::FLOAT, &[1, 6, 5])
        .floats("w", &[2, 1, 3, 3], numbers(18))
        .floats("b", &[2], numbers(2))
        .node(
            "Conv",
            &["w", "b"],
            &[
                ints("dilations", &[1, 1]),
                int("group", 1),
                ints("kernel_shape", &[3, 3]),
                ints("pads", &[1, 1, 1, 1]),
                ints("strides", &[1, 1]),
            ],
        )
        .node("Relu", &[], &[])
        .node(
            "MaxPool",
            &[],
            &[
                int("ceil_mode", 0),
                ints("kernel_shape", &[2, 2]),
                ints("pads", &[0; 4]),
                ints("strides", &[2, 2]),
            ],
        )
}

fn gemm(chain: Chain) -> Chain {
    chain.floats("w2", &[4, 12], numbers(48)).floats("b2", &[4], numbers(4)).node(
        "Gemm",
        &["w2", "b2"],
        &[int("transB", 1)],
    )
}

#[test]
fn a_graph_as_pytorch_writes_it_is_read() {
    let Imported { network, notes, .. } =
        gemm(torch().node("Flatten", &[], &[int("axis", 1)])).read();
    let layers = Sequential::new(ImageShape { height: 6, width: 5 })
        .with(Layer::Conv2d {
            filters: 2,
            kernel: Window::square(3),
            stride: Window::square(1),
            padding: Padding::Same,
            activation: Activation::Relu,
        })
        .max_pool(2)
        .flatten()
        .dense(4, Activation::Linear);
    assert_eq!(Sequential::from(network.architecture().clone()), layers);
    let tensors = network.tensors();
    // The second tap of the first filter; it is the second number there, the third here.
    assert_eq!(tensors[0].values[2], numbers(18)[1]);
    assert_eq!(tensors[0].values[1], numbers(18)[9]);
    // Class 0, the second channel of the first position: there after 3 × 2 positions of the first.
    assert_eq!(tensors[2].values[4], numbers(48)[6]);
    // Class 3, the first channel of the second position.
    assert_eq!(tensors[2].values[2 * 4 + 3], numbers(48)[3 * 12 + 1]);
    assert_eq!(tensors[3].values, numbers(4));
    assert!(notes.len() == 1 && notes[0].contains("divided by 255"), "{notes:?}");
}

#[test]
fn what_is_made_of_the_logits_tells_the_last_activation() {
    let logits = || gemm(torch().shape("rows", &[-1, 12]).node("Reshape", &["rows"], &[]));
    let output = |chain: Chain| chain.read().network.architecture().output();
    assert_eq!(output(logits()), Activation::Linear);
    assert_eq!(output(logits().node("Softmax", &[], &[int("axis", 1)])), Activation::Softmax);
    assert_eq!(output(logits().node("Sigmoid", &[], &[])), Activation::Sigmoid);
    let label = logits().node("Softmax", &[], &[]).node("ArgMax", &[], &[int("axis", -1)]);
    assert_eq!(output(label), Activation::Softmax);
    logits()
        .node("Softmax", &[], &[int("axis", 0)])
        .refused("node /Softmax_5 (Softmax) has axis 0");
    logits().node("ArgMax", &[], &[]).refused("has axis 0");
    logits().node("Softmax", &[], &[]).node("Relu", &[], &[]).refused("/Relu_6 (Relu)");
    logits().node("Sigmoid", &[], &[]).node("Softmax", &[], &[]).refused("a softmax or a sigmoid");
}

#[test]
fn a_graph_as_tf2onnx_writes_it_is_read() {
    // Channels last, with a product and a sum where PyTorch has Gemm.
    let network = chain(element::FLOAT, &[4, 4, 1])
        .node("Transpose", &[], &[ints("perm", &[0, 3, 1, 2])])
        .floats("w", &[3, 1, 2, 2], numbers(12))
        .node("Conv", &["w"], &[ints("strides", &[2, 2])])
        .floats("b", &[1, 3, 1, 1], numbers(3))
        .node("Add", &["b"], &[])
        .node("Sigmoid", &[], &[])
        .node("Transpose", &[], &[ints("perm", &[0, 2, 3, 1])])
        .shape("rows", &[-1, 12])
        .node("Reshape", &["rows"], &[])
        .floats("w2", &[12, 2], numbers(24))
        .node("MatMul", &["w2"], &[])
        .floats("b2", &[2], numbers(2))
        .node("Add", &["b2"], &[])
        .read()
        .network;
    let expected = "conv2d 3 of 2 × 2 stride 2 × 2 sigmoid, flatten, dense 2";
    assert_eq!(network.architecture().to_string(), expected);
    let tensors = network.tensors();
    assert_eq!((&tensors[1].values, &tensors[3].values), (&numbers(3), &numbers(2)));
    assert_eq!(tensors[2].values, numbers(24), "channels were last already");
}

#[test]
fn rows_of_pixels_are_images() {
    let dense = |chain: Chain| chain.floats("w", &[16, 2], numbers(32)).node("Gemm", &["w"], &[]);
    let input = |network: &Network| network.architecture().input();
    let square = dense(chain(element::FLOAT, &[16])).read().network;
    assert_eq!(input(&square), ImageShape { height: 4, width: 4 });
    assert_eq!(square.architecture().to_string(), "dense 2");
    assert_eq!(square.tensors()[1].values, [0.0; 2], "no bias is one of zeros");
    let wide = chain(element::FLOAT, &[16])
        .shape("image", &[0, 1, 2, 8])
        .node("Reshape", &["image"], &[])
        .node("Flatten", &[], &[]);
    assert_eq!(input(&dense(wide).read().network), ImageShape { height: 2, width: 8 });
    let bytes = || chain(element::UINT8, &[4, 4]).node("Cast", &[], &[int("to", 1)]);
    let scaled = bytes().floats("white", &[], vec![255.0]).node("Div", &["white"], &[]);
    let Imported { network, notes, .. } = dense(scaled.node("Flatten", &[], &[])).read();
    assert_eq!((input(&network), notes.len()), (ImageShape { height: 4, width: 4 }, 0));
    let scaled = bytes().floats("share", &[1], vec![1.0 / 255.0]).node("Mul", &["share"], &[]);
    let notes = dense(scaled.node("Flatten", &[], &[])).read().notes;
    assert!(notes.len() == 1 && notes[0].contains("last bit"), "{notes:?}");
    // As a Rescaling of Keras has it.
    let rescaled = chain(element::FLOAT, &[16])
        .floats("scale", &[], vec![1.0 / 255.0])
        .node("Mul", &["scale"], &[])
        .floats("offset", &[], vec![0.0])
        .node("Add", &["offset"], &[]);
    assert_eq!(dense(rescaled).read().network.tensors()[0].values, numbers(32));
    dense(bytes().node("Flatten", &[], &[])).refused("input x is of bytes");
    dense(chain(element::FLOAT, &[2, 4, 2])).refused("input x is no image of one channel");
    let thrice = chain(element::FLOAT, &[15]).floats("w", &[15, 2], numbers(30));
    thrice.node("Gemm", &["w"], &[]).refused("a row of no square's pixels");
    dense(chain(10, &[16])).refused("neither of uint8 nor of float32");
}

#[test]
fn what_no_layer_is_is_refused_by_its_name() {
    torch().node("BatchNormalization", &[], &[]).refused("node /BatchNormalization_3 (BatchNorm");
    torch().node("Relu", &[], &[]).refused("/Relu_3 (Relu) stands where no such layer can be");
    let conv = |attributes: &[AttributeProto]| {
        chain(element::FLOAT, &[1, 6, 5]).floats("w", &[2, 1, 3, 3], numbers(18)).node(
            "Conv",
            &["w"],
            attributes,
        )
    };
    conv(&[int("group", 2)]).refused("has group 2 where a layer here has 1");
    conv(&[ints("dilations", &[2, 1])]).refused("dilations [2, 1]");
    conv(&[ints("pads", &[0, 1, 0, 1])]).refused("pads images by [0, 1, 0, 1]");
    conv(&[ints("strides", &[0, 1])]).refused("a window that does not fit");
    conv(&[ints("strides", &[-1, 1])]).refused("strides [-1, 1]");
    conv(&[ints("kernel_shape", &[5, 3])]).refused("kernel_shape");
    conv(&[int("new_in_opset_99", 1)]).refused("an attribute new_in_opset_99 that is not known");
    torch().node("Conv", &["v"], &[]).refused("no constant as its input 2");
    torch().node("Conv", &["w"], &[]).refused("w of shape [2, 1, 3, 3]");
    torch()
        .node("AveragePool", &[], &[ints("kernel_shape", &[2, 2]), ints("pads", &[1; 4])])
        .refused("has pads [1, 1, 1, 1] where a layer here has none around what it pools");
    torch().node("MaxPool", &[], &[]).refused("no kernel_shape");
    gemm(torch()).refused("w2 of shape [12, 4]");
    torch().refused("a dense layer with a unit a class must end the network");
    torch().node("Transpose", &[], &[ints("perm", &[0, 1, 3, 2])]).refused("(Transpose)");
    torch().shape("rows", &[-1, -1]).node("Reshape", &["rows"], &[]).refused("a shape of [-1, -1]");
    let fewer = torch().floats("f", &[4, 4], numbers(15)).node("Gemm", &["f"], &[]);
    fewer.refused("not as many numbers as its shape says");
    let vast = torch().floats("f", &[1 << 40, 1 << 40], numbers(1)).node("Gemm", &["f"], &[]);
    vast.refused("not as many numbers as its shape says");
    chain(element::FLOAT, &[1, 6, 5])
        .floats("none", &[0, 1, 1 << 40, 1 << 40], Vec::new())
        .node("Conv", &["none"], &[])
        .refused("a dimension of zero");
}

#[test]
fn graphs_that_are_no_chain_are_refused() {
    let flat = || torch().node("Flatten", &[], &[]);
    // A value that another node takes too.
    let mut branch = gemm(flat());
    branch.current = "Relu_1".into();
    branch
        .node("Identity", &[], &[])
        .refused("what is called Relu_1 is taken by /MaxPool_2 (MaxPool), /Identity_5 (Identity):");
    // A value that is an output too.
    let mut inner = gemm(flat());
    let output = ValueInfoProto { name: Some("Relu_1".into()), ..ValueInfoProto::default() };
    inner.graph.output.push(output);
    inner.refused(
        "what is called Relu_1 is taken by /MaxPool_2 (MaxPool), and is an output besides",
    );
    // A node that nothing comes of, of nothing that the layers give.
    let mut dead = gemm(flat());
    let last = std::mem::replace(&mut dead.current, "b2".into());
    let mut dead = dead.node("Relu", &[], &[]);
    dead.current = last;
    dead.refused("node /Relu_5 (Relu) takes nothing that the layers before it give");
    // Two nodes that give the same value.
    let mut twice = gemm(flat());
    let again = twice.graph.node[0].clone();
    twice.graph.node.push(again);
    twice.refused("two values that are called Conv_0");
    // A node that takes what it gives.
    let mut circle = chain(element::FLOAT, &[4]).node("Identity", &[], &[]);
    circle.graph.node[0].output[0] = "x".into();
    circle.refused("two values that are called x");
    // What is made comes to nothing.
    let mut lost = gemm(flat());
    lost.current = "elsewhere".into();
    lost.refused("is no output");
    let mut inputs = gemm(flat());
    let other = ValueInfoProto { name: Some("y".into()), ..ValueInfoProto::default() };
    inputs.graph.input.push(other);
    inputs.refused("has 2 inputs");
    let mut foreign = gemm(flat());
    foreign.graph.node[1].domain = Some("com.microsoft".into());
    foreign.refused("/Relu_1 (Relu) is none of the operators");
    let mut external = gemm(flat());
    external.graph.initializer[0].data_location = Some(1);
    external.refused("a constant w that lies in another file");
}

#[test]
fn versions_that_are_not_known_are_told_or_refused() {
    let version = |ir, opset| {
        let file = gemm(torch().node("Flatten", &[], &[])).file();
        let mut model = ModelProto::decode(&file[..]).unwrap();
        model.ir_version = Some(ir);
        model.opset_import[0].version = opset;
        read(&model.encode_to_vec())
    };
    assert_eq!(version(8, Some(7)).unwrap().notes.len(), 1);
    let notes = version(99, Some(99)).unwrap().notes;
    assert!(notes[0].contains("opset 99") && notes[1].contains("IR version 99"), "{notes:?}");
    assert!(version(8, Some(6)).unwrap_err().to_string().contains("opset 6"));
    assert!(version(8, None).unwrap_err().to_string().contains("of which opset"));
}

#[test]
fn a_graph_that_was_changed_after_it_was_exported_is_read_as_it_is() {
    let layers = Sequential::new(ImageShape { height: 3, width: 3 })
        .dropout(0.5)
        .dense(4, Activation::Relu)
        .dense(2, Activation::Softmax);
    let network = Network::new(layers, 1).unwrap();
    let file = super::write(&network).unwrap();
    assert_eq!(read(&file).unwrap(), Imported::plain(network.clone()));
    let mut model = ModelProto::decode(&file[..]).unwrap();
    let graph = model.graph.as_mut().unwrap();
    graph.node.iter_mut().find(|node| node.op_type.as_deref() == Some("Relu")).unwrap().op_type =
        Some("Sigmoid".into());
    let Imported { network: read, notes, .. } = read(&model.encode_to_vec()).unwrap();
    assert_eq!(read.architecture().to_string(), "dense 4 sigmoid, dense 2 softmax");
    assert_eq!(read.tensors(), network.tensors());
    assert!(notes.len() == 1 && notes[0].contains("not the one that was exported"), "{notes:?}");
}

#[test]
fn a_small_file_makes_no_large_network() {
    // Of a kernel of nothing there could be any number of units.
    chain(element::FLOAT, &[2, 2])
        .floats("none", &[4, 0], Vec::new())
        .floats("many", &[0, 1 << 62], Vec::new())
        .node("Flatten", &[], &[])
        .node("MatMul", &["none"], &[])
        .node("MatMul", &["many"], &[])
        .refused("a dimension of zero");
    chain(element::FLOAT, &[2, 2])
        .floats("w", &[4, 4], numbers(16))
        .node("Flatten", &[], &[])
        .node("MatMul", &["w"], &[])
        .node("MatMul", &["w"], &[])
        .refused("is the kernel of two layers");
}

/// It would be another function of the pixels.
#[test]
fn images_of_another_shape_are_refused() {
    chain(element::FLOAT, &[6, 6])
        .shape("to", &[-1, 1, 4, 9])
        .floats("w", &[1, 1, 3, 3], numbers(9))
        .node("Reshape", &["to"], &[])
        .node("Conv", &["w"], &[ints("pads", &[1, 1, 1, 1])])
        .refused("Reshape");
}

#[test]
fn pooling_that_adds_no_zeros_may_say_that_it_could() {
    let same = AttributeProto {
        name: Some("auto_pad".into()),
        s: Some(b"SAME_UPPER".to_vec()),
        ..AttributeProto::default()
    };
    let window = [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    let with = |more: &[AttributeProto]| {
        chain(element::FLOAT, &[1, 6, 6])
            .floats("w", &[9, 4], numbers(36))
            .node("MaxPool", &[], &[&window[..], more].concat())
            .node("Flatten", &[], &[])
            .node("MatMul", &["w"], &[])
            .read()
            .network
    };
    assert_eq!(with(&[same]), with(&[]));
}
