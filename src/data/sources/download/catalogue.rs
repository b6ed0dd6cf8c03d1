//! What is published where: the catalogue of data sets that can be fetched.
//!
//! A data set is published in editions, such as one archive or four files; any of them will do.
//! The sizes and checksums of the catalogue are what makes a file trusted, so it does not matter
//! who serves it, nor whether the way to it is encrypted.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::unpacked::name_of;
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
    /// Where the one file is a zip archive with more in it: the members that are the data set.
    #[serde(default)]
    pub(super) unpack: Vec<String>,
}

/// A file, which is whatever has its size and checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// As 64 hexadecimal digits.
    pub(super) sha256: String,
}

impl Catalogue {
    /// The catalogue in the file that `MNISTRY_CATALOGUE` names, else the built-in one, which has
    /// `mnist` and its relatives.
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
    /// `sha256`, and, where the one file is a zip archive, the members to `unpack`.
    ///
    /// # Errors
    /// When it is not; it was found at `path`.
    pub fn parse(json: &[u8], path: &Path) -> Result<Self> {
        let catalogue: Self = serde_json::from_slice(json)
            .map_err(|said| Error::Catalogue { path: path.to_owned(), source: said.into() })?;
        let names = catalogue.0.iter().flat_map(|(name, publication)| {
            let files = publication.editions.iter().flat_map(|edition| {
                let members = edition.unpack.iter().map(|member| name_of(member));
                edition.files.iter().map(|file| &*file.name).chain(members)
            });
            std::iter::once(&**name).chain(files)
        });
        // These name files in the cache folder, and must not lead out of it.
        for name in names {
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':']) {
                return Err(Error::Name { path: path.to_owned(), name: name.to_owned() });
            }
        }
        let mut editions = catalogue.0.values().flat_map(|publication| &publication.editions);
        if editions.any(|edition| !edition.unpack.is_empty() && edition.files.len() != 1) {
            let source = "what is unpacked is of a single archive".into();
            return Err(Error::Catalogue { path: path.to_owned(), source });
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
        let emnist = ["balanced", "byclass", "bymerge", "digits", "letters", "mnist"];
        let emnist = emnist.map(|set| format!("emnist-{set}"));
        let others = ["fashion", "kmnist", "mnist", "qmnist"];
        let names: Vec<&str> = emnist.iter().map(String::as_str).chain(others).collect();
        assert!(catalogue.names().eq(names));
        for publication in catalogue.0.values() {
            for edition in &publication.editions {
                assert!([1, 4].contains(&edition.files.len()));
                assert!([0, 4].contains(&edition.unpack.len()));
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
        let unpacking = |member: &str| {
            let unpack = format!(r#"] , "unpack": ["{member}"] }} ] }} }}"#);
            leads_out("set", "a.zip").replace("] } ] } }", &unpack)
        };
        assert!(parse(&unpacking("folder/b.gz")).is_ok());
        assert!(refused(&unpacking("folder/..")).ends_with("the name of a data set or a file"));
        for json in [leads_out("..", "a"), leads_out("a", "../b"), leads_out("a", "C:b")] {
            assert!(refused(&json).ends_with("cannot be the name of a data set or a file"));
        }
    }
}
