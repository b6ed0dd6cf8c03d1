//! Folders that count up: `runs/1`, `runs/2` …

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::durable::{create_folder, sync_folder};
use super::error::{Error, Result};

/// Makes a new folder in `parent`, named by the number after the greatest there is: two that do so at
/// once get two folders.
///
/// # Errors
/// When the system refuses.
pub(crate) fn create_next_folder_in(parent: &Path) -> Result<PathBuf> {
    create_folder(parent)?;
    let mut number = 1 + u64::from(numbers_in(parent)?.last().copied().unwrap_or(0));
    loop {
        let path = parent.join(number.to_string());
        match fs::create_dir(&path) {
            Ok(()) => {
                sync_folder(parent)?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("create the folder", path)(error)),
        }
    }
}

/// The numbers that name something in `folder`, in their order.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn numbers_in(folder: &Path) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let name = entry.map_err(Error::io("read", folder))?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
