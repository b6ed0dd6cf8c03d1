//! Which of a picture's levels is ground and which is ink, and a margin of ground around it.
//!
//! Where the picture has two clear levels (Otsu, 1979), the one along its edge is the ground, but
//! for a thin frame; where the edge has much of both, as that of a tight crop, the ink is what falls
//! into fewer pieces. Elsewhere, as in photographs, ink covers less than its ground does.

use super::Plane;
use super::background::Background;
use super::components::pieces;
use crate::image::{ImageShape, Raster};

/// The least share of the variance that two clear levels explain, and the least step between them.
const EXPLAINED: f32 = 0.85;
const STEP: f32 = 40.0;
/// A third level is farther than this share of the step beyond the two, and takes more than such a
/// share of the picture: ink in a shadow.
const BEYOND: f32 = 0.35;
const MOST_BEYOND: f32 = 0.003;
/// The share of the edge that one level takes where it decides alone.
const MOST_OF_EDGE: f32 = 0.8;
/// Rings are looked at up to this depth, relative to the shorter side, and are of one level from
/// this share on.
const RINGS: f32 = 0.12;
const WHOLE_RING: f32 = 0.95;
/// Ink that reaches the edge takes more than so much of it.
const REACHED: f32 = 0.01;
/// Ink that covers more than so much of the picture is cropped tightly.
const COVERED: f32 = 0.3;
/// A value is of a level if it is so much nearer to it than to the other.
const SURE: f32 = 0.2;
/// The margin that is added, relative to the longer side.
const MARGIN: f32 = 0.2;

/// Two clear levels of a plane.
struct Levels {
    dark: f32,
    light: f32,
}

impl Levels {
    /// Those of `plane`: the threshold between them leaves the least variance on both sides (Otsu).
    fn of(plane: &Plane) -> Option<Self> {
        let mut histogram = [0.0_f64; 256];
        for &value in &plane.values {
            // A cast keeps within a byte.
            histogram[usize::from(value as u8)] += 1.0;
        }
        let all = plane.values.len() as f64;
        let total: f64 = histogram.iter().zip(0..).map(|(n, level)| n * f64::from(level)).sum();
        let square = |level: i32| f64::from(level) * f64::from(level);
        let squares: f64 = histogram.iter().zip(0..).map(|(n, level)| n * square(level)).sum();
        let variance = squares / all - (total / all) * (total / all);

        let (mut below, mut sum, mut best) = (0.0, 0.0, (0.0, 0.0, 0.0));
        for (count, level) in histogram.iter().zip(0..) {
            below += count;
            sum += count * f64::from(level);
            let above = all - below;
            if below == 0.0 || above == 0.0 {
                continue;
            }
            let (dark, light) = (sum / below, (total - sum) / above);
            let between = below * above * (light - dark) * (light - dark) / (all * all);
            if between > best.0 {
                best = (between, dark, light);
            }
        }
        let (between, dark, light) = best;
        let step = light - dark;
        let is_beyond = |level: i32| {
            let level = f64::from(level);
            level < dark - f64::from(BEYOND) * step || level > light + f64::from(BEYOND) * step
        };
        let beyond = histogram.iter().zip(0..).filter(|&(_, level)| is_beyond(level));
        let beyond = beyond.map(|(count, _)| count).sum::<f64>();
        let clear = between >= f64::from(EXPLAINED) * variance
            && step >= f64::from(STEP)
            && beyond <= f64::from(MOST_BEYOND) * all;
        clear.then_some(Self { dark: dark as f32, light: light as f32 })
    }

    fn is_light(&self, value: f32) -> bool {
        2.0 * value > self.dark + self.light
    }

    /// Whether a value is that of the lighter level, or the darker one, and of no edge between.
    fn is_surely(&self, is_light: bool, value: f32) -> bool {
        let (same, other) =
            if is_light { (self.light, self.dark) } else { (self.dark, self.light) };
        (value - same).abs() < SURE * (value - other).abs()
    }
}

/// What is known of a picture's ground.
pub(super) struct Ground {
    /// Whether the ground is darker than its ink.
    pub(super) is_dark: bool,
    levels: Option<Levels>,
}

impl Ground {
    /// That of `plane`.
    pub(super) fn of(plane: &Plane) -> Self {
        let levels = Levels::of(plane);
        let is_dark = levels.as_ref().and_then(|levels| is_dark_at_edge(plane, levels));
        Self { is_dark: is_dark.unwrap_or_else(|| ink_is_light(plane)), levels }
    }

    /// Whether ink reaches the edge, or covers so much that there is hardly a ground.
    fn is_tight(&self, plane: &Plane, levels: &Levels) -> bool {
        let share = |indices: &mut dyn Iterator<Item = usize>| {
            let (inked, all) = indices.fold((0, 0), |(inked, all), index| {
                let is_ink = levels.is_light(plane.values[index]) == self.is_dark;
                (inked + usize::from(is_ink), all + 1)
            });
            inked as f32 / all as f32
        };
        share(&mut ring(plane.shape, 0)) > REACHED || share(&mut (0..plane.values.len())) > COVERED
    }

