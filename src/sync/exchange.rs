//! What the ranks of a team tell each other of a turn buffer: each the vectors that its workers wrote.

use std::ops::Range;

use super::step_signal::StepSignals;
use super::team::Span;
use crate::ranks::Ranks;
use crate::simd::{F32x16, LANES};

/// Of one buffer: whose vectors are whose, and room for a message.
pub(super) struct Exchange {
    ranks: Ranks,
    /// The vectors that the workers of each rank write.
    ranges: Vec<Vec<Range<usize>>>,
    /// Words of each rank's message.
    lengths: Vec<usize>,
    own: Vec<u32>,
    all: Vec<u32>,
}

/// Words of a vector.
const WORDS: usize = LANES;

impl Exchange {
    /// Among the ranks of `span`, of a buffer of which each worker writes its `own` vectors.
    pub(super) fn new(span: &Span, own: &[Vec<Range<usize>>]) -> Self {
        let ranks = span.ranks().clone();
        let of_rank = |rank| own[span.workers_of(rank)].concat();
        let ranges: Vec<_> = (0..ranks.size()).map(of_rank).collect();
        let vectors = |ranges: &Vec<Range<usize>>| ranges.iter().map(Range::len).sum::<usize>();
        // The signals go before the vectors.
        let length = |ranges| StepSignals::WORDS + WORDS * vectors(ranges);
        let lengths: Vec<_> = ranges.iter().map(length).collect();
        let own = Vec::with_capacity(lengths[ranks.rank()]);
        let all = vec![0; lengths.iter().sum()];
        Self { ranks, ranges, lengths, own, all }
    }

    /// Tells the others the vectors that the workers of this rank wrote, which `vectors` reads, and the
    /// `signals`, if this is the rank of the primary; learns theirs.
    pub(super) fn run<'a>(
        &mut self,
        signals: &StepSignals,
        vectors: impl Fn(Range<usize>) -> &'a [F32x16],
    ) {
        let Self { ranks, ranges, lengths, own, all } = self;
        own.clear();
        own.extend(signals.words());
        for vector in ranges[ranks.rank()].iter().cloned().flat_map(vectors) {
            own.extend(vector.0.map(f32::to_bits));
        }
        ranks.all_gather(own, lengths, all);
        if let (false, Some((words, _))) = (ranks.is_first(), all.split_first_chunk()) {
            signals.take(*words);
        }
    }

    /// Bytes of what the others tell.
    pub(super) fn bytes_of_others(&self) -> usize {
        (self.all.len() - self.lengths[self.ranks.rank()]) * size_of::<u32>()
    }

    /// The vectors of the other ranks, as last told: where they stand, and what they are.
    pub(super) fn others(&self) -> impl Iterator<Item = (Range<usize>, &[[u32; WORDS]])> {
        let mut rest = &self.all[..];
        let messages = self.lengths.iter().map(move |&length| {
            let (message, others) = rest.split_at(length);
            rest = others;
            message[StepSignals::WORDS..].as_chunks().0
        });
        let own = self.ranks.rank();
        let others = messages.zip(&self.ranges).enumerate().filter(move |(rank, _)| *rank != own);
        others.flat_map(|(_, (mut vectors, ranges))| {
            ranges.iter().map(move |range| {
                let (of_range, others) = vectors.split_at(range.len());
                vectors = others;
                (range.clone(), of_range)
            })
        })
    }
}
