//! The lists of the next minibatches, brought together.
//!
//! Training meets the images in random order, and to fetch each list from wherever it stands in
//! memory takes longer than to multiply it. So the team copies the lists of some minibatches at a
//! time into one buffer, in the order of use, each member a share: the cache sees one sequence,
//! and waits for many lists at once.

use std::ops::Range;

use super::rows::{Minibatch, Pixel, SparseRows};
use crate::buffers::{Poison, Seat, share, share_of};

/// One member's seat at the lists of the next minibatches.
pub(crate) struct Window {
    seat: Seat<Pixel>,
    /// Where the list of each image stands.
    lists: Vec<Range<usize>>,
    member: usize,
    members: usize,
    /// Room for a member's share.
    room: usize,
}

/// Lists that are asked for before they are copied.
const AHEAD: usize = 8;

impl Window {
    /// A seat for each of `members`, with room for up to `images` lists of `rows`.
    pub(crate) fn share(
        rows: &SparseRows,
        images: usize,
        members: usize,
        poison: &Poison,
    ) -> Vec<Self> {
        let room = images.div_ceil(members) * rows.longest();
        let own = (0..members).map(|member| Vec::from([member * room..(member + 1) * room]));
        share(members * room, own.collect(), poison)
            .into_iter()
            .enumerate()
            .map(|(member, seat)| Self {
                seat,
                lists: Vec::with_capacity(images),
                member,
                members,
                room,
            })
            .collect()
    }

    /// Brings the lists of the images `indices` of `rows` together: the member's share of them.
    pub(crate) fn fill(&mut self, rows: &SparseRows, indices: &[u32]) {
        let Self { seat, lists, member, members, room } = self;
        let share = |member| share_of(indices.len(), member, *members);
        lists.clear();
        for member in 0..*members {
            let mut start = member * *room;
            lists.extend(indices[share(member)].iter().map(|&index| {
                let list = start..start + rows.row(index as usize).len();
                start = list.end;
                list
            }));
        }
        let mut writer = seat.write();
        let copies = writer.slice(*member * *room..(*member + 1) * *room);
        for image in share(*member) {
            if let Some(&later) = indices.get(image + AHEAD) {
                rows.prefetch(later);
            }
            let copy = lists[image].start - *member * *room..lists[image].end - *member * *room;
            copies[copy].copy_from_slice(rows.row(indices[image] as usize));
        }
    }

    /// The lists of the images `range` of those that were brought together last.
    pub(crate) fn read(&self, range: Range<usize>) -> Minibatch<'_> {
        Minibatch { pixels: self.seat.read(), lists: &self.lists[range] }
    }
}
