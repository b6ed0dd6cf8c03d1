//! Hypotheses of what a drawing is: one digit, or several that touch, and where they are cut.
//!
//! Each run of neighbouring segments may be a digit; the best way through all of them is found by
//! dynamic programming (Viterbi). A way scores what the network says of its digits, less for each
//! cut, for ink that is cut through, and for digits of a width that they do not have.

use super::Reader;
use super::variants::{Judgement, judge};
use crate::image::{Digit, Segments};
use crate::train;

/// What a cut costs, and each width of a stroke that it goes through. This and what follows is
/// calibrated on pictures of digits that touch and of digits that do not.
const CUT: f32 = 0.2;
const THROUGH: f32 = 0.06;
/// What a cut costs besides where the whole is no wider than high; less where it is wider, and nothing
/// from so many times its height on.
const CUT_NARROW: f32 = 2.5;
const TWO: f32 = 1.7;
/// What it costs that the network's output has log-odds of less than `SURE`, by each of them: of what
/// is no digit, no output is great.
const DOUBT: f32 = 0.14;
const SURE: f32 = 10.0;
/// What it costs to be wider than `WIDE`, relative to the height.
const WIDTH: f32 = 1.3;
const WIDE: f32 = 0.5;
/// The logarithm of width over height of each digit: mean and deviation in MNIST's training set.
const ASPECTS: [(f32, f32); 10] = [
    (-0.10, 0.20),
    (-0.89, 0.46),
    (-0.07, 0.22),
    (-0.23, 0.22),
    (-0.23, 0.21),
    (-0.06, 0.27),
    (-0.33, 0.22),
    (-0.26, 0.22),
    (-0.28, 0.22),
    (-0.39, 0.20),
];
/// What an aspect costs, from how much on, and at most.
const ASPECT: f32 = 0.3;
const USUAL_ASPECT: f32 = 2.6;
const MOST_ASPECT: f32 = 8.0;
/// Parts of a drawing are at least so high, and at most so wide, relative to the height of digits.
const LEAST_HEIGHT: f32 = 0.4;
const MOST_WIDTH: f32 = 1.7;
/// A drawing whose probability over all variants is at least so much, and that is at most so wide
/// relative to its height, is one digit; and one whose own probability is so much, if it is narrow.
const ONE: f32 = 0.7;
const ONE_WIDE: f32 = 1.3;
const PLAINLY: f32 = 0.9;
const ONE_NARROW: f32 = 1.0;
/// How many classes of a part are tried, and how many ways to each seam are kept.
const CLASSES: usize = 2;
const WAYS: usize = 6;

/// A run of neighbouring segments as a digit.
struct Part {
    from: usize,
    to: usize,
    /// Width over height.
    aspect: f32,
    digit: Digit,
    /// What the network says of each class, and the score of that.
    scores: Vec<(Judgement, f32)>,
}

impl Part {
    /// The parts of `segments` between these, as far as they may be digits, judged by the network of
    /// `reader`.
    fn judged(
        segments: &Segments,
        spans: &[(usize, usize)],
        reader: Reader<'_>,
    ) -> Result<Vec<Self>, train::Error> {
        let parts = spans.iter().filter_map(|&(from, to)| {
            let part = segments.part(from, to)?;
            let plausible = part.height >= LEAST_HEIGHT && part.width <= MOST_WIDTH;
            let is_whole = to - from == segments.count();
            (is_whole || plausible).then(|| (from, to, part.width / part.height, part.digit))
        });
        let parts: Vec<_> = parts.collect();
        let images: Vec<_> = parts.iter().map(|(.., digit)| &digit.image).collect();
        let judged = judge(reader, &images)?;
        let parts = parts.into_iter().zip(judged).map(|((from, to, aspect, digit), judged)| {
            let scores = judged.into_iter().zip(ASPECTS);
            let scores = scores.map(|(said, usual)| (said, score(said, aspect, usual)));
            Self { from, to, aspect, digit, scores: scores.collect() }
        });
        Ok(parts.collect())
    }

    /// Whether it is a digit in any case, if it is all that was drawn.
    fn is_one_digit(&self) -> bool {
        let (narrow, wide) = (self.aspect <= ONE_NARROW, self.aspect <= ONE_WIDE);
        self.scores.iter().any(|(said, _)| {
            narrow && said.probability >= PLAINLY || wide && said.log_probability.exp() >= ONE
        })
    }
}

