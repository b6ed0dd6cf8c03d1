//! A folder with MNIST's four IDX files, plain or gzipped, under their usual names: read and
//! written.

use std::path::{Path, PathBuf};

use super::Cache;
use crate::data::formats::{Array, gzip, idx};
use crate::data::{Dataset, Error, Problem, Result, Split};
use crate::files::Bytes;
use crate::files::{create_folder, write_parts_atomically};
use crate::image::ImageShape;

/// The names as MNIST was first published: images and labels of the training set, then of the test
/// set. Each may have a dot before `idx`, as some archives unpack, and end in `.gz`.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Whether the folder holds all four files.
pub(super) fn is_complete(folder: &Path) -> bool {
    NAMES.iter().all(|name| find(folder, name).is_some())
}

/// The arrays of the four files, in the order of [`NAMES`].
pub(super) fn read(folder: &Path, cache: &Cache) -> Result<[Array; 4]> {
    let [a, b, c, d] = NAMES.map(|name| find(folder, name));
    let (Some(a), Some(b), Some(c), Some(d)) = (a, b, c, d) else {
        let mut missing = NAMES.to_vec();
        missing.retain(|name| find(folder, name).is_none());
        let none = missing.len() == NAMES.len();
        let problem = if none { Problem::NoData } else { Problem::LacksFiles(missing) };
        return Err(problem.at(folder));
    };
    Ok([read_file(&a, cache)?, read_file(&b, cache)?, read_file(&c, cache)?, read_file(&d, cache)?])
}

/// The file of this name; a plain one, which is mapped as it is, before a gzipped one.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let names = [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

impl Dataset {
    /// Writes the data set as four IDX files of the usual names into `folder`, which is made if
    /// need be.
    ///
    /// # Errors
    /// When the folder has such a file already, plain or gzipped, or cannot be written.
    pub fn write_idx(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        Self::check_vacant(folder)?;
        create_folder(folder)?;
        let [train_images, train_labels, test_images, test_labels] = NAMES;
        write(&self.train, &folder.join(train_images), &folder.join(train_labels))?;
        write(&self.test, &folder.join(test_images), &folder.join(test_labels))
    }

    /// Whether [`write_idx`](Self::write_idx) may write into `folder`, or would replace something.
    ///
    /// # Errors
    /// When the folder has such a file already, plain or gzipped.
    pub fn check_vacant(folder: &Path) -> Result<()> {
        match NAMES.iter().find_map(|name| find(folder, name)) {
            Some(path) => Err(Error::Exists { path }),
            None => Ok(()),
        }
    }
}

fn write(split: &Split, images: &Path, labels: &Path) -> Result<()> {
    let ImageShape { height, width } = split.shape();
    let header = |dims: &[usize], path| idx::header(dims).map_err(|problem| problem.at(path));
    let dims = [split.len(), height, width];
    write_parts_atomically(images, &[&header(&dims, images)?, split.pixels()])?;
    Ok(write_parts_atomically(labels, &[&header(&dims[..1], labels)?, split.labels()])?)
}

fn read_file(path: &Path, cache: &Cache) -> Result<Array> {
    let file = Bytes::map(path)?;
    read_array(&file, cache).map_err(|problem| problem.at(path))
}

fn read_array(file: &Bytes, cache: &Cache) -> Result<Array, Problem> {
    if gzip::is_gzip(file) {
        let gzipped = gzip::parse(file)?;
        Array::new(&cache.unpacked(&gzipped)?, gzipped.layout())
    } else {
        Array::new(file, &idx::parse(file)?)
    }
}
