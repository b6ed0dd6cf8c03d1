//! Windows that slide over an image: their size, their positions, and which of their taps meet
//! something non-zero.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A rectangle of an image; in files `5`, or `[5, 3]` for height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sides", into = "Sides")]
pub struct Window {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// A [`Window`] as files have it.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number such as 5, or height and width such as [5, 3]")]
enum Sides {
    Square(usize),
    Rectangle([usize; 2]),
}

impl From<Sides> for Window {
    fn from(sides: Sides) -> Self {
        match sides {
            Sides::Square(side) => Self::square(side),
            Sides::Rectangle([height, width]) => Self { height, width },
        }
    }
}

impl From<Window> for Sides {
    fn from(Window { height, width }: Window) -> Self {
        if height == width { Self::Square(height) } else { Self::Rectangle([height, width]) }
    }
}

impl Window {
    /// As many rows as columns.
    #[must_use]
    pub const fn square(side: usize) -> Self {
        Self { height: side, width: side }
    }

    /// A single position.
    pub(crate) const fn one() -> Self {
        Self::square(1)
    }
}

/// `5 × 3`
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.height, self.width)
    }
}

/// What a convolution does at the edges of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Windows lie within the image.
    #[default]
    Valid,
    /// Windows begin at every position (or every one of the stride); outside the image there are
    /// zeros, as many on both sides, or one more at the end.
    Same,
}

/// The positions of a window along one side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// How many positions there are.
    pub(crate) count: usize,
    /// How far the first one lies outside the image.
    pub(crate) before: usize,
    /// How far the last one does.
    pub(crate) after: usize,
}

impl Steps {
    /// Those of windows of `size`, `stride` apart, along `length`; `None` where none fits. All
    /// three are positive.
    pub(crate) fn new(length: usize, size: usize, stride: usize, padding: Padding) -> Option<Self> {
        match padding {
            Padding::Valid => {
                let count = length.checked_sub(size)? / stride + 1;
                Some(Self { count, before: 0, after: 0 })
            }
            // As TensorFlow has it: what is added is shared between both ends, the last one first.
            Padding::Same => {
                let count = length.div_ceil(stride);
                let reach = ((count - 1) * stride).checked_add(size)?;
                let added = reach.saturating_sub(length);
                Some(Self { count, before: added / 2, after: added - added / 2 })
            }
        }
    }
}

/// Of the `size` taps of a window along one side, those that meet something in `nonzero` in one of
/// the positions that begin at `first` to `last`. All are counted from the start of the border.
pub(super) fn taps_in(
    nonzero: &Range<usize>,
    size: usize,
    first: usize,
    last: usize,
) -> Range<usize> {
    let start = nonzero.start.saturating_sub(last).min(size);
    start..nonzero.end.saturating_sub(first).clamp(start, size)
}

/// Of `count` positions, `stride` apart, those where one of `taps` meets something in `nonzero`,
/// which is counted from the start of the border.
pub(super) fn positions_in(
    nonzero: &Range<usize>,
    taps: &Range<usize>,
    stride: usize,
    count: usize,
) -> Range<usize> {
    if nonzero.is_empty() || taps.is_empty() {
        return 0..0;
    }
    let start = (nonzero.start + 1).saturating_sub(taps.end).div_ceil(stride).min(count);
    let end = nonzero.end.saturating_sub(taps.start).div_ceil(stride);
    start..end.clamp(start, count)
}
