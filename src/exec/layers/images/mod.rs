//! The layers that see images, as one stage: one worker's images, a block of 16 at a time,
//! from pixels to the numbers that the dense layers read, and back.
//!
//! A worker takes image blocks of the minibatch all the way, one image a lane, and needs the others
//! for the parameters alone. In a short block the last lanes are black images, without a gradient.
//! Between these layers and the dense ones lanes and blocked columns change places.

mod flatten;
mod volumes;

use std::ops::Range;

use self::flatten::{Flatten, Interleave, Unflatten};
use self::volumes::VolumeBuffer;
use super::conv2d::Conv2d;
use super::dropout::DropImages;
use super::image_block::{BlockPass, ImageLayer, ImagesMut};
use super::pooling::Pool;
use crate::exec::layout::{Blocked, BlockedMut};
use crate::exec::pass::Pass;
use crate::exec::plan::{ImageLayerKind, ImagesPlan, Plan};
use crate::kernels::optim::UpdateRule;
use crate::model::Tensor;
use crate::simd::{F32x16, LANES, as_numbers_mut, vectors_for, zeroed};
use crate::sync::TeamSync;

/// One worker's layers that see images.
pub(crate) struct ImageStack {
    /// Which image blocks of the minibatch the worker takes.
    own: Range<usize>,
    layers: Vec<StackedLayer>,
    /// What stands between the layers, first to last: one more than there are layers.
    volumes: Vec<VolumeBuffer>,
    /// Room for the pixels of a block, image by image.
    pixels: Vec<F32x16>,
}

/// One of them.
enum StackedLayer {
    /// One that learns.
    Conv2d(Box<Conv2d>),
    /// Any other.
    Plain(Box<dyn ImageLayer>),
}

impl ImageStack {
    /// The layers of each worker, their parameters yet to be set.
    pub(crate) fn allocate(images: &ImagesPlan, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        let stack = |rank| {
            let own = plan.image_blocks(rank);
            let volume = |volume| VolumeBuffer::new(volume, own.len());
            let volumes: Vec<_> = images.volumes.iter().copied().map(volume).collect();
            let pixels = zeroed(volumes.first().map_or(0, VolumeBuffer::numbers));
            Self { own, layers: Vec::new(), volumes, pixels }
        };
        let mut stacks: Vec<_> = (0..plan.workers).map(stack).collect();
        // Below the first parameters nobody needs a gradient.
        let mut is_first = true;
        for (kind, volume) in images.layers.iter().zip(&images.volumes) {
            let layers = match *kind {
                ImageLayerKind::Conv2d(geometry) => {
                    let has_input_gradient = !std::mem::take(&mut is_first);
                    let layers = Conv2d::allocate(geometry, has_input_gradient, plan, sync);
                    layers.into_iter().map(Box::new).map(StackedLayer::Conv2d).collect()
                }
                ImageLayerKind::Pool(pooling, windows) => {
                    plain(Pool::allocate(pooling, windows, plan))
                }
                ImageLayerKind::Dropout(dropout) => {
                    plain(DropImages::allocate(dropout, volume.without_border().vectors(), plan))
                }
            };
            stacks.iter_mut().zip(layers).for_each(|(stack, layer)| stack.layers.push(layer));
        }
        stacks
    }

    /// From the pixels of the minibatch to blocked numbers: the worker's image blocks.
    pub(crate) fn forward(&mut self, pass: &Pass<'_>, output: &mut BlockedMut<'_>) {
        self.convolutions_mut().for_each(|convolution| convolution.prepare(pass.isa));
        for at in blocks(&self.own, pass) {
            self.load(&at);
            for (index, layer) in self.layers.iter_mut().enumerate() {
                let (below, above) = self.volumes.split_at_mut(index + 1);
                let (x, y) = (below[index].block(at.block), above[0].block_mut(at.block));
                layer.get_mut().forward(&at, x, y);
            }
            let flat = self.volumes.last().map_or(&[][..], |last| last.block(at.block).vectors);
            pass.isa.run(Flatten { flat, samples: at.range, output });
        }
    }

