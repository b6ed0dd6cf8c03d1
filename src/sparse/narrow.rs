//! The last columns of a layer, where they are much fewer than sixteen.

/// The weights of such columns: those of several pixels share a vector, so that next to no time and
/// no room goes to lanes that are not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow<'a> {
    /// Row after row, with room for a whole vector from any row on.
    pub(crate) weights: &'a [f32],
    /// How many numbers a row has.
    pub(crate) columns: usize,
}

impl<'a> Narrow<'a> {
    /// Row `row`.
    pub(crate) fn of(self, row: usize) -> &'a [f32] {
        &self.weights[row * self.columns..][..self.columns]
    }
}
