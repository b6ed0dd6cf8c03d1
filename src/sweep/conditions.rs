//! What decides, beside the plan and the data, what the runs of a sweep come to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exec::engine::Engine;
use crate::kernels::gemm::GemmBackend;

/// What decides, beside the plan and the data, what the runs of a sweep come to. Whoever goes on with a
/// sweep, or does a part of it, must have the same: results of two kinds in one table would say nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The version of this crate.
    version: String,
    /// Whether a multiply-add rounds once.
    fused: bool,
    /// What computes the matrix products.
    gemm: String,
    /// The SHA-256 of what the settings of all configurations come to.
    settings: String,
    /// The SHA-256 of each file that was read for them.
    files: BTreeMap<String, String>,
}

impl Conditions {
    /// Those of runs by `engine`, whose settings come to what has the SHA-256 `settings`, and the files
    /// that were read for them have those of `files`, by their paths.
    pub(super) fn new(engine: &Engine, settings: String, files: BTreeMap<String, String>) -> Self {
        let gemm = match engine.gemm_backend() {
            GemmBackend::Engine => "engine",
            GemmBackend::Matrixmultiply => "matrixmultiply",
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            fused: engine.isa().is_fused(),
            gemm: gemm.to_owned(),
            settings,
            files,
        }
    }

    /// How a sweep was begun whose conditions were `before`, if not by these: the first difference.
    pub(super) fn difference(&self, before: &Self) -> Option<String> {
        if before.version != self.version {
            return Some(format!("by version {}, and this is {}", before.version, self.version));
        }
        if before.fused != self.fused {
            let with = |fused: bool| if fused { "with" } else { "without" };
            let (then, now) = (with(before.fused), with(self.fused));
            return Some(format!("{then} fused multiply-add, and this is {now} it"));
        }
        if before.gemm != self.gemm {
            return Some(format!("with --gemm {}, and this is {}", before.gemm, self.gemm));
        }
        let is_other = |(path, sum): &(&String, &String)| self.files.get(*path) != Some(*sum);
        if let Some((path, _)) = before.files.iter().find(is_other) {
            return Some(format!("when {path} was another file"));
        }
        (before != self).then(|| "with settings that meant something else".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_said() {
        let files = [("net.toml", "1"), ("init", "2")];
        let files = files.map(|(name, sum)| (name.to_owned(), sum.to_owned()));
        let now = Conditions {
            version: "2".into(),
            fused: true,
            gemm: "engine".into(),
            settings: "3".into(),
            files: files.into(),
        };
        let differs = |change: &dyn Fn(&mut Conditions), said: &str| {
            let mut before = now.clone();
            change(&mut before);
            let found = now.difference(&before).expect("they differ");
            assert!(found.contains(said), "{found}");
        };
        differs(&|before| before.version = "1".into(), "version 1, and this is 2");
        differs(&|before| before.fused = false, "without fused");
        differs(&|before| before.gemm = "other".into(), "--gemm other");
        differs(&|before| *before.files.get_mut("init").unwrap() = "9".into(), "init");
        differs(&|before| before.settings = "4".into(), "settings");
        differs(&|before| before.files.clear(), "settings");
        assert_eq!(now.difference(&now.clone()), None);
    }
}