    /// From the gradient of the blocked numbers to those of all parameters, and to their update.
    pub(crate) fn backward<R: UpdateRule>(&mut self, pass: &Pass<'_>, dy: Blocked<'_>, rule: R) {
        for at in blocks(&self.own, pass) {
            if let Some(last) = self.volumes.last_mut() {
                let flat = last.gradient_mut();
                pass.isa.run(Unflatten { gradient: dy, samples: at.range.clone(), flat });
            }
            for (index, layer) in self.layers.iter_mut().enumerate().rev() {
                let (below, above) = self.volumes.split_at_mut(index + 1);
                let (x, dx) = below[index].block_and_gradient_mut(at.block);
                layer.get_mut().backward(
                    &at,
                    (x, above[0].block(at.block)),
                    above[0].gradient(),
                    dx,
                );
            }
        }
        let all = vectors_for(pass.samples.len());
        let own = self.own.start.min(all)..self.own.end.min(all);
        self.convolutions_mut().for_each(|convolution| convolution.publish(own.clone()));
        self.convolutions_mut().for_each(|convolution| convolution.update(pass.isa, all, rule));
    }

    /// Reads the pixels of a block into the first volume.
    fn load(&mut self, at: &BlockPass<'_>) {
        let Some(first) = self.volumes.first_mut() else { return };
        let images = as_numbers_mut(&mut self.pixels);
        let size = images.len() / LANES;
        images[at.samples().len() * size..].fill(0.0);
        for (image, &sample) in images.chunks_exact_mut(size).zip(at.samples()) {
            at.pass.data.read(sample, at.pass.streams, image);
        }
        let ImagesMut { volume, vectors } = first.block_mut(at.block);
        let non_zero = at.isa().run(Interleave { images, volume, vectors });
        first.set_non_zero(at.block, non_zero);
    }

    /// The number of tensors that it learns.
    pub(crate) fn tensors(&self) -> usize {
        2 * self.convolutions().count()
    }

    /// Sets the worker's own parameters from `tensors`.
    pub(crate) fn set(&mut self, slot: usize, tensors: &[Tensor]) {
        for (convolution, pair) in self.convolutions_mut().zip(tensors.chunks_exact(2)) {
            convolution.set(slot, &pair[0], &pair[1]);
        }
    }

    /// Has all parameters be here.
    pub(crate) fn bring_all(&mut self) {
        self.convolutions_mut().for_each(Conv2d::bring_all);
    }

    /// Copies slot `slot` of all parameters (0: the parameter itself) to `tensors`.
    pub(crate) fn get(&self, slot: usize, tensors: &mut [Tensor]) {
        for (convolution, pair) in self.convolutions().zip(tensors.chunks_exact_mut(2)) {
            let (kernel, bias) = pair.split_at_mut(1);
            convolution.get(slot, &mut kernel[0], &mut bias[0]);
        }
    }

    fn convolutions(&self) -> impl Iterator<Item = &Conv2d> {
        self.layers.iter().filter_map(|layer| match layer {
            StackedLayer::Conv2d(layer) => Some(&**layer),
            StackedLayer::Plain(_) => None,
        })
    }

    fn convolutions_mut(&mut self) -> impl Iterator<Item = &mut Conv2d> {
        self.layers.iter_mut().filter_map(|layer| match layer {
            StackedLayer::Conv2d(layer) => Some(&mut **layer),
            StackedLayer::Plain(_) => None,
        })
    }
}

impl StackedLayer {
    fn get_mut(&mut self) -> &mut dyn ImageLayer {
        match self {
            Self::Conv2d(layer) => &mut **layer,
            Self::Plain(layer) => &mut **layer,
        }
    }
}

/// The passes over those of a worker's `own` image blocks that the minibatch of `pass` has.
fn blocks<'a>(
    own: &Range<usize>,
    pass: &'a Pass<'a>,
) -> impl Iterator<Item = BlockPass<'a>> + use<'a> {
    let first = |place: usize| (place * LANES).min(pass.samples.len());
    own.clone()
        .enumerate()
        .map(move |(block, place)| BlockPass { pass, block, range: first(place)..first(place + 1) })
        .filter(|at| !at.range.is_empty())
}

fn plain<L: ImageLayer + 'static>(layers: Vec<L>) -> Vec<StackedLayer> {
    layers.into_iter().map(|layer| StackedLayer::Plain(Box::new(layer))).collect()
}
