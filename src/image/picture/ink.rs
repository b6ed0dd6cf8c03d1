//! What stands out from the ground of a picture.

use crate::image::Raster;
use crate::image::picture::plane::{Ground, Plane};

/// The ink of a picture.
pub(super) struct Inked {
    /// How strong the ink is, up to 255; 0 where there is none.
    pub(super) drawing: Raster,
    /// The strength from which on ink is surely ink; less is ink only if it is connected with
    /// such.
    pub(super) sure: u8,
}

/// The ink of `plane`, be it darker or lighter than the ground; `None` where nothing stands out.
pub(super) fn of(mut plane: Plane) -> Option<Inked> {
    if is_light(&plane) {
        plane.values.iter_mut().for_each(|value| *value = 255.0 - *value);
    }
    let ground = Ground::closed(&plane);
    let contrast = Contrast::of(&plane, &ground)?;
    let ground = ground.refined(&plane, |index| contrast.values[index] < contrast.faint);
    let contrast = Contrast::of(&plane, &ground)?;
    let strength = |value: f32| {
        let share = (value - contrast.faint) / (contrast.ink - contrast.faint);
        // Casts keep within a byte.
        if value > contrast.faint { (share * 255.0).max(1.0) as u8 } else { 0 }
    };
    let pixels = contrast.values.iter().map(|&value| strength(value)).collect();
    Some(Inked { drawing: Raster::new(plane.shape, pixels)?, sure: strength(contrast.sure).max(1) })
}

/// Whether the ink of `plane` is lighter than its ground. Ink covers less than the ground does,
/// so it is farther from the mean of its surroundings, which the third moment shows.
fn is_light(plane: &Plane) -> bool {
    let means = Ground::mean(plane);
    let far = plane.values.iter().zip(means.pixels(plane.shape)).map(|(value, mean)| value - mean);
    far.map(|far| f64::from(far).powi(3)).sum::<f64>() > 0.0
}

/// The least share of the ground's light that ink takes away.
const LEAST: f32 = 0.1;
/// Deviations of the ground's grain that ink stands out by; by fewer, faint ink.
const SURE: f32 = 4.0;
const FAINT: f32 = 3.0;
/// Pixels that are to be darkest, lest a speck of dust be taken for ink: so many, or one of so
/// many.
const DARKEST: (usize, usize) = (12, 5000);

/// What share of the ground's light is missing, pixel by pixel, beyond what usually is.
struct Contrast {
    values: Vec<f32>,
    /// What most of the ink has.
    ink: f32,
    /// Ink has more.
    sure: f32,
    /// The edge of ink has more.
    faint: f32,
}

impl Contrast {
    /// Tells ink from `ground` midway between the means of both.
    fn of(plane: &Plane, ground: &Ground) -> Option<Self> {
        let light = plane.values.iter().zip(ground.pixels(plane.shape));
        let mut values: Vec<f32> =
            light.map(|(value, ground)| 1.0 - value / ground.max(1.0)).collect();
        let mut sorted = values.clone();
        let usual = nth(&mut sorted, values.len() / 2);
        values.iter_mut().for_each(|value| *value -= usual);

        let mut grain: Vec<f32> = values.iter().map(|value| value.abs()).collect();
        let grain = 1.4826 * nth(&mut grain, values.len() / 2);
        let few = DARKEST.0.max(values.len() / DARKEST.1);
        let darkest = nth(&mut sorted, values.len().saturating_sub(few + 1)) - usual;

        let (mut sure, mut ink, mut rest) = (darkest / 2.0, 0.0, 0.0);
        for _ in 0..20 {
            let [above, below] = [true, false].map(|above| {
                let those = values.iter().filter(|&&value| (value > sure) == above);
                let (sum, count) = those
                    .fold((0.0, 0u32), |(sum, count), &value| (sum + f64::from(value), count + 1));
                (sum / f64::from(count.max(1))) as f32
            });
            (ink, rest) = (above, below);
            let next = (ink + rest) / 2.0;
            if (next - sure).abs() < 1e-3 {
                break;
            }
            sure = next;
        }
        if ink - rest < LEAST.max(SURE * grain) {
            return None;
        }
        let faint = (sure / 2.0).max(FAINT * grain).min(sure);
        Some(Self { values, ink, sure, faint })
    }
}

/// The value that would be at `index` if `values` were sorted; 0 where there is none.
fn nth(values: &mut [f32], index: usize) -> f32 {
    if index < values.len() { *values.select_nth_unstable_by(index, f32::total_cmp).1 } else { 0.0 }
}
