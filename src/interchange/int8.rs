//! Kernels in bytes: post-training quantisation, symmetric, with a scale for each output.
//!
//! A weight w of output u becomes the whole number nearest to w / scale(u), where scale(u) is the
//! greatest |w| of that output over 127; zero stays zero. Biases stay as they are, and so does all that
//! is computed of them: weights are what takes the room.

use crate::model::{Network, NetworkError, Tensor, check_memory};

/// A kernel in bytes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Int8Kernel {
    /// From -127 to 127, in the order of the kernel.
    pub values: Vec<i8>,
    /// What the numbers of each output are multiples of.
    pub scales: Vec<f32>,
}

/// The greatest number: as far above zero as the least is below.
const GREATEST: f32 = 127.0;

impl Int8Kernel {
    /// The nearest to `kernel`, whose last dimension is that of the outputs.
    #[must_use]
    pub fn nearest(kernel: &Tensor) -> Self {
        let outputs = kernel.shape.last().copied().unwrap_or(1).max(1);
        let mut scales = vec![0.0_f32; outputs];
        for row in kernel.values.chunks(outputs) {
            for (scale, weight) in scales.iter_mut().zip(row) {
                *scale = scale.max(weight.abs() / GREATEST);
            }
        }
        let whole = |(weight, &scale): (&f32, &f32)| match scale > 0.0 {
            true => (weight / scale).round().clamp(-GREATEST, GREATEST) as i8,
            false => 0,
        };
        let rows = kernel.values.chunks(outputs);
        let values = rows.flat_map(|row| row.iter().zip(&scales).map(whole)).collect();
        Self { values, scales }
    }

    /// What is left of the kernel.
    fn weights(&self) -> Vec<f32> {
        let rows = self.values.chunks(self.scales.len());
        // A scale that was rounded up may lead beyond the greatest weight that there is.
        let weight =
            |(&value, &scale): (&i8, &f32)| (f32::from(value) * scale).clamp(f32::MIN, f32::MAX);
        rows.flat_map(|row| row.iter().zip(&self.scales).map(weight)).collect()
    }
}

/// Whether `tensor` is one of those that become bytes.
pub(super) fn is_kernel(tensor: &Tensor) -> bool {
    tensor.name.ends_with(".kernel")
}

/// The network that `network` is when its kernels are in bytes: to be evaluated, so that what that costs
/// is known.
///
/// # Errors
/// When there is too little memory for it, or a weight that is left is not finite.
pub fn quantised(network: &Network) -> Result<Network, NetworkError> {
    check_memory(network.architecture())?;
    let tensors = network.tensors().iter().map(|tensor| match is_kernel(tensor) {
        true => Tensor { values: Int8Kernel::nearest(tensor).weights(), ..tensor.clone() },
        false => tensor.clone(),
    });
    let quantised = Network::from_tensors(network.architecture().clone(), tensors.collect())?;
    match network.class_names() {
        Some(names) => quantised.with_class_names(names.clone()),
        None => Ok(quantised),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor { name: "dense.kernel".into(), shape: shape.into(), values: values.into() }
    }

    #[test]
    fn each_output_has_a_scale_of_its_own() {
        let tensor = kernel(&[3, 3], &[1.27, 0.0, -4e9, -0.5, 0.0, 1e9, 0.004, 0.0, 0.0]);
        let Int8Kernel { values, scales } = Int8Kernel::nearest(&tensor);
        assert_eq!(values, [127, 0, -127, -50, 0, 32, 0, 0, 0]);
        assert_eq!(scales[1], 0.0);
    }

    #[test]
    fn no_weight_is_farther_than_half_a_scale() {
        let weights: Vec<f32> = (0..300).map(|i| ((i * 7919) % 601) as f32 / 300.0 - 1.0).collect();
        let tensor = kernel(&[100, 3], &weights);
        let nearest = Int8Kernel::nearest(&tensor);
        let rounding = 1.0 + 4.0 * f32::EPSILON;
        for (place, (left, weight)) in nearest.weights().iter().zip(&weights).enumerate() {
            assert!((left - weight).abs() <= 0.5 * nearest.scales[place % 3] * rounding, "{place}");
        }
    }

    #[test]
    fn the_least_and_the_greatest_numbers_do_no_harm() {
        let least = kernel(&[2, 1], &[f32::from_bits(1), -f32::from_bits(1)]);
        assert_eq!(Int8Kernel::nearest(&least).values, [0, 0], "their scale is zero");
        let greatest = kernel(&[2, 1], &[f32::MAX, f32::MIN]);
        assert!(Int8Kernel::nearest(&greatest).weights().iter().all(|weight| weight.is_finite()));
    }
}
