//! Kernels between the layouts of Keras, which are ours, and those of ONNX: there the numbers of an
//! image stand channel by channel.

use crate::model::Shape;

/// A kernel of a convolution, ours of height × width × inputs × filters, as filters × inputs × height ×
/// width.
pub(super) fn convolution_to_onnx(values: &[f32], dims: [usize; 4]) -> Vec<f32> {
    permute(values, dims, [3, 2, 0, 1])
}

/// A kernel of a convolution, of filters × inputs × height × width, as ours.
pub(super) fn convolution_from_onnx(values: &[f32], dims: [usize; 4]) -> Vec<f32> {
    permute(values, dims, [2, 3, 1, 0])
}

/// The kernel of a dense layer of `units` that reads `image`, whose rows come in our order of its
/// numbers, with its rows in the order of channels-first.
pub(super) fn rows_to_onnx(values: &[f32], image: Image, units: usize) -> Vec<f32> {
    let Image { height, width, channels } = image;
    permute(values, [height, width, channels, units], [2, 0, 1, 3])
}

/// The kernel of a dense layer whose rows come in the order of channels-first, with its rows in ours.
pub(super) fn rows_from_onnx(values: &[f32], image: Image, units: usize) -> Vec<f32> {
    let Image { height, width, channels } = image;
    permute(values, [channels, height, width, units], [1, 2, 0, 3])
}

/// A matrix of `rows` × `columns`, with both changed for each other.
pub(super) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    permute(values, [1, 1, rows, columns], [0, 1, 3, 2])
}

/// The extent of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl Image {
    /// That of `shape`, if it is one of images.
    pub(super) fn of(shape: Shape) -> Option<Self> {
        match shape {
            Shape::Image { height, width, channels } => Some(Self { height, width, channels }),
            Shape::Vector(_) => None,
        }
    }

    /// How many numbers an image is.
    pub(super) fn numbers(self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }

    /// Whether its numbers come in one order, channels first or last.
    pub(super) fn has_one_order(self) -> bool {
        self.channels == 1 || self.height.saturating_mul(self.width) == 1
    }
}

/// The array `values` of `dims`, row-major, whose dimension i becomes what its dimension `order[i]` was.
fn permute(values: &[f32], dims: [usize; 4], order: [usize; 4]) -> Vec<f32> {
    // Beside a dimension of nothing, others may be of any size.
    if values.is_empty() {
        return Vec::new();
    }
    let strides = [dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1];
    let [a, b, c, d] = order.map(|dim| 0..dims[dim]);
    let [p, q, r, s] = order.map(|dim| strides[dim]);
    let mut permuted = Vec::with_capacity(values.len());
    for (i, j) in a.flat_map(|i| b.clone().map(move |j| (i, j))) {
        for k in c.clone() {
            let start = i * p + j * q + k * r;
            permuted.extend(d.clone().map(|l| values[start + l * s]));
        }
    }
    permuted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_there_comes_back() {
        let (image, units) = (Image { height: 2, width: 3, channels: 4 }, 5);
        let values: Vec<f32> = (0..120).map(|number| number as f32).collect();
        let there = convolution_to_onnx(&values, [2, 3, 4, 5]);
        // Filter 1, input 0, the second position of the first row.
        assert_eq!(there[24 + 1], values[4 * 5 + 1]);
        assert_eq!(convolution_from_onnx(&there, [5, 4, 2, 3]), values);
        let there = rows_to_onnx(&values, image, units);
        assert_eq!(there[6 * 5..7 * 5], values[5..10], "channel 1 of the first position");
        assert_eq!(rows_from_onnx(&there, image, units), values);
        assert_eq!(
            transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
    }
}
