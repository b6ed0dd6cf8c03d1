//! Images of a data set: some of each class, and what augmentation makes of some.

use super::picture::Picture;
use crate::data::{Dataset, Split};
use crate::exec::streams::SampleStreams;
use crate::image::{ImageShape, RandomAffine, Raster};
use crate::report::error::Result;
use crate::rng::Stream;

/// So many classes at most are shown, and so many images of each.
const CLASSES: usize = 20;
const OF_EACH: usize = 12;
/// So many images at most are shown augmented, as they are in so many epochs.
const AUGMENTED: usize = 6;
const EPOCHS: usize = 11;
/// Pixels in all, of larger images.
const MOST_PIXELS: usize = 400_000;

/// Images of a class, side by side.
#[derive(Clone, Debug)]
pub(super) struct ClassSamples {
    /// What the class is called.
    pub(super) class: String,
    pub(super) picture: Picture,
}

/// The first training images of each class.
///
/// # Errors
/// When they are too large for a picture.
pub(super) fn of_classes(data: &Dataset) -> Result<Vec<ClassSamples>> {
    let split = &data.train;
    let classes = data.classes().min(CLASSES);
    let each = limited(OF_EACH * classes, split.shape()).div_ceil(classes.max(1)).min(OF_EACH);
    let mut found = vec![Vec::new(); classes];
    for (index, &label) in split.labels().iter().enumerate() {
        if let Some(images) = found.get_mut(usize::from(label)).filter(|of| of.len() < each) {
            images.push(index);
        }
    }
    let shown = found.iter().enumerate().filter(|(_, images)| !images.is_empty());
    let samples = shown.map(|(class, images)| {
        let images = images.iter().map(|&index| split.image(index).to_vec());
        let class = data.class_names.name(class).into_owned();
        Ok(ClassSamples { class, picture: strip(split.shape(), images.collect())? })
    });
    samples.collect()
}

/// The first training images, each beside what `augmentation` makes of it under `seed`, epoch after
/// epoch; none where that is nothing.
///
/// # Errors
/// When they are too large for a picture.
pub(super) fn augmented(
    split: &Split,
    augmentation: &RandomAffine,
    seed: u64,
) -> Result<Vec<Picture>> {
    if augmentation.is_none() {
        return Ok(Vec::new());
    }
    let shape = split.shape();
    let count = limited(AUGMENTED * EPOCHS, shape).div_ceil(EPOCHS).min(split.len());
    let value = std::array::from_fn(|level| level as f32);
    let rows = (0..count).map(|index| {
        let image = split.image(index);
        let epoch = |epoch: usize| {
            let streams = SampleStreams { seed, epoch };
            let mut rng = streams.of(Stream::Augment, 0, index as u32);
            let mut pixels = vec![0.0; shape.pixels()];
            augmentation.apply(&mut rng, (shape, image), &value, &mut pixels);
            // A cast keeps within a byte.
            pixels.into_iter().map(|pixel| (pixel + 0.5) as u8).collect()
        };
        strip(shape, std::iter::once(image.to_vec()).chain((1..=EPOCHS).map(epoch)).collect())
    });
    rows.collect()
}

/// As many of `count` images of `shape` as a page may hold, and at least one.
pub(super) fn limited(count: usize, shape: ImageShape) -> usize {
    count.min(MOST_PIXELS / shape.pixels().max(1)).max(1)
}

/// Images side by side.
fn strip(shape: ImageShape, images: Vec<Vec<u8>>) -> Result<Picture> {
    const GAP: usize = 1;
    let ImageShape { height, width } = shape;
    let width_of_all = images.len() * (width + GAP) - GAP;
    let mut sheet = Raster::blank(ImageShape { height, width: width_of_all });
    for (place, image) in images.iter().enumerate() {
        sheet.paste(image, shape, 0, place * (width + GAP));
    }
    Picture::grey(&sheet)
}
