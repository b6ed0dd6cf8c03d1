//! Opening a path: which kind of data set lies there is detected, then read.

use std::path::{Path, PathBuf};

use super::{Cache, archive, class_folders, csv_files, idx_folder};
use crate::data::{Dataset, Problem, Result};
use crate::files;

/// The name of the archive that a folder may hold instead of IDX files.
const ARCHIVE: &str = "mnist.npz";

/// The names of the CSV files that a folder may hold: the training set and the test set.
const CSV_FILES: [&str; 2] = ["train.csv", "test.csv"];

/// What a data set is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// A folder with IDX files.
    IdxFolder(PathBuf),
    /// An npz archive.
    Archive(PathBuf),
    /// A CSV file.
    CsvFile(PathBuf),
    /// A folder with CSV files: the training set, and perhaps the test set.
    CsvFolder(PathBuf),
    /// A folder with a folder of pictures for each class.
    ClassFolders(PathBuf),
}

impl Source {
    /// What `path` is: a folder's files decide, else the extension.
    fn detect(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(files::Error::io("open", path))?;
        if metadata.is_dir() {
            return Self::in_folder(path);
        }
        let extension = path.extension().unwrap_or_default();
        if metadata.is_file() && extension.eq_ignore_ascii_case("npz") {
            return Ok(Self::Archive(path.into()));
        }
        if metadata.is_file() && extension.eq_ignore_ascii_case("csv") {
            return Ok(Self::CsvFile(path.into()));
        }
        Err(Problem::UnknownKind.at(path))
    }

    /// Refuses to write to `output` where that is a file that this is read from.
    #[cfg(feature = "download")]
    fn check_output(&self, output: &Path) -> files::Result<()> {
        match self {
            Self::IdxFolder(folder) => files::check_output(output, idx_folder::files(folder)),
            Self::Archive(file) | Self::CsvFile(file) => files::check_output(output, [file]),
            Self::CsvFolder(folder) => {
                files::check_output(output, CSV_FILES.map(|name| folder.join(name)))
            }
            // Any file in the folders of classes is taken for a picture, but none beside them.
            Self::ClassFolders(folder) => {
                let is_beside = output.parent().is_some_and(|at| files::is_same_file(at, folder));
                let is_picture = files::lies_in(output, folder) && !is_beside;
                files::check_output(output, is_picture.then_some(output))
            }
        }
    }

    /// What the folder at `path` holds.
    fn in_folder(path: &Path) -> Result<Self> {
        let archive = path.join(ARCHIVE);
        Ok(if idx_folder::is_complete(path) {
            Self::IdxFolder(path.into())
        } else if archive.is_file() {
            Self::Archive(archive)
        } else if path.join(CSV_FILES[0]).is_file() {
            Self::CsvFolder(path.into())
        } else if class_folders::are_in(path)? {
            Self::ClassFolders(path.into())
        } else {
            Self::IdxFolder(path.into())
        })
    }
}

impl Dataset {
    /// Reads the data set at `path`: an npz archive, a CSV file, or a folder that holds the four
    /// IDX files (plain or gzipped) or else `mnist.npz`, `train.csv`, or a folder of pictures for
    /// each class.
    ///
    /// Of images that come in one part, every seventh is held out as the test set.
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
        let source = Source::detect(path.as_ref())?;
        let (path, arrays) = match &source {
            Source::IdxFolder(path) => (path, idx_folder::read(path, cache)?),
            Source::Archive(path) => (path, archive::read(path, cache)?),
            Source::CsvFile(path) => return csv_files::open(name_of(path), path),
            Source::CsvFolder(path) => return open_csv_folder(path),
            Source::ClassFolders(path) => return class_folders::open(name_of(path), path),
        };
        Self::from_arrays(name_of(path), arrays).map_err(|problem| problem.at(path))
    }
}

/// Refuses to write to `output` where the data set at `path` is read from that file.
#[cfg(feature = "download")]
pub(super) fn check_output(path: &Path, output: &Path) -> Result<()> {
    Ok(Source::detect(path)?.check_output(output)?)
}

/// The data set of the CSV files in the folder at `path`.
fn open_csv_folder(path: &Path) -> Result<Dataset> {
    let [train, test] = CSV_FILES.map(|name| path.join(name));
    match test.is_file() {
        true => csv_files::open_both(name_of(path), &train, &test),
        false => csv_files::open(name_of(path), &train),
    }
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
