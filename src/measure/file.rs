//! Measurements as files: JSON, forward beside backward.

use std::path::Path;

use serde::Deserialize;

use super::Measurements;
use super::error::{Error, Result};
use crate::files::{read_bounded, write_output};

/// More bytes than any measurements have.
const LARGEST: u64 = 4 << 20;
/// More rounds than any rate has; of more, comparing would take long.
const MOST_ROUNDS: usize = 64;

/// What is read first, of any version.
#[derive(Deserialize)]
struct Beginning {
    format: u64,
}

impl Measurements {
    /// Writes them to the file at `path`, with the rates of all rounds.
    ///
    /// # Errors
    /// When it cannot be written; a file that was there is then as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::NotMeasurements {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(write_output(path, (text + "\n").as_bytes())?)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When it cannot be read, holds something else, or was written by a version with another format.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse(&read_bounded(path, LARGEST)?, path)
    }

    /// The measurements in `bytes`, which are of `path`.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let wrong = |problem| Error::NotMeasurements { path: path.to_owned(), problem };
        let not_json = |error: serde_json::Error| wrong(error.to_string());
        let Beginning { format } = serde_json::from_slice(bytes).map_err(not_json)?;
        if format != u64::from(Self::FORMAT) {
            let (path, known) = (path.to_owned(), Self::FORMAT);
            return Err(Error::OtherFormat { path, found: format, known });
        }
        let measurements: Self = serde_json::from_slice(bytes).map_err(not_json)?;
        measurements.check().map_err(wrong)?;
        Ok(measurements)
    }

    /// What is wrong with the rounds, if anything is: statistics rely on them.
    fn check(&self) -> Result<(), String> {
        for rate in self.rates() {
            let count = rate.rounds.len();
            if !(1..=MOST_ROUNDS).contains(&count) {
                return Err(format!("{} has {count} rounds, not 1 to {MOST_ROUNDS}", rate.what));
            }
            if let Some(odd) = rate.rounds.iter().find(|rate| !(1e-9..1e18).contains(*rate)) {
                let odd = number(*odd);
                return Err(format!("{} has a round with {odd} {}", rate.what, rate.unit));
            }
        }
        Ok(())
    }
}

/// A number in few digits, whatever it is.
fn number(number: f64) -> String {
    match number.abs() {
        0.0 | 1e-6..1e6 => number.to_string(),
        _ => format!("{number:e}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::exec::engine::{Engine, EngineOptions};
    use crate::measure::{Effort, Work};

    #[test]
    fn what_is_saved_is_loaded_and_what_is_damaged_is_refused_in_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.json");
        let engine = Engine::new(EngineOptions { threads: Some(1), ..EngineOptions::default() });
        let work = Work { effort: Effort::Turn, memory: false, gemm: false, images: None };
        let measured = Measurements::take(&engine.unwrap(), &work).unwrap();
        measured.save(&path).unwrap();
        assert_eq!(Measurements::load(&path).unwrap(), measured);

        let saved: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let refused = |change: fn(&mut serde_json::Value)| {
            let mut other = saved.clone();
            change(&mut other);
            fs::write(&path, other.to_string()).unwrap();
            Measurements::load(&path).unwrap_err().to_string()
        };
        for (said, expected) in [
            (refused(|of| of["format"] = 2.into()), "in format 2, and this version reads format 1"),
            (
                refused(|of| of["host"] = "here".into()),
                "is not what `mnistry bench --save` writes: ",
            ),
            (
                refused(|of| of["fma_peak_gflops"]["rounds"]["one_thread"] = serde_json::json!([])),
                "FMA peak, 1 thread has 0 rounds, not 1 to 64",
            ),
            (
                refused(|of| {
                    of["fma_peak_gflops"]["rounds"]["one_thread"] = serde_json::json!([-1])
                }),
                "FMA peak, 1 thread has a round with -1 GFLOP/s",
            ),
            (
                refused(|of| {
                    of["fma_peak_gflops"]["rounds"]["one_thread"] = serde_json::json!([1e308])
                }),
                "FMA peak, 1 thread has a round with 1e308 GFLOP/s",
            ),
            (
                refused(|of| {
                    of["fma_peak_gflops"]["rounds"]["one_thread"] = vec![1.0; 65].into();
                }),
                "has 65 rounds",
            ),
        ] {
            assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        }
        fs::write(&path, "{\"format\": 1").unwrap();
        assert!(matches!(Measurements::load(&path), Err(Error::NotMeasurements { .. })));
    }
}
