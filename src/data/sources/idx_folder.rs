//! A folder with the four IDX files of MNIST or of one of its relatives, plain or gzipped, under the
//! names that they are published with: read and written.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Cache;
use super::archive::names_in;
use super::known_classes;
use crate::data::assemble::{Arrays, Labelled, Reading};
use crate::data::formats::{Array, gzip, idx};
use crate::data::{ClassNames, Dataset, Error, Problem, Result, Split};
use crate::files::{self, Bytes, TemporaryFile, create_folder, sweep};
use crate::image::ImageShape;

/// The names as MNIST was first published: images and labels of the training set, then of the test
/// set. Each may have a dot before `idx`, as some archives unpack, and end in `.gz`.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Four files of one data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdxFiles {
    /// What their names begin with, which tells the sets of one folder apart; nothing for MNIST's.
    prefix: String,
    paths: [PathBuf; 4],
}

/// What the names of relatives of MNIST begin with, and their endings: EMNIST's six sets and
/// QMNIST, whose test set is not called t10k.
const RELATIVES: [[&str; 4]; 2] = [
    [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "test-images-idx3-ubyte",
        "test-labels-idx1-ubyte",
    ],
    [
        "train-images-idx3-ubyte",
        "train-labels-idx2-int",
        "test-images-idx3-ubyte",
        "test-labels-idx2-int",
    ],
];

/// The sets of four files each that `folder` holds; MNIST's, if it has them, alone.
pub(super) fn sets(folder: &Path) -> Vec<IdxFiles> {
    let of = |prefix: &str, names: [&str; 4]| {
        let paths = names.map(|name| find(folder, &format!("{prefix}{name}")));
        let [Some(a), Some(b), Some(c), Some(d)] = paths else { return None };
        Some(IdxFiles { prefix: prefix.to_owned(), paths: [a, b, c, d] })
    };
    if let Some(usual) = of("", NAMES) {
        return vec![usual];
    }
    let names = names_in(folder);
    let mut sets = Vec::new();
    for endings in RELATIVES.into_iter().chain([NAMES]) {
        let stems = names.iter().map(|name| name.strip_suffix(".gz").unwrap_or(name));
        let prefixes = stems.filter_map(|stem| stem.strip_suffix(endings[0]));
        for prefix in prefixes {
            sets.extend(of(prefix, endings).filter(|set| !sets.contains(set)));
        }
    }
    sets
}

/// The error of a folder that lacks some of MNIST's files, or all.
pub(super) fn lacking(folder: &Path) -> Error {
    let mut missing = NAMES.to_vec();
    missing.retain(|name| find(folder, name).is_none());
    let none = missing.len() == NAMES.len();
    let problem = if none { Problem::NoData } else { Problem::LacksFiles(missing) };
    problem.at(folder)
}

impl IdxFiles {
    /// What their names begin with, without the dash at its end.
    pub(super) fn name(&self) -> &str {
        self.prefix.trim_end_matches(['-', '_'])
    }

    /// How they are to be read.
    pub(super) fn reading(&self) -> Reading {
        known_classes::reading_of(self.name())
    }

    /// The names of the classes, where the files are EMNIST's.
    pub(super) fn class_names(&self) -> Result<Option<ClassNames>> {
        let folder = self.paths[0].parent().unwrap_or(Path::new("."));
        known_classes::of_emnist(folder, self.name())
    }

    /// Their arrays.
    pub(super) fn read(&self, cache: &Cache) -> Result<Arrays> {
        let [images, labels, test_images, test_labels] = &self.paths;
        let array = |path| read_file(path, cache);
        Ok(Arrays {
            train: Labelled { images: array(images)?, labels: array(labels)? },
            test: Some(Labelled { images: array(test_images)?, labels: array(test_labels)? }),
        })
    }

    pub(super) fn paths(&self) -> &[PathBuf; 4] {
        &self.paths
    }
}

/// The file of this name; a plain one, which is mapped as it is, before a gzipped one.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let names = [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// One of the four files as it is to be: a header and what follows.
struct IdxFile<'a> {
    path: PathBuf,
    header: Vec<u8>,
    payload: &'a [u8],
}

