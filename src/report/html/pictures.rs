//! The pictures of a run: what was misclassified, what was learned from, what was learned.

use super::picture::Picture;
use super::samples::{self, ClassSamples, limited};
use super::weights::{FirstLayer, first_layer};
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::image::Raster;
use crate::model::Network;
use crate::report::error::Result;
use crate::report::{Misclassified, RunRecord, misclassified};

/// So many misclassified images at most are shown.
const MOST: usize = 60;

/// The pictures of a run's page.
#[derive(Clone, Debug)]
pub struct RunPictures {
    /// Those of which the network was surest, the surest first.
    pub(super) misclassified: Vec<(Misclassified, Picture)>,
    /// Images of the classes.
    pub(super) samples: Vec<ClassSamples>,
    /// How many classes there are.
    pub(super) classes: usize,
    /// Images beside what augmentation makes of them.
    pub(super) augmented: Vec<Picture>,
    /// The weights of the first layer.
    pub(super) first_layer: Option<FirstLayer>,
}

impl RunPictures {
    /// Those of the run in `record`, which trained `network` on `data`; the misclassified images are
    /// those that its report names.
    ///
    /// # Errors
    /// When the report names images that are not there, the network does not fit them or cannot be
    /// asked, or images are too large for pictures.
    pub fn new(
        engine: &Engine,
        network: &Network,
        data: &Dataset,
        record: &RunRecord,
    ) -> Result<Self> {
        let indices = record.report.as_ref().and_then(|report| report.test.misclassified.as_ref());
        let mut found = match indices {
            Some(indices) => misclassified(engine, network, &data.test, indices)?,
            None => Vec::new(),
        };
        found.truncate(limited(MOST, data.shape()));
        let picture = |image: Misclassified| {
            let pixels = data.test.image(image.index).to_vec();
            let raster = Raster::new(data.shape(), pixels);
            Ok(match raster {
                Some(raster) => Some((image, Picture::grey(&raster)?)),
                None => None,
            })
        };
        let draw = || found.into_iter().map(picture).collect::<Result<Vec<_>>>();
        // The two that take longest.
        let (found, first_layer) = engine.install(|| rayon::join(draw, || first_layer(network)));
        let fit = &record.config.fit;
        Ok(Self {
            misclassified: found?.into_iter().flatten().collect(),
            samples: samples::of_classes(data)?,
            classes: data.classes(),
            augmented: samples::augmented(&data.train, &fit.augmentation, fit.seed)?,
            first_layer: first_layer?,
        })
    }
}
