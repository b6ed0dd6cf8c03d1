//! How much memory is left for this process: that of the machine, of the control groups (cgroups)
//! that the process is in, and what its own limits leave. Linux tells; elsewhere nobody knows.

use std::fs;
use std::path::{Path, PathBuf};

/// The bytes that this process may still take; `None` where the system does not tell.
pub(super) fn bytes() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let read = |name: &str| fs::read_to_string(Path::new("/proc").join(name)).unwrap_or_default();
    let groups = groups(&read("self/cgroup"));
    let of_groups = groups.iter().filter_map(|(kind, folder)| kind.left(folder));
    of_groups
        .chain(left_by_machine(&read("meminfo")))
        .chain(left_by_limits(&read("self/limits"), &read("self/status")))
        .min()
}

/// What `meminfo` says that can be had without swapping.
fn left_by_machine(meminfo: &str) -> Option<u64> {
    kibibytes(meminfo, "MemAvailable:")
}

/// What is left below the limits of the address space and of the data in it.
fn left_by_limits(limits: &str, status: &str) -> Option<u64> {
    let limit = |name: &str, used: &str| {
        let soft = limits.lines().find_map(|line| line.strip_prefix(name))?;
        let soft: u64 = soft.split_whitespace().next()?.parse().ok()?;
        Some(soft.saturating_sub(kibibytes(status, used)?))
    };
    let [space, data] = [limit("Max address space", "VmSize:"), limit("Max data size", "VmData:")];
    space.into_iter().chain(data).min()
}

/// The value after `name`, which the kernel gives in KiB.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The files in which a control group tells of its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GroupKind {
    limit: &'static str,
    usage: &'static str,
    /// In `memory.stat`, what of the usage is files that may be read again.
    files: [&'static str; 2],
}

const VERSION_1: GroupKind = GroupKind {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    files: ["total_inactive_file", "total_active_file"],
};
const VERSION_2: GroupKind = GroupKind {
    limit: "memory.max",
    usage: "memory.current",
    files: ["inactive_file", "active_file"],
};

/// The folders of the control groups that `cgroup` names, and of those above them: each may have a
/// limit. Some of them may not be there, as in a container that sees its own alone.
fn groups(cgroup: &str) -> Vec<(GroupKind, PathBuf)> {
    let mut groups = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (kind, root) = match controllers {
            "" => (VERSION_2, "/sys/fs/cgroup"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (VERSION_1, "/sys/fs/cgroup/memory")
            }
            _ => continue,
        };
        for path in Path::new(path.trim_start_matches('/')).ancestors() {
            groups.push((kind, Path::new(root).join(path)));
        }
    }
    groups
}

impl GroupKind {
    /// What the group of `folder` has left, if it has a limit.
    fn left(&self, folder: &Path) -> Option<u64> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
        let (limit, usage) = (number(self.limit)?, number(self.usage)?);
        let files = self.files_in(&read("memory.stat").unwrap_or_default());
        Some(limit.saturating_sub(usage.saturating_sub(files)))
    }

    fn files_in(&self, stat: &str) -> u64 {
        let lines = stat.lines().filter_map(|line| line.split_once(' '));
        let files = lines.filter(|(name, _)| self.files.contains(name));
        files.filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_tells_what_is_available() {
        let meminfo = "MemTotal:  9 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(left_by_machine(meminfo), Some(2048 * 1024));
        assert_eq!(left_by_machine("MemTotal: 9 kB\n"), None);
    }

    #[test]
    fn limits_leave_what_is_not_used() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max data size             unlimited            unlimited            bytes\n\
                      Max address space         5000000              unlimited            bytes\n";
        let status = "VmPeak:\t 9 kB\nVmSize:\t 1000 kB\nVmData:\t 10 kB\n";
        assert_eq!(left_by_limits(limits, status), Some(5_000_000 - 1_024_000));
        assert_eq!(left_by_limits("", status), None);
        assert_eq!(left_by_limits(limits, "VmSize:\t 9000 kB\n"), Some(0));
    }

    #[test]
    fn a_group_and_those_above_it_are_asked() {
        let names = |cgroup: &str| -> Vec<_> {
            let groups = groups(cgroup).into_iter();
            groups.map(|(kind, path)| (kind.limit, path.display().to_string())).collect()
        };
        let expected = ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup/"];
        assert_eq!(names("0::/a/b\n"), expected.map(|path| ("memory.max", path.to_owned())));
        let expected = ["/sys/fs/cgroup/memory/c:d", "/sys/fs/cgroup/memory/"];
        assert_eq!(
            names("9:name=systemd:/\n4:cpu,memory:/c:d\n"),
            expected.map(|path| ("memory.limit_in_bytes", path.to_owned()))
        );
        assert_eq!(names("nonsense\n"), []);
    }

    #[test]
    fn files_that_may_be_read_again_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(VERSION_2.left(folder.path()), None);
        write("memory.max", "max\n");
        write("memory.current", "700\n");
        assert_eq!(VERSION_2.left(folder.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(VERSION_2.left(folder.path()), Some(300));
        write("memory.stat", "anon 100\nactive_file 150\ninactive_file 50\n");
        assert_eq!(VERSION_2.left(folder.path()), Some(500));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_may_take_some() {
        assert!(bytes().is_some_and(|bytes| bytes > 0));
    }
}
