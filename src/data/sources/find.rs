//! Data sets by the names that people give them.

use std::path::{Path, PathBuf};

use super::{Cache, generated};
use crate::data::sources::download::{Downloader, Event, Patience};
use crate::data::{Dataset, Error, Problem, ReadOptions, Result};
use crate::files::{self, lies_in};

/// What stands for the generated digits where a path could.
const GENERATED: &str = "generated";

/// The data set that is meant where none is named.
const USUAL: &str = "mnist";

/// A data set that was looked for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// The data set.
    pub data: Dataset,
    /// What names it, whatever the environment says later: a whole path, or a name.
    pub place: PathBuf,
    /// Why MNIST could not be fetched, where none was named and [generated digits](generated) stand
    /// in.
    pub stands_in: Option<Error>,
}

impl Dataset {
    /// Opens the data set that `source` names, else the one that `MNISTRY_DATA_DIR` names, else
    /// MNIST, which is fetched if the cache folder does not have it; where it cannot be fetched
    /// within two minutes, or is seen within seconds not to come, the
    /// [generated digits](generated) stand in.
    ///
    /// A source is the name of a data set of the [catalogue](super::download::Catalogue), which has
    /// `mnist` and its relatives, or `generated`, or else a path as for [`open`](Self::open). `tell` is
    /// told how a download goes.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when a data set that was named cannot be fetched.
    pub fn find(source: Option<&Path>, tell: &mut dyn FnMut(Event<'_>)) -> Result<Found> {
        Self::find_as(source, &ReadOptions::default(), tell)
    }

    /// As [`find`](Self::find), read as `options` say.
    ///
    /// # Errors
    /// As [`find`](Self::find), and when `options` say what that data set does not have.
    pub fn find_as(
        source: Option<&Path>,
        options: &ReadOptions,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Found> {
        let named = source.map(Path::to_owned).or_else(|| super::path_from_env("MNISTRY_DATA_DIR"));
        let downloader = Downloader::from_env()?;
        if let Some(source) = named {
            let name = source.to_str().unwrap_or_default();
            let is_published = downloader.catalogue.get(name).is_some();
            if (name == GENERATED || is_published) && *options != ReadOptions::default() {
                return Err(Problem::ReadAsPublished.at(source));
            }
            let data = if name == GENERATED {
                Self::generated()?
            } else if is_published {
                downloader.open(name, tell)?
            } else {
                let place = std::path::absolute(&source).unwrap_or_else(|_| source.clone());
                return Ok(Found {
                    data: Self::open_as(&source, &Cache::from_env(), options)?,
                    place,
                    stands_in: None,
                });
            };
            return Ok(Found { data, place: source, stands_in: None });
        }
        match (Downloader { patience: Patience::BRIEF, ..downloader }).open(USUAL, tell) {
            Ok(data) => Ok(Found { data, place: USUAL.into(), stands_in: None }),
            Err(missed) => {
                let (data, place) = (Self::generated()?, GENERATED.into());
                Ok(Found { data, place, stands_in: Some(missed) })
            }
        }
    }

    /// Whether a file can be written to `output`, before the data set is [found](Self::find) that
    /// `source` names: it is no folder, and no file that is read for the data set, be it in the cache
    /// folder.
    ///
    /// # Errors
    /// When it is one.
    pub fn check_output(source: Option<&Path>, output: &Path) -> Result<()> {
        let is_cached = Cache::from_env().folder().is_some_and(|folder| lies_in(output, folder));
        files::check_output(output, is_cached.then_some(output))?;
        let named = source.map(Path::to_owned).or_else(|| super::path_from_env("MNISTRY_DATA_DIR"));
        // What cannot be found is told of when it is looked for.
        let Some(place) = named.filter(|place| place.exists()) else { return Ok(()) };
        super::detect::check_output(&place, output)
    }

    /// As many generated digits as MNIST has images, the same every time.
    fn generated() -> Result<Self> {
        Ok(generated::generate(0, generated::TRAIN, generated::TEST)?)
    }
}
