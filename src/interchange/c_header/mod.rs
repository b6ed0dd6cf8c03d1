//! A network as a C99 header without dependencies: its weights as constants, and a function that reads
//! an image with them.
//!
//! The functions of the layers are in `functions/`, as they are written but for a few words: `NAME` is
//! what all that a header defines begins with, `WEIGHTS`, `WEIGHT` and `START` are what the kernels are
//! and what sums begin with, and lines with `NAME_finish` are for weights in bytes.

mod calls;
mod numbers;

use std::fmt::Write;
use std::path::Path;

use super::error::Problem;
use super::int8::{Int8Kernel, is_kernel};
use super::memory::buffer_size;
use crate::memory::Shortage;
use crate::model::{Network, Tensor};
use calls::Calls;

/// How a header is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    /// What all names in it begin with.
    pub(super) name: String,
    /// Whether kernels are in bytes: see [`int8`](super::int8).
    pub(super) int8: bool,
}

/// Up to so many bytes, what a layer puts out is kept on the stack.
const MOST_ON_STACK: usize = 64 << 10;

/// More characters than a weight takes, with its part of the line.
const CHARACTERS: u128 = 20;

/// The same of one in bytes.
const CHARACTERS_OF_BYTE: u128 = 7;

/// More characters than a header has of a tensor beside its numbers, or of nothing of one.
const CHARACTERS_BESIDE: u128 = 16 << 10;

/// More characters than a header has of a layer without tensors.
const CHARACTERS_OF_LAYER: u128 = 2 << 10;

/// The most characters that a byte of a name takes, escaped.
const CHARACTERS_OF_ESCAPE: u128 = 4;

/// More characters than the name of a class takes beside its bytes, and one that is a number at all.
const CHARACTERS_BESIDE_NAME: u128 = 20;

/// What names begin with in the header at `path`: the name of the file, as far as C has such names.
pub(super) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    // C++ keeps names with two underscores in a row to itself.
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("_");
    match name.chars().next() {
        Some(first) if first.is_ascii_lowercase() => name,
        Some(_) => format!("model_{name}"),
        None => "model".into(),
    }
}

/// About the characters of the header of `network`, and not fewer.
pub(super) fn most_characters(network: &Network, int8: bool) -> u128 {
    let each = network.tensors().iter().map(|tensor| {
        let weights = tensor.values.len() as u128;
        let outputs = tensor.shape.last().copied().unwrap_or(1) as u128;
        CHARACTERS_BESIDE
            + match int8 && is_kernel(tensor) {
                true => weights * CHARACTERS_OF_BYTE + outputs * CHARACTERS,
                false => weights * CHARACTERS,
            }
    });
    let architecture = network.architecture();
    let layers = architecture.layers().len() as u128 * CHARACTERS_OF_LAYER;
    let names = network.class_names().map_or(0, |names| {
        let bytes = names.iter().map(|name| name.len() as u128).sum::<u128>();
        bytes * CHARACTERS_OF_ESCAPE + architecture.classes() as u128 * CHARACTERS_BESIDE_NAME
    });
    CHARACTERS_BESIDE + each.sum::<u128>() + layers + names
}

/// The header of `network`, whose text depends on the network and the options alone.
///
/// # Errors
/// When there is no memory for it.
pub(super) fn write(network: &Network, options: &Options) -> Result<String, Problem> {
    let most = buffer_size(most_characters(network, options.int8));
    let mut text = String::new();
    text.try_reserve_exact(most).map_err(|_| Shortage::refused("the export", "the file", most))?;
    let Options { name, int8 } = options;
    let calls = Calls::of(network, options);
    let guard = format!("{}_H", name.to_uppercase());
    text.push_str(&comment(network, options, &calls));
    let push = |text: &mut String, part: &str| {
        text.push('\n');
        text.push_str(part);
    };
    push(&mut text, &format!("#ifndef {guard}\n#define {guard}\n\n#include <math.h>\n"));
    push(&mut text, &buffer(&name.to_uppercase(), calls.buffers));
    for tensor in network.tensors() {
        text.push('\n');
        constants(&mut text, name, tensor, *int8);
    }
    for function in &calls.functions {
        push(&mut text, &function.text(options));
    }
    if let Some(names) = network.class_names() {
        let classes = network.architecture().classes();
        push(&mut text, &class_function(name, (0..classes).map(|class| names.name(class))));
    }
    push(&mut text, &calls.predict(name));
    push(&mut text, "#endif\n");
    Ok(text)
}

