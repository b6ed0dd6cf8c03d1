//! Where no signals of lost pages are caught: the guard of `guard.rs` that guards nothing.

use std::io;

/// Keeps nothing, and knows of nothing.
#[derive(Debug)]
pub(super) struct Guard;

impl Guard {
    /// Stands beside a map.
    #[expect(clippy::unnecessary_wraps, reason = "as where it may fail")]
    pub(super) fn over(_: &[u8]) -> io::Result<Self> {
        Ok(Self)
    }

    /// Whether zeros are now where bytes of the file were: never.
    pub(super) fn has_lost_pages(&self) -> bool {
        false
    }
}
