//! The test images that a network misclassifies, and how sure it is of each.

use std::path::Path;

use crate::data::{ClassNames, Split};
use crate::exec::engine::Engine;
use crate::files::write_output_folder;
use crate::image::Raster;
use crate::model::Network;
use crate::report::error::{Error, Result};

/// An image that a network misclassifies.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Misclassified {
    /// Which image of its split, counted from 0.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// The class that it was taken for.
    pub predicted: usize,
    /// How probable that seemed, from 0 to 1.
    pub probability: f32,
}

/// So many images are copied at once.
const PORTION: usize = 1024;

/// What `network` takes the images of `split` at `indices` for, which it misclassifies as an
/// [evaluation](crate::Evaluation::misclassified) says: those first of which it is surest.
///
/// # Errors
/// When there are no such images, the network does not fit them or cannot be asked, or a file of
/// `split` changed meanwhile.
pub fn misclassified(
    engine: &Engine,
    network: &Network,
    split: &Split,
    indices: &[usize],
) -> Result<Vec<Misclassified>> {
    if let Some(&index) = indices.iter().find(|&&index| index >= split.len()) {
        return Err(Error::NoSuchImage { index, images: split.len() });
    }
    let mut predictions = Vec::with_capacity(indices.len());
    for portion in indices.chunks(PORTION) {
        let images: Vec<_> = portion.iter().map(|&index| split.image(index)).collect();
        predictions.extend(engine.predict_batch(network, images.concat())?);
    }
    split.check_unchanged()?;
    let found = indices.iter().zip(predictions).map(|(&index, prediction)| Misclassified {
        index,
        label: usize::from(split.labels()[index]),
        predicted: prediction.class,
        probability: prediction.probability(),
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(found)
}

/// Writes `images` of `split` as PNG files into a new folder at `path`, or one that is empty, all at
/// once; they are named `00042_label5_read3.png`.
///
/// # Errors
/// When the folder has files already, or cannot be written.
pub fn write_misclassified(
    path: &Path,
    split: &Split,
    images: &[Misclassified],
    names: &ClassNames,
) -> Result<()> {
    let file = |image: &Misclassified| {
        let raster = Raster::new(split.shape(), split.image(image.index).to_vec());
        let png = raster.map(|raster| raster.to_png()).transpose()?.unwrap_or_default();
        Ok((file_name(image, names), png))
    };
    let files = images.iter().map(file).collect::<Result<Vec<_>>>()?;
    let files = files.iter().map(|(name, png)| (name.clone(), &png[..]));
    Ok(write_output_folder(path, files)?)
}

/// The name of the file of `image`.
fn file_name(image: &Misclassified, names: &ClassNames) -> String {
    let name = |class: usize| in_file_names(&names.name(class));
    let (label, predicted) = (name(image.label), name(image.predicted));
    format!("{:05}_label{label}_read{predicted}.png", image.index)
}

/// `name` as a part of the name of a file: what systems give a meaning becomes a line, and two such
/// names leave room in the 255 bytes that a file's name may have.
fn in_file_names(name: &str) -> String {
    const LONGEST: usize = 80;
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let mut text = String::new();
    for letter in name.chars().map(plain) {
        if text.len() + letter.len_utf8() > LONGEST {
            break;
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_have_nothing_that_systems_give_a_meaning() {
        let long = "é".repeat(64);
        let names = ClassNames::new(["T-shirt/top", "../..", &long]).unwrap();
        let of = |index, label, predicted| {
            file_name(&Misclassified { index, label, predicted, probability: 1.0 }, &names)
        };
        assert_eq!(of(42, 0, 1), "00042_labelT-shirt_top_read_____.png");
        assert_eq!(of(123_456, 1, 7), "123456_label______read7.png");
        assert_eq!(of(7, 2, 2).len(), "00007_label_read.png".len() + 160);
    }
}
