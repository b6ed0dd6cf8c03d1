//! Hypotheses of what a drawing is: one digit, or several that touch, and where they are cut.
//!
//! Each run of neighbouring segments may be a digit; the best way through all of them is found by
//! dynamic programming (Viterbi). A way scores what the network says of its digits, what the referee
//! says of whether they are digits, less for each cut and for ink that is cut through. Ways with the
//! same digits are one reading, and their likelihoods add up.

use super::Reader;
use super::referee;
use super::variants::{Judgement, judge};
use crate::image::{Digit, Segments};
use crate::train;

/// What the referee's log-odds that a part is a digit count, beside the logarithm of the network's
/// probability. This and what follows is calibrated on pictures of digits that touch and of digits
/// that do not.
const REFEREE: f32 = 1.2;
/// What a cut costs, and each width of a stroke that it goes through.
const CUT: f32 = 0.1;
const THROUGH: f32 = 0.1;
/// What a cut costs besides where the whole is no wider than high; less where it is wider, and
/// nothing from so many times its height on.
const CUT_NARROW: f32 = 2.5;
const TWO: f32 = 1.5;
/// Parts of a drawing are at least so high, and at most so wide, relative to the height of digits.
const LEAST_HEIGHT: f32 = 0.55;
const MOST_WIDTH: f32 = 1.7;
/// A drawing that is no wider than high and of which the network is so sure is one digit.
const PLAINLY: f32 = 0.99;
/// How many classes of a part are tried, and how many readings up to each seam are kept.
const CLASSES: usize = 2;
const WAYS: usize = 16;

/// A run of neighbouring segments, as if it were a digit.
pub(super) struct Candidate {
    from: usize,
    to: usize,
    /// Width over height.
    aspect: f32,
    /// Whether digits are so high and so wide.
    is_plausible: bool,
    pub(super) digit: Digit,
}

impl Candidate {
    /// All runs of `segments`; all of them together are the first.
    pub(super) fn all(segments: &Segments) -> impl Iterator<Item = Self> {
        let count = segments.count();
        let runs =
            (0..count).flat_map(move |from| (from + 1..=count).rev().map(move |to| (from, to)));
        runs.filter_map(|(from, to)| {
            let part = segments.part(from, to)?;
            let is_plausible = part.height >= LEAST_HEIGHT && part.width <= MOST_WIDTH;
            let aspect = part.width / part.height;
            Some(Self { from, to, aspect, is_plausible, digit: part.digit })
        })
    }
}

/// A candidate that was judged.
struct Part {
    candidate: Candidate,
    /// What the network says of each class.
    said: Vec<Judgement>,
    /// What the referee says, weighted.
    referee: f32,
}

impl Part {
    /// `candidates`, judged by `reader`.
    fn judged(candidates: Vec<Candidate>, reader: Reader<'_>) -> Result<Vec<Self>, train::Error> {
        let images: Vec<_> = candidates.iter().map(|candidate| &candidate.digit.image).collect();
        let said = judge(reader, &images)?;
        let parts = candidates.into_iter().zip(said);
        let parts = parts.map(|(candidate, said)| Self { candidate, said, referee: 0.0 });
        Ok(parts.collect())
    }

    /// The most probable classes.
    fn classes(&self) -> impl Iterator<Item = usize> {
        let probability = |class: usize| self.said[class].log_probability;
        let mut classes: Vec<usize> = (0..self.said.len()).collect();
        classes.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
        classes.into_iter().take(CLASSES)
    }

    /// How likely it is that this is a digit of `class`: a logarithm.
    fn score(&self, class: usize) -> f32 {
        self.said[class].log_probability + self.referee
    }

