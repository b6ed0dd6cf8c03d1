//! Nodes as layers, one after the other.

use std::collections::HashSet;

use super::channels::{Image, convolution_from_onnx, rows_from_onnx, transposed};
use super::form::{Form, Order};
use super::graph::{Graph, Node, Taking};
use super::messages::element;
use super::shapes::Shapes;
use super::windows::{Sliding, expect_no_padding, padding, rectangle, window};
use super::{Constant, NodeProblem, OnnxProblem, operators};
use crate::image::ImageShape;
use crate::interchange::Problem;
use crate::model::{
    Activation, Architecture, Layer, Network, Padding, Sequential, Tensor, check_memory,
};

/// Layers that were read, and what comes out of them.
pub(super) struct Reader<'a> {
    form: Form,
    /// The shapes of all that came out.
    pub(super) shapes: Shapes<'a>,
    pixels: Pixels,
    /// The images that come in, once it is known how large they are.
    images: Option<ImageShape>,
    /// Whether they come in as rows, and nothing but their number has said yet how large they are.
    are_rows: bool,
    layers: Vec<Layer>,
    /// Kernels and biases, in turn.
    parameters: Vec<Vec<f32>>,
    /// What those kernels are called.
    kernels: HashSet<&'a str>,
    /// Whether the last layer has no bias yet.
    awaits_bias: bool,
    notes: Vec<String>,
}

/// What the pixels are that come in.
#[derive(Clone, Copy, PartialEq)]
enum Pixels {
    /// Bytes.
    Bytes,
    /// Fractions, of which it is not known that they were bytes.
    Floats,
    /// Bytes that were divided by 255.
    Scaled,
}

