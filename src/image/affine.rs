//! Data augmentation: images moved, rotated and scaled at random, so that a network sees each of
//! them anew in every epoch.

use serde::{Deserialize, Serialize};

use super::{Error, ImageShape, Raster};
use crate::kernels::ops::trigonometry::{cos, sin};
use crate::rng::Rng;

/// How far images are transformed at most, in either direction; not at all where all are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomAffine {
    /// By how many pixels they are moved, down and across.
    pub shift: f32,
    /// By how many degrees they are rotated about their centre.
    #[serde(rename = "rotate")]
    pub rotation: f32,
    /// By which share they grow or shrink.
    pub scale: f32,
}

impl RandomAffine {
    /// Whether it leaves images as they are.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what makes no sense.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self { shift, rotation, scale } = *self;
        let within = |x: f32, most: f32| (0.0..=most).contains(&x);
        if within(shift, 1000.0) && within(rotation, 180.0) && within(scale, 0.9) {
            return Ok(());
        }
        Err(Error::RandomAffine { shift, rotation, scale })
    }

    /// Writes `image`, of shape `shape`, transformed as `rng` says, into `pixels`; `value` is what
    /// each byte stands for.
    pub(crate) fn apply(
        &self,
        rng: &mut Rng,
        (shape, image): (ImageShape, &[u8]),
        value: &[f32; 256],
        pixels: &mut [f32],
    ) {
        let source = Source { shape, image, value };
        let inverse = self.sample(rng, shape);
        for (row, pixels) in pixels.chunks_exact_mut(shape.width).enumerate() {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                *pixel = source.between(inverse.map(row as f32, column as f32));
            }
        }
    }

    /// One transformation of images of `shape`, as `rng` says.
    fn sample(&self, rng: &mut Rng, shape: ImageShape) -> Inverse {
        let (down, across) =
            (rng.range(-self.shift, self.shift), rng.range(-self.shift, self.shift));
        let angle = f64::from(rng.range(-self.rotation, self.rotation)).to_radians();
        let scale = 1.0 + rng.range(-self.scale, self.scale);
        let (sin, cos) = (sin(angle) as f32 / scale, cos(angle.abs()) as f32 / scale);
        Inverse::new(Affine { matrix: [cos, -sin, sin, cos], shift: [down, across] }, shape)
    }
}

/// From where in an image each pixel of another comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    /// What place relative to the centre, down and across, is at one that is given: row by row.
    pub(crate) matrix: [f32; 4],
    /// By how many pixels all is moved first, down and across.
    pub(crate) shift: [f32; 2],
}

impl Raster {
    /// The image, each pixel from where `from` says, by bilinear interpolation; what comes from
    /// outside is black.
    pub(crate) fn transformed(&self, from: &Affine) -> Self {
        let value = std::array::from_fn(|level| level as f32);
        let source = Source { shape: self.shape(), image: self.pixels(), value: &value };
        let inverse = Inverse::new(*from, self.shape());
        let mut image = Self::blank(self.shape());
        let width = self.shape().width;
        for (index, pixel) in image.pixels_mut().iter_mut().enumerate() {
            let place = inverse.map((index / width) as f32, (index % width) as f32);
            // A cast keeps within a byte.
            *pixel = (source.between(place) + 0.5) as u8;
        }
        image
    }
}

/// The inverse of an affine transformation of images of one shape.
struct Inverse {
    affine: Affine,
    /// Row and column of the centre.
    centre: (f32, f32),
}

impl Inverse {
    fn new(affine: Affine, shape: ImageShape) -> Self {
        let centre = ((shape.height as f32 - 1.0) / 2.0, (shape.width as f32 - 1.0) / 2.0);
        Self { affine, centre }
    }

    /// Row and column that come to these.
    fn map(&self, row: f32, column: f32) -> (f32, f32) {
        let Affine { matrix: [a, b, c, d], shift: [down, across] } = self.affine;
        let (y, x) = (row - self.centre.0 - down, column - self.centre.1 - across);
        (a * y + b * x + self.centre.0, c * y + d * x + self.centre.1)
    }
}

