//! The layers that see images: one rank's images, sixteen at a time, from pixels to the row of
//! numbers that the dense layers read, and back.
//!
//! A rank takes sixteens of the minibatch's samples all the way, one image a lane, and needs the
//! others for the parameters alone. In a short sixteen the last lanes are black images, without a
//! gradient. Between these layers and the dense ones lanes and panels change places.

use std::ops::Range;

use crate::exec::layers::conv2d::{Conv2d, Passed};
use crate::exec::layers::dropout::Dropout;
use crate::exec::layers::pooling::Pool;
use crate::exec::noise::SampleStreams;
use crate::kernels::conv::{NonZeroBounds, Volume};
use crate::kernels::optim::UpdateRule;
use crate::model::Tensor;
use crate::simd::{F32x16, LANES, as_numbers_mut, vectors_for, zeroed};
use crate::simd::{Isa, Kernel, Simd};
use crate::sync::{Reader, Writer};

/// One rank's layers that see images.
pub(crate) struct Images {
    isa: Isa,
    /// The most samples of a minibatch.
    batch: usize,
    /// Which sixteens of the minibatch the rank takes.
    own: Range<usize>,
    layers: Vec<ImageLayer>,
    /// What stands between the layers, first to last: one more than there are layers.
    stages: Vec<Stage>,
    /// The part of the images of each sixteen that is not black.
    lit: Vec<NonZeroBounds>,
}

/// A layer that sees images.
pub(crate) enum ImageLayer {
    Conv2d(Box<Conv2d>),
    Pool(Pool),
    Dropout(Dropout),
}

/// What stands between two layers.
struct Stage {
    volume: Volume,
    /// Of all the rank's sixteens.
    values: Vec<F32x16>,
    /// Of one sixteen, without the border.
    gradient: Vec<F32x16>,
    /// By what dropout multiplies each number, of all the rank's sixteens.
    factors: Vec<F32x16>,
}

/// Gives the pixels of a sample, as the network sees them.
pub(crate) trait Pixels {
    /// Writes the pixels of `sample`, row by row, into `pixels`.
    fn read(&mut self, sample: u32, pixels: &mut [f32]);
}

impl Images {
    /// Layers with `volumes` between them, for minibatches of up to `batch` samples, of which the
    /// rank takes the sixteens `own`.
    pub(crate) fn new(
        isa: Isa,
        batch: usize,
        own: Range<usize>,
        layers: Vec<ImageLayer>,
        volumes: &[Volume],
    ) -> Self {
        let stage = |(index, volume): (usize, &Volume)| {
            let before = index.checked_sub(1).map(|index| &layers[index]);
            let drops = matches!(before, Some(ImageLayer::Dropout(_)));
            let plain = Volume::new(volume.height, volume.width, volume.channels).vectors();
            Stage {
                volume: *volume,
                values: zeroed(own.len() * volume.vectors()),
                gradient: zeroed(plain),
                factors: zeroed(if drops { own.len() * plain } else { 0 }),
            }
        };
        let stages = volumes.iter().enumerate().map(stage).collect();
        let lit = vec![volumes[0].whole(); own.len()];
        Self { isa, batch, own, layers, stages, lit }
    }

    /// The convolutions, first to last.
    pub(crate) fn convolutions(&self) -> impl Iterator<Item = &Conv2d> {
        self.layers.iter().filter_map(|layer| match layer {
            ImageLayer::Conv2d(convolution) => Some(&**convolution),
            _ => None,
        })
    }

    /// The same, to be changed.
    pub(crate) fn convolutions_mut(&mut self) -> impl Iterator<Item = &mut Conv2d> {
        self.layers.iter_mut().filter_map(|layer| match layer {
            ImageLayer::Conv2d(convolution) => Some(&mut **convolution),
            _ => None,
        })
    }

