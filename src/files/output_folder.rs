//! Folders that a user names to be filled with files.

use std::fs;
use std::path::{Path, PathBuf};

use super::durable::{create_folder, folder_of, sync_folder};
use super::error::{Error, Result};

/// Refuses a folder that something is in: what would be written there could not be told from it.
///
/// # Errors
/// As said, and when there is a file at `path`.
pub(crate) fn check_output_folder(path: &Path) -> Result<()> {
    let mut entries = match path.metadata() {
        Err(_) => return Ok(()),
        Ok(_) => fs::read_dir(path).map_err(Error::io("read", path))?,
    };
    match entries.next() {
        Some(_) => Err(Error::NotEmpty { path: path.to_owned() }),
        None => Ok(()),
    }
}

/// Writes `files`, each a name and its bytes, into a new folder at `path`, or one that is empty. They
/// are found there when all are written: in a new one at once.
///
/// # Errors
/// When something is in the folder already, or the system refuses; nothing is left then.
pub(crate) fn write_output_folder<'a>(
    path: &Path,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<()> {
    check_output_folder(path)?;
    let is_there = path.exists();
    // One that is there may be all that can be written to, and stays what it is.
    let above = if is_there { path } else { folder_of(path) };
    create_folder(above)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mnistry-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    let folder = builder.tempdir_in(above).map_err(Error::io("create a folder in", above))?;
    let mut written = Vec::new();
    for (name, bytes) in files {
        let file = folder.path().join(&name);
        fs::write(&file, bytes).map_err(Error::io("write", &file))?;
        written.push((file, path.join(name)));
    }
    if is_there {
        move_all(&written)?;
    } else {
        fs::rename(folder.path(), path).map_err(Error::io("create the folder", path))?;
        // It has another name, so that there is nothing to remove.
        let _ = folder.keep();
    }
    sync_folder(above)
}

/// Gives all `files` their second names, or none.
fn move_all(files: &[(PathBuf, PathBuf)]) -> Result<()> {
    for (number, (from, to)) in files.iter().enumerate() {
        if let Err(said) = fs::rename(from, to) {
            for (_, moved) in &files[..number] {
                // Where even that is refused, there is nothing more to do.
                let _ = fs::remove_file(moved);
            }
            return Err(Error::io("write", to)(said));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_at_once_and_never_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder");
        let files = || [("a".to_owned(), b"1".as_slice()), ("b".to_owned(), b"2")];
        write_output_folder(&path, files()).unwrap();
        assert_eq!(fs::read(path.join("b")).unwrap(), b"2");
        assert!(matches!(write_output_folder(&path, files()), Err(Error::NotEmpty { .. })));
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let beyond = [("no/such/folder".to_owned(), b"1".as_slice())];
        assert!(write_output_folder(&empty, beyond).is_err());
        assert!(empty.exists());
        write_output_folder(&empty, files()).unwrap();
        assert_eq!(fs::read_dir(&empty).unwrap().count(), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let file = path.join("a");
        assert!(write_output_folder(&file, files()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_any_folder() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let usual = folder.path().join("usual");
        fs::create_dir(&usual).unwrap();
        let path = folder.path().join("filled");
        write_output_folder(&path, []).unwrap();
        assert_eq!(mode(&path), mode(&usual));
    }
}
