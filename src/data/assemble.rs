//! Data sets made of arrays of images and labels.

use super::formats::{Array, ImageArray, labels};
use super::scaling::Scaling;
use super::{Bytes, Dataset, Problem, Split};
use crate::image::ImageShape;

/// The arrays of images and of their labels.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) images: Array,
    pub(super) labels: Array,
}

/// How arrays are to be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// Whether rows and columns of each image change places.
    pub(super) is_transposed: bool,
    /// The label of the first class.
    pub(super) first_label: u8,
}

impl Reading {
    /// The pixels of `images` and the shape of each.
    ///
    /// # Errors
    /// When a number is no pixel.
    pub(super) fn pixels(
        self,
        images: ImageArray,
        scaling: Scaling,
    ) -> Result<(ImageShape, Bytes), Problem> {
        let shape = images.shape();
        let pixels = images.into_pixels(scaling)?;
        if self.is_transposed {
            let turned = ImageShape { height: shape.width, width: shape.height };
            return Ok((turned, transposed(&pixels, shape).into()));
        }
        Ok((shape, pixels))
    }

    /// What a person is told of it, if that is worth a word.
    pub(super) fn note(self) -> Option<String> {
        self.is_transposed.then(|| "rows and columns of the images changed places".to_owned())
    }
}

/// The arrays of a data set: to train on, and to test with if those are apart.
#[derive(Clone, Debug)]
pub(super) struct Arrays {
    pub(super) train: Labelled,
    pub(super) test: Option<Labelled>,
}

impl Arrays {
    /// Those of images and labels to train on, then, perhaps, to test with.
    pub(super) fn in_order(arrays: Vec<Array>) -> Option<Self> {
        let mut arrays = arrays.into_iter();
        let mut next = || Some(Labelled { images: arrays.next()?, labels: arrays.next()? });
        let train = next()?;
        Some(Self { train, test: next() })
    }

    /// The data set of these arrays.
    ///
    /// # Errors
    /// When they are no images and labels, or do not fit together.
    pub(super) fn into_dataset(self, name: String, reading: Reading) -> Result<Dataset, Problem> {
        let Self { train, test } = self;
        let images = ImageArray::new(train.images).map_err(|p| p.within("training set"))?;
        let scaling = Scaling::of(images.span()).map_err(|p| p.within("training set"))?;
        let is_colour = images.is_colour();
        let part = |images: ImageArray, labels: Array, name| {
            split(images, labels, scaling, reading).map_err(|problem| problem.within(name))
        };
        let train = part(images, train.labels, "training set")?;
        let dataset = match test {
            Some(Labelled { images, labels }) => {
                let images = ImageArray::new(images).map_err(|p| p.within("test set"))?;
                Dataset::new(name, train, part(images, labels, "test set")?)?
            }
            None => Dataset::hold_out(name, &train)?,
        };
        let notes = scaling.note().into_iter();
        let colour = is_colour.then(|| "colours were made grey".to_owned());
        Ok(dataset.noted(notes.chain(colour).chain(reading.note())))
    }
}

fn split(
    images: ImageArray,
    numbers: Array,
    scaling: Scaling,
    reading: Reading,
) -> Result<Split, Problem> {
    let (shape, pixels) = reading.pixels(images, scaling)?;
    let mut labels = labels(numbers)?;
    if reading.first_label > 0 {
        let lowered = |(index, label): (usize, &u8)| {
            let found = label.to_string();
            label.checked_sub(reading.first_label).ok_or(Problem::LabelValue { index, found })
        };
        labels = labels.iter().enumerate().map(lowered).collect::<Result<Vec<_>, _>>()?.into();
    }
    Split::new(shape, pixels, labels)
}

/// The pixels of images of `shape`, rows and columns of each having changed places.
fn transposed(pixels: &[u8], shape: ImageShape) -> Vec<u8> {
    let ImageShape { height, width } = shape;
    let images = pixels.chunks_exact((height * width).max(1));
    let columns = |image| (0..width).flat_map(move |x| (0..height).map(move |y| (image, x, y)));
    images
        .flat_map(columns)
        .map(|(image, x, y): (&[u8], usize, usize)| image[y * width + x])
        .collect()
}
