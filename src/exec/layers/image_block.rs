//! An image block, 16 images of a minibatch side by side: what a layer that sees images reads,
//! writes and is told of it.

use std::ops::Range;

use crate::exec::pass::Pass;
use crate::kernels::conv::{NonZeroBounds, Volume};
use crate::simd::{F32x16, Isa};

/// A layer that sees images: one worker's part of it, an image block at a time.
pub(crate) trait ImageLayer: Send {
    /// y from x.
    fn forward(&mut self, at: &BlockPass<'_>, x: ImagesRef<'_>, y: ImagesMut<'_>);

    /// The gradient dx of x from that of y, dy, both without borders. What it needs of the way
    /// forward, x and y, is still there.
    fn backward(
        &mut self,
        at: &BlockPass<'_>,
        passed: (ImagesRef<'_>, ImagesRef<'_>),
        dy: &[F32x16],
        dx: &mut [F32x16],
    );
}

/// A pass over one of the worker's image blocks.
pub(crate) struct BlockPass<'a> {
    pub(crate) pass: &'a Pass<'a>,
    /// Which of the worker's image blocks.
    pub(crate) block: usize,
    /// Its places in the minibatch.
    pub(crate) range: Range<usize>,
}

impl BlockPass<'_> {
    pub(crate) fn isa(&self) -> Isa {
        self.pass.isa
    }

    /// Which samples of the data make the block.
    pub(crate) fn samples(&self) -> &[u32] {
        &self.pass.samples[self.range.clone()]
    }
}

/// An image block, to be read.
#[derive(Clone, Copy)]
pub(crate) struct ImagesRef<'a> {
    pub(crate) volume: Volume,
    pub(crate) vectors: &'a [F32x16],
    /// The part of the images that is not zero.
    pub(crate) non_zero: &'a NonZeroBounds,
}

/// An image block, to be written.
pub(crate) struct ImagesMut<'a> {
    pub(crate) volume: Volume,
    pub(crate) vectors: &'a mut [F32x16],
}