    /// Whether it is a digit in any case, if it is all that was drawn.
    fn is_one_digit(&self) -> bool {
        let is_sure = |said: &Judgement| said.probability >= PLAINLY;
        self.candidate.aspect <= 1.0 && self.said.iter().any(is_sure)
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

/// A part, by its index, as a digit of a class.
#[derive(Clone, Copy)]
struct Step {
    part: usize,
    class: usize,
}

/// A reading of what is left of a seam.
#[derive(Clone, Default)]
struct Way {
    /// The most likely way to come by it, and the logarithm of how likely that is.
    steps: Vec<Step>,
    score: f32,
    /// The same of all ways together.
    total: f32,
}

impl Way {
    fn then(&self, step: Step, score: f32) -> Self {
        let steps = self.steps.iter().copied().chain([step]).collect();
        Self { steps, score: self.score + score, total: self.total + score }
    }

    /// Whether it reads the same digits as `other`.
    fn reads_as(&self, other: &Self) -> bool {
        let classes = |way: &Self| way.steps.iter().map(|step| step.class).collect::<Vec<_>>();
        classes(self) == classes(other)
    }

    /// Adds `other`, another way to the same digits.
    fn add(&mut self, other: &Self) {
        let (more, less) = (self.total.max(other.total), self.total.min(other.total));
        self.total = more + (less - more).exp().ln_1p();
    }
}

impl Lattice {
    /// The parts of `segments`, judged by `reader`.
    ///
    /// # Errors
    /// When the network cannot be asked.
    pub(super) fn of(segments: &Segments, reader: Reader<'_>) -> Result<Self, train::Error> {
        let mut candidates = Candidate::all(segments);
        let mut parts = Part::judged(candidates.by_ref().take(1).collect(), reader)?;
        let whole = parts.first().map_or(0.0, |whole| whole.candidate.aspect);
        // Most are one digit: what they could be cut into is not looked at.
        if segments.count() > 1 && !parts.iter().any(Part::is_one_digit) {
            parts.extend(Part::judged(
                candidates.filter(|part| part.is_plausible).collect(),
                reader,
            )?);
            let candidates = parts.iter().map(|part| &part.candidate);
            let images: Vec<_> = candidates.map(|candidate| &candidate.digit.image).collect();
            let log_odds = referee::log_odds(reader.engine, &images)?;
            for (part, log_odds) in parts.iter_mut().zip(log_odds) {
                part.referee = REFEREE * log_odds;
            }
        }
        let count = segments.count();
        let narrow = ((TWO - whole) / (TWO - 1.0)).clamp(0.0, 1.0);
        let cut = |index: usize| CUT + CUT_NARROW * narrow + THROUGH * segments.cost(index);
        let cuts = (0..count).map(|index| if index == 0 { 0.0 } else { cut(index) });
        Ok(Self { segments: count, parts, cuts: cuts.collect() })
    }

    /// The best reading; `None` where nothing is drawn.
    pub(super) fn best(self) -> Option<Hypothesis> {
        let mut ways = vec![Vec::new(); self.segments + 1];
        ways[0].push(Way::default());
        for to in 1..=self.segments {
            ways[to] = self.ways_to(to, &ways);
        }
        let found = ways.pop()?;
        let best = found.first()?;
        let others: f32 = found.iter().map(|way| (way.total - best.total).exp()).sum();
        let digit = |&Step { part, class }: &Step| {
            let part = &self.parts[part];
            (part.candidate.digit.clone(), part.said[class].log_probability.exp())
        };
        Some(Hypothesis { digits: best.steps.iter().map(digit).collect(), share: 1.0 / others })
    }

    /// The most likely readings up to the seam before segment `to`, the first ahead.
    fn ways_to(&self, to: usize, ways: &[Vec<Way>]) -> Vec<Way> {
        let mut found = Vec::new();
        let parts = self.parts.iter().enumerate();
        for (index, part) in parts.filter(|(_, part)| part.candidate.to == to) {
            let from = part.candidate.from;
            for class in part.classes() {
                let (step, score) =
                    (Step { part: index, class }, part.score(class) - self.cuts[from]);
                found.extend(ways[from].iter().map(|way| way.then(step, score)));
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<Way> = Vec::with_capacity(WAYS);
        for way in found {
            if let Some(other) = kept.iter_mut().find(|other| other.reads_as(&way)) {
                other.add(&way);
            } else if kept.len() < WAYS {
                kept.push(way);
            }
        }
        kept.sort_by(|a, b| b.total.total_cmp(&a.total));
        kept
    }
}
