//! Archives of arrays, and folders of them, read in place where they are stored without compression.

use std::path::{Path, PathBuf};

use super::Cache;
use crate::data::assemble::{Arrays, Labelled};
use crate::data::formats::npz::Npz;
use crate::data::formats::{Array, Roles, npy, npz};
use crate::data::{Problem, Result};
use crate::files::Bytes;

/// Arrays, and what else was there.
pub(super) struct Found {
    pub(super) arrays: Arrays,
    pub(super) left_out: Vec<String>,
}

/// What Kuzushiji-MNIST's archives of one array each end in, after one name for all.
const SINGLE: [&str; 4] =
    ["-train-imgs.npz", "-train-labels.npz", "-test-imgs.npz", "-test-labels.npz"];

/// The arrays of the npz archive at `path`.
pub(super) fn read(path: &Path, cache: &Cache) -> Result<Found> {
    let file = Bytes::map(path)?;
    let found = npz::parse(&file).and_then(|archive| {
        let left_out = archive.left_out().to_vec();
        let arrays = Arrays::in_order(arrays_of(&file, &archive, cache)?);
        arrays.map(|arrays| Found { arrays, left_out }).ok_or(Problem::Empty)
    });
    file.check_unchanged()?;
    found.map_err(|problem| problem.at(path))
}

fn arrays_of(file: &Bytes, archive: &Npz<'_>, cache: &Cache) -> Result<Vec<Array>, Problem> {
    let (store, layouts) = match archive.in_place()? {
        Some(layouts) => (file.clone(), layouts),
        None => (cache.unpacked(archive)?, archive.unpacked()),
    };
    layouts.iter().map(|layout| Array::new(&store, layout)).collect()
}

/// The four archives of one array each in `folder`, if it has them.
pub(super) fn single_archives(folder: &Path) -> Option<[PathBuf; 4]> {
    let names = names_in(folder);
    let prefix = names.iter().find_map(|name| name.strip_suffix(SINGLE[0]))?;
    let files = SINGLE.map(|end| folder.join(format!("{prefix}{end}")));
    files.iter().all(|file| file.is_file()).then_some(files)
}

/// The arrays of four archives of one array each.
pub(super) fn read_single(files: &[PathBuf; 4], cache: &Cache) -> Result<Arrays> {
    let array = |path: &PathBuf| {
        let file = Bytes::map(path)?;
        let arrays = npz::parse_single(&file).and_then(|archive| arrays_of(&file, &archive, cache));
        file.check_unchanged()?;
        let array = arrays.map(|arrays| arrays.into_iter().next());
        array.and_then(|array| array.ok_or(Problem::Empty)).map_err(|problem| problem.at(path))
    };
    let [images, labels, test_images, test_labels] = files;
    Ok(Arrays {
        train: Labelled { images: array(images)?, labels: array(labels)? },
        test: Some(Labelled { images: array(test_images)?, labels: array(test_labels)? }),
    })
}

/// The npy files in `folder`, sorted.
pub(super) fn npy_files(folder: &Path) -> Vec<PathBuf> {
    let names = names_in(folder).into_iter().filter(|name| name.ends_with(".npy"));
    names.map(|name| folder.join(name)).collect()
}

/// The arrays of npy files, which are known by their names as those of an archive are.
pub(super) fn read_npy(files: &[PathBuf]) -> Result<Found> {
    let mut mapped = Vec::new();
    for path in files {
        let file = Bytes::map(path)?;
        let layout = npy::parse(&file).map_err(|problem| problem.at(path))?;
        mapped.push((path.file_stem().unwrap_or_default().to_string_lossy(), file, layout));
    }
    let named: Vec<_> = mapped.iter().map(|(name, _, layout)| (&**name, layout)).collect();
    let folder = files.first().and_then(|file| file.parent()).unwrap_or(Path::new("."));
    let roles = Roles::of(&named).map_err(|problem| problem.at(folder))?;
    let array = |place: usize| {
        let (_, file, layout) = &mapped[place];
        Array::new(file, layout).map_err(|problem| problem.at(&files[place]))
    };
    let labelled = |pair: crate::data::formats::Pair| {
        Ok::<_, crate::data::Error>(Labelled {
            images: array(pair.images)?,
            labels: array(pair.labels)?,
        })
    };
    let arrays =
        Arrays { train: labelled(roles.train)?, test: roles.test.map(labelled).transpose()? };
    let is_used = |place: &usize| {
        let pairs = std::iter::once(roles.train).chain(roles.test);
        pairs.flat_map(|pair| [pair.images, pair.labels]).any(|used| used == *place)
    };
    let left_out = (0..mapped.len()).filter(|place| !is_used(place));
    let left_out = left_out.map(|place| format!("{}.npy", mapped[place].0)).collect();
    Ok(Found { arrays, left_out })
}

/// The names of the files in `folder`, sorted; none where it cannot be read.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
