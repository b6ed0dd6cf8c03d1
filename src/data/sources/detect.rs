//! Opening a path: which kind of data set lies there is detected, then read.

use std::path::{Path, PathBuf};

use super::idx_folder::{self, IdxFiles};
use super::{Cache, archive, class_folders, csv_files, known_classes, other_programs};
use crate::data::assemble::Reading;
use crate::data::problem::listed;
use crate::data::{Dataset, Problem, ReadOptions, Result};
use crate::files;

/// The name of the archive that a folder may hold instead of IDX files.
const ARCHIVE: &str = "mnist.npz";

/// What a data set is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// Four IDX files.
    IdxFiles(IdxFiles),
    /// An npz archive.
    Archive(PathBuf),
    /// Four npz archives of one array each.
    SingleArchives([PathBuf; 4]),
    /// Npy files.
    NpyFiles(Vec<PathBuf>),
    /// A CSV file.
    CsvFile(PathBuf),
    /// Two CSV files: the training set and the test set.
    CsvFiles([PathBuf; 2]),
    /// A zip archive of CSV files.
    CsvZip(PathBuf),
    /// A folder with a folder of pictures for each class.
    ClassFolders(PathBuf),
}

impl Source {
    /// What `path` is: a folder's files decide, else the name.
    fn detect(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(files::Error::io("open", path))?;
        if metadata.is_dir() {
            return Self::in_folder(path);
        }
        let has_extension = |extension: &str| {
            path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
        };
        if metadata.is_file() && has_extension("npz") {
            return Ok(Self::Archive(path.into()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if metadata.is_file() && csv_files::is_csv(&name) {
            return Ok(Self::CsvFile(path.into()));
        }
        if metadata.is_file() && has_extension("zip") {
            return Ok(Self::CsvZip(path.into()));
        }
        // One of four files names its set, where a folder has several.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let sets = idx_folder::sets(folder.unwrap_or(Path::new(".")));
        let is_of =
            |set: &IdxFiles| set.paths().iter().any(|file| file.file_name() == path.file_name());
        match sets.into_iter().find(is_of) {
            Some(set) => Ok(Self::IdxFiles(set)),
            None => Err(Problem::UnknownKind.at(path)),
        }
    }

    /// The names of its first file and of the folder that this is in, which may tell what is in it.
    fn hint(&self) -> String {
        let first = self.files().into_iter().next().unwrap_or_default();
        let folder = first.parent().and_then(Path::file_name).unwrap_or_default();
        let above = first.parent().and_then(Path::parent).and_then(Path::file_name);
        // torchvision keeps its files in a folder `raw`.
        let above = above.filter(|_| folder == "raw").unwrap_or_default();
        let names = [above, folder, first.file_name().unwrap_or_default()];
        names.map(|name| name.to_string_lossy()).join(" ")
    }

    /// Whether it is read from CSV files.
    fn is_csv(&self) -> bool {
        matches!(self, Self::CsvFile(_) | Self::CsvFiles(_) | Self::CsvZip(_))
    }

    /// The files that it is read from.
    fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::IdxFiles(set) => set.paths().to_vec(),
            Self::Archive(file) | Self::CsvFile(file) | Self::CsvZip(file) => vec![file.clone()],
            Self::SingleArchives(files) => files.to_vec(),
            Self::NpyFiles(files) => files.clone(),
            Self::CsvFiles(files) => files.to_vec(),
            Self::ClassFolders(_) => Vec::new(),
        }
    }

    /// Refuses to write to `output` where that is a file that this is read from.
    #[cfg(feature = "download")]
    fn check_output(&self, output: &Path) -> files::Result<()> {
        match self {
            // Any file in the folders of classes is taken for a picture, but none beside them.
            Self::ClassFolders(folder) => {
                let is_beside = output.parent().is_some_and(|at| files::is_same_file(at, folder));
                let is_picture = files::lies_in(output, folder) && !is_beside;
                files::check_output(output, is_picture.then_some(output))
            }
            _ => files::check_output(output, self.files()),
        }
    }

    /// What the folder at `path` holds.
    fn in_folder(path: &Path) -> Result<Self> {
        let sets = idx_folder::sets(path);
        let archive = path.join(ARCHIVE);
        if let Some(usual) = sets.iter().find(|set| set.name().is_empty()) {
            return Ok(Self::IdxFiles(usual.clone()));
        }
        if archive.is_file() {
            return Ok(Self::Archive(archive));
        }
        match &*sets {
            [] => {}
            [set] => return Ok(Self::IdxFiles(set.clone())),
            sets => {
                let names = sets.iter().map(|set| set.name().to_owned()).collect();
                return Err(Problem::SeveralSets(names).at(path));
            }
        }
        if let Some(files) = archive::single_archives(path) {
            return Ok(Self::SingleArchives(files));
        }
        if let Some(pair) = csv_pair(path)? {
            return Ok(Self::CsvFiles(pair));
        }
        let only = ["train.csv", "train.csv.gz"].map(|name| path.join(name));
        if let Some(train) = only.into_iter().find(|file| file.is_file()) {
            return Ok(Self::CsvFile(train));
        }
        let npy = archive::npy_files(path);
        if !npy.is_empty() {
            return Ok(Self::NpyFiles(npy));
        }
        if let Some(set) = in_root(path)? {
            return Ok(Self::IdxFiles(set));
        }
        match class_folders::are_in(path)? {
            true => Ok(Self::ClassFolders(path.into())),
            false => Err(idx_folder::lacking(path)),
        }
    }
}

/// The files of a training set and a test set as CSV in the folder at `path`.
fn csv_pair(path: &Path) -> Result<Option<[PathBuf; 2]>> {
    let mut names = archive::names_in(path);
    names.retain(|name| path.join(name).is_file());
    let pair = csv_files::pair_in(&names).map_err(|problem| problem.at(path))?;
    Ok(pair.map(|pair| pair.map(|name| path.join(name))))
}

/// The set in the folder `raw` of the one at `path`, or of one in that: so torchvision keeps what
/// it fetches.
fn in_root(path: &Path) -> Result<Option<IdxFiles>> {
    let names = archive::names_in(path);
    let below = names.iter().map(|name| path.join(name).join("raw"));
    let raw = std::iter::once(path.join("raw")).chain(below);
    let sets: Vec<_> = raw.flat_map(|folder| idx_folder::sets(&folder)).collect();
    match &*sets {
        [] => Ok(None),
        [set] => Ok(Some(set.clone())),
        several => {
            let shown = |file: &PathBuf| file.strip_prefix(path).unwrap_or(file).to_owned();
            let folders = several.iter().map(|set| shown(&set.paths()[0]).display().to_string());
            Err(Problem::SeveralSets(folders.collect()).at(path))
        }
    }
}

impl Dataset {
    /// Reads the data set at `path`: an npz archive, a CSV file, or a folder that holds four IDX
    /// files (plain or gzipped) or else `mnist.npz`, arrays as npy or npz files, CSV files, or a
    /// folder of pictures for each class. `docs/data.md` has all that is read.
    ///
    /// Of images that come in one part, every seventh is held out as the test set.
    ///
    /// Plain files of bytes are mapped as they are. Compressed ones are unpacked once into the cache
    /// folder, which `MNISTRY_CACHE_DIR` sets, and mapped from there.
    ///
    /// # Errors
    /// When a file is missing or is not exactly what its headers say, when the images and labels do
    /// not fit together, or when it is not clear what is meant.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_as(path, &Cache::from_env(), &ReadOptions::default())
    }

