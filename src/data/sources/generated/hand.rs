//! The hand that writes: which style it takes, how it bends and leans it, how hard it presses.

use crate::data::sources::generated::curve::{Touch, trace};
use crate::data::sources::generated::styles::{STYLES, Style};
use crate::rng::Rng;

/// How far a digit is from one master on the way to another.
const MIX: (f32, f32) = (-0.2, 0.5);
/// Deviation of a node from its place, in half heights of a digit.
const TREMOR: f32 = 0.06;
/// Deviation of the bends' coefficients.
const BEND: f32 = 0.12;
/// Mean and deviation of the slant to the right: columns a row.
const SLANT: (f32, f32) = (0.18, 0.25);
/// Deviation of the rotation, in radians.
const TURN: f32 = 0.11;
/// Deviation of the width relative to the height.
const ASPECT: f32 = 0.17;
/// Deviation of the pressure along a stroke.
const PRESSURE: f32 = 0.24;

/// The breadth of a pen, in pixels of the finished image: mostly 1.5 to 4, as in MNIST.
pub(super) fn pen(rng: &mut Rng) -> f32 {
    let spread = 1.0 + 0.075 * rng.normal();
    // The fourth power has a long tail of broad pens.
    (2.4 * (spread * spread) * (spread * spread)).max(1.2)
}

/// Writes `digit` in one of its styles: the way of the pen, in a square of about ±1, y down.
pub(super) fn write(digit: u8, rng: &mut Rng) -> Vec<Touch> {
    let style = choose(STYLES[usize::from(digit)], rng);
    let nodes = nodes(style, rng);
    let mut way = trace(style.pen, &nodes);
    let hand = Hand::new(rng);
    for touch in &mut way {
        hand.lead(touch);
    }
    way
}

/// One of `styles`, as often as its share says.
fn choose(styles: &'static [Style], rng: &mut Rng) -> &'static Style {
    let total: f32 = styles.iter().map(|style| style.share).sum();
    let mut left = rng.range(0.0, total);
    let chosen = styles.iter().find(|style| {
        left -= style.share;
        left < 0.0
    });
    chosen.unwrap_or(&styles[0])
}

/// The nodes of `style`, from one of its masters towards another, with a trembling hand.
fn nodes(style: &Style, rng: &mut Rng) -> Vec<Touch> {
    let mut any = || style.masters[rng.below(style.masters.len() as u32) as usize];
    let (one, other) = (any(), any());
    let mix = rng.range(MIX.0, MIX.1);
    let pressure = rng.range(0.0, 2.0) * PRESSURE;
    (0..style.pen.len())
        .map(|node| {
            let mean = |axis: usize| {
                let (one, other) = (f32::from(one[node][axis]), f32::from(other[node][axis]));
                (one + mix * (other - one)) / 50.0 - 1.0
            };
            Touch {
                x: mean(0) + TREMOR * rng.normal(),
                y: mean(1) + TREMOR * rng.normal(),
                pressure: (1.0 + pressure * rng.normal()).max(0.4),
                lifted: false,
            }
        })
        .collect()
}

/// A smooth map of the plane: quadratic and cubic bends, then an affine map.
struct Hand {
    bends: [[f32; 7]; 2],
    affine: [[f32; 2]; 2],
}

impl Hand {
    fn new(rng: &mut Rng) -> Self {
        let strength = rng.range(0.3, 1.5) * BEND;
        let bends = std::array::from_fn(|_| std::array::from_fn(|_| strength * rng.normal()));
        let slant = SLANT.0 + SLANT.1 * rng.normal();
        let aspect = (1.0 + ASPECT * rng.normal()).max(0.5);
        // Cosine and sine from the tangent of half the angle: the platform's may differ.
        let half = TURN / 2.0 * rng.normal();
        let norm = 1.0 + half * half;
        let (cos, sin) = ((1.0 - half * half) / norm, 2.0 * half / norm);
        // Width first, then slant (y points down), then rotation.
        let affine = [[cos * aspect, -cos * slant - sin], [sin * aspect, -sin * slant + cos]];
        Self { bends, affine }
    }

    /// Moves `touch` to where this hand brings it.
    fn lead(&self, touch: &mut Touch) {
        let (x, y) = (touch.x, touch.y);
        let terms = [x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y];
        let bent = |value: f32, axis: usize| {
            terms.iter().zip(&self.bends[axis]).fold(value, |sum, (term, bend)| sum + term * bend)
        };
        let (x, y) = (bent(x, 0), bent(y, 1));
        touch.x = self.affine[0][0] * x + self.affine[0][1] * y;
        touch.y = self.affine[1][0] * x + self.affine[1][1] * y;
    }
}
