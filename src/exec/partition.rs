//! How a layer's work is divided among the members of a team.

use std::ops::Range;

use crate::exec::shares::{share_of, share_of_samples};
use crate::kernels::sparse::{NARROW, narrow_lanes};
use crate::simd::{LANES, groups};

/// The division of one layer: `inputs` × `units`, for minibatches of up to `batch` samples.
///
/// A layer is divided by columns: each member owns some groups of sixteen units from forward to
/// update, so their weights stay in its cache, and nobody else's work flows into them. The first
/// members own one group more where they do not come out even. A layer that must be, and one that
/// would leave every second member without columns, is divided by samples forward, and in the
/// update by rows of weights: those of the inputs that the member owns in the layer below, which it
/// alone needs backward.
/// Either way every number is computed by one member.
///
/// A member's weights stand row after row, each row of whole groups followed by its moments:
/// `[w | m | v]`. A [narrow](crate::kernels::sparse::Narrow) last group stands after them by itself: first
/// all w, then all m, then all v.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
    members: usize,
    by_columns: bool,
    /// Whether the last group is narrow.
    is_narrow: bool,
    /// Whether that of the layer below is.
    is_narrow_below: bool,
}

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

/// Where the weights of a group stand, counted in numbers: the first one, and how far it is to
/// that of the next row and to the next cell of the same weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) first: usize,
    pub(crate) row: usize,
    pub(crate) cell: usize,
}

impl Division {
    /// Divides a layer among `members`, either way or only `by_samples`.
    pub(crate) fn new(
        inputs: usize,
        units: usize,
        batch: usize,
        members: usize,
        by_samples: bool,
    ) -> Self {
        let by_columns = !by_samples && 2 * groups(units) > members;
        let (is_narrow, is_narrow_below) = (false, false);
        Self { inputs, units, batch, members, by_columns, is_narrow, is_narrow_below }
    }

    /// The same above a layer that is divided as `below`.
    pub(crate) fn above(self, below: &Division) -> Self {
        Self { is_narrow_below: below.is_narrow, ..self }
    }

    /// The same for a layer of images without their zeros, in which no time is spent on many lanes
    /// that are not there.
    pub(crate) fn of_sparse_images(self) -> Self {
        let last = self.units % LANES;
        // Its owner has whole groups too.
        let pays = self.by_columns && self.units / LANES >= self.members;
        Self { is_narrow: (1..=NARROW).contains(&last) && pays, ..self }
    }

    /// Whether each member owns columns.
    pub(crate) fn is_by_columns(&self) -> bool {
        self.by_columns
    }

    /// Whether each member updates just those rows of weights that it needs backward, into a layer
    /// divided as `below`.
    pub(crate) fn owns_rows(&self, below: &Division) -> bool {
        !self.by_columns && below.by_columns
    }

    /// The share of `count` groups that falls to `member`; a narrow one at the end to the last.
    fn share_of_groups(&self, count: usize, has_narrow: bool, member: usize) -> Range<usize> {
        let narrow = usize::from(has_narrow);
        let mut own = share_of(count - narrow, member, self.members);
        if member + 1 == self.members {
            own.end += narrow;
        }
        own
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
        if self.by_columns {
            let groups = self.share_of_groups(self.groups(), self.is_narrow, member);
            return Part { groups, samples: 0..samples, rows: 0..self.rows() };
        }
        // The owner of a sample's place in the buffers does not depend on how many there are.
        let own = share_of_samples(self.batch, member, self.members);
        let inputs = self.share_of_groups(groups(self.inputs), self.is_narrow_below, member);
        let bias = usize::from(member + 1 == self.members);
        Part {
            groups: 0..self.groups(),
            samples: own.start.min(samples)..own.end.min(samples),
            rows: (inputs.start * LANES).min(self.inputs)
                ..(inputs.end * LANES).min(self.inputs) + bias,
        }
    }

    /// Whether the last group of `part` is narrow.
    pub(crate) fn has_narrow(&self, part: &Part) -> bool {
        self.is_narrow && part.groups.end == self.groups()
    }