/// All parts of a drawing that may be digits.
pub(super) struct Lattice {
    segments: usize,
    parts: Vec<Part>,
    /// What the cut before each segment costs.
    cuts: Vec<f32>,
}

/// A way to read a drawing.
pub(super) struct Hypothesis {
    /// The digits, and the probability of each over all variants.
    pub(super) digits: Vec<(Digit, f32)>,
    /// How likely it is among all other readings.
    pub(super) share: f32,
}

/// A way from the left edge to a seam: the parts, and the class of each.
#[derive(Clone)]
struct Way {
    score: f32,
    steps: Vec<(usize, usize)>,
}

impl Way {
    fn classes(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().map(|&(_, class)| class)
    }
}

impl Lattice {
    /// The parts of `segments`, judged by the network of `reader`.
    ///
    /// # Errors
    /// When the network cannot be asked.
    pub(super) fn of(segments: &Segments, reader: Reader<'_>) -> Result<Self, train::Error> {
        let count = segments.count();
        let mut parts = Part::judged(segments, &[(0, count)], reader)?;
        let whole = parts.first().map_or(0.0, |whole| whole.aspect);
        // Most are one digit: what they could be cut into is not looked at.
        if !parts.iter().any(Part::is_one_digit) {
            let spans = (0..count).flat_map(|from| (from + 1..=count).map(move |to| (from, to)));
            let spans: Vec<_> = spans.filter(|&(from, to)| to - from < count).collect();
            parts.extend(Part::judged(segments, &spans, reader)?);
        }
        let narrow = ((TWO - whole) / (TWO - ONE_NARROW)).clamp(0.0, 1.0);
        let cut = |index: usize| CUT + CUT_NARROW * narrow + THROUGH * segments.cost(index);
        let cuts = (0..count).map(|index| if index == 0 { 0.0 } else { cut(index) });
        Ok(Self { segments: count, parts, cuts: cuts.collect() })
    }

    /// The best reading; `None` where nothing is drawn.
    pub(super) fn best(self) -> Option<Hypothesis> {
        let mut ways = vec![Vec::new(); self.segments + 1];
        ways[0].push(Way { score: 0.0, steps: Vec::new() });
        for to in 1..=self.segments {
            ways[to] = self.ways_to(to, &ways);
        }
        let found = ways.pop()?;
        let best = found.first()?;
        let others: f32 = found.iter().map(|way| (way.score - best.score).exp()).sum();
        let digit = |&(part, class): &(usize, usize)| {
            let part: &Part = &self.parts[part];
            (part.digit.clone(), part.scores[class].0.log_probability.exp())
        };
        Some(Hypothesis { digits: best.steps.iter().map(digit).collect(), share: 1.0 / others })
    }

    /// The best ways to the seam before segment `to`, each another reading.
    fn ways_to(&self, to: usize, ways: &[Vec<Way>]) -> Vec<Way> {
        let mut found = Vec::new();
        for (index, part) in self.parts.iter().enumerate().filter(|(_, part)| part.to == to) {
            let mut classes: Vec<usize> = (0..part.scores.len()).collect();
            classes.sort_by(|&a, &b| part.scores[b].1.total_cmp(&part.scores[a].1));
            for &class in classes.iter().take(CLASSES) {
                let score = part.scores[class].1 - self.cuts[part.from];
                found.extend(ways[part.from].iter().map(|way| {
                    let mut way = way.clone();
                    way.score += score;
                    way.steps.push((index, class));
                    way
                }));
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<Way> = Vec::with_capacity(WAYS);
        for way in found {
            if kept.len() < WAYS && !kept.iter().any(|other| other.classes().eq(way.classes())) {
                kept.push(way);
            }
        }
        kept
    }
}

/// The score of a part as a digit of which the network says `said`; its width over height is
/// `aspect`, the logarithm of which usually has this mean and deviation.
fn score(said: Judgement, aspect: f32, (mean, deviation): (f32, f32)) -> f32 {
    let far = (aspect.ln() - mean) / deviation;
    said.log_probability
        - DOUBT * (SURE - said.log_odds).max(0.0)
        - WIDTH * (aspect - WIDE).max(0.0)
        - ASPECT * (far * far / 2.0 - USUAL_ASPECT).clamp(0.0, MOST_ASPECT)
}
