//! Which folders are for training and which for testing, and the classes in each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::class_names::{canonical, listed};
use crate::data::{ClassNames, ClassProblem, Problem, Result};
use crate::files;

/// How the folders of a training set, a test set and a validation set are called, in any case.
const TRAIN: &[&str] = &["train", "training"];
const TEST: &[&str] = &["test", "testing"];
const VALIDATION: &[&str] = &["valid", "val", "validation"];

/// What the names of pictures end in.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "webp", "gif", "tif", "tiff"];

/// Whether `folder` holds folders of pictures.
pub(in crate::data::sources) fn are_in(folder: &Path) -> Result<bool> {
    let is_class = |path: &PathBuf| {
        let name = name_of(path);
        let is_number = name.bytes().all(|digit| digit.is_ascii_digit());
        let is_split =
            [TRAIN, TEST].into_iter().flatten().any(|part| name.eq_ignore_ascii_case(part));
        path.is_dir() && (is_number || is_split || holds_pictures(path))
    };
    Ok(entries(folder)?.iter().any(is_class))
}

/// Whether a folder called `name` would be taken for a part of a data set.
pub(super) fn is_part(name: &str) -> bool {
    let parts = [TRAIN, TEST, VALIDATION].into_iter().flatten();
    parts.copied().any(|part| name.eq_ignore_ascii_case(part))
}

/// The number that names the file at `path`, but for its ending.
pub(super) fn number_of(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// Whether a file in `folder` is called as pictures are.
fn holds_pictures(folder: &Path) -> bool {
    let is_picture = |path: &PathBuf| {
        let end = path.extension().unwrap_or_default();
        PICTURES.iter().any(|picture| end.eq_ignore_ascii_case(picture))
    };
    entries(folder).is_ok_and(|paths| paths.iter().any(is_picture))
}

/// The parts of a data set.
pub(super) struct Layout {
    pub(super) train: Part,
    pub(super) test: Option<Part>,
    /// Which folder was taken for what, and what was left out.
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// That of the folder at `path`.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let found = entries(path)?;
        let part = |names: &[&str]| {
            let is_it = |path: &&PathBuf| {
                path.is_dir() && names.iter().any(|name| name_of(path).eq_ignore_ascii_case(name))
            };
            let mut folders = found.iter().filter(is_it);
            match (folders.next(), folders.next()) {
                (Some(one), Some(other)) => {
                    Err(Problem::SamePart([one, other].map(|path| name_of(path))).at(path))
                }
                (folder, _) => Ok(folder),
            }
        };
        let (train, test, validation) = (part(TRAIN)?, part(TEST)?, part(VALIDATION)?);
        let (train, test) = match (train, test.or(validation)) {
            (Some(train), Some(test)) => (train, test),
            (None, None) => {
                return Ok(Self { train: Part::of(path)?, test: None, notes: Vec::new() });
            }
            (has_train, _) => {
                let others = if test.is_some() { TEST[0] } else { VALIDATION[0] };
                let (found, lacking) = match has_train {
                    Some(_) => (TRAIN[0], TEST[0]),
                    None => (others, TRAIN[0]),
                };
                return Err(Problem::LacksFolder { found, lacking }.at(path));
            }
        };
        let mut notes = vec![format!(
            "{} was taken for the training set, {} for the test set",
            name_of(train),
            name_of(test)
        )];
        let is_left_out = |path: &&PathBuf| *path != train && *path != test;
        let left_out: Vec<_> = found.iter().filter(is_left_out).map(|path| name_of(path)).collect();
        if !left_out.is_empty() {
            let names = listed(left_out.iter().map(String::as_str));
            let hint = match validation.filter(|&validation| validation != test) {
                Some(_) => {
                    "; --validation-split keeps a share of the training set to validate with"
                }
                None => "",
            };
            notes.push(format!("left out: {names}{hint}"));
        }
        Ok(Self { train: Part::of(train)?, test: Some(Part::of(test)?), notes })
    }
}

/// A folder with a folder for each class.
pub(super) struct Part {
    path: PathBuf,
    classes: Vec<Class>,
}

/// A folder of pictures of one class.
struct Class {
    name: String,
    files: Vec<PathBuf>,
}

/// A file and its class.
pub(super) struct PictureFile {
    pub(super) path: PathBuf,
    pub(super) class: u8,
}

impl Part {
    fn of(path: &Path) -> Result<Self> {
        let mut classes = Vec::new();
        for folder in entries(path)? {
            if !folder.is_dir() {
                return Err(Problem::Stray.at(folder));
            }
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
                return Err(Problem::NotClass.at(folder));
            };
            classes.push(Class { name: name.to_owned(), files: entries(&folder)? });
        }
        // Of empty folders too: two that mean one class are to be told of.
        let part = Self { path: path.to_owned(), classes };
        if !part.classes.is_empty() {
            ClassNames::from_texts(part.classes.iter().map(|class| &*class.name))
                .map_err(|problem| problem.at(path))?;
        }
        Ok(part)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The classes that there are pictures of.
    pub(super) fn class_names(&self) -> Result<ClassNames> {
        let names: Vec<_> = self.filled().map(|class| &*class.name).collect();
        if names.is_empty() {
            return Err(Problem::Empty.at(&self.path));
        }
        ClassNames::from_texts(names).map_err(|problem| problem.at(&self.path))
    }

    /// The pictures, class by class, which are among `names`.
    pub(super) fn files(&self, names: &ClassNames) -> Result<Vec<PictureFile>> {
        let mut files = Vec::new();
        for Class { name, files: paths } in self.filled() {
            let class = names.class_of(name);
            let unknown = || ClassProblem::Unknown(name.clone()).at(&self.path);
            let class = class.ok_or_else(unknown)?;
            files.extend(paths.iter().map(|path| PictureFile { path: path.clone(), class }));
        }
        Ok(files)
    }

    fn filled(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter().filter(|class| !class.files.is_empty())
    }

    /// What is to be said of the folders' names.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let empty = self.classes.iter().filter(|class| class.files.is_empty());
        let empty: Vec<_> = empty.map(|class| &*class.name).collect();
        if !empty.is_empty() {
            notes.push(format!("no pictures are in {}", listed(empty.into_iter())));
        }
        let renamed = self.filled().filter(|class| canonical(&class.name) != class.name);
        let renamed: Vec<_> =
            renamed.map(|class| format!("{} for {}", class.name, canonical(&class.name))).collect();
        if !renamed.is_empty() {
            notes.push(format!(
                "folders were taken: {}",
                listed(renamed.iter().map(String::as_str))
            ));
        }
        notes
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What systems put into folders by themselves.
pub(super) const OF_SYSTEMS: [&str; 2] = ["Thumbs.db", "desktop.ini"];

/// What a folder holds, sorted, but for what systems put there by themselves.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = list().map_err(files::Error::io("read the folder", folder))?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !OF_SYSTEMS.contains(&&*name)
    });
    paths.sort();
    Ok(paths)
}
