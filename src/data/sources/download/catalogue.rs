//! What is published where: the catalogue of data sets that can be fetched.
//!
//! A data set is published in editions, such as one archive or four files; any of them will do.
//! The sizes and checksums of the catalogue are what makes a file trusted, so it does not matter
//! who serves it, nor whether the way to it is encrypted.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::{Error, Result};
use crate::files::read_bounded;

/// No catalogue is as long as this.
const LARGEST: u64 = 1 << 20;

/// Data sets that can be fetched, by the names that people give them.
#[derive(Clone, Debug, Deserialize)]
pub struct Catalogue(BTreeMap<String, Publication>);

/// A published data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// What a report calls it.
    pub title: String,
    /// The editions, best first.
    pub(super) editions: Vec<Edition>,
}

/// Files that are the data set when they are together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edition {
    /// Addresses of folders that hold the files, each ending in a slash; the first is asked first.
    pub(super) hosts: Vec<String>,
    pub(super) files: Vec<PublishedFile>,
}

/// A file, which is whatever has its size and checksum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// As 64 hexadecimal digits.
    pub(super) sha256: String,
}

impl Catalogue {
    /// The catalogue in the file that `MNISTRY_CATALOGUE` names, else the built-in one, which has
    /// `mnist` and `fashion`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a catalogue.
    pub fn from_env() -> Result<Self> {
        match crate::data::sources::path_from_env("MNISTRY_CATALOGUE") {
            Some(path) => Self::parse(&read_bounded(&path, LARGEST)?, &path),
            None => Self::parse(include_bytes!("catalogue.json"), Path::new("catalogue.json")),
        }
    }

    /// The catalogue that `json` is: for each data set its name, and under that its `title` and
    /// its `editions`, each with its `hosts` and its `files`, of which each has `name`, `bytes` and
    /// `sha256`.
    ///
    /// # Errors
    /// When it is not; it was found at `path`.
    pub fn parse(json: &[u8], path: &Path) -> Result<Self> {
        let catalogue: Self = serde_json::from_slice(json)
            .map_err(|said| Error::Catalogue { path: path.to_owned(), source: said.into() })?;
        let names = catalogue.0.iter().flat_map(|(name, publication)| {
            let files = publication.editions.iter().flat_map(|edition| &edition.files);
            std::iter::once(name).chain(files.map(|file| &file.name))
        });
        // These name files in the cache folder, and must not lead out of it.
        for name in names {
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':']) {
                return Err(Error::Name { path: path.to_owned(), name: name.clone() });
            }
        }
        Ok(catalogue)
    }

    /// The names of the data sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The data set of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Publication> {
        self.0.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Catalogue> {
        Catalogue::parse(json.as_bytes(), Path::new("list.json"))
    }

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalogue = parse(include_str!("catalogue.json")).unwrap();
        assert!(catalogue.names().eq(["fashion", "mnist"]));
        for publication in catalogue.0.values() {
            for edition in &publication.editions {
                assert!([1, 4].contains(&edition.files.len()));
                for host in &edition.hosts {
                    assert!(host.starts_with("http") && host.ends_with('/'), "{host}");
                }
                for file in &edition.files {
                    assert!(file.bytes > 4_000 && file.sha256.len() == 64, "{file:?}");
                    let mut digits = file.sha256.bytes();
                    assert!(digits.all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
                }
            }
        }
    }

    #[test]
    fn what_is_no_catalogue_is_refused() {
        let refused = |json: &str| parse(json).unwrap_err().to_string();
        assert_eq!(
            refused("{"),
            "list.json: not a catalogue of data sets: EOF while parsing an object at line 1 column 1"
        );
        let leads_out = |name: &str, file: &str| {
            format!(
                r#"{{ "{name}": {{ "title": "T", "editions": [ {{ "hosts": [], "files": [
                    {{ "name": "{file}", "bytes": 1, "sha256": "" }} ] }} ] }} }}"#
            )
        };
        assert!(parse(&leads_out("set", "file.npz")).is_ok());
        for json in [leads_out("..", "a"), leads_out("a", "../b"), leads_out("a", "C:b")] {
            assert!(refused(&json).ends_with("cannot be the name of a data set or a file"));
        }
    }
}
