//! Dropout (Srivastava and others, 2014): in training, zero in place of a random share of the
//! numbers; those that stay grow in proportion, so that nothing changes on average.

use crate::exec::noise::SampleStreams;
use crate::exec::partition::Partition;
use crate::model::Activation;
use crate::rng::Stream;
use crate::simd::{F32x16, LANES, zeroed};
use crate::simd::{Isa, Kernel, Simd};
use crate::sync::{Reader, Writer};

/// What is dropped, and where in the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    pub(crate) rate: f32,
    /// Which of the network's layers it is, so that each drops others.
    pub(crate) place: usize,
}

impl Dropout {
    /// By what each number of `sample` is multiplied, in order.
    pub(crate) fn factors(self, noise: SampleStreams, sample: u32) -> impl Iterator<Item = f32> {
        let mut rng = noise.stream(Stream::Dropout, self.place, sample);
        // Sixteen bits decide: a rate is met within one part in 65,536.
        let threshold = (self.rate * 65_536.0) as u64;
        let kept = 1.0 / (1.0 - self.rate);
        std::iter::repeat_with(move || rng.bits()).flat_map(move |bits| {
            let draw = move |part: u32| (bits >> (16 * part)) & 0xffff;
            (0..4).map(move |part| if draw(part) < threshold { 0.0 } else { kept })
        })
    }
}

/// One rank's dropout between dense layers, on panels as theirs.
pub(crate) struct DropPanels {
    dropout: Dropout,
    /// As that of the layer below.
    pub(crate) division: Partition,
    rank: usize,
    /// The factors of the minibatch, in panels; each rank has all that it needs.
    factors: Vec<F32x16>,
}

impl DropPanels {
    /// Dropout of what a layer of `division` puts out.
    pub(crate) fn new(dropout: Dropout, division: Partition, rank: usize) -> Self {
        let factors = zeroed(division.column_blocks() * division.batch);
        Self { dropout, division, rank, factors }
    }

    /// y = x · factor, the rank's parts.
    pub(crate) fn forward(
        &mut self,
        isa: Isa,
        (noise, samples): (SampleStreams, &[u32]),
        input: &Reader<'_>,
        output: &mut Writer<'_>,
    ) {
        let Self { dropout, division, rank, factors } = self;
        for (sample, &index) in samples.iter().enumerate() {
            for (unit, factor) in dropout.factors(noise, index).take(division.units).enumerate() {
                factors[unit / LANES * division.batch + sample].0[unit % LANES] = factor;
            }
        }
        isa.run(Multiply { division, rank: *rank, samples: samples.len(), factors, input, output });
    }

    /// dz of the layer below: dy · factor · activation′(x), the rank's parts.
    pub(crate) fn backward(
        &self,
        isa: Isa,
        samples: usize,
        dy: &Reader<'_>,
        (activation, input): (Activation, &Reader<'_>),
        gradient: &mut Writer<'_>,
    ) {
        isa.run(Backward { layer: self, samples, dy, activation, input, gradient });
    }
}

struct Multiply<'a, 'w> {
    division: &'a Partition,
    rank: usize,
    samples: usize,
    factors: &'a [F32x16],
    input: &'a Reader<'a>,
    output: &'a mut Writer<'w>,
}

impl Kernel for Multiply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { division, rank, samples, factors, input, output } = self;
        let part = division.part(rank, samples);
        for block in part.blocks {
            for sample in part.samples.clone() {
                let at = block * division.batch + sample;
                let product = s.mul(s.load(&input[at]), s.load(&factors[at]));
                s.store(product, output.at(at));
            }
        }
    }
}

struct Backward<'a, 'w> {
    layer: &'a DropPanels,
    samples: usize,
    dy: &'a Reader<'a>,
    activation: Activation,
    input: &'a Reader<'a>,
    gradient: &'a mut Writer<'w>,
}

impl Kernel for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, samples, dy, activation, input, gradient } = self;
        let DropPanels { division, rank, factors, .. } = layer;
        let part = division.part(*rank, samples);
        for block in part.blocks {
            for sample in part.samples.clone() {
                let at = block * division.batch + sample;
                let dx = s.mul(s.load(&dy[at]), s.load(&factors[at]));
                let x = s.load(&input[at]);
                s.store(activation.backward(s, x, dx), gradient.at(at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_dropped_and_the_mean_stays() {
        let noise = SampleStreams { seed: 1, epoch: 2 };
        for rate in [0.0, 0.25, 0.5, 0.9] {
            let dropout = Dropout { rate, place: 1 };
            let factors: Vec<f32> = dropout.factors(noise, 3).take(40_000).collect();
            let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
            assert!((dropped as f32 / 40_000.0 - rate).abs() < 0.01, "{dropped} at {rate}");
            let mean = factors.iter().sum::<f32>() / 40_000.0;
            assert!((mean - 1.0).abs() < 0.05, "{mean} at {rate}");
        }
    }

    #[test]
    fn each_sample_epoch_and_layer_drops_others() {
        let draw = |seed, epoch, place, sample| -> Vec<f32> {
            let dropout = Dropout { rate: 0.5, place };
            dropout.factors(SampleStreams { seed, epoch }, sample).take(64).collect()
        };
        let drawn = draw(0, 1, 1, 1);
        assert_eq!(drawn, draw(0, 1, 1, 1));
        for other in [draw(1, 1, 1, 1), draw(0, 2, 1, 1), draw(0, 1, 2, 1), draw(0, 1, 1, 2)] {
            assert_ne!(drawn, other);
        }
    }
}