/// An image that is resampled.
struct Source<'a> {
    shape: ImageShape,
    image: &'a [u8],
    /// What each byte stands for.
    value: &'a [f32; 256],
}

impl Source<'_> {
    /// The value at this row and column, by bilinear interpolation between the four pixels around
    /// it; outside all is black.
    fn between(&self, (row, column): (f32, f32)) -> f32 {
        let (top, left) = (row.floor(), column.floor());
        let (down, across) = (row - top, column - left);
        let (top, left) = (top as i32, left as i32);
        let mix = |a: f32, b: f32, fraction: f32| a + (b - a) * fraction;
        let along = |y: i32| mix(self.at(y, left), self.at(y, left.saturating_add(1)), across);
        mix(along(top), along(top.saturating_add(1)), down)
    }

    fn at(&self, y: i32, x: i32) -> f32 {
        let ImageShape { height, width } = self.shape;
        if (0..height as i32).contains(&y) && (0..width as i32).contains(&x) {
            self.value[usize::from(self.image[y as usize * width + x as usize])]
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::sparse::PIXEL_VALUES;
    use crate::rng::Stream;

    const SHAPE: ImageShape = ImageShape { height: 9, width: 7 };

    /// A bright pixel right of the centre, transformed under `seed`.
    fn transformed(augmentation: RandomAffine, seed: u64) -> Vec<f32> {
        let mut image = vec![0; SHAPE.pixels()];
        image[4 * 7 + 5] = 255;
        let mut pixels = vec![f32::NAN; SHAPE.pixels()];
        let mut rng = Rng::stream(seed, Stream::Augment, 0);
        augmentation.apply(&mut rng, (SHAPE, &image), &PIXEL_VALUES, &mut pixels);
        pixels
    }

    /// Where the light of an image is, on average, from the centre: down and across.
    fn centre(pixels: &[f32]) -> (f32, f32) {
        let total: f32 = pixels.iter().sum();
        let weigh = |position: fn(usize) -> f32| {
            let sum: f32 = pixels.iter().enumerate().map(|(i, &x)| x * position(i)).sum();
            sum / total
        };
        (weigh(|i| (i / 7) as f32 - 4.0), weigh(|i| (i % 7) as f32 - 3.0))
    }

    #[test]
    fn nothing_changes_without_augmentation() {
        let pixels = transformed(RandomAffine::default(), 3);
        assert!(pixels.iter().enumerate().all(|(i, &x)| x == if i == 33 { 1.0 } else { 0.0 }));
    }

    #[test]
    fn light_moves_as_far_as_it_may() {
        let (mut furthest, mut nearest) = (0.0_f32, f32::INFINITY);
        for seed in 0..200 {
            let (down, across) =
                centre(&transformed(RandomAffine { shift: 1.0, ..Default::default() }, seed));
            let distance = down.abs().max((across - 2.0).abs());
            furthest = furthest.max(distance);
            nearest = nearest.min(distance);
            assert!(distance <= 1.001, "{distance}");
        }
        assert!(furthest > 0.9 && nearest < 0.2, "from {nearest} to {furthest}");
    }

    #[test]
    fn light_rotates_about_the_centre_and_scales_from_it() {
        for seed in 0..50 {
            let rotated =
                centre(&transformed(RandomAffine { rotation: 30.0, ..Default::default() }, seed));
            let (radius, angle) = (rotated.0.hypot(rotated.1), rotated.0.atan2(rotated.1));
            assert!((radius - 2.0).abs() < 0.3 && angle.to_degrees().abs() < 40.0, "{rotated:?}");
            let scaled =
                centre(&transformed(RandomAffine { scale: 0.2, ..Default::default() }, seed));
            assert!(scaled.0.abs() < 0.01 && (scaled.1 - 2.0).abs() < 0.6, "{scaled:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |shift, rotation, scale| RandomAffine { shift, rotation, scale }.check();
        assert!(check(2.0, 15.0, 0.1).is_ok());
        assert!(check(-1.0, 0.0, 0.0).is_err());
        assert!(check(0.0, f32::NAN, 0.0).is_err());
        assert!(check(0.0, 0.0, 1.0).is_err());
    }
}
