//! Files that a user names to be written, which may be anything: a file, a link to one, a device.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::durable::{create_folder, folder_of};
use super::error::{Error, Result};
use super::temporary::{TemporaryFile, sweep};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes `bytes` to what the user calls `path`.
///
/// Folders that are missing are made. A file is replaced whole, as is the one that a symbolic link leads to: the link stays. A device,
/// a named pipe or a terminal is written into; a pipe's reader is waited for, as a shell does.
///
/// # Errors
/// When `path` is a folder or cannot be written; a file is then as it was.
pub(crate) fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    let found = path.metadata().ok();
    match &found {
        Some(found) if found.is_dir() => Err(Error::Folder { path: path.to_owned() }),
        Some(found) if !found.is_file() => {
            let write = || File::options().write(true).open(path)?.write_all(bytes);
            write().map_err(Error::io("write", path))
        }
        _ => replace(path, bytes, found.as_ref()),
    }
}

/// Replaces the file at `path`, or the one that it leads to, of which `found` is known.
fn replace(path: &Path, bytes: &[u8], found: Option<&Metadata>) -> Result<()> {
    let target = destination(path).map_err(Error::io("write", path))?;
    let folder = folder_of(&target);
    if !folder.exists() {
        create_folder(folder)?;
    }
    sweep(folder);
    let mut file = TemporaryFile::create(folder)?;
    // Who may read and write the old file may do so with the new one, and nobody else.
    #[cfg(unix)]
    if let Some(found) = found {
        let kept = file.as_file().set_permissions(found.permissions());
        kept.map_err(Error::io("write", path))?;
    }
    #[cfg(not(unix))]
    let _ = found;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.rename(&target)?;
    Ok(())
}

/// Where `path` leads: itself, or what is at the end of the links, which need not exist.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match path.read_link() {
            Ok(next) => path = folder_of(&path).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "too many symbolic links"))
}

/// Refuses to write to what the user calls `path` if that is a folder, or one of `inputs`, which
/// would be gone.
///
/// # Errors
/// As said.
pub(crate) fn check_output<P: AsRef<Path>>(
    path: &Path,
    inputs: impl IntoIterator<Item = P>,
) -> Result<()> {
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err(Error::Folder { path: path.to_owned() }),
        // What is written into a device or a pipe destroys nothing.
        Ok(found) if !found.is_file() => return Ok(()),
        _ => {}
    }
    match inputs.into_iter().any(|input| is_same_file(path, input.as_ref())) {
        true => Err(Error::Input { path: path.to_owned() }),
        false => Ok(()),
    }
}

/// Refuses to write to what the user calls `path` if no file can be made in its folder, or in the one
/// that this would be made in.
///
/// # Errors
/// As said.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    // A device or a pipe is written into, as far as it lets that.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    let target = destination(path).map_err(Error::io("write", path))?;
    // Those that are missing are made.
    let mut folders = folder_of(&target).ancestors().filter(|folder| folder.exists());
    TemporaryFile::create(folders.next().unwrap_or(Path::new("."))).map(drop)
}

/// Whether the file that `path` leads to is there, in `folder` or a folder of that.
#[cfg(feature = "download")]
pub(crate) fn lies_in(path: &Path, folder: &Path) -> bool {
    let full = path.canonicalize().ok().zip(folder.canonicalize().ok());
    full.is_some_and(|(path, folder)| path.starts_with(folder))
}

/// Whether both paths lead to the same file, or would if it existed.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    if let (Ok(one), Ok(other)) = (one.metadata(), other.metadata()) {
        use super::open::identity;
        return identity(&one) == identity(&other);
    }
    let full = |path: &Path| {
        let path = destination(path).ok()?;
        let folder = folder_of(&path).canonicalize().ok().zip(path.file_name());
        folder.map(|(folder, name)| folder.join(name)).or_else(|| std::path::absolute(path).ok())
    };
    full(one).is_some_and(|one| full(other) == Some(one))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_are_followed_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("far")).unwrap();
        fs::write(at("far/file"), "old").unwrap();
        fs::set_permissions(at("far/file"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink("far/file", at("link")).unwrap();
        symlink("link", at("link of link")).unwrap();
        symlink("far/new", at("dangling")).unwrap();
        symlink("round", at("round")).unwrap();
        for (name, file) in [("link of link", "far/file"), ("dangling", "far/new")] {
            write_output(&at(name), b"new").unwrap();
            assert!(at(name).is_symlink());
            assert_eq!(fs::read(at(file)).unwrap(), b"new");
        }
        assert_eq!(at("far/file").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(at("far")).unwrap().count(), 2);
        assert!(write_output(&at("round"), b"new").is_err());
        assert!(matches!(write_output(&at("far"), b"new"), Err(Error::Folder { .. })));
    }

    #[test]
    fn a_device_is_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        write_output(&link, b"lost").unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
        let said = write_output(Path::new("/dev/full"), b"too much").unwrap_err().to_string();
        assert!(said.starts_with("cannot write /dev/full: "), "{said}");
    }

    #[test]
    fn an_input_is_known_by_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("input"), "").unwrap();
        fs::hard_link(at("input"), at("hard")).unwrap();
        symlink("input", at("soft")).unwrap();
        symlink("new", at("dangling")).unwrap();
        for name in ["input", "hard", "soft", "../input"] {
            let path = if name == "../input" { at("gone/..").join("input") } else { at(name) };
            fs::create_dir_all(at("gone")).unwrap();
            let refused = check_output(&path, [at("other"), at("input")]);
            assert!(matches!(refused, Err(Error::Input { .. })), "{name}");
        }
        assert!(check_output(&at("new"), [at("input")]).is_ok());
        assert!(check_output(&at("new"), [at("dangling")]).is_err(), "it would be made there");
        assert!(check_output(&at("no/new"), [at("no/./new")]).is_err());
        assert!(check_output(Path::new("/dev/null"), ["/dev/null"]).is_ok());
    }
}
