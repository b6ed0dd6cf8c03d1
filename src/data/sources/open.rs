//! Which kind of source a path names, and how the data set is read from it.

use std::path::{Path, PathBuf};

use super::{Cache, class_folders, folder};
use crate::data::formats::{Array, csv, npz};
use crate::data::{Dataset, Problem, Result};
use crate::files::{self, Bytes};

/// The name of the archive that a folder may hold instead of IDX files.
const ARCHIVE: &str = "mnist.npz";

/// A place that data sets are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// A folder with IDX files.
    Folder(PathBuf),
    /// An npz archive.
    Archive(PathBuf),
    /// A CSV file.
    Table(PathBuf),
    /// A folder with CSV files to train on and to test with.
    Tables(PathBuf),
    /// A folder with folders of pictures.
    Pictures(PathBuf),
}

/// The names of the CSV files that a folder may hold.
const TABLES: [&str; 2] = ["train.csv", "test.csv"];

impl Source {
    /// What `path` is: a folder's files decide, else the extension.
    fn at(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(files::Error::io("open", path))?;
        if metadata.is_dir() {
            return Self::in_folder(path);
        }
        let extension = path.extension().unwrap_or_default();
        if metadata.is_file() && extension.eq_ignore_ascii_case("npz") {
            return Ok(Self::Archive(path.into()));
        }
        if metadata.is_file() && extension.eq_ignore_ascii_case("csv") {
            return Ok(Self::Table(path.into()));
        }
        Err(Problem::UnknownKind.at(path))
    }

    /// What the folder at `path` holds.
    fn in_folder(path: &Path) -> Result<Self> {
        let archive = path.join(ARCHIVE);
        Ok(if folder::is_complete(path) {
            Self::Folder(path.into())
        } else if archive.is_file() {
            Self::Archive(archive)
        } else if path.join(TABLES[0]).is_file() {
            Self::Tables(path.into())
        } else if class_folders::are_in(path)? {
            Self::Pictures(path.into())
        } else {
            Self::Folder(path.into())
        })
    }
}

impl Dataset {
    /// Reads the data set at `path`: an npz archive, a CSV file, or a folder that holds the four
    /// IDX files (plain or gzipped) or else `mnist.npz`, `train.csv`, or a folder of pictures for
    /// each class.
    ///
    /// Of images that come in one part, every seventh is kept to test with.
    ///
    /// Plain files are mapped as they are. Compressed ones are unpacked once into the cache
    /// folder, which `MNISTRY_CACHE_DIR` sets, and mapped from there.
    ///
    /// # Errors
    /// When a file is missing or is not exactly what its headers say, or when the images and
    /// labels do not fit together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Cache::from_env())
    }

    /// As [`open`](Self::open), with unpacked copies in `cache`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, cache: &Cache) -> Result<Self> {
        let source = Source::at(path.as_ref())?;
        let (path, arrays) = match &source {
            Source::Folder(path) => (path, folder::read(path, cache)?),
            Source::Archive(path) => (path, read_archive(path, cache)?),
            Source::Table(path) => return csv::open(name_of(path), path),
            Source::Tables(path) => return open_tables(path),
            Source::Pictures(path) => return class_folders::open(name_of(path), path),
        };
        Self::from_arrays(name_of(path), arrays).map_err(|problem| problem.at(path))
    }
}

/// The data set of the CSV files in the folder at `path`.
fn open_tables(path: &Path) -> Result<Dataset> {
    let [train, test] = TABLES.map(|name| path.join(name));
    match test.is_file() {
        true => csv::open_both(name_of(path), &train, &test),
        false => csv::open(name_of(path), &train),
    }
}

/// The arrays of the npz archive at `path`, in the order of [`npz::MEMBERS`].
fn read_archive(path: &Path, cache: &Cache) -> Result<[Array; 4]> {
    let file = Bytes::map(path)?;
    let read = || {
        let archive = npz::parse(&file)?;
        let (store, layouts) = match archive.in_place()? {
            Some(layouts) => (file.clone(), layouts),
            None => (cache.unpacked(&archive)?, archive.unpacked()),
        };
        let [a, b, c, d] = layouts.map(|layout| Array::new(&store, &layout));
        Ok([a?, b?, c?, d?])
    };
    read().map_err(|problem: Problem| problem.at(path))
}

/// What a report calls the data set at `path`: the last part of the path alone, so that reports
/// do not differ from one machine to the next.
fn name_of(path: &Path) -> String {
    let resolved = path.canonicalize().unwrap_or_default();
    // Such as `..`, a path may end without a name of its own.
    let name = path.file_name().or_else(|| resolved.file_name()).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_calls_a_data_set_by_the_last_part_of_its_path() {
        assert_eq!(name_of(Path::new("/data/mnist.npz")), "mnist.npz");
        assert_eq!(name_of(Path::new("/data/mnist/")), "mnist");
        assert_eq!(name_of(Path::new("/data/mnist/.")), "mnist");
        let here = std::env::current_dir().unwrap();
        assert_eq!(Some(name_of(Path::new(".")).as_ref()), here.file_name().unwrap().to_str());
        let above = here.parent().unwrap().file_name().unwrap();
        assert_eq!(name_of(Path::new("..")), above.to_str().unwrap());
    }
}
