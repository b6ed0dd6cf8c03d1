//! Images to be classified, and where they came from.

use std::path::Path;

use mnistry::data::{ReadOptions, Table};
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
    /// How CSV files are to be read.
    read: ReadOptions,
    /// How files were read: a line each.
    notes: Vec<String>,
}

impl Images {
    /// None yet, for a network that takes images of `shape`.
    pub(super) fn new(shape: ImageShape, read: ReadOptions) -> Self {
        Self { shape, pixels: Vec::new(), origins: Vec::new(), read, notes: Vec::new() }
    }

    /// How files were read: a line each.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
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
            self.add(images.image(index), Origin { index, label, ..Origin::default() });
        }
        Ok(images.check_unchanged()?)
    }

    /// Adds what the file at `path` holds: the rows of a CSV file, or the digits of a picture.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), CommandError> {
        if Table::is_named(path) { self.add_table(path) } else { self.add_picture(path) }
    }

    fn add_table(&mut self, path: &Path) -> Result<(), CommandError> {
        let table = Table::open(path, &self.read)?;
        self.notes.extend(table.notes().iter().map(|note| format!("{}: {note}", path.display())));
        self.check(table.shape(), Some(path))?;
        let mut labels = table.labels();
        for (index, image) in table.pixels().chunks_exact(table.shape().pixels()).enumerate() {
            let label = labels.as_mut().and_then(Iterator::next);
            let origin = Origin {
                file: Some(path.display().to_string()),
                index,
                id: table.ids().and_then(|ids| ids.get(index).cloned()),
                label_name: label.map(str::to_owned),
                ..Origin::default()
            };
            self.add(image, origin);
        }
        Ok(())
    }

    fn add_picture(&mut self, path: &Path) -> Result<(), CommandError> {
        let digits = Picture::open(path)?.digits(self.shape);
        for (index, digit) in digits.map_err(|problem| problem.at(path))?.iter().enumerate() {
            let (file, place) = (Some(path.display().to_string()), Some(digit.bounding_box));
            self.add(digit.image.pixels(), Origin { file, index, place, ..Origin::default() });
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
