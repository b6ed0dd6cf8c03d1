//! Which functions a header needs, and how `predict` calls them.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Options, array_name, scales_name};
use crate::kernels::conv::Steps;
use crate::model::{Activation, Layer, LayerSpec, Network, Padding, ParameterSpec, Shape, Window};

/// A function that a header may have, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    Window,
    Finish,
    Conv2d,
    Dense,
    MaxPool,
    AveragePool,
    Relu,
    Sigmoid,
    Softmax,
}

impl Function {
    /// Its text in a header.
    pub(super) fn text(self, Options { name, int8 }: &Options) -> String {
        let text = match self {
            Self::Window => include_str!("functions/window.c"),
            Self::Finish => include_str!("functions/finish.c"),
            Self::Conv2d => include_str!("functions/conv2d.c"),
            Self::Dense => include_str!("functions/dense.c"),
            Self::MaxPool => include_str!("functions/max_pool.c"),
            Self::AveragePool => include_str!("functions/average_pool.c"),
            Self::Relu => include_str!("functions/relu.c"),
            Self::Sigmoid => include_str!("functions/sigmoid.c"),
            Self::Softmax => include_str!("functions/softmax.c"),
        };
        let [weights, weight, start] = match int8 {
            true => [
                "const signed char *kernel,\n    const float *scales, const float *bias",
                "(float)kernel[",
                "0.0f",
            ],
            false => ["const float *kernel,\n    const float *bias", "kernel[", "bias[f]"],
        };
        let is_needed = |line: &&str| *int8 || !line.contains("NAME_finish");
        let text: String = text.split_inclusive('\n').filter(is_needed).collect();
        text.replace("WEIGHTS", weights)
            .replace("WEIGHT[", weight)
            .replace("START", start)
            .replace("NAME", name)
    }
}

/// What `predict` does, line by line.
pub(super) struct Calls {
    /// The functions that it calls.
    pub(super) functions: BTreeSet<Function>,
    /// How many numbers each of its two buffers holds.
    pub(super) buffers: [usize; 2],
    body: String,
    pixels: usize,
    classes: usize,
    /// In which of the buffers the last layer leaves its sums.
    last: usize,
}

/// What the two buffers are called.
const BUFFERS: [&str; 2] = ["one", "other"];

impl Calls {
    /// Those for `network`.
    pub(super) fn of(network: &Network, options: &Options) -> Self {
        let architecture = network.architecture();
        let pixels = architecture.input_shape().numbers();
        let mut calls = Self {
            functions: BTreeSet::from([Function::Softmax]),
            buffers: [pixels, 1],
            body: String::new(),
            pixels,
            classes: architecture.classes(),
            last: 0,
        };
        if options.int8 {
            calls.functions.insert(Function::Finish);
        }
        let last = architecture.layers().len() - 1;
        for (number, spec) in architecture.layers().iter().enumerate() {
            calls.layer(spec, options);
            // Of the last layer, it is the sums that are wanted.
            match spec.layer.activation().filter(|_| number < last) {
                Some(Activation::Relu) => calls.activation(Function::Relu, "relu", spec, options),
                Some(Activation::Sigmoid) => {
                    calls.activation(Function::Sigmoid, "sigmoid", spec, options);
                }
                _ => {}
            }
        }
        calls
    }

