//! The way of the pen that generated digits are written with.

use super::hand;
use crate::rng::{Rng, Stream};

/// The strokes of `digit` as the hand numbered `number` of `seed` writes it: the points of each, x
/// and y, in a square of about ±1, y down.
#[must_use]
pub fn strokes(seed: u64, digit: u8, number: u64) -> Vec<Vec<[f32; 2]>> {
    let mut rng = Rng::stream(seed, Stream::Digit, number);
    let mut strokes = Vec::new();
    for touch in hand::write(digit, &mut rng) {
        if touch.lifted || strokes.is_empty() {
            strokes.push(Vec::new());
        }
        if let Some(stroke) = strokes.last_mut() {
            stroke.push([touch.x, touch.y]);
        }
    }
    strokes
}
