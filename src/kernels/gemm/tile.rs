//! The size of the micro-kernel's tile of C, MR × NR, as the registers allow.

use crate::simd::{LANES, Simd};

/// The tile of sums that the micro-kernel keeps in registers: what hides the latency of the
/// multiply-adds, and leaves room for a row of B and a number of A.
pub(crate) trait MicroTile: Simd {
    /// Rows of the tile. A micro-kernel is instantiated for each of these numbers, and for what may
    /// be left over below it (`macro_kernel::rows`).
    const MR: usize = match Self::VECTORS {
        // With three blocks 24 sums, 3 vectors of B and 1 of A: 28 of 32 registers of AVX-512.
        32.. => 8,
        // 6 sums of two registers each, 2 of B and 1 of A: 15 of 16 registers of AVX2; of four, 4 of B
        // and 2 of A: 30 of 32 of NEON.
        8.. => 6,
        // 2 sums of four registers each, 4 of B and 1 of A: 13 of 16 registers of SSE.
        _ => 2,
    };
    /// Columns of the tile in blocks of 16, as a vector holds them: NR = 16 · `NR_BLOCKS`.
    const NR_BLOCKS: usize = if Self::VECTORS >= 32 { 3 } else { 1 };
    /// Whether A is packed where it is read down its columns: a tile of three column blocks takes long
    /// enough to hide these reads, one of a single block does not.
    const PACKS_TRANSPOSED_A: bool = Self::NR_BLOCKS == 1;
    /// Rows of A up to which packing B costs more than reading it where it is, where B is small. A
    /// panel of three blocks is read in runs of three cache lines, and by fewer tiles.
    const IN_PLACE_IF_SMALL: usize = if Self::NR_BLOCKS == 3 { 512 } else { 95 };
    /// The same where B is large.
    const IN_PLACE_IF_LARGE: usize = if Self::NR_BLOCKS == 3 { 63 } else { 12 };

    /// Whether a column block that has so many columns is computed in the first of its registers alone.
    #[inline(always)]
    fn is_narrow(columns: usize) -> bool {
        Self::REGISTERS_PER_VECTOR > 1 && columns <= LANES / Self::REGISTERS_PER_VECTOR
    }
}

impl<S: Simd> MicroTile for S {}