impl<'a> Reader<'a> {
    /// No layer yet, for images of `dims` and of such elements.
    ///
    /// # Errors
    /// What is wrong with the input.
    pub(super) fn new(element: i32, dims: &[usize]) -> Result<Self, &'static str> {
        let pixels = match element {
            element::UINT8 => Pixels::Bytes,
            element::FLOAT => Pixels::Floats,
            _ => return Err("is neither of uint8 nor of float32"),
        };
        let form = Form::of_input(dims).ok_or("is no image of one channel")?;
        let mut reader = Self {
            form,
            shapes: Shapes::default(),
            pixels,
            images: None,
            are_rows: matches!(form, Form::Row(_)),
            layers: Vec::new(),
            parameters: Vec::new(),
            kernels: HashSet::new(),
            awaits_bias: false,
            notes: Vec::new(),
        };
        reader.see_images();
        Ok(reader)
    }

    /// Reads `node`, which takes what comes out.
    pub(super) fn read(
        &mut self,
        graph: &Graph<'a>,
        Taking { node, place, other }: Taking<'a>,
    ) -> Result<(), NodeProblem> {
        operators::check(node)?;
        self.shapes.learn(&node.inputs()[place], self.form.dims());
        match node.operator() {
            "Identity" => Ok(()),
            "Dropout" => dropout(graph, node),
            "Cast" => match node.int("to") {
                Some(to) if to == i64::from(element::FLOAT) => Ok(()),
                to => Err(NodeProblem::Value {
                    attribute: to.map_or_else(|| "no to".into(), |to| format!("to {to}")),
                    expected: "1, float32",
                }),
            },
            "Div" => self.divide(&graph.constant(node, 1)?),
            "Mul" => self.multiply(&graph.constant(node, other)?),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(graph, node),
            "Unsqueeze" => self.unsqueeze(node, graph.optional_constant(node, 1)?),
            "Transpose" => {
                let order = node.ints("perm").unwrap_or_default();
                let place = NodeProblem::Place("only channels change their place");
                self.form = self.form.transposed(order).ok_or(place)?;
                Ok(())
            }
            "Conv" => self.convolution(graph, node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" => {
                let Image { height, width, channels } = self.image()?;
                let size = rectangle(height, width);
                self.push(Layer::AveragePool { size, stride: None });
                self.form = Form::Image(Image { height: 1, width: 1, channels }, Order::First);
                Ok(())
            }
            "Gemm" => self.gemm(graph, node),
            "MatMul" => {
                let kernel = graph.constant(node, 1)?;
                let values = self.kernel(&kernel)?;
                self.dense(&kernel, values, None)
            }
            "Add" => self.add(&graph.constant(node, other)?),
            "Relu" => self.activate(Activation::Relu),
            "Sigmoid" => self.activate(Activation::Sigmoid),
            _ => Err(NodeProblem::Operator),
        }
    }

    /// Gives the last layer, whose logits came out, its activation.
    pub(super) fn end_with(&mut self, activation: Activation) -> Result<(), OnnxProblem> {
        self.activate(activation).map_err(|_| OnnxProblem::TwoActivations)
    }

    /// The network of all layers, whose images came in as the value `input`.
    pub(super) fn network(mut self, input: &str) -> Result<(Network, Vec<String>), Problem> {
        let refused = |problem| OnnxProblem::Input { name: input.into(), problem };
        match self.pixels {
            Pixels::Bytes => {
                let problem = "is of bytes from 0 to 255, and not divided by 255: no network here reads it so";
                return Err(refused(problem).into());
            }
            Pixels::Floats => self.notes.push(format!(
                "its input {input} is of floats: they were taken for pixels divided by 255, with no other \
                 normalisation before the graph"
            )),
            Pixels::Scaled => {}
        }
        let images = self.images.ok_or(refused("is a row of no square's pixels"))?;
        let architecture = Architecture::new(Sequential { input: images, layers: self.layers })?;
        check_memory(&architecture)?;
        let tensors = architecture.parameters().zip(self.parameters).map(|(spec, values)| Tensor {
            name: spec.name.clone(),
            shape: spec.shape.clone(),
            values,
        });
        let tensors = tensors.collect();
        Ok((Network::from_tensors(architecture, tensors)?, self.notes))
    }

    fn divide(&mut self, by: &Constant<'_>) -> Result<(), NodeProblem> {
        match by.scalar()? {
            255.0 => self.scale(),
            _ => Err(NodeProblem::Place("pixels are divided by 255, and nothing else is")),
        }
    }

    fn multiply(&mut self, by: &Constant<'_>) -> Result<(), NodeProblem> {
        if by.scalar()? != 1.0 / 255.0 {
            return Err(NodeProblem::Place("pixels are multiplied by 1/255, and nothing else is"));
        }
        self.notes.push(
            "its pixels are multiplied by 1/255 where they are divided by 255 here: they may differ in \
             their last bit"
                .into(),
        );
        self.scale()
    }

    fn scale(&mut self) -> Result<(), NodeProblem> {
        if !self.layers.is_empty() || self.pixels == Pixels::Scaled {
            return Err(NodeProblem::Place("pixels are scaled once, before all layers"));
        }
        self.pixels = Pixels::Scaled;
        Ok(())
    }

    fn flatten(&mut self, node: Node<'_>) -> Result<(), NodeProblem> {
        node.expect_int("axis", 1, "1")?;
        self.reform(self.form.flattened());
        Ok(())
    }

    fn reshape(&mut self, graph: &Graph<'a>, node: Node<'a>) -> Result<(), NodeProblem> {
        node.expect_int("allowzero", 0, "0")?;
        let shape = node.inputs().get(1).map_or("", String::as_str);
        let numbers = match graph.constant_of(shape) {
            Some(constant) => constant?.ints()?,
            None => self.shapes.reshape(graph, shape).ok_or(NodeProblem::NotConstant(2))?,
        };
        let dims = self.form.resolve(&numbers);
        let whole = dims.and_then(|dims| match self.form {
            // Rows that come in are images; rows of images are these again, and no others.
            Form::Row(_) if self.layers.is_empty() && dims.len() > 1 => {
                if std::mem::take(&mut self.are_rows) {
                    self.images = None;
                }
                let images = self.images;
                let is_same = |form: &Form| images.is_none() || form.plane() == images;
                Form::of_input(&dims).filter(is_same)
            }
            form => form.reshaped(&dims),
        });
        let misfit = || NodeProblem::Shape { found: numbers, reads: self.form.to_string() };
        self.reform(whole.ok_or_else(misfit)?);
        Ok(())
    }

    /// Gives images that have none a dimension of channels.
    fn unsqueeze(&mut self, node: Node<'_>, axes: Option<Constant<'_>>) -> Result<(), NodeProblem> {
        let axes = match axes {
            Some(axes) => axes.ints()?,
            None => node.ints("axes").unwrap_or_default().to_vec(),
        };
        let (Form::Plane(ImageShape { height, width }), [axis]) = (self.form, &axes[..]) else {
            return Err(NodeProblem::Place("only images without channels get a dimension of them"));
        };
        let order = match axis {
            1 | -3 => Order::First,
            3 | -1 => Order::Last,
            _ => {
                return Err(NodeProblem::Place(
                    "a dimension of channels is the second or the last",
                ));
            }
        };
        self.form = Form::Image(Image { height, width, channels: 1 }, order);
        Ok(())
    }

    fn convolution(&mut self, graph: &Graph<'a>, node: Node<'a>) -> Result<(), NodeProblem> {
        node.expect_int("group", 1, "1")?;
        let image = self.image()?;
        let weights = graph.constant(node, 1)?;
        let [filters, inputs, height, width] = weights.dims[..] else {
            return Err(weights.misfit("a convolution of images"));
        };
        if inputs != image.channels {
            return Err(weights.misfit(format!("images of {} channels", image.channels)));
        }
        let kernel = rectangle(height, width);
        if window(node, "kernel_shape")?.is_some_and(|said| said != kernel) {
            return Err(weights.misfit("the kernel_shape of the node"));
        }
        let stride = window(node, "strides")?.unwrap_or(rectangle(1, 1));
        let slides = Sliding { window: kernel, stride };
        let padding = padding(node, slides, image)?;
        let values = self.kernel(&weights)?;
        let values = convolution_from_onnx(&values, [filters, inputs, height, width]);
        let bias = graph.optional_constant(node, 2)?;
        self.learn(values, bias, filters)?;
        let activation = Activation::Linear;
        self.push(Layer::Conv2d { filters, kernel, stride, padding, activation });
        self.form = Form::Image(slides.leave(image, filters, padding)?, Order::First);
        Ok(())
    }

    fn pool(&mut self, node: Node<'_>) -> Result<(), NodeProblem> {
        let (is_max, image) = (node.operator() == "MaxPool", self.image()?);
        node.expect_int("ceil_mode", 0, "0")?;
        let missing =
            || NodeProblem::Value { attribute: "no kernel_shape".into(), expected: "a window" };
        let size = window(node, "kernel_shape")?.ok_or_else(missing)?;
        let stride = window(node, "strides")?.unwrap_or(rectangle(1, 1));
        let slides = Sliding { window: size, stride };
        expect_no_padding(node, slides, image)?;
        let stride = Some(stride).filter(|&stride| stride != size);
        self.push(match is_max {
            true => Layer::MaxPool { size, stride },
            false => Layer::AveragePool { size, stride },
        });
        let image = slides.leave(image, image.channels, Padding::Valid)?;
        self.form = Form::Image(image, Order::First);
        Ok(())
    }

    fn gemm(&mut self, graph: &Graph<'a>, node: Node<'a>) -> Result<(), NodeProblem> {
        node.expect_int("transA", 0, "0")?;
        for factor in ["alpha", "beta"] {
            if let Some(found) = node.float(factor).filter(|&found| found != 1.0) {
                let attribute = format!("{factor} {found}");
                return Err(NodeProblem::Value { attribute, expected: "1" });
            }
        }
        let (mut kernel, bias) = (graph.constant(node, 1)?, graph.optional_constant(node, 2)?);
        let mut values = self.kernel(&kernel)?;
        if node.int("transB").is_some_and(|is_transposed| is_transposed != 0) {
            let [units, inputs] = kernel.dims[..] else { return Err(kernel.misfit("rows")) };
            values = transposed(&values, units, inputs);
            kernel.dims = vec![inputs, units];
        }
        self.dense(&kernel, values, bias)
    }

    /// Adds a dense layer whose `kernel`, of inputs × units, has `values`.
    fn dense(
        &mut self,
        kernel: &Constant<'_>,
        mut values: Vec<f32>,
        bias: Option<Constant<'_>>,
    ) -> Result<(), NodeProblem> {
        let ([inputs, units], Form::Row(_) | Form::Flattened(_)) = (&kernel.dims[..], self.form)
        else {
            return Err(kernel.misfit(self.form));
        };
        let (inputs, units) = (*inputs, *units);
        if inputs != self.form.numbers() {
            return Err(kernel.misfit(self.form));
        }
        if let Form::Flattened(image) = self.form {
            values = rows_from_onnx(&values, image, units);
        }
        self.learn(values, bias, units)?;
        self.push(Layer::Dense { units, activation: Activation::Linear });
        self.form = Form::Row(units);
        Ok(())
    }

    /// The numbers of a kernel. Each is of one layer: so the layers have no more than the file.
    fn kernel(&mut self, kernel: &Constant<'a>) -> Result<Vec<f32>, NodeProblem> {
        match self.kernels.insert(kernel.name()) {
            true => kernel.floats(),
            false => Err(kernel.problem("is the kernel of two layers: give each one of its own")),
        }
    }

    /// Keeps a kernel and its `bias` for each of its `outputs`: zeros where there is none.
    fn learn(
        &mut self,
        kernel: Vec<f32>,
        bias: Option<Constant<'_>>,
        outputs: usize,
    ) -> Result<(), NodeProblem> {
        self.awaits_bias = bias.is_none();
        let bias = match bias {
            Some(bias) => bias.biases(outputs)?,
            None => vec![0.0; outputs],
        };
        self.parameters.extend([kernel, bias]);
        Ok(())
    }

    /// Gives the last layer the bias that it has not.
    fn add(&mut self, bias: &Constant<'_>) -> Result<(), NodeProblem> {
        let place = NodeProblem::Place("it adds the bias of a layer, and nothing else");
        if !self.awaits_bias && self.layers.is_empty() && bias.scalar()? == 0.0 {
            return Ok(());
        }
        let outputs = match self.form {
            Form::Image(image, Order::First) => image.channels,
            form => form.numbers(),
        };
        // Channels are before two dimensions that are added to throughout.
        let after = if let Form::Image(..) = self.form { 2 } else { 0 };
        let fits = bias.dims.iter().rev().take(after).all(|&dim| dim == 1)
            && bias.dims.iter().rev().nth(after) == Some(&outputs);
        if !std::mem::replace(&mut self.awaits_bias, false) {
            return Err(place);
        }
        let values = bias.floats()?;
        match self.parameters.last_mut().filter(|_| fits && values.len() == outputs) {
            Some(last) => *last = values,
            None => return Err(bias.misfit(self.form)),
        }
        Ok(())
    }

    /// Gives the last layer its activation.
    fn activate(&mut self, what: Activation) -> Result<(), NodeProblem> {
        self.awaits_bias = false;
        let last = self.layers.iter_mut().rev().find(|layer| !matches!(layer, Layer::Flatten));
        match last {
            Some(Layer::Conv2d { activation, .. } | Layer::Dense { activation, .. })
                if *activation == Activation::Linear =>
            {
                *activation = what;
                Ok(())
            }
            _ => Err(NodeProblem::Place("an activation follows a convolution or a dense layer")),
        }
    }

    fn push(&mut self, layer: Layer) {
        if !matches!(layer, Layer::Conv2d { .. } | Layer::Dense { .. }) {
            self.awaits_bias = false;
        }
        self.layers.push(layer);
    }

    /// The image that comes out, its channels first.
    fn image(&self) -> Result<Image, NodeProblem> {
        let place = NodeProblem::Place("it reads images whose channels come first");
        self.form.channels_first().ok_or(place)
    }

    /// The same numbers come out in another form. A row of the first layer's is no layer.
    fn reform(&mut self, form: Form) {
        let is_row = |form| matches!(form, Form::Row(_) | Form::Flattened(_));
        if is_row(form) && !is_row(self.form) && !self.layers.is_empty() {
            self.push(Layer::Flatten);
        }
        self.form = form;
        if self.layers.is_empty() {
            self.see_images();
        }
    }

    /// Learns from what comes in how large images are; rows are taken for squares.
    fn see_images(&mut self) {
        let images = match self.form {
            Form::Plane(shape) => Some(shape),
            Form::Image(Image { height, width, .. }, _) => Some(ImageShape { height, width }),
            Form::Row(pixels) => {
                let side = pixels.isqrt();
                (side * side == pixels).then_some(ImageShape { height: side, width: side })
            }
            Form::Flattened(_) => None,
        };
        self.images = self.images.or(images);
    }
}

/// In use, nothing is dropped, unless the node is told that it is not in use.
fn dropout(graph: &Graph<'_>, node: Node<'_>) -> Result<(), NodeProblem> {
    match graph.optional_constant(node, 2)?.map(|training| training.bool()).transpose()? {
        Some(true) => {
            let attribute = "a training_mode that is true".into();
            Err(NodeProblem::Value { attribute, expected: "false" })
        }
        Some(false) | None => Ok(()),
    }
}
