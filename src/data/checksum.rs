//! Checksums as text: what files and data sets are known by.

use flate2::Crc;
use sha2::{Digest, Sha256};

use crate::sync::map_in_parallel;

/// The SHA-256 of `bytes`, as 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The checksum of `bytes` that gzip and zip keep with a file.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The CRC-32 of the CRC-32s of the mebibytes of `bytes`, each of which another thread may compute.
pub(super) fn crc32_of_chunks(bytes: &[u8]) -> u32 {
    let sums = map_in_parallel(bytes.chunks(1 << 20).collect(), crc32);
    crc32(&sums.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
    }
}