    fn layer(&mut self, spec: &LayerSpec, options: &Options) {
        let Options { name, .. } = options;
        match (spec.layer, &spec.parameters) {
            (Layer::Conv2d { kernel, stride, padding, .. }, Some(parameters)) => {
                self.functions.extend([Function::Window, Function::Conv2d]);
                let window = window(spec, kernel, stride, padding);
                let [from, to] = self.next(spec.output);
                let weights = weights(parameters, options);
                self.slide(&window, &format!("{name}_conv2d({from}, {to}, &w, {weights})"), name);
            }
            (Layer::MaxPool { size, stride }, _) => {
                self.functions.extend([Function::Window, Function::MaxPool]);
                let window = window(spec, size, stride.unwrap_or(size), Padding::Valid);
                let [from, to] = self.next(spec.output);
                self.slide(&window, &format!("{name}_max_pool({from}, {to}, &w)"), name);
            }
            (Layer::AveragePool { size, stride }, _) => {
                self.functions.extend([Function::Window, Function::AveragePool]);
                let window = window(spec, size, stride.unwrap_or(size), Padding::Valid);
                let [from, to] = self.next(spec.output);
                self.slide(&window, &format!("{name}_average_pool({from}, {to}, &w)"), name);
            }
            (Layer::Dense { units, .. }, Some(parameters)) => {
                self.functions.insert(Function::Dense);
                let inputs = spec.input.numbers();
                let [from, to] = self.next(spec.output);
                let weights = weights(parameters, options);
                self.line(&format!("{name}_dense({from}, {inputs}, {to}, {units}, {weights});"));
            }
            // A flattening leaves all numbers where they are, and dropout is for training alone.
            _ => {}
        }
    }

    fn activation(&mut self, function: Function, what: &str, spec: &LayerSpec, options: &Options) {
        self.functions.insert(function);
        let (count, values) = (spec.output.numbers(), BUFFERS[self.last]);
        self.line(&format!("{}_{what}({values}, {count});", options.name));
    }

    /// The buffer that has what the last layer put out, and that for `output` of the next one.
    fn next(&mut self, output: Shape) -> [&'static str; 2] {
        let from = self.last;
        self.last = 1 - from;
        self.buffers[self.last] = self.buffers[self.last].max(output.numbers());
        [BUFFERS[from], BUFFERS[self.last]]
    }

    /// Adds a call with the window `w`.
    fn slide(&mut self, window: &str, call: &str, name: &str) {
        self.line(&format!("{{\n        static const {name}_window w = {{{window}}};"));
        self.line(&format!("    {call};\n    }}"));
    }

    fn line(&mut self, line: &str) {
        // Nothing can be done about a string that cannot grow.
        let _ = writeln!(self.body, "    {line}");
    }

    /// The function that reads an image.
    pub(super) fn predict(&self, name: &str) -> String {
        let Self { buffers: [one, other], body, pixels, classes, last, .. } = self;
        let (upper, logits) = (name.to_uppercase(), BUFFERS[*last]);
        format!(
            "/* Reads an image: see the beginning of this file. */\n\
             static inline int {name}_predict(const unsigned char *pixels, float *probabilities)\n\
             {{\n    \
                 {upper}_BUFFER float one[{one}];\n    \
                 {upper}_BUFFER float other[{other}];\n    \
                 for (long i = 0; i < {pixels}; i++) {{\n        \
                     one[i] = (float)pixels[i] / 255.0f;\n    \
                 }}\n\
             {body}    \
                 return {name}_softmax({logits}, {classes}, probabilities);\n\
             }}\n"
        )
    }
}

/// The arrays of a layer, as arguments.
fn weights([kernel, bias]: &[ParameterSpec; 2], Options { name, int8 }: &Options) -> String {
    let scales = if *int8 { scales_name(name, &kernel.name) + ", " } else { String::new() };
    let [kernel, bias] = [kernel, bias].map(|array| array_name(name, &array.name));
    format!("{kernel}, {scales}{bias}")
}

/// The fields of a window that slides over what `spec` reads.
fn window(spec: &LayerSpec, size: Window, stride: Window, padding: Padding) -> String {
    let (
        Shape::Image { height, width, channels },
        Shape::Image { height: rows, width: columns, channels: filters },
    ) = (spec.input, spec.output)
    else {
        // Layers of a checked architecture that slide see images.
        return String::new();
    };
    let before = |length, size, stride| {
        Steps::new(length, size, stride, padding).map_or(0, |steps| steps.before)
    };
    let above = before(height, size.height, stride.height);
    let left = before(width, size.width, stride.width);
    format!(
        "{height}, {width}, {channels}, {rows}, {columns}, {filters}, {}, {}, {}, {}, {above}, {left}",
        size.height, size.width, stride.height, stride.width
    )
}