    /// Which of the rank's sixteens a minibatch of `samples` has, and their samples.
    fn sixteens(&self, samples: usize) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let first = move |sixteen: usize| (sixteen * LANES).min(samples);
        self.own
            .clone()
            .enumerate()
            .map(move |(number, sixteen)| (number, first(sixteen)..first(sixteen + 1)))
            .filter(|(_, samples)| !samples.is_empty())
    }

    /// Forward from the pixels of `samples` to the panels `output`, the rank's part.
    pub(crate) fn forward(
        &mut self,
        pixels: &mut impl Pixels,
        samples: &[u32],
        noise: Option<SampleStreams>,
        output: &mut Writer<'_>,
    ) {
        self.convolutions_mut().for_each(Conv2d::prepare);
        for (sixteen, range) in self.sixteens(samples.len()) {
            let indices = &samples[range.clone()];
            self.lit[sixteen] = self.load(pixels, sixteen, indices);
            let Self { isa, layers, stages, lit, .. } = self;
            for (index, layer) in layers.iter_mut().enumerate() {
                let (below, above) = stages.split_at_mut(index + 1);
                let (below, above) = (&below[index], &mut above[0]);
                let input = below.of(sixteen);
                match layer {
                    ImageLayer::Conv2d(convolution) => {
                        let lit =
                            if index == 0 { lit[sixteen].clone() } else { below.volume.whole() };
                        let volume = above.volume;
                        let output = (above.of_mut(sixteen), volume);
                        convolution.forward(*isa, sixteen, (input, lit), output);
                    }
                    ImageLayer::Pool(pool) => {
                        pool.forward(*isa, sixteen, input, above.of_mut(sixteen));
                    }
                    ImageLayer::Dropout(dropout) => {
                        drop_some(*dropout, noise, indices, (below, above), sixteen);
                    }
                }
            }
            let flat = self.stages.last().map_or(&[][..], |stage| stage.of(sixteen));
            self.isa.run(Flatten { flat, samples: range, batch: self.batch, output });
        }
    }

    /// Writes the pixels of `samples` into the first stage; returns which part of them is not
    /// black.
    fn load(&mut self, pixels: &mut impl Pixels, sixteen: usize, samples: &[u32]) -> NonZeroBounds {
        let Stage { volume, values, gradient, .. } = &mut self.stages[0];
        // The gradient of the pixels is needed by nobody, and its room holds sixteen images.
        let images = as_numbers_mut(gradient);
        let size = volume.height * volume.width;
        images[samples.len() * size..].fill(0.0);
        for (image, &sample) in images.chunks_exact_mut(size).zip(samples) {
            pixels.read(sample, image);
        }
        let length = volume.vectors();
        let values = &mut values[sixteen * length..][..length];
        self.isa.run(Interleave { images, volume: *volume, values })
    }

    /// Backward from the gradient of the panels to those of all parameters, and to their update.
    pub(crate) fn backward<R: UpdateRule>(
        &mut self,
        samples: usize,
        gradient: &Reader<'_>,
        rule: R,
    ) {
        for (sixteen, range) in self.sixteens(samples) {
            let Self { isa, layers, stages, lit, .. } = self;
            if let Some(stage) = stages.last_mut() {
                let flat = &mut stage.gradient;
                isa.run(Unflatten { gradient, samples: range, batch: self.batch, flat });
            }
            for (index, layer) in layers.iter_mut().enumerate().rev() {
                let (below, above) = stages.split_at_mut(index + 1);
                let (below, above) = (&mut below[index], &above[0]);
                match layer {
                    ImageLayer::Conv2d(convolution) => {
                        let lit =
                            if index == 0 { lit[sixteen].clone() } else { below.volume.whole() };
                        let length = below.volume.vectors();
                        let passed = Passed {
                            input: &below.values[sixteen * length..][..length],
                            lit,
                            output: above.of(sixteen),
                            volume: above.volume,
                        };
                        let gradients = (&above.gradient[..], &mut below.gradient[..]);
                        convolution.backward(*isa, sixteen, passed, gradients);
                    }
                    ImageLayer::Pool(pool) => {
                        pool.backward(*isa, sixteen, &above.gradient, &mut below.gradient);
                    }
                    ImageLayer::Dropout(_) => {
                        let count = above.gradient.len();
                        let factors = &above.factors[sixteen * count..][..count];
                        let gradients = above.gradient.iter().zip(factors);
                        for (dx, (dy, factor)) in below.gradient.iter_mut().zip(gradients) {
                            dx.0 = std::array::from_fn(|lane| dy.0[lane] * factor.0[lane]);
                        }
                    }
                }
            }
        }
        let all = samples.div_ceil(LANES);
        let (isa, own) = (self.isa, self.own.start.min(all)..self.own.end.min(all));
        self.convolutions_mut().for_each(|convolution| convolution.publish(own.clone()));
        self.convolutions_mut().for_each(|convolution| convolution.update(isa, all, rule));
    }

    /// Takes the rank's part of the parameters.
    pub(crate) fn set(&mut self, tensors: &[Tensor]) {
        for (convolution, tensors) in self.convolutions_mut().zip(tensors.chunks_exact(2)) {
            convolution.set(&tensors[0].values, &tensors[1].values);
        }
    }
}

impl Stage {
    /// The values of the rank's `sixteen`th sixteen.
    fn of(&self, sixteen: usize) -> &[F32x16] {
        let length = self.volume.vectors();
        &self.values[sixteen * length..][..length]
    }

    fn of_mut(&mut self, sixteen: usize) -> &mut [F32x16] {
        let length = self.volume.vectors();
        &mut self.values[sixteen * length..][..length]
    }
}

