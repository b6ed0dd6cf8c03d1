//! Start values of parameters.

use super::network::WEIGHTS;
use crate::memory::{Shortage, reserve};
use crate::rng::{Rng, Stream};

/// Glorot-uniform (Glorot and Bengio, 2010), Keras's default for kernels: uniform in ± √(6 /
/// (fan in + fan out)). Tensor number `index` of the network draws from a stream of its own.
///
/// # Errors
/// When the system refuses the memory.
pub(super) fn glorot_uniform(
    shape: &[usize],
    seed: u64,
    index: usize,
) -> Result<Vec<f32>, Shortage> {
    // All but the last two dimensions of a kernel are its receptive field.
    let (fan_out, rest) = shape.split_last().map_or((1, &[][..]), |(&units, rest)| (units, rest));
    let (inputs, field) =
        rest.split_last().map_or((1, &[][..]), |(&inputs, field)| (inputs, field));
    let field: usize = field.iter().product();
    let limit = (6.0 / (field * (inputs + fan_out)) as f64).sqrt() as f32;
    let mut rng = Rng::stream(seed, Stream::Initialise, index as u64);
    let count = shape.iter().product();
    let mut values = Vec::new();
    reserve(&mut values, count, WEIGHTS)?;
    values.extend((0..count).map(|_| (2.0 * rng.unit() - 1.0) * limit));
    Ok(values)
}
