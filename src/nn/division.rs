//! How a layer's work is divided among the members of a team.

use std::ops::Range;

use crate::buffers::{LANES, groups, share_of, share_of_samples};

/// The division of one layer: `inputs` × `units`, for minibatches of up to `batch` samples.
///
/// Whichever way it is divided, a number is computed in the same way by whoever computes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
    members: usize,
    way: Way,
}

/// The ways of dividing a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Each member owns some groups of sixteen units from forward to update, so their weights stay
    /// in its cache, and nobody else's work flows into them. The first members own one group more
    /// where they do not come out even.
    Columns,
    /// Forward by samples, and in the update by rows of weights: those of the inputs that the
    /// member owns in the layer below, which it alone needs backward.
    Samples,
    /// Not at all: each member has a layer of its own and does everything for itself, as that takes
    /// less time than to hear of what others have done.
    Copies,
}

/// Where a layer stands in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below others.
    Hidden,
    /// The only one.
    Only,
    /// Above others.
    LastOfMany,
}

/// Multiply-adds of sixteen lanes up to which a last layer is not divided (measured).
const COPIES_UP_TO: usize = 32 * 128;

/// What one member does.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Groups of sixteen units.
    pub(crate) groups: Range<usize>,
    /// Samples of the minibatch whose outputs it computes.
    pub(crate) samples: Range<usize>,
    /// Rows of weights that it updates; the bias is the last row.
    pub(crate) rows: Range<usize>,
}

impl Division {
    /// Divides a layer at `place` among `members`. The last one is not divided by columns, so that
    /// the member who has a sample's logits has all of them, nor is one that would leave every
    /// second member without columns.
    pub(crate) fn new(
        inputs: usize,
        units: usize,
        batch: usize,
        members: usize,
        place: Place,
    ) -> Self {
        let work = batch * inputs * groups(units);
        let way = match place {
            Place::Hidden if 2 * groups(units) > members => Way::Columns,
            Place::LastOfMany if work <= COPIES_UP_TO => Way::Copies,
            _ => Way::Samples,
        };
        Self { inputs, units, batch, members, way }
    }

    /// Whether each member owns columns.
    pub(crate) fn is_by_columns(&self) -> bool {
        self.way == Way::Columns
    }

    /// Whether each member has a layer of its own.
    pub(crate) fn is_copied(&self) -> bool {
        self.way == Way::Copies
    }

    /// Groups of sixteen units, the last one padded.
    pub(crate) fn groups(&self) -> usize {
        groups(self.units)
    }

    /// Rows of weights: the inputs and the bias.
    pub(crate) fn rows(&self) -> usize {
        self.inputs + 1
    }

    /// What `member` does, with `samples` samples in the minibatch.
    pub(crate) fn part(&self, member: usize, samples: usize) -> Part {
        let everything =
            Part { groups: 0..self.groups(), samples: 0..samples, rows: 0..self.rows() };
        match self.way {
            Way::Columns => {
                let groups = share_of(self.groups(), member, self.members);
                return Part { groups, ..everything };
            }
            Way::Copies => return everything,
            Way::Samples => {}
        }
        // The owner of a sample's place in the buffers does not depend on how many there are.
        let own = share_of_samples(self.batch, member, self.members);
        let inputs = share_of(groups(self.inputs), member, self.members);
        let bias = usize::from(member + 1 == self.members);
        Part {
            samples: own.start.min(samples)..own.end.min(samples),
            rows: (inputs.start * LANES).min(self.inputs)
                ..(inputs.end * LANES).min(self.inputs) + bias,
            ..everything
        }
    }

    /// Where the lanes of the weights of `part`'s groups begin, row after row, each weight having
    /// `cells` lanes (itself and its moments).
    pub(crate) fn block_start(&self, part: &Part, cells: usize) -> usize {
        self.rows() * part.groups.start * cells
    }

    /// The lanes of the weights that `part` updates.
    pub(crate) fn block_rows(&self, part: &Part, cells: usize) -> Range<usize> {
        let (start, width) = (self.block_start(part, cells), part.groups.len() * cells);
        start + part.rows.start * width..start + part.rows.end * width
    }

    /// Where the lanes of the weight of `row` and `group` stand, and how far from one of its cells
    /// to the next.
    pub(crate) fn weight(&self, row: usize, group: usize, cells: usize) -> (usize, usize) {
        let owner = group * self.members / self.groups();
        let part = self.part(owner, 0);
        let width = part.groups.len();
        (self.block_start(&part, cells) + row * width * cells + group - part.groups.start, width)
    }

    /// Lanes of all weights.
    pub(crate) fn weights_length(&self, cells: usize) -> usize {
        self.rows() * self.groups() * cells
    }

    /// The lanes of a buffer of groups × `batch` that `member` writes: the outputs of its part.
    pub(crate) fn outputs(&self, member: usize) -> Vec<Range<usize>> {
        let Part { groups, samples, .. } = self.part(member, self.batch);
        let panel = |group| group * self.batch + samples.start..group * self.batch + samples.end;
        groups.map(panel).collect()
    }
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
            for place in [Place::Hidden, Place::Only] {
                let division = Division::new(inputs, units, batch, members, place);
                let mut outputs = vec![0; division.groups() * batch];
                let mut weights = vec![0; division.weights_length(3)];
                for member in 0..members {
                    division
                        .outputs(member)
                        .into_iter()
                        .flatten()
                        .for_each(|lane| outputs[lane] += 1);
                    let part = division.part(member, batch);
                    division.block_rows(&part, 3).for_each(|lane| weights[lane] += 1);
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
        let division = Division::new(3, 10, 32, 5, Place::Only);
        for samples in 0..=32 {
            let shares = (0..5).flat_map(|member| division.part(member, samples).samples);
            assert!(shares.eq(0..samples));
            for member in 0..5 {
                let (full, short) = (division.part(member, 32), division.part(member, samples));
                assert!(short.samples.start.min(samples) >= full.samples.start.min(samples));
                assert!(short.samples.end <= full.samples.end);
            }
        }
    }
}
