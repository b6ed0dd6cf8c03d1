//! A labelled picture, saved so that it is read again: in the folder of its class.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::parts::{OF_SYSTEMS, entries, is_part, number_of};
use crate::data::{Problem, Result};
use crate::files::{Error as FileError, TemporaryFile, create_folder};
use crate::image::Raster;

/// What some system gives a meaning in the name of a folder.
const MEANS_SOMETHING: [char; 9] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*'];

/// Saves `image` as a PNG file of its own in the folder of `class` in the one at `path`, which are
/// made where need be: [`Dataset::open`](crate::Dataset::open) reads that as a data set of pictures.
/// Returns where it is.
///
/// # Errors
/// When `class` cannot name a folder, or the file cannot be written.
pub fn save_labelled(path: impl AsRef<Path>, class: &str, image: &Raster) -> Result<PathBuf> {
    let path = path.as_ref();
    if !can_name_folder(class) {
        return Err(Problem::Unnameable(class.to_owned()).at(path));
    }
    let folder = path.join(class);
    // Where a file system takes `a` for `A`, it would be read as the other class.
    let is_named_so = |found: &PathBuf| found.file_name().is_some_and(|name| name == class);
    if folder.exists() && !entries(path)?.iter().any(is_named_so) {
        return Err(Problem::Unnameable(class.to_owned()).at(path));
    }
    let png = image.to_png().map_err(|_| Problem::Unsavable(image.shape()).at(path))?;
    create_folder(&folder)?;
    let mut number = 1 + last_number_in(&folder)?;
    loop {
        let file = folder.join(format!("{number:05}.png"));
        let mut temporary = TemporaryFile::create(&folder)?;
        temporary.write_all(&png).map_err(FileError::io("write", &file))?;
        if temporary.rename_new(&file)? {
            return Ok(file);
        }
        number += 1;
    }
}

/// Whether a folder called `class` is read as that class again, on any system.
fn can_name_folder(class: &str) -> bool {
    let has_meaning = |letter: char| MEANS_SOMETHING.contains(&letter) || letter.is_control();
    let is_plain = !class.is_empty() && class.trim() == class && !class.contains(has_meaning);
    is_plain
        && !class.starts_with('.')
        && !class.ends_with('.')
        && !is_part(class)
        && !is_device(class)
        && !OF_SYSTEMS.contains(&class)
}

/// Whether Windows takes `name` for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let is_port = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|port| matches!(port.as_bytes(), [b'0'..=b'9']))
    };
    ["con", "prn", "aux", "nul"].contains(&&*stem) || is_port("com") || is_port("lpt")
}

/// The greatest number that names a picture in `folder`; 0 where none does.
fn last_number_in(folder: &Path) -> Result<u64> {
    Ok(entries(folder)?.iter().filter_map(|path| number_of(path)).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::image::ImageShape;

    #[test]
    fn what_is_saved_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let shape = ImageShape { height: 28, width: 28 };
        for number in 0..10_u8 {
            let mut image = Raster::blank(shape);
            image.pixels_mut()[10 * 28 + 14] = 100 + number;
            let class = if number < 6 { "4" } else { "7" };
            save_labelled(folder.path(), class, &image).unwrap();
        }
        assert!(folder.path().join("4/00006.png").is_file());
        let data = Dataset::open(folder.path()).unwrap();
        let all = || [&data.train, &data.test].into_iter();
        assert_eq!(all().map(|split| split.len()).sum::<usize>(), 10);
        for split in all() {
            for (index, label) in split.labels().iter().enumerate() {
                let mark = split.image(index)[10 * 28 + 14] - 100;
                assert_eq!(*label, if mark < 6 { 4 } else { 7 });
            }
        }
    }

    #[test]
    fn a_class_that_is_no_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let image = Raster::blank(ImageShape { height: 2, width: 2 });
        let names = ["..", "a/b", "/", "", ".hidden", "Train", "val", "a\\b", "C:", " 4"];
        for class in names.into_iter().chain(["CON", "nul.x", "Com7", "Thumbs.db"]) {
            let refused = save_labelled(folder.path().join("new"), class, &image).unwrap_err();
            assert!(refused.to_string().contains("cannot name a folder"), "{refused}");
        }
        assert!(!folder.path().join("new").exists());
        save_labelled(folder.path(), "T-shirt & top", &image).unwrap();
    }
}