    /// As [`open`](Self::open), with unpacked copies in `cache`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, cache: &Cache) -> Result<Self> {
        Self::open_as(path, cache, &ReadOptions::default())
    }

    /// As [`open_with`](Self::open_with), read as `options` say.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when `options` say what files of this kind do not have.
    pub fn open_as(path: impl AsRef<Path>, cache: &Cache, options: &ReadOptions) -> Result<Self> {
        open(path.as_ref(), cache, options).map_err(other_programs::or_what_it_is)
    }
}

fn open(path: &Path, cache: &Cache, options: &ReadOptions) -> Result<Dataset> {
    let (source, name) = (Source::detect(path)?, name_of(path));
    let hint = format!("{name} {}", source.hint());
    if options.are_of_csv() && !source.is_csv() {
        return Err(Problem::NotCsv.at(path));
    }
    let dataset = read(path, source, name, (cache, options))?;
    let named = known_classes::named(dataset, &hint).and_then(Dataset::check_classes);
    named.map_err(|problem| problem.at(path))
}

fn read(
    path: &Path,
    source: Source,
    name: String,
    (cache, options): (&Cache, &ReadOptions),
) -> Result<Dataset> {
    let usual = Reading::default();
    let mut class_names = None;
    let (arrays, reading, left_out) = match source {
        Source::IdxFiles(set) => {
            class_names = set.class_names()?;
            (set.read(cache)?, set.reading(), Vec::new())
        }
        Source::Archive(file) => {
            let found = archive::read(&file, cache)?;
            (found.arrays, usual, found.left_out)
        }
        Source::NpyFiles(files) => {
            let found = archive::read_npy(&files)?;
            (found.arrays, usual, found.left_out)
        }
        Source::SingleArchives(files) => (archive::read_single(&files, cache)?, usual, Vec::new()),
        Source::CsvFile(file) => return csv_files::open(name, &file, options),
        Source::CsvFiles([train, test]) => {
            return csv_files::open_both(name, [&train, &test], options);
        }
        Source::CsvZip(file) => return csv_files::open_zip(name, &file, options),
        Source::ClassFolders(_) if options.transpose => {
            return Err(Problem::TransposedPictures.at(path));
        }
        Source::ClassFolders(folder) => return class_folders::open(name, &folder),
    };
    let reading = Reading { is_transposed: reading.is_transposed != options.transpose, ..reading };
    let dataset = arrays.into_dataset(name, reading);
    let dataset = dataset.and_then(|dataset| known_classes::called(dataset, class_names));
    let dataset = dataset.map_err(|problem| problem.at(path))?;
    let left_out = (!left_out.is_empty()).then(|| format!("left out: {}", listed(&left_out)));
    Ok(dataset.noted(left_out))
}

/// Refuses to write to `output` where the data set at `path` is read from that file.
#[cfg(feature = "download")]
pub(super) fn check_output(path: &Path, output: &Path) -> Result<()> {
    Ok(Source::detect(path)?.check_output(output)?)
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
