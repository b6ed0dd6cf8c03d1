//! How a layer's work is divided among the members of a team.

use std::ops::Range;

use crate::buffers::groups;

/// The division of one layer: `inputs` × `units`, for minibatches of up to `batch` samples.
///
/// Each member owns as many groups of sixteen units as all can have alike, from forward to
/// update: their weights stay in its cache, and nobody else's work flows into them. The groups
/// left over are shared: forward by samples, the update by rows of weights. So every number is
/// computed by one member, and the members have about the same to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
    members: usize,
    /// Groups that each member owns.
    owned: usize,
}

/// What one member does of one kind: its own groups, or its share of the shared ones.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Groups of sixteen units.
    pub(crate) groups: Range<usize>,
    /// Samples of the minibatch whose outputs it computes.
    pub(crate) samples: Range<usize>,
    /// Rows of weights that it updates; the bias is the last row.
    pub(crate) rows: Range<usize>,
    /// Which block of the weights holds them, in rows of the block's `groups`.
    block: Block,
}

/// A block of the weights: all rows of some groups, one after the other.
#[derive(Clone, Copy, Debug)]
enum Block {
    OwnedBy(usize),
    Shared,
}

impl Division {
    /// Divides a layer among `members`. The `last` layer is shared as a whole, so that the member
    /// who has a sample's logits has all of them.
    pub(crate) fn new(
        inputs: usize,
        units: usize,
        batch: usize,
        members: usize,
        last: bool,
    ) -> Self {
        let owned = if last { 0 } else { groups(units) / members };
        Self { inputs, units, batch, members, owned }
    }

    /// Groups of sixteen units, the last one padded.
    pub(crate) fn groups(&self) -> usize {
        groups(self.units)
    }

    /// Rows of weights: the inputs and the bias.
    pub(crate) fn rows(&self) -> usize {
        self.inputs + 1
    }

    /// What `member` does, with `samples` samples in the minibatch: its own groups, then the
    /// shared ones.
    pub(crate) fn parts(&self, member: usize, samples: usize) -> [Part; 2] {
        let first_shared = self.owned * self.members;
        // The owner of a sample's place in the buffers does not depend on how many there are.
        let own = share_of(self.batch, member, self.members);
        [
            Part {
                groups: member * self.owned..(member + 1) * self.owned,
                samples: 0..samples,
                rows: 0..self.rows(),
                block: Block::OwnedBy(member),
            },
            Part {
                groups: first_shared..self.groups(),
                samples: own.start.min(samples)..own.end.min(samples),
                rows: share_of(self.rows(), member, self.members),
                block: Block::Shared,
            },
        ]
    }

    /// Where the lanes of `part`'s block of the weights begin, each weight having `cells` lanes
    /// (itself and its moments).
    pub(crate) fn block_start(&self, part: &Part, cells: usize) -> usize {
        let owned = self.rows() * self.owned * cells;
        match part.block {
            Block::OwnedBy(member) => member * owned,
            Block::Shared => self.members * owned,
        }
    }

    /// The lanes of the weights that `part` updates.
    pub(crate) fn block_rows(&self, part: &Part, cells: usize) -> Range<usize> {
        let (start, width) = (self.block_start(part, cells), part.groups.len() * cells);
        start + part.rows.start * width..start + part.rows.end * width
    }

    /// Where the lanes of the weight of `row` and `group` stand, and how far from one of its cells
    /// to the next.
    pub(crate) fn weight(&self, row: usize, group: usize, cells: usize) -> (usize, usize) {
        let owner = group.checked_div(self.owned).filter(|&owner| owner < self.members);
        let part = &self.parts(owner.unwrap_or(0), 0)[usize::from(owner.is_none())];
        let width = part.groups.len();
        (self.block_start(part, cells) + row * width * cells + group - part.groups.start, width)
    }

    /// Lanes of all weights.
    pub(crate) fn weights_length(&self, cells: usize) -> usize {
        self.rows() * self.groups() * cells
    }

    /// The lanes of a buffer of groups × `batch` that `member` writes: the outputs of its parts.
    pub(crate) fn outputs(&self, member: usize) -> Vec<Range<usize>> {
        let [owned, shared] = self.parts(member, self.batch);
        let panels = owned.groups.start * self.batch..owned.groups.end * self.batch;
        let sample = |group: usize, sample: usize| group * self.batch + sample;
        let mut ranges = Vec::from([panels]);
        ranges.extend(
            shared.groups.map(|group| {
                sample(group, shared.samples.start)..sample(group, shared.samples.end)
            }),
        );
        ranges
    }
}

/// The share of `total` things that falls to `member`: as equal as can be, the first ones larger.
pub(crate) fn share_of(total: usize, member: usize, members: usize) -> Range<usize> {
    let edge = |member: usize| (total * member).div_ceil(members);
    edge(member)..edge(member + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lane of weights and outputs has one owner, whatever the shapes.
    #[test]
    fn everything_is_done_once() {
        for (inputs, units, batch, members) in [
            (3, 5, 4, 1),
            (3, 100, 32, 2),
            (10, 100, 7, 3),
            (784, 17, 5, 8),
            (1, 512, 1, 5),
            (100, 300, 33, 4),
        ] {
            for last in [false, true] {
                let division = Division::new(inputs, units, batch, members, last);
                let mut outputs = vec![0; division.groups() * batch];
                let mut weights = vec![0; division.weights_length(3)];
                for member in 0..members {
                    division
                        .outputs(member)
                        .into_iter()
                        .flatten()
                        .for_each(|lane| outputs[lane] += 1);
                    for part in division.parts(member, batch) {
                        division.block_rows(&part, 3).for_each(|lane| weights[lane] += 1);
                    }
                }
                assert!(outputs.iter().chain(&weights).all(|&count| count == 1));
                let mut places: Vec<_> = (0..division.rows())
                    .flat_map(|row| (0..division.groups()).map(move |group| (row, group)))
                    .map(|(row, group)| division.weight(row, group, 3).0)
                    .collect();
                places.sort_unstable();
                places.dedup();
                assert_eq!(places.len(), division.rows() * division.groups());
            }
        }
    }

    /// In a short minibatch too, everyone computes what is theirs, and nothing is left out.
    #[test]
    fn a_short_minibatch_is_a_beginning() {
        let division = Division::new(3, 10, 32, 5, true);
        for samples in 0..=32 {
            let shares =
                (0..5).flat_map(|member| division.parts(member, samples)[1].samples.clone());
            assert!(shares.eq(0..samples));
            for member in 0..5 {
                let (full, short) = (division.parts(member, 32), division.parts(member, samples));
                assert!(short[1].samples.start.min(samples) >= full[1].samples.start.min(samples));
                assert!(short[1].samples.end <= full[1].samples.end);
            }
        }
    }
}