/// Dropout of the images `samples` on the way from one stage to the next.
fn drop_some(
    dropout: Dropout,
    noise: Option<SampleStreams>,
    samples: &[u32],
    (below, above): (&Stage, &mut Stage),
    sixteen: usize,
) {
    let count = above.gradient.len();
    let factors = &mut above.factors[sixteen * count..][..count];
    match noise {
        Some(noise) => {
            for (lane, &sample) in samples.iter().enumerate() {
                let draws = dropout.factors(noise, sample);
                factors.iter_mut().zip(draws).for_each(|(lanes, factor)| lanes.0[lane] = factor);
            }
        }
        None => factors.fill(F32x16([1.0; LANES])),
    }
    let (from, length) = (below.of(sixteen), above.volume.vectors());
    let into = &mut above.values[sixteen * length..][..length];
    let mut factors = factors.iter();
    for y in 0..below.volume.height {
        let row = from[below.volume.row(y)].iter().zip(&mut factors);
        for (into, (x, factor)) in into[above.volume.row(y)].iter_mut().zip(row) {
            into.0 = std::array::from_fn(|lane| x.0[lane] * factor.0[lane]);
        }
    }
}

/// From sixteen images, one after the other, to a lane an image; tells which part of them is not
/// black.
struct Interleave<'a> {
    images: &'a [f32],
    volume: Volume,
    values: &'a mut [F32x16],
}

impl Kernel for Interleave<'_> {
    type Output = NonZeroBounds;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> NonZeroBounds {
        let Self { images, volume, values } = self;
        let size = volume.height * volume.width;
        let (mut rows, mut columns) = (volume.height..0, volume.width..0);
        let (mut y, mut x) = (0, 0);
        for first in (0..size).step_by(LANES) {
            let count = LANES.min(size - first);
            let mut vectors = [s.zero(); LANES];
            for (lane, vector) in vectors.iter_mut().enumerate() {
                let pixels = &images[lane * size + first..][..count];
                *vector = match pixels.first_chunk() {
                    Some(pixels) => s.load_unaligned(pixels),
                    None => s.load_partial(pixels),
                };
            }
            for pixel in s.transpose(vectors).into_iter().take(count) {
                s.store(pixel, &mut values[volume.at(y, x)]);
                if s.any(s.lt(s.zero(), pixel)) {
                    rows = rows.start.min(y)..y + 1;
                    columns = columns.start.min(x)..columns.end.max(x + 1);
                }
                x += 1;
                if x == volume.width {
                    (y, x) = (y + 1, 0);
                }
            }
        }
        NonZeroBounds {
            rows: rows.start.min(rows.end)..rows.end,
            columns: columns.start.min(columns.end)..columns.end,
        }
    }
}

/// From a lane an image to panels of sixteen numbers a sample.
struct Flatten<'a, 'w> {
    flat: &'a [F32x16],
    samples: Range<usize>,
    batch: usize,
    output: &'a mut Writer<'w>,
}

impl Kernel for Flatten<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { flat, samples, batch, output } = self;
        for (block, numbers) in flat.chunks(LANES).enumerate() {
            let mut rows = [s.zero(); LANES];
            for (row, lanes) in rows.iter_mut().zip(numbers) {
                *row = s.load(lanes);
            }
            let first = block * batch;
            let panel = output.vectors(first + samples.start..first + samples.end);
            for (row, lanes) in s.transpose(rows).into_iter().zip(panel) {
                s.store(row, lanes);
            }
        }
    }
}

/// From panels back to a lane an image; lanes without an image become zero.
struct Unflatten<'a> {
    gradient: &'a Reader<'a>,
    samples: Range<usize>,
    batch: usize,
    flat: &'a mut [F32x16],
}

impl Kernel for Unflatten<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gradient, samples, batch, flat } = self;
        for (block, numbers) in flat.chunks_mut(LANES).enumerate() {
            let first = block * batch;
            let panel = &gradient[first + samples.start..first + samples.end];
            let mut rows = [s.zero(); LANES];
            for (row, lanes) in rows.iter_mut().zip(panel) {
                *row = s.load(lanes);
            }
            for (row, lanes) in s.transpose(rows).into_iter().zip(numbers) {
                s.store(row, lanes);
            }
        }
    }
}

/// The lanes of a buffer of panels of `units` numbers for `batch` samples that the rank writes
/// who takes the sixteens `own`.
pub(crate) fn own_panels(units: usize, batch: usize, own: &Range<usize>) -> Vec<Range<usize>> {
    let [start, end] = [own.start, own.end].map(|sixteen| (sixteen * LANES).min(batch));
    (0..vectors_for(units)).map(|block| block * batch + start..block * batch + end).collect()
}
