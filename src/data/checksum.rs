//! Checksums as text: what files and data sets are known by.

use crc32fast::Hasher;
use sha2::{Digest, Sha256};

use crate::files::Bytes;
use crate::sync::map_in_parallel;

/// What a thread does at a time.
const CHUNK: usize = 1 << 20;

/// What takes as long as threads take to begin.
const SMALL: usize = 1 << 23;

/// The SHA-256 of `bytes`, as 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut sum = Sha256Sum::default();
    sum.add(bytes);
    sum.text()
}

/// The same of bytes that come piece by piece.
#[derive(Default)]
pub(crate) struct Sha256Sum(Sha256);

impl Sha256Sum {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of all that was added.
    pub(crate) fn text(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The checksum of `bytes` that gzip and zip keep with a file, computed once, on all threads.
pub(super) fn crc32(bytes: &Bytes) -> u32 {
    bytes.crc32(crc32_of)
}

/// The same of bytes that are asked for once.
pub(super) fn crc32_of(bytes: &[u8]) -> u32 {
    if bytes.len() <= SMALL {
        return crc32fast::hash(bytes);
    }
    let mut sum = Hasher::new();
    for chunk in map_in_parallel(bytes.chunks(CHUNK).collect(), hashed) {
        sum.combine(&chunk);
    }
    sum.finalize()
}

fn hashed(bytes: &[u8]) -> Hasher {
    let mut sum = Hasher::new();
    sum.update(bytes);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_chunks_is_that_of_the_whole() {
        for len in [0, 1, SMALL, SMALL + 1, SMALL + 3 * CHUNK + 17] {
            let bytes: Vec<u8> = (0..len).map(|n| ((n * n) >> 7) as u8).collect();
            assert_eq!(crc32(&bytes.clone().into()), crc32fast::hash(&bytes));
        }
    }

    #[test]
    fn the_example_of_the_standard() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
    }
}
