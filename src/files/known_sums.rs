//! Checksums that are computed once, however many windows on the same bytes ask for them.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crc32fast::Hasher;

/// The most bytes that are read to derive one sum from another: more than any header.
const LONGEST_HEADER: usize = 64 << 10;

/// The CRC-32s of parts of some bytes, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct KnownSums {
    sums: Mutex<Vec<Sum>>,
}

#[derive(Clone, Debug)]
struct Sum {
    of: Range<usize>,
    crc: u32,
}

impl KnownSums {
    /// The CRC-32 of the part `of` of `bytes`: what is known of it, or of it and a header before
    /// it, else what `compute` makes of it.
    pub(super) fn sum(
        &self,
        of: Range<usize>,
        bytes: &[u8],
        compute: impl FnOnce(&[u8]) -> u32,
    ) -> u32 {
        // Whatever a thread that panicked was about, each sum in the list is complete.
        let lock = || self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |sum: &&Sum| {
            sum.of.end == of.end
                && (sum.of.start..=sum.of.start + LONGEST_HEADER).contains(&of.start)
        };
        let known = lock().iter().find(is_known).cloned();
        if let Some(Sum { of: whole, crc }) = known {
            return without_header(crc, &bytes[whole.start..of.start], of.len());
        }
        let crc = compute(&bytes[of.clone()]);
        lock().push(Sum { of, crc });
        crc
    }
}

/// The CRC-32 of the `len` bytes that follow `header`, where that of both together is `crc`.
fn without_header(crc: u32, header: &[u8], len: usize) -> u32 {
    // The sum of both is that of the header, carried over as many bytes, exclusive-or that of the
    // rest.
    let mut carried = Hasher::new();
    carried.update(header);
    carried.combine(&Hasher::new_with_initial_len(0, len as u64));
    crc ^ carried.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_header_needs_no_second_look() {
        let bytes: Vec<u8> = (0..100_000_u64).map(|n| ((n * n) >> 3) as u8).collect();
        let known = KnownSums::default();
        let all = known.sum(0..bytes.len(), &bytes, crc32fast::hash);
        assert_eq!(all, crc32fast::hash(&bytes));
        for start in [0, 1, 16, 50_000] {
            let rest = known.sum(start..bytes.len(), &bytes, |_| unreachable!());
            assert_eq!(rest, crc32fast::hash(&bytes[start..]), "from {start}");
        }
        for part in [80_000..bytes.len(), 16..50_000] {
            let mut is_computed = false;
            let sum = known.sum(part.clone(), &bytes, |part| {
                is_computed = true;
                crc32fast::hash(part)
            });
            assert_eq!(sum, crc32fast::hash(&bytes[part]));
            assert!(is_computed);
        }
    }
}
