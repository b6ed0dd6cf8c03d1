//! The samples of a set as the first layer wants them.

use super::streams::SampleStreams;
use crate::data::Split;
use crate::image::RandomAffine;
use crate::kernels::gemm::GemmBackend;
use crate::kernels::sparse::{PIXEL_VALUES, SparseRows};
use crate::memory::Shortage;
use crate::model::{Architecture, Layer};
use crate::rng::Stream;

/// Images, listed without their zeros where that pays, and labels.
pub(crate) struct Samples<'a> {
    split: &'a Split,
    /// What is done to images in training.
    augmentation: RandomAffine,
    /// The non-zero pixels of each image; `None` where the dense path is faster.
    pub(crate) sparse: Option<SparseRows>,
    /// How much each class counts in the loss; `None` where all count the same.
    pub(crate) class_weights: Option<Vec<f32>>,
}

/// How many pixels of an image are not zero, judged by some of the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sparsity {
    /// On average.
    pub(crate) mean: f64,
    /// At most, and some more.
    pub(crate) longest: usize,
}

/// Of all pixels, the share of non-zero ones up to which the sparse products are faster than the
/// dense ones (bench `sparse`).
const SPARSE_UP_TO: f64 = 0.5;

impl<'a> Samples<'a> {
    /// Prepares `split` for a network of `architecture`, on the current thread pool. Where another
    /// crate computes the dense products, the first layer's are dense too.
    ///
    /// # Errors
    /// When the system refuses the memory for the lists.
    pub(crate) fn new(
        split: &'a Split,
        architecture: &Architecture,
        gemm: GemmBackend,
        augmentation: RandomAffine,
    ) -> Result<Self, Shortage> {
        let lists = |_| SparseRows::new(split.pixels(), split.shape().pixels());
        let sparsity = Self::sparsity(split, architecture, gemm, augmentation);
        let sparse = sparsity.map(lists).transpose()?;
        Ok(Self { split, augmentation, sparse, class_weights: None })
    }

    /// The same, each class counting by its weight in the loss, if there are any.
    pub(crate) fn weighted(self, class_weights: Option<Vec<f32>>) -> Self {
        Self { class_weights, ..self }
    }

    /// What is not zero in images that [`new`](Self::new) lists without their zeros; `None` where it
    /// does not.
    pub(crate) fn sparsity(
        split: &Split,
        architecture: &Architecture,
        gemm: GemmBackend,
        augmentation: RandomAffine,
    ) -> Option<Sparsity> {
        let size = split.shape().pixels();
        let first = architecture.layers().first().map(|first| first.layer);
        let may_be_sparse = gemm == GemmBackend::Engine
            && augmentation.is_none()
            && matches!(first, Some(Layer::Dense { .. }))
            && size <= SparseRows::MOST_PIXELS;
        let sparsity = may_be_sparse.then(|| judge(split.pixels(), size))?;
        (sparsity.mean <= SPARSE_UP_TO * size as f64).then_some(sparsity)
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.split.len()
    }

    /// The label of `sample`.
    pub(crate) fn label(&self, sample: u32) -> u8 {
        self.split.labels()[sample as usize]
    }

    /// Writes the pixels of `sample`, row by row, from 0 to 1, into `pixels`: augmented as the
    /// `streams` of the epoch say, if there are any.
    pub(crate) fn read(&self, sample: u32, streams: Option<SampleStreams>, pixels: &mut [f32]) {
        let image = self.split.image(sample as usize);
        match streams.filter(|_| !self.augmentation.is_none()) {
            Some(streams) => {
                let mut rng = streams.of(Stream::Augment, 0, sample);
                let image = (self.split.shape(), image);
                self.augmentation.apply(&mut rng, image, &PIXEL_VALUES, pixels);
            }
            None => {
                // As in the table of values, but without looking up each.
                for (into, &pixel) in pixels.iter_mut().zip(image) {
                    *into = f32::from(pixel) / 255.0;
                }
            }
        }
    }

    /// Asks the cache for the images `samples`, which will be read soon.
    pub(crate) fn prefetch(&self, samples: &[u32]) {
        if let Some(sparse) = &self.sparse {
            sparse.prefetch(samples);
        }
    }
}

/// How many pixels are not zero in images of `size` pixels, judged by up to 256 of them, evenly
/// spread.
fn judge(pixels: &[u8], size: usize) -> Sparsity {
    let images = pixels.len() / size;
    let judged = pixels.chunks_exact(size).step_by(images.div_ceil(256).max(1));
    let (mut count, mut sum, mut greatest) = (0_usize, 0_usize, 0);
    for image in judged {
        let non_zero = image.iter().filter(|&&pixel| pixel != 0).count();
        (count, sum, greatest) = (count + 1, sum + non_zero, greatest.max(non_zero));
    }
    // Some of those that were not looked at have more.
    let longest = (greatest + greatest / 8).min(size);
    Sparsity { mean: sum as f64 / count.max(1) as f64, longest }
}
