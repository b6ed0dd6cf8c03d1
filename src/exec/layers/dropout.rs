//! Dropout (Srivastava and others, 2014): in training, zero in place of a random share of the
//! numbers; those that stay grow in proportion, so that nothing changes on average.

use super::image_block::{BlockPass, ImageLayer, ImagesMut, ImagesRef};
use crate::exec::layout::{Blocked, BlockedMut, blocked};
use crate::exec::link::Below;
use crate::exec::partition::Partition;
use crate::exec::pass::Pass;
use crate::exec::plan::{Dropout, Plan, StagePlan};
use crate::exec::streams::SampleStreams;
use crate::rng::Stream;
use crate::simd::{F32x16, Kernel, LANES, Simd, zeroed};

impl Dropout {
    /// By what each number of `sample` is multiplied, in order.
    fn factors(self, streams: SampleStreams, sample: u32) -> impl Iterator<Item = f32> {
        let mut rng = streams.of(Stream::Dropout, self.layer, sample);
        // 16 bits decide: a rate is met within one part in 65,536.
        let threshold = (self.rate * 65_536.0) as u64;
        let kept = 1.0 / (1.0 - self.rate);
        std::iter::repeat_with(move || rng.bits()).flat_map(move |bits| {
            let draw = move |part: u32| (bits >> (16 * part)) & 0xffff;
            (0..4).map(move |part| if draw(part) < threshold { 0.0 } else { kept })
        })
    }
}

/// One worker's dropout between dense layers, on blocked numbers as theirs.
pub(crate) struct DropBlocked {
    dropout: Dropout,
    /// As that of the layer below.
    partition: Partition,
    rank: usize,
    /// The factors of the minibatch, blocked; each worker has all that it needs.
    factors: Vec<F32x16>,
}

impl DropBlocked {
    /// The dropout of each worker.
    pub(crate) fn allocate(stage: &StagePlan, dropout: Dropout, plan: &Plan) -> Vec<Self> {
        let partition = stage.partition;
        let factors = zeroed(partition.layout().at(partition.column_blocks(), 0));
        let part = |rank| Self { dropout, partition, rank, factors: factors.clone() };
        (0..plan.workers).map(part).collect()
    }

    /// y = x · factor, the worker's part.
    pub(crate) fn forward(&mut self, pass: &Pass<'_>, x: Blocked<'_>, y: &mut BlockedMut<'_>) {
        let Self { dropout, partition, factors, .. } = self;
        // Planned where numbers are dropped alone, and there streams are.
        let Some(streams) = pass.streams else { return };
        let layout = partition.layout();
        for (sample, &index) in pass.samples.iter().enumerate() {
            let factors_of_sample = dropout.factors(streams, index).take(partition.units);
            for (unit, factor) in factors_of_sample.enumerate() {
                factors[layout.at(unit / LANES, sample)].0[unit % LANES] = factor;
            }
        }
        pass.isa.run(Multiply { layer: self, samples: pass.samples.len(), x, y });
    }

    /// dz of the layer below, dy · factor · activation′(x): the worker's part.
    pub(crate) fn backward(&self, pass: &Pass<'_>, dy: Blocked<'_>, below: Below<'_, '_>) {
        pass.isa.run(MultiplyBack { layer: self, samples: pass.samples.len(), dy, below });
    }

    /// Has `each` take every column block and sample of the worker's part, with its factors.
    #[inline(always)]
    fn for_each(&self, samples: usize, mut each: impl FnMut(usize, usize, &F32x16)) {
        let factors = blocked(&self.factors, self.partition.layout());
        let work = self.partition.work(self.rank, samples);
        for block in work.blocks {
            for sample in work.samples.clone() {
                each(block, sample, factors.at(block, sample));
            }
        }
    }
}

struct Multiply<'a, 'w> {
    layer: &'a DropBlocked,
    samples: usize,
    x: Blocked<'a>,
    y: &'a mut BlockedMut<'w>,
}

impl Kernel for Multiply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, samples, x, y } = self;
        layer.for_each(samples, |block, sample, factors| {
            let product = s.mul(s.load(x.at(block, sample)), s.load(factors));
            s.store(product, y.at(block, sample));
        });
    }
}

