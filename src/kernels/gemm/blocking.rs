//! The steps of loops 5 to 3, as the caches allow.

use std::sync::OnceLock;

use crate::memory::{Cache, caches};
use crate::simd::LANES;

/// Columns of the widest panel of B, NR with AVX-512. Steps of columns are multiples of it.
const WIDEST_PANEL: usize = 3 * LANES;
/// What steps of rows are multiples of: of each MR.
const ROWS: usize = 24;
/// Numbers in a KiB.
const NUMBERS: usize = 1024 / size_of::<f32>();

/// The steps of the outer loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocking {
    /// Of loop 5, columns of B, a multiple of [`LANES`]: KC × NC numbers stay in L3 for the next rows
    /// of A.
    pub(super) nc: usize,
    /// Of loop 4, terms of a sum: the panel of B that loop 2 takes, KC × NR numbers, stays in L2 while
    /// the rows of A pass by.
    pub(super) kc: usize,
    /// Of loop 3, rows of A: MC × KC numbers stay in L2 beside the panel, for the next panels.
    pub(super) mc: usize,
}

impl Blocking {
    /// For the caches of this machine.
    pub(super) fn of_this_machine() -> Self {
        static BLOCKING: OnceLock<Blocking> = OnceLock::new();
        *BLOCKING.get_or_init(|| Self::of(caches()))
    }

    /// For these caches: an L2 of 1 MiB and a large L3 where they are not known.
    fn of(caches: &[Cache]) -> Self {
        // So many numbers fit each level.
        let level = |level| {
            let holds_data = |cache: &&Cache| cache.level == level && cache.kind != "Instruction";
            let kib = usize::try_from(caches.iter().find(holds_data)?.kib).ok()?;
            kib.checked_mul(NUMBERS)
        };
        let l2 = level(2).unwrap_or(1024 * NUMBERS);
        // Longer sums gain nothing. Shorter ones leave room for rows where L2 is small.
        let kc = (l2 / 256 / LANES * LANES).clamp(256, 1024);
        // As A is not packed, each of its rows may lie in a page of its own, and translations are kept
        // of about a thousand.
        let mc = ((l2 / kc).saturating_sub(WIDEST_PANEL) / ROWS * ROWS).clamp(ROWS, 20 * ROWS);
        // The other half of L3 is for A and C, which pass by. Without any, B comes from memory however
        // few columns there are.
        let l3 = level(3).unwrap_or(usize::MAX);
        let nc = (l3 / 2 / kc / WIDEST_PANEL).clamp(1, 32) * WIDEST_PANEL;
        Self { nc, kc, mc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with an L2 and, if any, an L3 of so many KiB, besides what does not count.
    fn machine(l2: u64, l3: Option<u64>) -> Vec<Cache> {
        let cache = |level, kind: &str, kib| Cache { level, kind: kind.into(), kib };
        let mut caches =
            vec![cache(1, "Data", 64), cache(2, "Instruction", 1), cache(2, "Unified", l2)];
        caches.extend(l3.map(|kib| cache(3, "Unified", kib)));
        caches
    }

    #[test]
    fn steps_follow_the_caches() {
        let usual = Blocking { nc: 1536, kc: 1024, mc: 192 };
        assert_eq!(Blocking::of(&[]), usual);
        assert_eq!(Blocking::of(&machine(1024, Some(32 << 10))), usual);
        // As of Arm's Cortex-A76 in a small computer, and cores without a third level.
        let small = Blocking { nc: 1536, kc: 512, mc: 192 };
        assert_eq!(Blocking::of(&machine(512, Some(2 << 10))), Blocking { nc: 480, ..small });
        assert_eq!(Blocking::of(&machine(512, None)), small);
        // A large one, as of Neoverse V2, and as of Apple's.
        assert_eq!(Blocking::of(&machine(2 << 10, Some(114 << 10))), Blocking { mc: 456, ..usual });
        assert_eq!(Blocking::of(&machine(12 << 10, None)), Blocking { mc: 480, ..usual });
    }

    #[test]
    fn what_steps_keep_fits_the_caches() {
        for (l2, l3) in [128, 256, 512, 1024, 1280, 2048, 4096, 16384]
            .into_iter()
            .flat_map(|l2| [1 << 10, 2 << 10, 8 << 10, 64 << 10].map(|l3| (l2, l3)))
        {
            let Blocking { nc, kc, mc } = Blocking::of(&machine(l2, Some(l3)));
            let kib = |numbers: usize| numbers.div_ceil(NUMBERS) as u64;
            assert!(kib((mc + WIDEST_PANEL) * kc) <= l2 && kib(nc * kc) <= l3 / 2, "{l2}, {l3}");
        }
    }

    /// What a system tells wrongly costs time and nothing else.
    #[test]
    fn no_size_makes_a_step_of_nothing() {
        for (l2, l3) in [(0, 0), (1, 1), (u64::MAX, u64::MAX), (u64::MAX / 2048, 3)] {
            let Blocking { nc, kc, mc } = Blocking::of(&machine(l2, Some(l3)));
            assert!(nc >= LANES && nc % LANES == 0 && kc > 0 && mc > 0, "{l2}, {l3}");
        }
    }
}
