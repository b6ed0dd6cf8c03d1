//! Images to be classified, and where they came from.

use std::path::Path;

use mnistry::data::Table;
use mnistry::image::{ImageShape, Picture, Raster};
use mnistry::report::shades;
use mnistry::{Engine, Network, Split};

use super::origin::Origin;
use super::prediction::ImagePrediction;
use crate::cli::CommandError;

/// Images of one shape, to be classified in turn.
pub(super) struct Images {
    shape: ImageShape,
    /// Count × height × width.
    pixels: Vec<u8>,
    origins: Vec<Origin>,
}

impl Images {
    /// None yet, for a network that takes images of `shape`.
    pub(super) fn new(shape: ImageShape) -> Self {
        Self { shape, pixels: Vec::new(), origins: Vec::new() }
    }

    /// Adds the images of a data set at `indices`.
    pub(super) fn add_tests(
        &mut self,
        images: &Split,
        indices: impl Iterator<Item = usize>,
    ) -> Result<(), CommandError> {
        self.check(images.shape(), None)?;
        for index in indices {
            let label = Some(images.labels()[index]);
            self.add(
                images.image(index),
                Origin { file: None, index, place: None, label, label_name: None },
            );
        }
        Ok(images.check_unchanged()?)
    }

    /// Adds what the file at `path` holds: the rows of a CSV file, or the digits of a picture.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), CommandError> {
        let is_table = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        if is_table { self.add_table(path) } else { self.add_picture(path) }
    }

    fn add_table(&mut self, path: &Path) -> Result<(), CommandError> {
        let table = Table::open(path)?;
        self.check(table.shape(), Some(path))?;
        for (index, image) in table.pixels().chunks_exact(table.shape().pixels()).enumerate() {
            let file = Some(path.display().to_string());
            let label = table.labels().and_then(|labels| labels.get(index).copied());
            self.add(image, Origin { file, index, place: None, label, label_name: None });
        }
        Ok(())
    }

    fn add_picture(&mut self, path: &Path) -> Result<(), CommandError> {
        let digits = Picture::open(path)?.digits(self.shape);
        for (index, digit) in digits.map_err(|problem| problem.at(path))?.iter().enumerate() {
            let (file, place) = (Some(path.display().to_string()), Some(digit.bounding_box));
            self.add(
                digit.image.pixels(),
                Origin { file, index, place, label: None, label_name: None },
            );
        }
        Ok(())
    }

    fn add(&mut self, image: &[u8], origin: Origin) {
        self.pixels.extend_from_slice(image);
        self.origins.push(origin);
    }

    /// Refuses images, which may be of `file`, of a shape that the network does not take.
    fn check(&self, found: ImageShape, file: Option<&Path>) -> Result<(), CommandError> {
        if found == self.shape {
            return Ok(());
        }
        let file = file.map(Path::to_owned);
        Err(CommandError::ImageShape { file, expected: self.shape, found })
    }

    /// Each image as characters.
    pub(super) fn drawn(&self) -> Vec<String> {
        let images = self.pixels.chunks_exact(self.shape.pixels().max(1));
        let images = images.filter_map(|image| Raster::new(self.shape, image.to_vec()));
        images.map(|image| shades(&image)).collect()
    }

    /// What `network` predicts of each.
    pub(super) fn predict(
        self,
        engine: &Engine,
        network: &Network,
    ) -> Result<Vec<ImagePrediction>, CommandError> {
        let predictions = engine.predict_batch(network, self.pixels)?;
        let with_origin = self.origins.into_iter().zip(&predictions);
        Ok(with_origin.map(|(origin, found)| ImagePrediction::new(origin, found)).collect())
    }
}
