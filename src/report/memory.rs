//! How much memory the process has needed.

/// The most memory that this process ever had resident, in bytes; `None` where the system does
/// not tell: it does on Linux.
pub(super) fn peak_memory_bytes() -> Option<u64> {
    if cfg!(target_os = "linux") {
        high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
    } else {
        None
    }
}

/// The value of `VmHWM`, "high water mark", which the kernel gives in KiB.
fn high_water_mark(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_from_the_status() {
        assert_eq!(high_water_mark("VmPeak:\t 9 kB\nVmHWM:\t   2048 kB\n"), Some(2048 * 1024));
        assert_eq!(high_water_mark("VmPeak:\t 9 kB\n"), None);
        assert_eq!(high_water_mark("VmHWM:\t many kB\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_was_touched_shows() {
        let touched = vec![1_u8; 64 << 20];
        assert!(peak_memory_bytes() >= Some(touched.len() as u64));
    }
}
