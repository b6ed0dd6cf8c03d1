//! Which instruction set to use: detection, choice, and the one place where the generic kernels
//! are instantiated for each.

#[cfg(target_arch = "aarch64")]
use super::Neon;
#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Kernel, LANES, Portable, Simd};

/// An instruction set that this CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Token);

/// The tokens that prove it.
#[derive(Clone, Copy, Debug)]
enum Token {
    Portable(Portable),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// The names of all instruction sets, on each CPU the best last; `auto` takes the best that the CPU
/// has.
pub const ISA_NAMES: [&str; 4] = ["portable", "neon", "avx2", "avx512"];

impl Isa {
    /// Those that this CPU has, best last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let tokens = [
            Some(Token::Portable(Portable)),
            #[cfg(target_arch = "aarch64")]
            Neon::new().map(Token::Neon),
            #[cfg(target_arch = "x86_64")]
            Avx2::new().map(Token::Avx2),
            #[cfg(target_arch = "x86_64")]
            Avx512::new().map(Token::Avx512),
        ];
        tokens.into_iter().flatten().map(Self).collect()
    }

    /// The one that the environment variable `MNISTRY_ISA` names, else the best that this CPU has.
    ///
    /// # Errors
    /// When the variable names none, or one that the CPU lacks.
    pub fn detect() -> Result<Self, UnsupportedIsa> {
        match std::env::var("MNISTRY_ISA") {
            Ok(name) if !name.is_empty() => Self::named(&name)
                .map_err(|error| UnsupportedIsa { is_from_environment: true, ..error }),
            _ => Ok(Self::best()),
        }
    }

    fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Token::Portable(Portable)))
    }

    /// The one called `name`: `auto`, `portable`, `neon`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// When there is no such instruction set, or the CPU lacks it.
    pub fn named(name: &str) -> Result<Self, UnsupportedIsa> {
        if name == "auto" {
            return Ok(Self::best());
        }
        let available = Self::available();
        if let Some(isa) = available.iter().find(|isa| isa.name() == name) {
            return Ok(*isa);
        }
        Err(UnsupportedIsa {
            name: name.to_owned(),
            available: available.iter().map(|isa| isa.name()).collect(),
            is_from_environment: false,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Token::Portable(_) => "portable",
            #[cfg(target_arch = "aarch64")]
            Token::Neon(_) => "neon",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "avx512",
        }
    }

    /// Whether its multiply-add rounds once, so that its results have the bits of every other
    /// such instruction set.
    #[must_use]
    pub fn is_fused(self) -> bool {
        match self.0 {
            Token::Portable(_) => Portable::IS_FUSED,
            #[cfg(target_arch = "aarch64")]
            Token::Neon(_) => true,
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) | Token::Avx512(_) => true,
        }
    }

    /// How many numbers a register holds.
    pub(crate) fn register_lanes(self) -> usize {
        self.run(RegisterLanes)
    }

    /// Runs `kernel` with this instruction set.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Token::Portable(token) => token.vectorize(kernel),
            #[cfg(target_arch = "aarch64")]
            Token::Neon(token) => token.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(token) => token.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(token) => token.vectorize(kernel),
        }
    }
}

/// How many numbers a register holds.
struct RegisterLanes;

impl Kernel for RegisterLanes {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        LANES / S::REGISTERS_PER_VECTOR
    }
}

/// An instruction set was asked for that there is not, or that this CPU lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}{} {name}: give auto or one of {}",
    if *is_from_environment { "MNISTRY_ISA: " } else { "" },
    if ISA_NAMES.contains(&name.as_str()) { "this CPU lacks" } else { "there is no instruction set" },
    available.join(", ")
)]
pub struct UnsupportedIsa {
    name: String,
    /// The names of those that the CPU has.
    available: Vec<&'static str>,
    /// Whether `MNISTRY_ISA` asked for it.
    is_from_environment: bool,
}

#[cfg(test)]
mod tests {
    use super::{Isa, UnsupportedIsa};

    #[test]
    fn an_unknown_name_is_refused_with_those_to_choose_from() {
        let error = Isa::named("sse9").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("there is no instruction set sse9: give auto or one of portable"));
        let error = UnsupportedIsa { is_from_environment: true, ..error };
        assert_eq!(error.to_string(), format!("MNISTRY_ISA: {text}"));
    }

    /// So that the tests that run on every available instruction set leave none out.
    #[test]
    fn what_linux_says_the_cpu_has_is_available() {
        let (title, needs): (_, &[(&str, &[&str])]) = if cfg!(target_arch = "aarch64") {
            ("Features", &[("neon", &["asimd"])])
        } else {
            ("flags", &[("avx2", &["avx2", "fma"]), ("avx512", &["avx512f"])])
        };
        // Where there is no such file, or it is that of a machine which emulates this one, nothing is
        // known from elsewhere.
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let flags: Vec<_> = cpu
            .lines()
            .find_map(|line| line.strip_prefix(title))
            .map_or_else(Vec::new, |flags| flags.split_whitespace().collect());
        let names: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
        for (name, needed) in needs {
            let there = needed.iter().all(|flag| flags.contains(flag));
            assert!(!there || names.contains(name), "the CPU has {name}, the tests {names:?}");
        }
    }
}
