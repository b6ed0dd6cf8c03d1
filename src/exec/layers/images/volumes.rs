//! The numbers of image blocks between two layers that see images.

use crate::exec::layers::image_block::{ImagesMut, ImagesRef};
use crate::kernels::conv::{NonZeroBounds, Volume};
use crate::simd::{F32x16, zeroed};

/// What stands between two layers.
pub(super) struct VolumeBuffer {
    volume: Volume,
    /// Of all the worker's image blocks.
    vectors: Vec<F32x16>,
    /// Of each of them.
    non_zero: Vec<NonZeroBounds>,
    /// Of one image block, without the border.
    gradient: Vec<F32x16>,
}

impl VolumeBuffer {
    /// Room for `blocks` image blocks.
    pub(super) fn new(volume: Volume, blocks: usize) -> Self {
        Self {
            volume,
            vectors: zeroed(blocks * volume.vectors()),
            non_zero: vec![volume.whole(); blocks],
            gradient: zeroed(volume.without_border().vectors()),
        }
    }

    /// Numbers of an image.
    pub(super) fn numbers(&self) -> usize {
        self.gradient.len()
    }

    /// The worker's block number `block`.
    pub(super) fn block(&self, block: usize) -> ImagesRef<'_> {
        let length = self.volume.vectors();
        ImagesRef {
            volume: self.volume,
            vectors: &self.vectors[block * length..][..length],
            non_zero: &self.non_zero[block],
        }
    }

    /// The same, to be written.
    pub(super) fn block_mut(&mut self, block: usize) -> ImagesMut<'_> {
        let length = self.volume.vectors();
        let vectors = &mut self.vectors[block * length..][..length];
        ImagesMut { volume: self.volume, vectors }
    }

    /// Notes outside of which bounds all of block `block` is zero.
    pub(super) fn set_non_zero(&mut self, block: usize, bounds: NonZeroBounds) {
        self.non_zero[block] = bounds;
    }

    /// The gradient of the block that is worked on.
    pub(super) fn gradient(&self) -> &[F32x16] {
        &self.gradient
    }

    /// The same, to be written.
    pub(super) fn gradient_mut(&mut self) -> &mut [F32x16] {
        &mut self.gradient
    }

    /// Block number `block`, and its gradient, to be written.
    pub(super) fn block_and_gradient_mut(
        &mut self,
        block: usize,
    ) -> (ImagesRef<'_>, &mut [F32x16]) {
        let Self { volume, vectors, non_zero, gradient } = self;
        let (volume, length) = (*volume, volume.vectors());
        let vectors = &vectors[block * length..][..length];
        (ImagesRef { volume, vectors, non_zero: &non_zero[block] }, gradient)
    }
}
