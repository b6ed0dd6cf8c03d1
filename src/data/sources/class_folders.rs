//! Folders of pictures, one for each class, named by it: `0/…`, `1/…`; or two such sets, in
//! `train` and `test`.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use crate::data::{Dataset, Problem, Result, Split};
use crate::files;
use crate::image::{Frame, ImageShape, Picture, Raster};
use crate::sync::map_in_parallel;

/// How the folders of a training set and a test set are called.
const SETS: [[&str; 2]; 2] = [["train", "test"], ["training", "testing"]];

/// The longer side of pictures that are taken as they are, if all are of one size.
const LARGEST_READY: usize = 64;

/// Whether `folder` holds folders of pictures.
pub(super) fn are_in(folder: &Path) -> Result<bool> {
    let is_set = |name: &&str| folder.join(name).is_dir();
    Ok(SETS.as_flattened().iter().any(is_set)
        || entries(folder)?.iter().any(|path| path.is_dir() && class_of(path).is_some()))
}

/// The data set of the folders in the one at `path`. Where it has no test set, a part of its
/// pictures is held out for that.
pub(super) fn open(name: String, path: &Path) -> Result<Dataset> {
    for [train, test] in SETS {
        let [has_train, has_test] = [train, test].map(|set| path.join(set).is_dir());
        match (has_train, has_test) {
            (true, true) => {
                let folders = [train, test].map(|set| path.join(set));
                let [train, test] = [read(&folders[0])?, read(&folders[1])?];
                let shape = common_shape(train.iter().chain(&test));
                let train = in_turn(&split(&folders[0], train, shape)?)
                    .map_err(|problem| problem.at(&folders[0]))?;
                let test = split(&folders[1], test, shape)?;
                return Dataset::new(name, train, test).map_err(|problem| problem.at(path));
            }
            (false, false) => {}
            (has_train, _) => {
                let (found, lacking) = if has_train { (train, test) } else { (test, train) };
                return Err(Problem::LacksFolder { found, lacking }.at(path));
            }
        }
    }
    let all = read(path)?;
    let shape = common_shape(all.iter());
    let all = split(path, all, shape)?;
    let held_out = |all| -> Result<_, Problem> {
        let data = Dataset::hold_out(name, all)?;
        Ok(Dataset { train: in_turn(&data.train)?, ..data })
    };
    held_out(&all).map_err(|problem| problem.at(path))
}

/// The images of `split`, of each class the first, then of each the second and so on: any beginning
/// or end of them, which a run may be limited to or leave out, has all classes.
fn in_turn(split: &Split) -> Result<Split, Problem> {
    let mut seen = [0_usize; 1 << u8::BITS];
    let mut order: Vec<_> = (0..split.len()).collect();
    order.sort_by_cached_key(|&index| {
        let class = split.labels()[index];
        seen[usize::from(class)] += 1;
        (seen[usize::from(class)], class)
    });
    let pixels: Vec<u8> = order.iter().flat_map(|&index| split.image(index)).copied().collect();
    let labels: Vec<u8> = order.iter().map(|&index| split.labels()[index]).collect();
    Split::new(split.shape(), pixels.into(), labels.into())
}

/// A picture as it was read, its file and its class.
struct Labelled {
    path: PathBuf,
    class: u8,
    content: Content,
}

/// What is kept of a picture.
enum Content {
    /// All: it is small, and may be taken as it is.
    Small(Picture),
    /// What a network reads of it.
    Fitted(Raster),
}

/// The shape of images that are not taken as they are: MNIST's.
const FITTED: ImageShape = Frame::MNIST.image();

/// The shape that all pictures have, if they have one and are small; else MNIST's.
fn common_shape<'a>(mut pictures: impl Iterator<Item = &'a Labelled>) -> ImageShape {
    let shape = |picture: &Labelled| match &picture.content {
        Content::Small(picture) => Some(picture.shape()),
        Content::Fitted(_) => None,
    };
    let first = pictures.next().and_then(shape);
    first.filter(|_| pictures.all(|picture| shape(picture) == first)).unwrap_or(FITTED)
}

/// The images of shape `shape` that the pictures in `folder` show.
fn split(folder: &Path, pictures: Vec<Labelled>, shape: ImageShape) -> Result<Split> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for Labelled { path, class, content } in pictures {
        let image = match content {
            Content::Small(picture) => picture.image(shape).map_err(|error| error.at(path))?,
            Content::Fitted(image) => image,
        };
        pixels.extend_from_slice(image.pixels());
        labels.push(class);
    }
    Split::new(shape, pixels.into(), labels.into()).map_err(|problem| problem.at(folder))
}

/// Reads the pictures in the folders of `folder`, class by class.
fn read(folder: &Path) -> Result<Vec<Labelled>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            return Err(Problem::Stray.at(path));
        }
        let class = class_of(&path).ok_or_else(|| Problem::NotClass.at(&path))?;
        files.extend(entries(&path)?.into_iter().zip(iter::repeat(class)));
    }
    let pictures = map_in_parallel(files, |(path, class)| {
        let picture = Picture::open(&path)?;
        let ImageShape { height, width } = picture.shape();
        let content = if height.max(width) <= LARGEST_READY {
            Content::Small(picture)
        } else {
            Content::Fitted(picture.image(FITTED).map_err(|error| error.at(&path))?)
        };
        Ok(Labelled { path, class, content })
    });
    // Of several bad files the first is told of, whoever met which.
    pictures.into_iter().collect()
}

/// What a folder holds, sorted, but for what systems put there by themselves.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = list().map_err(files::Error::io("read the folder", folder))?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !["Thumbs.db", "desktop.ini"].contains(&&*name)
    });
    paths.sort();
    Ok(paths)
}

/// The class that a folder is named by.
fn class_of(folder: &Path) -> Option<u8> {
    folder.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_take_turns() {
        let shape = ImageShape { height: 1, width: 1 };
        let split = Split::new(shape, vec![1, 2, 3, 4, 5, 6].into(), vec![0, 0, 0, 3, 3, 9].into());
        let turned = in_turn(&split.unwrap()).unwrap();
        assert_eq!(turned.labels(), [0, 3, 9, 0, 3, 0]);
        assert_eq!(turned.pixels(), [1, 4, 6, 2, 5, 3]);
    }
}
