//! What a machine is called.

use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

/// The machine that something ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Machine {
    /// What the CPU is called; `None` where the system does not tell: it does on Linux.
    pub cpu: Option<String>,
    /// How many threads may run at once.
    pub logical_cpus: usize,
    /// The architecture: `x86_64`, `aarch64` …
    pub architecture: String,
    /// The operating system: `linux`, `macos`, `windows` …
    pub os: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let told = || cpu_name(&std::fs::read_to_string("/proc/cpuinfo").ok()?);
        Self {
            cpu: if cfg!(target_os = "linux") { told() } else { None },
            logical_cpus: available_parallelism().map_or(1, usize::from),
            architecture: std::env::consts::ARCH.into(),
            os: std::env::consts::OS.into(),
        }
    }
}

/// The name of the first CPU in the kernel's list.
fn cpu_name(list: &str) -> Option<String> {
    let fields = list.lines().filter_map(|line| line.split_once(':'));
    let named = |name: &str| ["model name", "Model"].contains(&name.trim());
    let (_, name) = fields.clone().find(|(name, _)| named(name))?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_called_what_the_kernel_calls_it() {
        let list = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some  CPU @ 2 GHz\nflags\t: fma\n";
        assert_eq!(cpu_name(list).as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(cpu_name("processor\t: 0\nCPU part\t: 0xd0c\n"), None);
        assert!(Machine::this().logical_cpus > 0);
    }
}
