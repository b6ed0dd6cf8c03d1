//! Opening files without waiting for them, and without being led elsewhere.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::error::{Error, Result};

/// Opens the regular file at `path` to read it.
///
/// Anything else is refused rather than waited for: a named pipe that nobody writes into would keep
/// the process for ever, and a device may never end.
///
/// # Errors
/// When there is no regular file or it cannot be opened.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    let refused = |kind| Error::NotRegular { path: path.to_owned(), kind };
    let found = path.metadata().map_err(Error::io("open", path))?;
    check_regular(&found).map_err(refused)?;
    // What is there may be another thing by now, so that opening does not wait either.
    let file = without_waiting(File::options().read(true)).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let found = file.metadata().map_err(Error::io("open", path))?;
    check_regular(&found).map_err(refused)?;
    Ok(file)
}

/// Opens the regular file at `path` itself: not what a symbolic link there leads to.
///
/// # Errors
/// When it cannot be opened so, or something else is there.
pub(crate) fn open_unfollowed(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(not(unix))]
    if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("is a symbolic link"));
    }
    let file = unfollowed(options).open(path)?;
    match check_regular(&file.metadata()?) {
        Ok(()) => Ok(file),
        Err(kind) => Err(io::Error::other(format!("is {kind}, not a regular file"))),
    }
}

/// Whether nobody but this user, and whoever rules the machine, can have written `file`.
pub(crate) fn is_ours_alone(file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        file.metadata().is_ok_and(|found| is_ours(&found) && found.mode() & 0o022 == 0)
    }
    // Elsewhere the folder's access list decides for what is in it.
    #[cfg(not(unix))]
    {
        let _ = file;
        true
    }
}

/// Whether `file`, in `folder`, is of this user, of whoever rules the machine, or of whoever the
/// folder is: not of a third one, who may have put it there.
#[cfg(feature = "download")]
pub(crate) fn is_of_no_stranger(file: &File, folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        file.metadata().is_ok_and(|found| {
            let is_folders = |folder: Metadata| folder.uid() == found.uid();
            is_ours(&found) || folder.metadata().is_ok_and(is_folders)
        })
    }
    #[cfg(not(unix))]
    {
        let _ = (file, folder);
        true
    }
}

#[cfg(unix)]
fn is_ours(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == rustix::process::geteuid().as_raw() || found.uid() == 0
}

/// Whether `path` names the very file that is open as `file`, and not another one or a link.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else {
            return false;
        };
        identity(&open) == identity(&named)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// What tells a file from every other one.
#[cfg(unix)]
pub(super) fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// What is found if it is no regular file.
fn check_regular(found: &Metadata) -> Result<(), &'static str> {
    if found.is_file() { Ok(()) } else { Err(kind(found.file_type())) }
}

/// What a person calls something that is no regular file.
pub(super) fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    if kind.is_dir() { "a folder" } else { "a device" }
}

#[cfg(unix)]
pub(super) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits() as i32)
}

#[cfg(not(unix))]
pub(super) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn unfollowed(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits() as i32)
}

#[cfg(not(unix))]
fn unfollowed(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A named pipe that nobody reads or writes.
    fn pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.is_ok_and(|status| status.success()));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        pipe(&path);
        let said = open_regular(&path).unwrap_err().to_string();
        assert!(said.ends_with("is a named pipe, and only a regular file is read: name one"));
        assert!(open_unfollowed(File::options().read(true), &path).is_err());
        for (path, kind) in [(Path::new("/dev/zero"), "a device"), (folder.path(), "a folder")] {
            let refused = open_regular(path).unwrap_err();
            assert!(matches!(refused, Error::NotRegular { kind: found, .. } if found == kind));
        }
    }

    #[test]
    fn a_link_is_followed_only_where_that_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "kept").unwrap();
        symlink(&file, &link).unwrap();
        let opened = open_regular(&link).unwrap();
        assert!(is_at(&opened, &file) && !is_at(&opened, &link));
        assert!(open_unfollowed(File::options().read(true), &link).is_err());
        assert!(open_unfollowed(File::options().read(true), &file).is_ok());
    }

    #[test]
    fn what_others_may_write_is_not_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        for (mode, is_ours) in [(0o644, true), (0o664, false), (0o646, false), (0o600, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_ours_alone(&file), is_ours, "{mode:o}");
        }
    }
}
