//! Images to be classified, and where they came from.

use std::path::Path;

use mnistry::data::{Bytes, ReadOptions, Table};
use mnistry::image::{Error as ImageError, ImageShape, Picture, Raster};
use mnistry::reading::{Reader, Reading, is_unsure};
use mnistry::report::shades;
use mnistry::{Prediction, Split};

use super::inputs::{Input, is_stdin};
use super::origin::Origin;
use super::prediction::ImagePrediction;
use crate::cli::CommandError;

/// What a network reads in an image, and whether that is unsure.
struct Read {
    prediction: Prediction,
    is_unsure: bool,
}

/// The most bytes of a stream, which are kept in memory.
const MOST_STREAMED: u64 = 1 << 28;

/// Images of one shape, to be classified in turn.
pub(super) struct Images {
    shape: ImageShape,
    /// Count × height × width.
    pixels: Vec<u8>,
    /// Where each came from, and what was read already.
    images: Vec<(Origin, Option<Read>)>,
    /// How CSV files are to be read.
    read: ReadOptions,
    /// How files were read: a line each.
    notes: Vec<String>,
}

impl Images {
    /// None yet, for a network that takes images of `shape`.
    pub(super) fn new(shape: ImageShape, read: ReadOptions) -> Self {
        Self { shape, pixels: Vec::new(), images: Vec::new(), read, notes: Vec::new() }
    }

    /// Whether there is none yet.
    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// How files were read, and what was left out: a line each.
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
            self.add(images.image(index), Origin { index, label, ..Origin::default() }, None);
        }
        Ok(images.check_unchanged()?)
    }

    /// Adds what `input` holds: the rows of a CSV file, or the digits of a picture, read by `reader`.
    /// A file that was found in a folder, and is neither, is left out with a note.
    pub(super) fn add_input(
        &mut self,
        input: &Input,
        reader: Reader<'_>,
    ) -> Result<(), CommandError> {
        let path = &*input.path;
        if Table::is_named(path) && path.is_file() {
            return self.add_table(&Table::open(path, &self.read)?, path);
        }
        let named = |error: ImageError| error.at(name(path));
        let bytes = Bytes::read(path, MOST_STREAMED)?;
        match Picture::decode(&bytes) {
            Err(error @ (ImageError::NotPicture | ImageError::Foreign(_))) if input.is_found => {
                self.notes.push(format!("left out: {}", named(error)));
                Ok(())
            }
            // A stream has no name that says what it is, nor has a file that is given as one.
            Err(ImageError::NotPicture) if !path.is_file() || path.extension().is_none() => {
                let table = Table::parse(&bytes, &self.read);
                self.add_table(&table.map_err(|problem| problem.at(name(path)))?, path)
            }
            Err(error) => Err(named(error).into()),
            Ok(picture) => {
                let readings = reader.read(&picture).map_err(|error| error.at(name(path)))?;
                bytes.check_unchanged()?;
                self.add_readings(readings, path);
                Ok(())
            }
        }
    }

    fn add_table(&mut self, table: &Table, path: &Path) -> Result<(), CommandError> {
        self.notes
            .extend(table.notes().iter().map(|note| format!("{}: {note}", name(path).display())));
        self.check(table.shape(), Some(path))?;
        let mut labels = table.labels();
        for (index, image) in table.pixels().chunks_exact(table.shape().pixels()).enumerate() {
            let label = labels.as_mut().and_then(Iterator::next);
            let origin = Origin {
                file: Some(name(path).display().to_string()),
                index,
                id: table.ids().and_then(|ids| ids.get(index).cloned()),
                label_name: label.map(str::to_owned),
                ..Origin::default()
            };
            self.add(image, origin, None);
        }
        Ok(())
    }

    fn add_readings(&mut self, readings: Vec<Reading>, path: &Path) {
        for (index, Reading { digit, prediction, is_unsure, .. }) in
            readings.into_iter().enumerate()
        {
            let (file, place) = (Some(name(path).display().to_string()), Some(digit.bounding_box));
            let origin = Origin { file, index, place, ..Origin::default() };
            self.add(digit.image.pixels(), origin, Some(Read { prediction, is_unsure }));
        }
    }

    fn add(&mut self, image: &[u8], origin: Origin, read: Option<Read>) {
        self.pixels.extend_from_slice(image);
        self.images.push((origin, read));
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

    /// What `reader` predicts of each.
    pub(super) fn predict(self, reader: Reader<'_>) -> Result<Vec<ImagePrediction>, CommandError> {
        let all = self.pixels.chunks_exact(self.shape.pixels().max(1));
        let unread = all.zip(&self.images).filter(|(_, (_, read))| read.is_none());
        let pixels: Vec<u8> = unread.flat_map(|(image, _)| image).copied().collect();
        let mut predictions = reader.predict(pixels)?.into_iter();
        let read = |(origin, read): (Origin, Option<Read>)| {
            let read = read.or_else(|| {
                let prediction = predictions.next()?;
                Some(Read { is_unsure: is_unsure(&prediction), prediction })
            })?;
            Some(ImagePrediction::new(origin, read.prediction, read.is_unsure))
        };
        Ok(self.images.into_iter().filter_map(read).collect())
    }
}

/// What a person calls the file at `path`.
fn name(path: &Path) -> &Path {
    if is_stdin(path) { Path::new("standard input") } else { path }
}
