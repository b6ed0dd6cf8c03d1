//! Images a little moved, turned and scaled, so that a network sees each of them anew in every
//! epoch.

use serde::{Deserialize, Serialize};

use super::{Error, ImageShape};
use crate::kernels::ops::trigonometry::{cos, sin};
use crate::rng::Rng;

/// How far images are distorted at most, in either direction; by nothing where all are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomAffine {
    /// By how many pixels they are moved, down and across.
    pub shift: f32,
    /// By how many degrees they are turned about their centre.
    pub rotate: f32,
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
        let Self { shift, rotate, scale } = *self;
        let within = |x: f32, most: f32| (0.0..=most).contains(&x);
        if within(shift, 1000.0) && within(rotate, 180.0) && within(scale, 0.9) {
            return Ok(());
        }
        Err(Error::RandomAffine { shift, rotation: rotate, scale })
    }

    /// Writes `image`, of shape `shape`, distorted as `rng` says, into `pixels`; `value` is what
    /// each byte stands for. Between four pixels it interpolates; outside all is black.
    pub(crate) fn apply(
        &self,
        rng: &mut Rng,
        (shape, image): (ImageShape, &[u8]),
        value: &[f32; 256],
        pixels: &mut [f32],
    ) {
        let (down, across) =
            (rng.range(-self.shift, self.shift), rng.range(-self.shift, self.shift));
        let angle = f64::from(rng.range(-self.rotate, self.rotate)).to_radians();
        let scale = 1.0 + rng.range(-self.scale, self.scale);
        let (turn, keep) = (sin(angle) as f32 / scale, cos(angle.abs()) as f32 / scale);
        let (middle_y, middle_x) =
            ((shape.height as f32 - 1.0) / 2.0, (shape.width as f32 - 1.0) / 2.0);
        let at = |y: i32, x: i32| {
            let inside =
                (0..shape.height as i32).contains(&y) && (0..shape.width as i32).contains(&x);
            if inside {
                value[usize::from(image[y as usize * shape.width + x as usize])]
            } else {
                0.0
            }
        };
        for (row, pixels) in pixels.chunks_exact_mut(shape.width).enumerate() {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let (y, x) = (row as f32 - middle_y - down, column as f32 - middle_x - across);
                // Where this pixel was before: turned and scaled back.
                let from_y = keep * y - turn * x + middle_y;
                let from_x = turn * y + keep * x + middle_x;
                let (top, left) = (from_y.floor(), from_x.floor());
                let (part_y, part_x) = (from_y - top, from_x - left);
                let (top, left) = (top as i32, left as i32);
                let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
                let upper = mix(at(top, left), at(top, left.saturating_add(1)), part_x);
                let top = top.saturating_add(1);
                let lower = mix(at(top, left), at(top, left.saturating_add(1)), part_x);
                *pixel = mix(upper, lower, part_y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::sparse::PIXEL_VALUES;
    use crate::rng::Stream;

    const SHAPE: ImageShape = ImageShape { height: 9, width: 7 };

    /// A bright pixel right of the centre, distorted under `seed`.
    fn distorted(augmentation: RandomAffine, seed: u64) -> Vec<f32> {
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
    fn nothing_changes_without_distortion() {
        let pixels = distorted(RandomAffine::default(), 3);
        assert!(pixels.iter().enumerate().all(|(i, &x)| x == if i == 33 { 1.0 } else { 0.0 }));
    }

    #[test]
    fn light_moves_as_far_as_it_may() {
        let (mut furthest, mut nearest) = (0.0_f32, f32::INFINITY);
        for seed in 0..200 {
            let (down, across) =
                centre(&distorted(RandomAffine { shift: 1.0, ..Default::default() }, seed));
            let distance = down.abs().max((across - 2.0).abs());
            furthest = furthest.max(distance);
            nearest = nearest.min(distance);
            assert!(distance <= 1.001, "{distance}");
        }
        assert!(furthest > 0.9 && nearest < 0.2, "from {nearest} to {furthest}");
    }

    #[test]
    fn light_turns_about_the_centre_and_scales_from_it() {
        for seed in 0..50 {
            let turned =
                centre(&distorted(RandomAffine { rotate: 30.0, ..Default::default() }, seed));
            let (radius, angle) = (turned.0.hypot(turned.1), turned.0.atan2(turned.1));
            assert!((radius - 2.0).abs() < 0.3 && angle.to_degrees().abs() < 40.0, "{turned:?}");
            let scaled =
                centre(&distorted(RandomAffine { scale: 0.2, ..Default::default() }, seed));
            assert!(scaled.0.abs() < 0.01 && (scaled.1 - 2.0).abs() < 0.6, "{scaled:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |shift, rotate, scale| RandomAffine { shift, rotate, scale }.check();
        assert!(check(2.0, 15.0, 0.1).is_ok());
        assert!(check(-1.0, 0.0, 0.0).is_err());
        assert!(check(0.0, f32::NAN, 0.0).is_err());
        assert!(check(0.0, 0.0, 1.0).is_err());
    }
}
