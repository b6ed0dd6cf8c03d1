//! An HDF5 file in memory that is read a bounded number of times.

use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_pure::{FormatError, Source};

/// An HDF5 file of which only so much is read that a well-formed one is read with ease.
///
/// The links of a hostile file may lead over a few bytes again and again, in more ways than could
/// ever be walked. Whoever walks them here finds the source dry.
pub(super) struct BoundedSource {
    bytes: Vec<u8>,
    /// How many bytes may still be read.
    left: AtomicU64,
}

/// How often all of a file may be read.
const PASSES: u64 = 8;
/// What may be read of a file however short it is.
const LEAST: u64 = 1 << 20;
/// What a read counts beside its bytes.
const EACH: u64 = 16;

impl BoundedSource {
    /// The file that holds `bytes`.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let left = AtomicU64::new(LEAST + PASSES * bytes.len() as u64);
        Self { bytes, left }
    }
}

impl Source for BoundedSource {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        let cost = EACH + into.len() as u64;
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost))
            .map_err(|_| FormatError::Source("its links lead in circles".into()))?;
        // Where an object is that a link has no address of.
        if offset == u64::MAX {
            return Err(FormatError::Source(
                "a link in it leads to a name (a soft link), which is not followed: copy the weights to \
                 where they are read"
                    .into(),
            ));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let found = rest.get(..into.len()).ok_or(FormatError::UnexpectedEof {
            expected: start.saturating_add(into.len()),
            available: self.bytes.len(),
        })?;
        into.copy_from_slice(found);
        Ok(())
    }
}
