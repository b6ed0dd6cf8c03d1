//! The samples of a set as the first layer wants them.

use super::streams::SampleStreams;
use crate::data::Split;
use crate::image::RandomAffine;
use crate::kernels::gemm::GemmBackend;
use crate::kernels::sparse::PIXEL_VALUES;
use crate::model::{Architecture, Layer};
use crate::rng::Stream;
use crate::simd::prefetch;

/// Images and labels.
pub(crate) struct Samples<'a> {
    split: &'a Split,
    /// What is done to images in training.
    augmentation: RandomAffine,
    /// Whether the first layer leaves out the zeros of the images: not where the dense path is faster.
    pub(crate) is_sparse: bool,
    /// How much each class counts in the loss; `None` where all count the same.
    pub(crate) class_weights: Option<Vec<f32>>,
}

/// Of all pixels, the share of non-zero ones up to which the sparse products are faster than the
/// dense ones (bench `sparse`).
const SPARSE_UP_TO: f64 = 0.5;

impl<'a> Samples<'a> {
    /// The samples of `split` for a network of `architecture`. Where another crate computes the dense
    /// products, the first layer's are dense too.
    pub(crate) fn new(
        split: &'a Split,
        architecture: &Architecture,
        gemm: GemmBackend,
        augmentation: RandomAffine,
    ) -> Self {
        let is_sparse = Self::are_sparse(split, architecture, gemm, augmentation);
        Self { split, augmentation, is_sparse, class_weights: None }
    }

    /// The same, each class counting by its weight in the loss, if there are any.
    pub(crate) fn weighted(self, class_weights: Option<Vec<f32>>) -> Self {
        Self { class_weights, ..self }
    }

    /// Whether the first layer leaves out the zeros of the images.
    pub(crate) fn are_sparse(
        split: &Split,
        architecture: &Architecture,
        gemm: GemmBackend,
        augmentation: RandomAffine,
    ) -> bool {
        // To flatten an image is to do nothing.
        let mut layers = architecture.layers().iter().map(|spec| spec.layer);
        let first = layers.find(|layer| !matches!(layer, Layer::Flatten));
        let may_be_sparse = gemm == GemmBackend::Engine
            && augmentation.is_none()
            && matches!(first, Some(Layer::Dense { .. }));
        may_be_sparse && density(split) <= SPARSE_UP_TO
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.split.len()
    }

    /// The pixels of `sample`, as they are.
    #[inline(always)]
    pub(crate) fn image(&self, sample: u32) -> &[u8] {
        self.split.image(sample as usize)
    }

    /// The label of `sample`.
    pub(crate) fn label(&self, sample: u32) -> u8 {
        self.split.labels()[sample as usize]
    }

    /// Writes the pixels of `sample`, row by row, from 0 to 1, into `pixels`: augmented as the
    /// `streams` of the epoch say, if there are any.
    pub(crate) fn read(&self, sample: u32, streams: Option<SampleStreams>, pixels: &mut [f32]) {
        let image = self.image(sample);
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
        // The ends of larger images the hardware prefetches by itself.
        const MOST: usize = 1024;
        if self.is_sparse {
            samples.iter().for_each(|&sample| prefetch(self.image(sample), MOST));
        }
    }
}

/// The share of pixels that are not zero, judged by up to 256 images of `split`, evenly spread.
fn density(split: &Split) -> f64 {
    let step = split.len().div_ceil(256).max(1);
    let judged = (0..split.len()).step_by(step).map(|index| split.image(index));
    let (mut nonzero, mut all) = (0_usize, 0_usize);
    for image in judged {
        // In bytes, as many as cannot overflow: 16 at a time.
        nonzero += image.chunks(255).map(nonzero_of).map(usize::from).sum::<usize>();
        all += image.len();
    }
    nonzero as f64 / all as f64
}

/// How many of at most 255 `pixels` are not zero.
fn nonzero_of(pixels: &[u8]) -> u8 {
    pixels.iter().map(|&pixel| u8::from(pixel != 0)).sum()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};

    #[test]
    fn dense_layers_leave_out_zeros_and_convolutions_do_not() {
        let shape = ImageShape { height: 4, width: 4 };
        let split = Split::new(shape, vec![0; 32].into(), vec![0; 2].into()).expect("two images");
        let are_sparse = |layers: Sequential, backend| {
            let layers = layers.dense(2, Activation::Softmax);
            let architecture = Architecture::new(layers).expect("layers that fit");
            Samples::are_sparse(&split, &architecture, backend, RandomAffine::default())
        };
        let plain = || Sequential::new(shape);
        assert!(are_sparse(plain(), GemmBackend::Engine));
        assert!(are_sparse(plain().flatten(), GemmBackend::Engine));
        assert!(!are_sparse(plain(), GemmBackend::Matrixmultiply));
        let convolution = plain().conv2d(1, 3, Activation::Relu).flatten();
        assert!(!are_sparse(convolution, GemmBackend::Engine));
    }
}
