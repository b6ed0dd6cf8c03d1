//! The caches between the cores and the memory.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cache {
    /// From 1, the nearest to the core.
    pub level: u32,
    /// What is in it: `Data`, `Instruction` or `Unified`.
    pub kind: String,
    /// Its size in KiB.
    pub kib: u64,
}

/// The caches that the first core sees, in the system's order; none where the system does not tell: it
/// does on Linux.
pub(crate) fn caches() -> &'static [Cache] {
    // The system is asked once: it answers by way of several files.
    static CACHES: OnceLock<Vec<Cache>> = OnceLock::new();
    CACHES.get_or_init(|| listed(Path::new("/sys/devices/system/cpu/cpu0/cache")))
}

/// The caches that the kernel lists in `folder`.
fn listed(folder: &Path) -> Vec<Cache> {
    /// More than any CPU has.
    const MOST: usize = 16;
    let cache = |index: usize| {
        let read = |name: &str| {
            let text = fs::read_to_string(folder.join(format!("index{index}/{name}"))).ok()?;
            Some(text.trim().to_owned())
        };
        let kib = read("size")?.strip_suffix('K')?.parse().ok()?;
        Some(Cache { level: read("level")?.parse().ok()?, kind: read("type")?, kib })
    };
    (0..MOST).map_while(cache).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_those_that_the_kernel_lists() {
        let folder = tempfile::tempdir().unwrap();
        for (index, level, kind, size) in
            [(0, "1", "Data", "32K"), (1, "1", "Instruction", "32K"), (2, "2", "Unified", "1024K")]
        {
            let of_index = folder.path().join(format!("index{index}"));
            fs::create_dir(&of_index).unwrap();
            for (name, text) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(of_index.join(name), format!("{text}\n")).unwrap();
            }
        }
        let found = listed(folder.path());
        let kib: Vec<_> = found.iter().map(|cache| (cache.level, cache.kib)).collect();
        assert_eq!(kib, [(1, 32), (1, 32), (2, 1024)]);
        assert_eq!(found[2].kind, "Unified");
        assert_eq!(listed(&folder.path().join("nowhere")), []);
    }
}
