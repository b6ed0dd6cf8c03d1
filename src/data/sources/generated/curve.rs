//! The way of the pen: smooth curves through a style's nodes, as short straight pieces.

use crate::data::sources::generated::styles::{CORNER, DOWN};

/// A point where the pen touches the paper; a digit is about 2 high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Touch {
    pub(super) x: f32,
    pub(super) y: f32,
    /// How broad the stroke is here, relative to the pen.
    pub(super) pressure: f32,
    /// The pen was lifted before: no ink leads here.
    pub(super) lifted: bool,
}

/// Straight pieces for a unit of length.
const FINENESS: f32 = 7.0;

/// Leads the pen through `nodes`, which it meets as `pen` says.
pub(super) fn trace(pen: &[u8], nodes: &[Touch]) -> Vec<Touch> {
    let mut way = Vec::with_capacity(96);
    let mut start = 0;
    for (index, &action) in pen.iter().enumerate() {
        if action == DOWN {
            way.push(Touch { lifted: true, ..nodes[index] });
            start = index;
        }
        let last = pen.get(index + 1).is_none_or(|&next| next == DOWN);
        if action == CORNER || last {
            curve(&nodes[start..=index], &mut way);
            start = index;
        }
    }
    way
}

/// Appends a centripetal Catmull-Rom spline through `nodes`, without its start: a curve that
/// neither overshoots nor loops where the nodes are unevenly spaced.
fn curve(nodes: &[Touch], way: &mut Vec<Touch>) {
    let steps: Vec<Step> = nodes.windows(2).map(|pair| Step::new(pair[0], pair[1])).collect();
    for (index, step) in steps.iter().enumerate() {
        let (from, to) = (nodes[index], nodes[index + 1]);
        let start = index.checked_sub(1).map_or(step.slope(), |before| steps[before].bend(step));
        let end = steps.get(index + 1).map_or(step.slope(), |after| step.bend(after));
        let pieces = 1 + (step.span * step.span * FINENESS) as usize;
        for piece in 1..=pieces {
            let t = piece as f32 / pieces as f32;
            let s = 1.0 - t;
            // The cubic Hermite polynomials: values at both ends, slopes at both ends.
            let (p, q) = (s * s * (1.0 + 2.0 * t), t * t * (1.0 + 2.0 * s));
            let (u, v) = (s * s * t * step.span, -t * t * s * step.span);
            way.push(Touch {
                x: from.x * p + to.x * q + start[0] * u + end[0] * v,
                y: from.y * p + to.y * q + start[1] * u + end[1] * v,
                pressure: from.pressure * p + to.pressure * q,
                lifted: false,
            });
        }
    }
}

/// From one node to the next.
struct Step {
    way: [f32; 2],
    /// By how much the spline's parameter grows: the root of the distance, and never zero.
    span: f32,
}

impl Step {
    fn new(from: Touch, to: Touch) -> Self {
        let (x, y) = (to.x - from.x, to.y - from.y);
        Self { way: [x, y], span: (x * x + y * y).sqrt().sqrt().max(1e-3) }
    }

    fn slope(&self) -> [f32; 2] {
        self.way.map(|way| way / self.span)
    }

    /// The slope at the node between this step and the `next`: that of the parabola through the
    /// three nodes.
    fn bend(&self, next: &Self) -> [f32; 2] {
        std::array::from_fn(|axis| {
            let (before, after) = (self.way[axis], next.way[axis]);
            before / self.span + after / next.span - (before + after) / (self.span + next.span)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(x: f32, y: f32) -> Touch {
        Touch { x, y, pressure: 1.0, lifted: false }
    }

    #[test]
    fn the_pen_passes_every_node_and_lifts_between_strokes() {
        let nodes =
            [touch(0.0, 0.0), touch(1.0, 0.5), touch(0.0, 1.0), touch(-1.0, 0.0), touch(1.0, 0.0)];
        let way = trace(b"|~^|~", &nodes);
        for node in &nodes {
            let near = |touch: &&Touch| (touch.x - node.x).abs() + (touch.y - node.y).abs() < 1e-5;
            assert!(way.iter().any(|touch| near(&touch)), "{node:?}");
        }
        assert_eq!(way.iter().filter(|touch| touch.lifted).count(), 2);
        assert!(way[0].lifted);
    }

    #[test]
    fn a_corner_leaves_its_sides_straight() {
        let nodes = [touch(0.0, 0.0), touch(1.0, 0.0), touch(1.0, 1.0)];
        let off = |way: Vec<Touch>| {
            way.iter().map(|touch| touch.y.abs().min((touch.x - 1.0).abs())).fold(0.0, f32::max)
        };
        assert!(off(trace(b"|^~", &nodes)) < 1e-5);
        assert!(off(trace(b"|~~", &nodes)) > 0.05);
    }

    #[test]
    fn nodes_in_one_place_stay_finite() {
        let way = trace(b"|~~", &[touch(0.5, 0.5); 3]);
        assert!(way.iter().all(|touch| touch.x == 0.5 && touch.y == 0.5));
    }
}
