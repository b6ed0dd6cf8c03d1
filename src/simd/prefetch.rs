//! Telling the cache what will be read soon.

/// Asks for the first `most` bytes of `data` to be brought into the cache, where the CPU has an
/// instruction for that.
#[inline(always)]
pub(crate) fn prefetch<T>(data: &[T], most: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const LINE: usize = 64;
        let start = data.as_ptr().cast::<i8>();
        for offset in (0..size_of_val(data).min(most)).step_by(LINE) {
            // SAFETY: a prefetch reads nothing that the program could see, and the address lies
            // within the slice; the instruction is one of SSE, which every x86-64 CPU has.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        const LINE: usize = 64;
        let start = data.as_ptr().cast::<u8>();
        for offset in (0..size_of_val(data).min(most)).step_by(LINE) {
            // SAFETY: a prefetch reads nothing that the program could see, and the address lies
            // within the slice; every 64-bit ARM CPU has the instruction, which has no intrinsic yet.
            unsafe {
                std::arch::asm!(
                    "prfm pldl1keep, [{line}]",
                    line = in(reg) start.add(offset),
                    options(nomem, nostack, preserves_flags),
                );
            };
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (data, most);
}
