//! What exporting and importing need of memory, checked before they begin.

use super::{ExportOptions, ModelFormat, c_header};
use crate::memory::{Need, Shortage};
use crate::model::Network;

/// More than a file has of a tensor beside its numbers: its name, its shape, the layer that it is of.
const BESIDE: usize = 4096;

/// The numbers of `network`, in bytes.
fn numbers(network: &Network) -> usize {
    network.parameter_count().saturating_mul(size_of::<f32>())
}

/// About the bytes of the file of `network` in a binary format, and not fewer.
pub(super) fn file_bytes(network: &Network) -> usize {
    numbers(network) + BESIDE * (network.tensors().len() + 1)
}

/// The same in any format.
fn most_bytes(network: &Network, format: ModelFormat, options: ExportOptions) -> usize {
    match format {
        ModelFormat::CHeader => c_header::most_characters(network, options.int8),
        _ => file_bytes(network),
    }
}

/// Checks that there is memory to put together the file that `network` is exported to.
///
/// # Errors
/// When there is not.
pub(super) fn check_export(
    network: &Network,
    format: ModelFormat,
    options: ExportOptions,
) -> Result<(), Shortage> {
    let numbers = numbers(network);
    let counts = network.tensors().iter().map(|tensor| tensor.values.len());
    let largest = counts.max().unwrap_or(0) * size_of::<f32>();
    // What is there besides while the file is.
    let parts = match format {
        // One tensor after the other.
        ModelFormat::Safetensors | ModelFormat::Npz => largest,
        // All of them, and one in another order.
        ModelFormat::Onnx => numbers + largest,
        ModelFormat::Keras | ModelFormat::KerasWeights => numbers,
        // One kernel in bytes.
        ModelFormat::CHeader => largest,
    };
    Need::default()
        .and("the file", most_bytes(network, format, options) as u128)
        .and("the weights as they are in it", parts as u128)
        .check("the export", "end other programs, or export to .safetensors or .npz")
}

/// Checks that there is memory to read the network in a file of `len` bytes.
///
/// # Errors
/// When there is not.
pub(super) fn check_import(format: ModelFormat, len: u64) -> Result<(), Shortage> {
    let copies = match format {
        // As messages, as a network, as the one that is recorded, and that once more as it would be
        // exported, a kernel in another order.
        ModelFormat::Onnx => 5,
        // Unpacked, and as a network.
        _ => 3,
    };
    Need::default()
        .and("its bytes", len.into())
        .and("its weights", copies * u128::from(len))
        .check("reading the model", "end other programs")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::written_as;
    use super::*;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};

    #[test]
    fn no_file_is_larger_than_what_is_checked() {
        let layers = Sequential::new(ImageShape { height: 6, width: 5 })
            .conv2d(2, 3, Activation::Relu)
            .flatten()
            .dense(300, Activation::Relu)
            .dense(3, Activation::Softmax);
        let drawn = Network::new(layers, 1).unwrap();
        // Of the longest numbers that there are.
        let mut tensors = drawn.tensors().to_vec();
        let longest = f32::from_bits(0x80ff_ffff);
        tensors.iter_mut().for_each(|tensor| tensor.values.fill(longest));
        let longest = Network::from_tensors(drawn.architecture().clone(), tensors).unwrap();
        for network in [drawn, longest] {
            for (format, int8) in [
                (ModelFormat::Onnx, false),
                (ModelFormat::Npz, false),
                (ModelFormat::Safetensors, false),
                (ModelFormat::CHeader, false),
                (ModelFormat::CHeader, true),
                #[cfg(feature = "keras")]
                (ModelFormat::Keras, false),
                #[cfg(feature = "keras")]
                (ModelFormat::KerasWeights, false),
            ] {
                let options = ExportOptions { int8 };
                let written = written_as(format, &network, Path::new("model"), options).unwrap();
                let most = most_bytes(&network, format, options);
                assert!(written.len() <= most, "{format}: {} of {most}", written.len());
            }
        }
    }
}
