//! The networks that read: loaded when they are first asked, and anew when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use mnistry::Network;

use super::place::Place;
use super::refusal::Refusal;

/// So many networks stay in memory, those asked last.
const MOST_LOADED: usize = 4;

/// The networks in memory, the one asked last at the end.
#[derive(Default)]
pub(super) struct Models {
    loaded: Mutex<Vec<Loaded>>,
}

/// A network as its file had it.
#[derive(Clone)]
struct Loaded {
    path: PathBuf,
    version: Version,
    network: Arc<Network>,
}

/// What changes when a file does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    changed: Option<SystemTime>,
    bytes: u64,
}

impl Version {
    fn of(path: &Path) -> Option<Self> {
        let found = path.metadata().ok()?;
        Some(Self { changed: found.modified().ok(), bytes: found.len() })
    }
}

impl Models {
    /// The network called `name` of `place`.
    ///
    /// # Errors
    /// When there is none, or its file holds something else.
    pub(super) fn named(&self, place: &Place, name: &str) -> Result<Arc<Network>, Refusal> {
        let found = place.models(&place.runs()).into_iter().find(|model| model.name == name);
        let found = found.ok_or_else(|| Refusal::not_found(format!("there is no model {name}")))?;
        let version = Version::of(&found.path);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = loaded
            .iter()
            .position(|known| known.path == found.path && Some(known.version) == version);
        if let Some(known) = known {
            let known = loaded.remove(known);
            loaded.push(known.clone());
            return Ok(known.network);
        }
        let network = Arc::new(Network::load(&found.path).map_err(Refusal::unusable)?);
        loaded.retain(|known| known.path != found.path);
        if let Some(version) = version {
            loaded.push(Loaded { path: found.path, version, network: Arc::clone(&network) });
        }
        let more = loaded.len().saturating_sub(MOST_LOADED);
        loaded.drain(..more);
        Ok(network)
    }
}
