//! What stands out from the background of a picture: ink, by a threshold with hysteresis.

use super::Plane;
use super::background::Background;
use crate::image::Raster;

/// The ink of a picture.
pub(super) struct Ink {
    /// How strong the ink is, up to 255; 0 where there is none.
    pub(super) drawing: Raster,
    /// The strength from which on ink is surely ink; less is ink only if it is connected with
    /// such.
    pub(super) strong: u8,
}

/// The ink of `plane`, which is darker than the background; `None` where nothing stands out.
pub(super) fn ink(plane: &Plane) -> Option<Ink> {
    let background = Background::closed(plane);
    let contrast = Contrast::of(plane, &background)?;
    let background = background.refined(plane, |index| contrast.values[index] < contrast.weak);
    let contrast = Contrast::of(plane, &background)?;
    let strength = |value: f32| {
        let share = (value - contrast.weak) / (contrast.ink - contrast.weak);
        // Casts keep within a byte.
        if value > contrast.weak { (share * 255.0).max(1.0) as u8 } else { 0 }
    };
    let pixels = contrast.values.iter().map(|&value| strength(value)).collect();
    let strong = strength(contrast.strong).max(1);
    Some(Ink { drawing: Raster::new(plane.shape, pixels)?, strong })
}

/// The least share of the background's light that ink takes away.
const LEAST: f32 = 0.1;
/// Deviations of the background's grain that strong ink stands out by, and weak ink.
const STRONG: f32 = 4.0;
const WEAK: f32 = 3.0;
/// Pixels that are to be darkest, lest a speck of dust be taken for ink: so many, or one of so
/// many.
const DARKEST: (usize, usize) = (12, 5000);

/// What share of the background's light is missing, pixel by pixel, beyond what usually is, and
/// the two thresholds of hysteresis.
struct Contrast {
    values: Vec<f32>,
    /// What most of the ink has.
    ink: f32,
    /// Ink has more.
    strong: f32,
    /// The edge of ink has more.
    weak: f32,
}

impl Contrast {
    /// Tells ink from `background` midway between the means of both (Ridler and Calvard, 1978).
    fn of(plane: &Plane, background: &Background) -> Option<Self> {
        let light = plane.values.iter().zip(&background.values);
        let mut values: Vec<f32> =
            light.map(|(value, background)| 1.0 - value / background.max(1.0)).collect();
        let mut sorted = values.clone();
        let usual = nth(&mut sorted, values.len() / 2);
        values.iter_mut().for_each(|value| *value -= usual);

        // The deviation by way of the median, which ink does not disturb.
        let mut grain: Vec<f32> = values.iter().map(|value| value.abs()).collect();
        let grain = 1.4826 * nth(&mut grain, values.len() / 2);
        let few = DARKEST.0.max(values.len() / DARKEST.1);
        let darkest = nth(&mut sorted, values.len().saturating_sub(few + 1)) - usual;

        let (mut threshold, mut ink, mut rest) = (darkest / 2.0, 0.0, 0.0);
        for _ in 0..20 {
            let [above, below] = [true, false].map(|above| {
                let those = values.iter().filter(|&&value| (value > threshold) == above);
                let (sum, count) = those
                    .fold((0.0, 0u32), |(sum, count), &value| (sum + f64::from(value), count + 1));
                (sum / f64::from(count.max(1))) as f32
            });
            (ink, rest) = (above, below);
            let next = (ink + rest) / 2.0;
            if (next - threshold).abs() < 1e-3 {
                break;
            }
            threshold = next;
        }
        if ink - rest < LEAST.max(STRONG * grain) {
            return None;
        }
        let weak = (threshold / 2.0).max(WEAK * grain).min(threshold);
        Some(Self { values, ink, strong: threshold, weak })
    }
}

/// The value that would be at `index` if `values` were sorted; 0 where there is none.
fn nth(values: &mut [f32], index: usize) -> f32 {
    if index < values.len() { *values.select_nth_unstable_by(index, f32::total_cmp).1 } else { 0.0 }
}
