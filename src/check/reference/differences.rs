//! The gradient once more, from the way forward alone: central differences.

use super::images::winner;
use super::{Reference, Stage, cross_entropy, pixels};
use crate::data::Split;

/// What the differences are taken over, h. A power of two makes w ± h exact; this one leaves
/// truncation, some h⁴, far behind rounding, and few kinks within 2h.
pub(in crate::check) const STEP: f64 = 1.0 / 262_144.0;

/// What a stage is fed.
struct Fed {
    /// Which stage.
    first: usize,
    /// For each sample, and its label.
    samples: Vec<(Vec<f64>, u8)>,
}

/// What a sample leads to.
struct Outcome {
    logits: Vec<f64>,
    /// On which side of its kink each ReLU and each maximum was.
    sides: Vec<bool>,
}

impl Reference {
    /// The derivatives of the mean loss with respect to the numbers `indices` of a tensor; `None`
    /// where a ReLU or a maximum has its kink within two steps, so that there is no derivative to
    /// be had.
    pub fn slopes(
        &mut self,
        tensor: usize,
        indices: impl IntoIterator<Item = usize>,
        split: &Split,
    ) -> Vec<Option<f64>> {
        let has = |stage: &Stage| match *stage {
            Stage::Dense { kernel } | Stage::Conv2d { kernel, .. } => kernel == tensor & !1,
            _ => false,
        };
        // What comes before the stage is the same for all of the tensor's numbers.
        let first = self.stages.iter().position(has).unwrap_or(0);
        let before = |image: &[u8]| {
            let forward = |x: Vec<f64>, stage: &Stage| stage.forward(&self.parameters, &x);
            self.stages[..first].iter().fold(pixels(image), forward)
        };
        let samples = self.samples(split).map(|(image, label)| (before(image), label)).collect();
        let fed = Fed { first, samples };
        indices.into_iter().map(|index| self.slope(&fed, tensor, index)).collect()
    }

    /// The central difference of fourth order, (8 f(h) − 8 f(−h) − f(2h) + f(−2h)) / 12h.
    fn slope(&mut self, fed: &Fed, tensor: usize, index: usize) -> Option<f64> {
        let here = self.parameters[tensor][index];
        let (mut slope, mut is_smooth) = (0.0, true);
        for (x, label) in &fed.samples {
            if self.is_stopped() {
                break;
            }
            let mut sides = Vec::new();
            let [above, below, far_above, far_below] = [1.0, -1.0, 2.0, -2.0].map(|steps| {
                self.parameters[tensor][index] = here + steps * STEP;
                let outcome = self.outcome(fed.first, x);
                sides.push(outcome.sides);
                self.weight(*label) * cross_entropy(&outcome.logits, *label)
            });
            slope += 8.0 * (above - below) - (far_above - far_below);
            is_smooth &= sides.iter().all(|side| *side == sides[0]);
        }
        self.parameters[tensor][index] = here;
        is_smooth.then_some(slope / (12.0 * STEP * fed.samples.len() as f64))
    }

    /// What becomes of `x` from stage `first` on.
    fn outcome(&self, first: usize, x: &[f64]) -> Outcome {
        let (mut x, mut sides) = (x.to_vec(), Vec::new());
        for stage in &self.stages[first..] {
            match stage {
                Stage::Relu => sides.extend(x.iter().map(|&x| x > 0.0)),
                Stage::MaxPool { windows } => {
                    windows.iter().for_each(|window| note_sides(&x, window, &mut sides));
                }
                _ => {}
            }
            x = stage.forward(&self.parameters, &x);
        }
        Outcome { logits: x, sides }
    }
}

/// Which number of a window is the greatest: for each pair of them one of which is, whether it is the
/// first. Equal ones, which come of equal windows, stay equal whatever the parameters are.
fn note_sides(x: &[f64], window: &[usize], sides: &mut Vec<bool>) {
    let greatest = x[winner(x, window)];
    for (i, &a) in window.iter().enumerate() {
        sides.extend(window[i + 1..].iter().map(|&b| {
            let (a, b) = (x[a], x[b]);
            a == b || a.max(b) < greatest || a > b
        }));
    }
}
