//! The images of a set as the first layer wants them.

use crate::data::Split;
use crate::exec::layers::images::Pixels;
use crate::exec::noise::SampleStreams;
use crate::image::RandomAffine;
use crate::kernels::gemm::GemmBackend;
use crate::kernels::sparse::{PIXEL_VALUES, SparseRows};
use crate::model::{Layer, Network};
use crate::rng::Stream;

/// Images, listed without their zeros where that pays, and labels.
pub(crate) struct Samples<'a> {
    pub(crate) split: &'a Split,
    /// What is done to images in training.
    augmentation: RandomAffine,
    /// `None` where the dense path is faster.
    pub(crate) rows: Option<SparseRows>,
}

/// Of all pixels, the share of non-zero ones up to which the sparse products are faster than the
/// dense ones (bench `sparse`).
const SPARSE_UP_TO: f64 = 0.5;

impl<'a> Samples<'a> {
    /// Prepares `split` for `network`, on the current thread pool. Where another crate computes the
    /// dense products, the first layer's are dense too.
    pub(crate) fn new(
        split: &'a Split,
        gemm: GemmBackend,
        network: &Network,
        augmentation: RandomAffine,
    ) -> Self {
        let size = split.shape().pixels();
        let fits = gemm == GemmBackend::Engine
            && augmentation.is_none()
            && matches!(network.architecture().layers.first(), Some(Layer::Dense { .. }))
            && size <= SparseRows::MOST_PIXELS
            && share_of_non_zero(split.pixels(), size) <= SPARSE_UP_TO;
        Self { split, augmentation, rows: fits.then(|| SparseRows::new(split.pixels(), size)) }
    }

    /// The pixels of all images, as the network sees them.
    pub(crate) fn pixels(&self, noise: Option<SampleStreams>) -> impl Pixels {
        let noise = noise.filter(|_| !self.augmentation.is_none());
        View { split: self.split, distorted: noise.map(|noise| (self.augmentation, noise)) }
    }

    /// The labels of all images.
    pub(crate) fn labels(&self) -> &'a [u8] {
        self.split.labels()
    }
}

/// Images, their pixels from 0 to 1.
struct View<'a> {
    split: &'a Split,
    distorted: Option<(RandomAffine, SampleStreams)>,
}

impl Pixels for View<'_> {
    fn read(&mut self, sample: u32, pixels: &mut [f32]) {
        let image = self.split.image(sample as usize);
        match self.distorted {
            Some((augmentation, noise)) => {
                let mut rng = noise.stream(Stream::Augment, 0, sample);
                augmentation.apply(&mut rng, (self.split.shape(), image), &PIXEL_VALUES, pixels);
            }
            None => {
                // As in the table of values, but without looking up each.
                for (into, &pixel) in pixels.iter_mut().zip(image) {
                    *into = f32::from(pixel) / 255.0;
                }
            }
        }
    }
}

/// The share of non-zero pixels of images of `size` pixels, judged by up to 256 of the images,
/// evenly spread.
fn share_of_non_zero(pixels: &[u8], size: usize) -> f64 {
    let images = pixels.len() / size;
    let judged = pixels.chunks_exact(size).step_by(images.div_ceil(256).max(1)).flatten();
    let (count, lit) =
        judged.fold((0_u64, 0_u64), |(count, lit), &x| (count + 1, lit + u64::from(x != 0)));
    lit as f64 / count.max(1) as f64
}
