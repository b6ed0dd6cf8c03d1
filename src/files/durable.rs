//! What is written stays written when the power is cut.
//!
//! A file that is renamed before its bytes are on the disk may be found under its final name, empty.
//! So the file is synced, renamed, and then the folder is synced, which holds the name.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::error::{Error, Result};

/// Waits until the bytes of `file` are on the disk.
pub(super) fn sync_file(file: &File) -> io::Result<()> {
    unless_unsupported(file.sync_all())
}

/// Waits until the names in `folder` are on the disk.
///
/// # Errors
/// When the disk fails.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    // Only on Unix a folder can be opened, and there it may be one that can be written but not
    // read: nothing can be asked for then.
    #[cfg(unix)]
    if let Ok(folder_file) = File::open(folder) {
        unless_unsupported(folder_file.sync_all()).map_err(Error::io("sync the folder", folder))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Makes the folder at `path`, and those above it, so that they are still there after a power cut.
///
/// # Errors
/// When the system refuses.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    let above = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    let made: Vec<_> = above.take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
    made.into_iter().try_for_each(|folder| sync_folder(folder_of(folder)))
}

/// The folder that the file at `path` is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Some file systems have nothing to sync, and say so.
fn unless_unsupported(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(said) if matches!(said.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_to_the_last_and_made_again_without_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        create_folder(&path).unwrap();
        create_folder(&path).unwrap();
        assert!(path.is_dir());
        assert_eq!(folder_of(Path::new("a")), Path::new("."));
    }
}
