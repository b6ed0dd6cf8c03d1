//! What exporting and importing need of memory, checked before they begin.

use super::{ExportOptions, ModelFormat, c_header};
use crate::memory::{Need, Shortage, reserve};
use crate::model::{Network, NetworkRecord};

/// More than a file has of a tensor beside its numbers, and of a layer beside its tensors: a name, a
/// shape, a node, settings.
const BESIDE: u128 = 4096;

/// The numbers of `network`, in bytes.
fn numbers(network: &Network) -> u128 {
    network.parameter_count() as u128 * size_of::<f32>() as u128
}

/// About the bytes of the file of `network` in a binary format, and not fewer.
fn file_bytes(network: &Network) -> u128 {
    let parts = network.tensors().len() + network.architecture().layers().len() + 1;
    // A network of which JSON says nothing is not written.
    let record = NetworkRecord::of(network).text().map_or(0, |text| text.len());
    // As a text in JSON, each of its characters may take two.
    numbers(network) + BESIDE * parts as u128 + 2 * record as u128
}

/// The same in any format.
fn most_bytes(network: &Network, format: ModelFormat, options: ExportOptions) -> u128 {
    match format {
        ModelFormat::CHeader => c_header::most_characters(network, options.int8),
        _ => file_bytes(network),
    }
}

/// The size of a buffer of so many bytes: where there is none as large, the largest.
pub(super) fn buffer_size(bytes: u128) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// An empty buffer that the file of `network` in a binary format fits in.
///
/// # Errors
/// When the system refuses it.
pub(super) fn room_for_file(network: &Network) -> Result<Vec<u8>, Shortage> {
    let mut room = Vec::new();
    reserve(&mut room, buffer_size(file_bytes(network)), ("the export", "the file"))?;
    Ok(room)
}

/// A copy of the `bytes` of a model file.
///
/// # Errors
/// When the system refuses it.
#[cfg(feature = "keras")]
pub(super) fn copied(bytes: &[u8]) -> Result<Vec<u8>, Shortage> {
    let mut copy = Vec::new();
    reserve(&mut copy, bytes.len(), ("reading the model", "its bytes"))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
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
    let counts = network.tensors().iter().map(|tensor| tensor.values.len() as u128);
    let largest = counts.max().unwrap_or(0) * size_of::<f32>() as u128;
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
    let advice = match format {
        // Nothing takes less.
        ModelFormat::Safetensors | ModelFormat::Npz => "end other programs",
        _ => "end other programs, or export to .safetensors or .npz",
    };
    Need::default()
        .and("the file", most_bytes(network, format, options))
        .and("the weights as they are in it", parts)
        .check("the export", advice)
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
    use crate::data::ClassNames;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};

    /// A network of many layers without tensors, and as many classes as there can be, whose names are
    /// as long as they can be, of such characters.
    fn of_much_beside_weights(character: char) -> Network {
        let mut layers = Sequential::new(ImageShape { height: 2, width: 2 });
        for _ in 0..500 {
            layers = layers.max_pool(1).dropout(0.123_456_79);
        }
        let name = |class| format!("{class:03}{}", character.to_string().repeat(61));
        let names = ClassNames::new((0..256).map(name)).unwrap();
        let layers = layers.dense(256, Activation::Softmax);
        Network::new(layers, 1).unwrap().with_class_names(names).unwrap()
    }

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
        // What takes the most in C, and what takes the most as JSON in JSON.
        let [escaped, quoted] = ['\u{1f600}', '"'].map(of_much_beside_weights);
        for network in [drawn, longest, escaped, quoted] {
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
                assert!(written.len() as u128 <= most, "{format}: {} of {most}", written.len());
            }
        }
    }
}