struct MultiplyBack<'a, 'w> {
    layer: &'a DropBlocked,
    samples: usize,
    dy: Blocked<'a>,
    below: Below<'a, 'w>,
}

impl Kernel for MultiplyBack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, samples, dy, below: Below { activation, output, gradient, .. } } = self;
        layer.for_each(samples, |block, sample, factors| {
            let dx = s.mul(s.load(dy.at(block, sample)), s.load(factors));
            let x = s.load(output.at(block, sample));
            s.store(activation.backward(s, x, dx), gradient.at(block, sample));
        });
    }
}

/// One worker's dropout of images.
pub(crate) struct DropImages {
    dropout: Dropout,
    /// The factors of all its image blocks.
    factors: Vec<F32x16>,
    /// Numbers of an image.
    numbers: usize,
}

impl DropImages {
    /// The dropout of each worker, of images of `numbers` numbers.
    pub(crate) fn allocate(dropout: Dropout, numbers: usize, plan: &Plan) -> Vec<Self> {
        let part = |rank| {
            let factors = zeroed(plan.image_blocks(rank).len() * numbers);
            Self { dropout, factors, numbers }
        };
        (0..plan.workers).map(part).collect()
    }
}

impl ImageLayer for DropImages {
    /// y = x · factor
    fn forward(&mut self, at: &BlockPass<'_>, x: ImagesRef<'_>, y: ImagesMut<'_>) {
        let factors = &mut self.factors[at.block * self.numbers..][..self.numbers];
        // Planned where numbers are dropped alone, and there streams are.
        let Some(streams) = at.pass.streams else { return };
        for (lane, &sample) in at.samples().iter().enumerate() {
            let draws = self.dropout.factors(streams, sample);
            factors.iter_mut().zip(draws).for_each(|(vector, factor)| vector.0[lane] = factor);
        }
        let mut factors = factors.iter();
        for row in 0..x.volume.height {
            let from = x.vectors[x.volume.row(row)].iter().zip(&mut factors);
            for (y, (x, factor)) in y.vectors[y.volume.row(row)].iter_mut().zip(from) {
                y.0 = std::array::from_fn(|lane| x.0[lane] * factor.0[lane]);
            }
        }
    }

    /// dx = dy · factor
    fn backward(
        &mut self,
        at: &BlockPass<'_>,
        _passed: (ImagesRef<'_>, ImagesRef<'_>),
        dy: &[F32x16],
        dx: &mut [F32x16],
    ) {
        let factors = &self.factors[at.block * self.numbers..][..self.numbers];
        for (dx, (dy, factor)) in dx.iter_mut().zip(dy.iter().zip(factors)) {
            dx.0 = std::array::from_fn(|lane| dy.0[lane] * factor.0[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_dropped_and_the_mean_stays() {
        let streams = SampleStreams { seed: 1, epoch: 2 };
        for rate in [0.0, 0.25, 0.5, 0.9] {
            let dropout = Dropout { rate, layer: 1 };
            let factors: Vec<f32> = dropout.factors(streams, 3).take(40_000).collect();
            let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
            assert!((dropped as f32 / 40_000.0 - rate).abs() < 0.01, "{dropped} at {rate}");
            let mean = factors.iter().sum::<f32>() / 40_000.0;
            assert!((mean - 1.0).abs() < 0.05, "{mean} at {rate}");
        }
    }

    #[test]
    fn each_sample_epoch_and_layer_drops_others() {
        let draw = |seed, epoch, layer, sample| -> Vec<f32> {
            let dropout = Dropout { rate: 0.5, layer };
            dropout.factors(SampleStreams { seed, epoch }, sample).take(64).collect()
        };
        let drawn = draw(0, 1, 1, 1);
        assert_eq!(drawn, draw(0, 1, 1, 1));
        for other in [draw(1, 1, 1, 1), draw(0, 2, 1, 1), draw(0, 1, 2, 1), draw(0, 1, 1, 2)] {
            assert_ne!(drawn, other);
        }
    }
}
