//! How pictures become images: decided once, by all pictures of a data set, and done to all alike.
//!
//! | pictures | images |
//! | --- | --- |
//! | of one size, up to 64 × 64 | as they are |
//! | others | prepared as `predict` prepares them: cut out, fitted and centred in 28 × 28 |
//!
//! Of those that are taken as they are, most have a light edge or a dark one. Where nine tenths agree,
//! all are on such a ground, and are inverted together where it is light: a picture whose edge says
//! otherwise is drawn to the edge. Where fewer agree, both kinds were put together, and each is
//! brought on black ground by its own edge, so that no class is known by its ground; that is said.

use super::pictures::Usable;
use crate::image::{Error, Frame, ImageShape, Picture, Raster};

/// The longer side of pictures that are taken as they are, if all are of one size.
const LARGEST_READY: usize = 64;

/// The share of pictures whose edges agree where all have one ground.
const AGREEING: f64 = 0.9;

/// The shape of images that are not taken as they are: MNIST's.
const FITTED: ImageShape = Frame::MNIST.image();

/// How pictures become images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Treatment {
    how: How,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    AsTheyAre { shape: ImageShape, ground: Ground },
    Fitted,
}

/// What lies behind the ink.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ground {
    Dark,
    Light,
    /// Of some pictures dark, of others light.
    Both,
}

/// What was seen of all pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    pictures: usize,
    /// Those with a light edge, among small ones.
    light: usize,
    coloured: usize,
    with_more_frames: usize,
}

/// Whether a picture is small enough to be taken as it is.
pub(super) fn is_small(picture: &Picture) -> bool {
    let ImageShape { height, width } = picture.shape();
    height.max(width) <= LARGEST_READY
}

/// The image that is made of a picture which is not taken as it is.
pub(super) fn fitted(picture: &Picture) -> Result<Raster, Error> {
    picture.fitted(FITTED)
}

impl Treatment {
    /// That of these pictures.
    pub(super) fn of<'a>(pictures: impl Iterator<Item = &'a Usable>) -> Self {
        let mut seen = Seen::default();
        let mut shapes = Vec::new();
        for picture in pictures {
            seen.pictures += 1;
            seen.coloured += usize::from(picture.kind.is_coloured);
            seen.with_more_frames += usize::from(picture.kind.has_more_frames);
            let small = picture.content.small();
            seen.light += usize::from(small.is_some_and(|small| has_light_edge(small.levels())));
            let shape = small.map(Picture::shape);
            if !shapes.contains(&shape) && shapes.len() < 2 {
                shapes.push(shape);
            }
        }
        let how = match *shapes {
            [Some(shape)] => How::AsTheyAre { shape, ground: seen.ground() },
            _ => How::Fitted,
        };
        Self { how, seen }
    }

    /// The shape of the images.
    pub(super) fn shape(&self) -> ImageShape {
        match self.how {
            How::AsTheyAre { shape, .. } => shape,
            How::Fitted => FITTED,
        }
    }

    /// The image that the small `picture` becomes.
    ///
    /// # Errors
    /// When nothing is seen in it.
    pub(super) fn image(&self, picture: &Picture) -> Result<Raster, Error> {
        let How::AsTheyAre { ground, .. } = self.how else { return fitted(picture) };
        let mut image = picture.levels().clone();
        let first = image.pixels().first().copied();
        if image.pixels().iter().all(|&level| Some(level) == first) {
            return Err(Error::NoDigit);
        }
        let is_light = match ground {
            Ground::Dark => false,
            Ground::Light => true,
            Ground::Both => has_light_edge(&image),
        };
        if is_light {
            image.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        Ok(image)
    }

    /// What is to be said of it.
    pub(super) fn notes(&self) -> Vec<String> {
        let Seen { pictures, light, coloured, with_more_frames } = self.seen;
        let how = match self.how {
            How::Fitted => format!(
                "pictures of several sizes or larger than {LARGEST_READY} × {LARGEST_READY}: all \
                 were cut out, fitted and centred as MNIST's, {FITTED}"
            ),
            How::AsTheyAre { shape, ground } => {
                let ground = match ground {
                    Ground::Dark => "on dark ground".to_owned(),
                    Ground::Light => {
                        format!("inverted, as the ground is light in {light} of {pictures}")
                    }
                    Ground::Both => format!(
                        "the ground is light in {light} of {pictures}, and those were inverted"
                    ),
                };
                format!("pictures of {shape}, taken as they are: {ground}")
            }
        };
        let coloured = (coloured > 0).then(|| {
            format!("{coloured} of {pictures} pictures have colours, which were made grey")
        });
        let frames = (with_more_frames > 0).then(|| {
            format!(
                "{with_more_frames} of {pictures} files have several frames: the first was taken"
            )
        });
        [Some(how), coloured, frames].into_iter().flatten().collect()
    }
}

impl Seen {
    fn ground(&self) -> Ground {
        let agreeing = AGREEING * self.pictures as f64;
        match (self.light as f64, (self.pictures - self.light) as f64) {
            (_, dark) if dark >= agreeing => Ground::Dark,
            (light, _) if light >= agreeing => Ground::Light,
            _ => Ground::Both,
        }
    }
}

/// Whether most pixels at the edge of `image` are light.
fn has_light_edge(image: &Raster) -> bool {
    let ImageShape { height, width } = image.shape();
    let is_edge = |index: usize| {
        let (row, column) = (index / width, index % width);
        row == 0 || column == 0 || row + 1 == height || column + 1 == width
    };
    let edge: Vec<u8> = (0..height * width)
        .filter(|&index| is_edge(index))
        .map(|index| image.pixels()[index])
        .collect();
    2 * edge.iter().filter(|&&level| level > 127).count() > edge.len()
}