/// What a reader of the header is told first.
fn comment(network: &Network, Options { name, int8 }: &Options, calls: &Calls) -> String {
    let architecture = network.architecture();
    let (layers, input) = (architecture.to_string().replace('×', "x"), architecture.input());
    let (height, width, classes) = (input.height, input.width, architecture.classes());
    let weights = match int8 {
        true => {
            "Kernels are in bytes, quantised after training, with a scale for each output; biases and all \
             sums are in float."
        }
        false => "Weights are exact.",
    };
    let buffers = calls.buffers.iter().sum::<usize>() * size_of::<f32>();
    let upper = name.to_uppercase();
    let place = match buffers <= MOST_ON_STACK {
        true => format!(
            "on the stack; with #define {upper}_BUFFER static before this is included they are static, and \
             then one thread at a time may call."
        ),
        false => "static: one thread at a time may call.".into(),
    };
    let lines = format!(
        "{layers}, as a function in C99.\n\n\
         int {name}_predict(const unsigned char *pixels, float *probabilities) reads the {height} x {width} \
         grey levels of an image, row by row, white ink on black ground as the network was trained on. It \
         returns the class, 0 to {}, and writes the {classes} probabilities of the classes (the softmax of \
         the logits), unless that is a null pointer.\n\n\
         {weights} What layers put out takes {buffers} bytes {place} Link with -lm. Each file that includes \
         this has weights of its own.",
        classes - 1
    );
    let mut comment = String::from("/*\n");
    for line in lines.lines() {
        wrap(line, &mut comment);
    }
    comment + " */\n"
}

/// Adds `line` in lines of a comment that are not too long.
fn wrap(line: &str, comment: &mut String) {
    const WIDTH: usize = 96;
    let mut width = 0;
    for word in line.split_whitespace() {
        if width == 0 || width + word.len() >= WIDTH {
            comment.push_str(if width == 0 { " *" } else { "\n *" });
            width = 2;
        }
        comment.push(' ');
        comment.push_str(word);
        width += 1 + word.len();
    }
    comment.push_str(if width == 0 { " *\n" } else { "\n" });
}

/// Where buffers are, unless the program says it.
fn buffer(upper: &str, buffers: [usize; 2]) -> String {
    let is_small = buffers.iter().sum::<usize>() * size_of::<f32>() <= MOST_ON_STACK;
    let place = if is_small { "" } else { " static" };
    format!("#ifndef {upper}_BUFFER\n#define {upper}_BUFFER{place}\n#endif\n")
}

/// Writes the numbers of `tensor`, a kernel as bytes and scales if that is wanted.
fn constants(text: &mut String, name: &str, tensor: &Tensor, int8: bool) {
    let array = array_name(name, &tensor.name);
    if !(int8 && is_kernel(tensor)) {
        return numbers::floats(text, &array, &tensor.values);
    }
    let Int8Kernel { values, scales } = Int8Kernel::nearest(tensor);
    numbers::bytes(text, &array, &values);
    text.push('\n');
    numbers::floats(text, &scales_name(name, &tensor.name), &scales);
}

/// What the array of the tensor `tensor` is called.
fn array_name(name: &str, tensor: &str) -> String {
    format!("{name}_{}", tensor.replace('.', "_"))
}

/// What the scales of the kernel `tensor` are called.
fn scales_name(name: &str, tensor: &str) -> String {
    array_name(name, &tensor.replace(".kernel", ".scales"))
}

/// A function that says what a class is called.
fn class_function<'a>(
    name: &str,
    classes: impl Iterator<Item = std::borrow::Cow<'a, str>>,
) -> String {
    let mut text = format!(
        "/* What a class is called, in UTF-8. */\nstatic inline const char *{name}_class(int label)\n{{\n    \
         static const char *const names[] = {{\n"
    );
    for class in classes {
        let _ = writeln!(text, "        {},", numbers::string(&class));
    }
    text + "    };\n    return names[label];\n}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_c_has() {
        for (path, name) in [
            ("out/Mnist.h", "mnist"),
            ("my-digits 2.h", "my_digits_2"),
            ("3.h", "model_3"),
            ("_x__y_.h", "x_y"),
            ("ü.h", "model"),
        ] {
            assert_eq!(name_of(Path::new(path)), name);
        }
    }
}
