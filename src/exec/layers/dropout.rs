//! Dropout (Srivastava and others, 2014): in training, zero in place of a random share of the
//! numbers; those that stay grow in proportion, so that nothing changes on average.

use crate::exec::noise::Noise;
use crate::exec::partition::Division;
use crate::model::Activation;
use crate::rng::Purpose;
use crate::simd::{Isa, Kernel, Simd};
use crate::simd::{LANES, Lanes, zeroed};
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
    pub(crate) fn factors(self, noise: Noise, sample: u32) -> impl Iterator<Item = f32> {
        let mut rng = noise.stream(Purpose::Drop, self.place, sample);
        // Sixteen bits decide: a rate is met within one part in 65,536.
        let threshold = (self.rate * 65_536.0) as u64;
        let kept = 1.0 / (1.0 - self.rate);
        std::iter::repeat_with(move || rng.bits()).flat_map(move |bits| {
            let draw = move |part: u32| (bits >> (16 * part)) & 0xffff;
            (0..4).map(move |part| if draw(part) < threshold { 0.0 } else { kept })
        })
    }
}

/// One member's dropout between dense layers, on panels as theirs.
pub(crate) struct DropPanels {
    dropout: Dropout,
    /// As that of the layer below.
    pub(crate) division: Division,
    member: usize,
    /// The factors of the minibatch, in panels; each member has all that it needs.
    factors: Vec<Lanes>,
}

impl DropPanels {
    /// Dropout of what a layer of `division` puts out.
    pub(crate) fn new(dropout: Dropout, division: Division, member: usize) -> Self {
        let factors = zeroed(division.groups() * division.batch);
        Self { dropout, division, member, factors }
    }

    /// y = x · factor, the member's parts.
    pub(crate) fn forward(
        &mut self,
        isa: Isa,
        (noise, samples): (Noise, &[u32]),
        input: &Reader<'_>,
        output: &mut Writer<'_>,
    ) {
        let Self { dropout, division, member, factors } = self;
        for (sample, &index) in samples.iter().enumerate() {
            for (unit, factor) in dropout.factors(noise, index).take(division.units).enumerate() {
                factors[unit / LANES * division.batch + sample].0[unit % LANES] = factor;
            }
        }
        isa.run(Multiply {
            division,
            member: *member,
            samples: samples.len(),
            factors,
            input,
            output,
        });
    }

    /// dz of the layer below: dy · factor · activation′(x), the member's parts.
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
    division: &'a Division,
    member: usize,
    samples: usize,
    factors: &'a [Lanes],
    input: &'a Reader<'a>,
    output: &'a mut Writer<'w>,
}

impl Kernel for Multiply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { division, member, samples, factors, input, output } = self;
        let part = division.part(member, samples);
        for group in part.groups {
            for sample in part.samples.clone() {
                let at = group * division.batch + sample;
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
        let DropPanels { division, member, factors, .. } = layer;
        let part = division.part(*member, samples);
        for group in part.groups {
            for sample in part.samples.clone() {
                let at = group * division.batch + sample;
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
        let noise = Noise { seed: 1, epoch: 2 };
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
            dropout.factors(Noise { seed, epoch }, sample).take(64).collect()
        };
        let drawn = draw(0, 1, 1, 1);
        assert_eq!(drawn, draw(0, 1, 1, 1));
        for other in [draw(1, 1, 1, 1), draw(0, 2, 1, 1), draw(0, 1, 2, 1), draw(0, 1, 1, 2)] {
            assert_ne!(drawn, other);
        }
    }
}
