//! Which build of mnistry measures.

use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A build of mnistry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Build {
    /// Its version.
    pub version: String,
    /// Whether it was compiled for speed: not for debugging.
    pub is_optimised: bool,
    /// The first 16 digits of the program's SHA-256, which tell builds of one version apart; `None`
    /// where the program cannot be read.
    pub program: Option<String>,
}

impl Build {
    /// The build that is running.
    #[must_use]
    pub fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            is_optimised: !cfg!(debug_assertions),
            program: checksum().ok(),
        }
    }
}

fn checksum() -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(std::env::current_exe()?)?, &mut Hashing(&mut hasher))?;
    Ok(hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// What is written goes into a checksum.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