impl Dataset {
    /// Writes the data set as four IDX files of the usual names into `folder`, which is made if
    /// need be.
    ///
    /// The files get their names when all four are on the disk. Where that was cut short, by a kill
    /// for example, writing the same data set again completes it.
    ///
    /// # Errors
    /// When the folder has the files of another data set, plain or gzipped, or all four of this one,
    /// or cannot be written.
    pub fn write_idx(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        Self::check_vacant(folder)?;
        let [train_images, train_labels, test_images, test_labels] = Self::idx_paths(folder);
        let [train_images, train_labels] = idx_files(&self.train, [train_images, train_labels])?;
        let [test_images, test_labels] = idx_files(&self.test, [test_images, test_labels])?;
        let files = [train_images, train_labels, test_images, test_labels];
        for file in &files {
            file.check_same_if_there()?;
        }
        create_folder(folder)?;
        sweep(folder);
        let written = files.iter().map(|file| Ok((file, file.write_temporary(folder)?)));
        let written: Vec<_> = written.collect::<Result<_>>()?;
        for (file, temporary) in written {
            if !temporary.rename_new(&file.path)? {
                file.check_same_if_there()?;
            }
        }
        Ok(())
    }

    /// Whether [`write_idx`](Self::write_idx) may write into `folder`, or would replace something.
    ///
    /// Some of the four files, but not all, may be what it wrote when it was cut short: that is seen
    /// when it writes.
    ///
    /// # Errors
    /// When the folder has all four files already, or one that is gzipped or has a dot in its name.
    pub fn check_vacant(folder: &Path) -> Result<()> {
        let ours = Self::idx_paths(folder);
        let found: Vec<_> = NAMES.iter().filter_map(|name| find(folder, name)).collect();
        let foreign = found.iter().find(|path| !ours.contains(path));
        let whole = found.first().filter(|_| found.len() == NAMES.len());
        match foreign.or(whole) {
            Some(path) => Err(Error::Exists { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// The files that [`write_idx`](Self::write_idx) writes into `folder`.
    #[must_use]
    pub fn idx_paths(folder: &Path) -> [PathBuf; 4] {
        NAMES.map(|name| folder.join(name))
    }
}

/// The images and the labels of `split`, as the files at these paths.
fn idx_files(split: &Split, [images, labels]: [PathBuf; 2]) -> Result<[IdxFile<'_>; 2]> {
    let ImageShape { height, width } = split.shape();
    let dims = [split.len(), height, width];
    let file = |path: PathBuf, dims: &[usize], payload| {
        let header = idx::header(dims).map_err(|problem| problem.at(&path))?;
        Ok::<_, Error>(IdxFile { path, header, payload })
    };
    Ok([file(images, &dims, split.pixels())?, file(labels, &dims[..1], split.labels())?])
}

impl IdxFile<'_> {
    /// Refuses a file of other bytes that has the name already.
    fn check_same_if_there(&self) -> Result<()> {
        // A link that leads nowhere is there too.
        if self.path.symlink_metadata().is_err() {
            return Ok(());
        }
        let found = Bytes::map(&self.path)?;
        match found.strip_prefix(&*self.header) == Some(self.payload) {
            true => Ok(()),
            false => Err(Error::Unfinished { path: self.path.clone() }),
        }
    }

    /// The file in `folder`, on the disk, under a name that is not yet its own.
    fn write_temporary(&self, folder: &Path) -> files::Result<TemporaryFile> {
        let mut file = TemporaryFile::create(folder)?;
        let written = file.write_all(&self.header).and_then(|()| file.write_all(self.payload));
        written.and_then(|()| file.sync()).map_err(files::Error::io("write", &self.path))?;
        Ok(file)
    }
}

fn read_file(path: &Path, cache: &Cache) -> Result<Array> {
    let file = Bytes::map(path)?;
    let array = read_array(&file, cache);
    file.check_unchanged()?;
    array.map_err(|problem| problem.at(path))
}

fn read_array(file: &Bytes, cache: &Cache) -> Result<Array, Problem> {
    if gzip::is_gzip(file) {
        let gzipped = gzip::parse(file)?;
        Array::new(&cache.unpacked(&gzipped)?, gzipped.layout())
    } else {
        Array::new(file, &idx::parse(file)?)
    }
}
