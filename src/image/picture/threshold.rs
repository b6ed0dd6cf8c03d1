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
/// many; where nothing is seen so, one of a greater number, as a small digit in a large picture has.
const DARKEST: usize = 12;
const ONE_OF: [usize; 2] = [5000, 100_000];

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
    /// Tells ink from `background`.
    fn of(plane: &Plane, background: &Background) -> Option<Self> {
        let light = plane.values.iter().zip(&background.values);
        let missing = light.map(|(value, background)| 1.0 - value / background.max(1.0));
        let mut values: Vec<f32> = missing.collect();
        let usual = nth(values.iter().copied(), values.len() / 2);
        values.iter_mut().for_each(|value| *value -= usual);

        // The deviation by way of the median, which ink does not disturb.
        let grain = 1.4826 * nth(values.iter().map(|value| value.abs()), values.len() / 2);
        let two_means = |one_of: usize| {
            let few = DARKEST.max(values.len() / one_of);
            let darkest = nth(values.iter().copied(), values.len().saturating_sub(few + 1));
            let found = TwoMeans::of(&values, darkest / 2.0);
            (found.ink - found.rest >= LEAST.max(STRONG * grain)).then_some(found)
        };
        let TwoMeans { threshold, ink, .. } = ONE_OF.into_iter().find_map(two_means)?;
        let weak = (threshold / 2.0).max(WEAK * grain).min(threshold);
        Some(Self { values, ink, strong: threshold, weak })
    }
}

/// A threshold midway between the means of what is above it and of the rest (Ridler and Calvard,
/// 1978).
struct TwoMeans {
    threshold: f32,
    ink: f32,
    rest: f32,
}

impl TwoMeans {
    /// That of `values`, by steps from `threshold`.
    fn of(values: &[f32], threshold: f32) -> Self {
        let mut found = Self { threshold, ink: 0.0, rest: 0.0 };
        for _ in 0..20 {
            // Without branches: values above and below come in no order.
            let (mut above, mut below) = (Mean::default(), Mean::default());
            for &value in values {
                above.add_if(value > found.threshold, value);
                below.add_if(value <= found.threshold, value);
            }
            (found.ink, found.rest) = (above.get(), below.get());
            let next = (found.ink + found.rest) / 2.0;
            if (next - found.threshold).abs() < 1e-3 {
                break;
            }
            found.threshold = next;
        }
        found
    }
}

/// A mean of some of many values.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add_if(&mut self, counts: bool, value: f32) {
        self.sum += if counts { f64::from(value) } else { 0.0 };
        self.count += u32::from(counts);
    }

    /// 0 of no values.
    fn get(&self) -> f32 {
        (self.sum / f64::from(self.count.max(1))) as f32
    }
}

/// The value that would be at `index` if `values` were sorted; 0 where there is none.
fn nth(values: impl Iterator<Item = f32>, index: usize) -> f32 {
    // As whole numbers in the same order, which are quicker to compare: the bits, of negative numbers
    // all but the sign inverted; and so back.
    let ordered = |bits: i32| bits ^ ((bits >> 31) as u32 >> 1) as i32;
    let mut keys: Vec<i32> = values.map(|value| ordered(value.to_bits() as i32)).collect();
    if index >= keys.len() {
        return 0.0;
    }
    f32::from_bits(ordered(*keys.select_nth_unstable(index).1) as u32)
}
