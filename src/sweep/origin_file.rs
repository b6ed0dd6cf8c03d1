//! `origin.toml`: how the sweep in a folder was begun, and what is done of it there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::error::{Error, Result};
use super::folder::Keep;
use super::shard::Shard;
use crate::files::{read_bounded, write_atomically};

pub(super) const ORIGIN_FILE: &str = "origin.toml";

/// More bytes than any of ours has.
const LARGEST: u64 = 1 << 28;

/// How the sweep in a folder was begun, and what is done of it there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Origin {
    /// The shards that are done there, or were begun.
    shards: Vec<Shard>,
    /// Those that have ended, with their report.
    ended: Vec<Shard>,
    /// The most networks that were asked for.
    pub(super) keep: Keep,
    pub(super) conditions: Conditions,
}

impl Origin {
    /// Of a sweep that begins under these conditions.
    pub(super) fn new(conditions: Conditions) -> Self {
        Self { shards: Vec::new(), ended: Vec::new(), keep: Keep::None, conditions }
    }

    /// That of the sweep in `folder`, if it is there.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub(super) fn open(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(ORIGIN_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, LARGEST)?;
        let wrong = |problem: String| Error::OriginFile { path: path.clone(), problem };
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is no text".into()))?;
        toml::from_str(text).map(Some).map_err(|error| wrong(error.message().to_owned()))
    }

    /// Writes it to `folder`.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path: PathBuf = folder.join(ORIGIN_FILE);
        let text = toml::to_string(self).map_err(|error| Error::OriginFile {
            path: path.clone(),
            problem: error.to_string(),
        })?;
        Ok(write_atomically(&path, text.as_bytes())?)
    }

    /// Whether `shard` is done there.
    pub(super) fn has(&self, shard: Shard) -> bool {
        self.shards.contains(&shard)
    }

    /// Whether `shard` has ended there.
    pub(super) fn has_ended(&self, shard: Shard) -> bool {
        self.ended.contains(&shard)
    }

    /// Notes that `shard` is done there from now on.
    pub(super) fn begin(&mut self, shard: Shard) {
        if !self.has(shard) {
            self.shards.push(shard);
        }
        self.ended.retain(|&ended| ended != shard);
    }

    /// Notes that `shard` has ended.
    pub(super) fn end(&mut self, shard: Shard) {
        if !self.has_ended(shard) {
            self.ended.push(shard);
        }
    }
}