    /// `plane` with a margin of its ground, which continues what is along the edge; and how wide
    /// that is. None is added where there is ground enough, or levels are not clear.
    pub(super) fn with_margin(&self, plane: Plane) -> (Plane, usize) {
        let Some(levels) = self.levels.as_ref().filter(|levels| self.is_tight(&plane, levels))
        else {
            return (plane, 0);
        };
        let ImageShape { height, width } = plane.shape;
        let margin = ((MARGIN * height.max(width) as f32) as usize).max(1);
        let shape = ImageShape { height: height + 2 * margin, width: width + 2 * margin };
        let at = |row: usize, column: usize| plane.values[row * width + column];
        let is_ground = |value: f32| levels.is_surely(!self.is_dark, value);
        let usual = if self.is_dark { levels.dark } else { levels.light };
        let row = |row| continued((0..width).map(|column| at(row, column)), is_ground, usual);
        let column = |column| continued((0..height).map(|row| at(row, column)), is_ground, usual);
        let (top, bottom, left, right) = (row(0), row(height - 1), column(0), column(width - 1));
        let mut values = Vec::with_capacity(shape.pixels());
        for row in 0..shape.height {
            let inner = row.saturating_sub(margin).min(height - 1);
            values.extend(std::iter::repeat_n(left[inner], margin));
            if row < margin {
                values.extend_from_slice(&top);
            } else if row >= margin + height {
                values.extend_from_slice(&bottom);
            } else {
                values.extend_from_slice(&plane.values[inner * width..][..width]);
            }
            values.extend(std::iter::repeat_n(right[inner], margin));
        }
        (Plane { shape, values }, margin)
    }
}

/// The indices of the pixels that are `depth` pixels away from the edge of an image of `shape`.
fn ring(shape: ImageShape, depth: usize) -> impl Iterator<Item = usize> {
    let ImageShape { height, width } = shape;
    let (top, bottom, left, right) = (depth, height - 1 - depth, depth, width - 1 - depth);
    let rows = (left..=right).flat_map(move |column| [top, bottom].map(|row| row * width + column));
    let columns =
        (top..=bottom).flat_map(move |row| [left, right].map(|column| row * width + column));
    rows.chain(columns)
}

/// The levels along an edge, with those that are not of the ground replaced by the one of the ground
/// before or, at the start, by the first; where there is none, by `usual`.
fn continued(
    edge: impl Iterator<Item = f32> + Clone,
    is_ground: impl Fn(f32) -> bool,
    usual: f32,
) -> Vec<f32> {
    let mut last = edge.clone().find(|&value| is_ground(value)).unwrap_or(usual);
    let replaced = |value: f32| {
        if is_ground(value) {
            last = value;
        }
        last
    };
    edge.map(replaced).collect()
}

/// Whether the ground is the darker of two `levels`, by what is along the edge of `plane`, or by
/// what falls into fewer pieces; `None` where neither tells.
fn is_dark_at_edge(plane: &Plane, levels: &Levels) -> Option<bool> {
    let ImageShape { height, width } = plane.shape;
    let light_share = |depth: usize| {
        let (light, all) = ring(plane.shape, depth).fold((0, 0), |(light, all), index| {
            (light + usize::from(levels.is_light(plane.values[index])), all + 1)
        });
        light as f32 / all as f32
    };
    // A ring of one level goes round all ink, but for a frame, which is thinner than what it is
    // around.
    let deepest = (RINGS * height.min(width) as f32) as usize;
    let rings: Vec<f32> = (0..=deepest).map(light_share).collect();
    let all_light = rings.iter().filter(|&&share| share >= WHOLE_RING).count();
    let all_dark = rings.iter().filter(|&&share| share <= 1.0 - WHOLE_RING).count();
    if all_light != all_dark {
        return Some(all_dark > all_light);
    }
    let light = rings[0];
    if light >= MOST_OF_EDGE || light <= 1.0 - MOST_OF_EDGE {
        return Some(light < 0.5);
    }
    let in_pieces = |is_light: bool| {
        let ink = plane.values.iter().map(|&value| u8::from(levels.is_light(value) == is_light));
        Raster::new(plane.shape, ink.collect()).map(pieces)
    };
    let (light_pieces, dark_pieces) = (in_pieces(true)?, in_pieces(false)?);
    (light_pieces != dark_pieces).then_some(light_pieces < dark_pieces)
}

/// Whether the ink of `plane` is lighter than its background. Ink covers less than the background
/// does, so it is farther from the mean of its surroundings, which the third moment shows.
fn ink_is_light(plane: &Plane) -> bool {
    let means = Background::mean(plane);
    let far = plane.values.iter().zip(&means.values).map(|(value, mean)| value - mean);
    far.map(|far| f64::from(far).powi(3)).sum::<f64>() > 0.0
}
