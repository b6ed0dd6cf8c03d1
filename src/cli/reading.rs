//! What a network reads in images, and where those came from.

use std::path::Path;

use mnistry::data::Table;
use mnistry::image::{BoundingBox, ImageShape, Picture, Raster};
use mnistry::report::shades;
use mnistry::{Engine, Error, Network, Prediction, Result, Split};
use serde::Serialize;

/// Images to be read, one after the other.
pub(super) struct Images {
    shape: ImageShape,
    /// Count × height × width.
    pixels: Vec<u8>,
    origins: Vec<Origin>,
}

/// Where an image came from.
#[derive(Serialize)]
pub(super) struct Origin {
    /// The file that was named, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The image's place among those of its file or data set, from 0.
    index: usize,
    /// Where in the picture it was found, if it was cut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<BoundingBox>,
    /// What it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<u8>,
}

/// What was read in an image.
#[derive(Serialize)]
pub(super) struct Reading {
    #[serde(flatten)]
    pub(super) origin: Origin,
    /// What it was read as.
    pub(super) class: usize,
    /// How probable that is.
    probability: f32,
    /// The second best reading.
    runner_up: Option<RunnerUp>,
}

#[derive(Serialize)]
struct RunnerUp {
    class: usize,
    probability: f32,
}

impl Images {
    /// None yet, to be read by a network that reads images of `shape`.
    pub(super) fn new(shape: ImageShape) -> Self {
        Self { shape, pixels: Vec::new(), origins: Vec::new() }
    }

    /// Adds the images of a data set at `indices`.
    pub(super) fn add_tests(
        &mut self,
        images: &Split,
        indices: impl Iterator<Item = usize>,
    ) -> Result<()> {
        self.check(images.shape())?;
        for index in indices {
            let label = Some(images.labels()[index]);
            self.add(images.image(index), Origin { file: None, index, place: None, label });
        }
        Ok(())
    }

    /// Adds what the file at `path` holds: the rows of a CSV file, or the digits of a picture.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<()> {
        let is_table = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        if is_table { self.add_table(path) } else { self.add_picture(path) }
    }

    fn add_table(&mut self, path: &Path) -> Result<()> {
        let table = Table::open(path)?;
        self.check(table.shape()).map_err(|error| Error::file(path, error.to_string()))?;
        for (index, image) in table.pixels().chunks_exact(table.shape().pixels()).enumerate() {
            let file = Some(path.display().to_string());
            let label = table.labels().and_then(|labels| labels.get(index).copied());
            self.add(image, Origin { file, index, place: None, label });
        }
        Ok(())
    }

    fn add_picture(&mut self, path: &Path) -> Result<()> {
        let digits = Picture::open(path)?.digits(self.shape);
        for (index, digit) in digits.map_err(|problem| problem.at(path))?.iter().enumerate() {
            let (file, place) = (Some(path.display().to_string()), Some(digit.bounding_box));
            self.add(digit.image.pixels(), Origin { file, index, place, label: None });
        }
        Ok(())
    }

    fn add(&mut self, image: &[u8], origin: Origin) {
        self.pixels.extend_from_slice(image);
        self.origins.push(origin);
    }

    /// Refuses images of a shape that the network does not read.
    fn check(&self, shape: ImageShape) -> Result<()> {
        if shape == self.shape {
            return Ok(());
        }
        Err(Error::Network(format!(
            "the network reads images of {}, but these are {shape}",
            self.shape
        )))
    }

    /// Each image as characters.
    pub(super) fn drawn(&self) -> Vec<String> {
        let images = self.pixels.chunks_exact(self.shape.pixels().max(1));
        let images = images.filter_map(|image| Raster::new(self.shape, image.to_vec()));
        images.map(|image| shades(&image)).collect()
    }

    /// Has `network` read them all.
    pub(super) fn read(self, engine: &Engine, network: &Network) -> Result<Vec<Reading>> {
        let predictions = engine.predict_batch(network, self.pixels)?;
        let reading = |(origin, prediction): (Origin, Prediction)| Reading {
            origin,
            class: prediction.class,
            probability: prediction.probability(),
            runner_up: prediction
                .runner_up()
                .map(|class| RunnerUp { class, probability: prediction.probabilities[class] }),
        };
        Ok(self.origins.into_iter().zip(predictions).map(reading).collect())
    }
}

impl Reading {
    /// Whether this image and `other` were found in the same picture.
    pub(super) fn shares_picture(&self, other: &Self) -> bool {
        self.origin.place.is_some() && self.origin.file == other.origin.file
            // A picture may be named twice.
            && self.origin.index < other.origin.index
    }

    /// What a person calls the image, or the picture that it was found in.
    pub(super) fn name(&self) -> String {
        let Origin { file, index, place, .. } = &self.origin;
        match (file, place) {
            (None, _) => format!("image {index}"),
            (Some(file), None) => format!("{file}, row {}", index + 1),
            (Some(file), Some(_)) => file.clone(),
        }
    }

    /// A line for a person: `image 7: 9 (99.12 %), or 4 (0.71 %); labelled 9`.
    pub(super) fn text(&self) -> String {
        let percent = |share: f32| format!("{:.2} %", 100.0 * share);
        let second = self.runner_up.as_ref().map_or(String::new(), |second| {
            format!(", or {} ({})", second.class, percent(second.probability))
        });
        let label = self.origin.label.map_or(String::new(), |label| format!("; labelled {label}"));
        let (name, first) = (self.name(), percent(self.probability));
        format!("{name}: {} ({first}){second}{label}\n", self.class)
    }
}