    /// How many whole groups `part` has.
    pub(crate) fn width(&self, part: &Part) -> usize {
        part.groups.len() - usize::from(self.has_narrow(part))
    }

    /// Where the lanes of the weights of `part`'s groups begin, each weight having `cells` lanes
    /// (itself and its moments).
    pub(crate) fn block_start(&self, part: &Part, cells: usize) -> usize {
        self.rows() * part.groups.start * cells
    }

    /// The lanes of the weights that `part` updates.
    pub(crate) fn block_rows(&self, part: &Part, cells: usize) -> Range<usize> {
        let (start, width) = (self.block_start(part, cells), self.width(part) * cells);
        let narrow = if self.has_narrow(part) { cells * narrow_lanes(self.rows()) } else { 0 };
        start + part.rows.start * width..start + part.rows.end * width + narrow
    }

    /// Where the weights of `group` stand.
    pub(crate) fn places(&self, group: usize, cells: usize) -> Places {
        let holds = |part: &Part| part.groups.contains(&group);
        let mut parts = (0..self.members).map(|member| self.part(member, 0));
        let part = parts.find(holds).expect("every group has an owner");
        let (start, width) = (self.block_start(&part, cells), self.width(&part));
        if self.has_narrow(&part) && group + 1 == part.groups.end {
            let first = (start + self.rows() * width * cells) * LANES;
            return Places { first, row: NARROW, cell: narrow_lanes(self.rows()) * LANES };
        }
        Places {
            first: (start + group - part.groups.start) * LANES,
            row: width * cells * LANES,
            cell: width * LANES,
        }
    }

    /// Lanes of all weights.
    pub(crate) fn weights_length(&self, cells: usize) -> usize {
        self.block_rows(&self.part(self.members - 1, 0), cells).end
    }

    /// The lanes of the groups of `member` in a buffer of groups × `batch`.
    pub(crate) fn own_panels(&self, member: usize) -> Range<usize> {
        let Range { start, end } = self.part(member, self.batch).groups;
        start * self.batch..end * self.batch
    }

    /// The lanes of a buffer of groups × `batch` that `member` writes: the outputs of its part.
    pub(crate) fn outputs(&self, member: usize) -> Vec<Range<usize>> {
        if self.by_columns {
            return Vec::from([self.own_panels(member)]);
        }
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
            let whole = |by_samples| Division::new(inputs, units, batch, members, by_samples);
            let hidden = whole(false);
            let sparse = hidden.of_sparse_images();
            for division in [hidden, sparse, whole(true), whole(true).above(&sparse)] {
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
                let mut numbers = vec![0; weights.len() * LANES];
                for row in 0..division.rows() {
                    for unit in 0..units {
                        let places = division.places(unit / LANES, 3);
                        let at = places.first + row * places.row + unit % LANES;
                        (0..3).for_each(|cell| numbers[at + cell * places.cell] += 1);
                    }
                }
                let used = numbers.iter().map(|&count| usize::from(count == 1)).sum::<usize>();
                assert_eq!(used, division.rows() * units * 3);
                assert!(numbers.iter().all(|&count| count <= 1));
            }
        }
    }

    /// Backward into a layer by columns a member needs the very rows of weights that it updates.
    #[test]
    fn rows_are_those_of_the_own_inputs() {
        for units in [16, 17, 20, 21, 36, 52, 100] {
            for members in [1, 2, 3, 5, 8] {
                let below = Division::new(784, units, 32, members, false);
                for below in [below, below.of_sparse_images()] {
                    let last = Division::new(units, 10, 32, members, true).above(&below);
                    for member in (0..members).filter(|_| last.owns_rows(&below)) {
                        let Range { start, end } = below.part(member, 0).groups;
                        let [start, end] = [start, end].map(|group| units.min(group * LANES));
                        let bias = usize::from(member + 1 == members);
                        assert_eq!(last.part(member, 0).rows, start..end + bias);
                    }
                }
            }
        }
    }

    /// In a short minibatch too, everyone computes what is theirs, and nothing is left out.
    #[test]
    fn a_short_minibatch_is_a_beginning() {
        let division = Division::new(3, 10, 32, 5, true);
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
