//! Unpacked copies in a folder that others may write into, or that a disk damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use mnistry::Dataset;
use mnistry::data::Cache;
use tempfile::TempDir;
use writers::{FILES, arrays, gzip, idx, members, npz};
use zip::CompressionMethod;

mod writers;

/// A compressed data set, the cache of its copies, and what it must read as.
struct Shelf {
    folder: TempDir,
    data: PathBuf,
    expected: Vec<u8>,
}

impl Shelf {
    /// Four gzipped files, each of as many gzip members.
    fn gzipped(parts: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        for (name, array) in FILES.iter().zip(&arrays()) {
            let bytes = idx(array);
            let members = bytes.chunks(bytes.len().div_ceil(parts)).flat_map(gzip);
            fs::write(data.join(format!("{name}.gz")), members.collect::<Vec<_>>()).unwrap();
        }
        Self::of(folder, data)
    }

    fn archive() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("mnist.npz");
        fs::write(&data, npz(&members(&arrays()), CompressionMethod::Deflated)).unwrap();
        Self::of(folder, data)
    }

    fn of(folder: TempDir, data: PathBuf) -> Self {
        let mut shelf = Self { folder, data, expected: Vec::new() };
        shelf.expected = shelf.read();
        shelf
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn copies(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache()).unwrap();
        let mut copies: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        copies.sort();
        copies
    }

    fn read(&self) -> Vec<u8> {
        let data = Dataset::open_with(&self.data, &Cache::at(self.cache())).unwrap();
        let splits = [&data.train, &data.test];
        splits.iter().flat_map(|split| [split.pixels(), split.labels()].concat()).collect()
    }

    /// Each copy, damaged in turn, is made anew and whole.
    fn mends(&self, what: &str, damage: impl Fn(&Path)) {
        for copy in self.copies() {
            let whole = fs::read(&copy).unwrap();
            damage(&copy);
            assert_eq!(self.read(), self.expected, "{what}: {}", copy.display());
            assert_eq!(fs::read(&copy).unwrap(), whole, "{what}: {}", copy.display());
            assert!(copy.symlink_metadata().unwrap().is_file(), "{what}");
        }
    }
}

/// Turns the last bit of the file at `path` around.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_copy_of_other_bytes_is_made_anew() {
    for shelf in [Shelf::gzipped(1), Shelf::gzipped(3), Shelf::archive()] {
        shelf.mends("one bit", flip);
        shelf.mends("cut short", |copy| {
            let bytes = fs::read(copy).unwrap();
            fs::write(copy, &bytes[..bytes.len() - 1]).unwrap();
        });
        shelf.mends("empty", |copy| fs::write(copy, "").unwrap());
    }
}

#[test]
fn a_good_copy_is_not_made_anew() {
    for shelf in [Shelf::gzipped(1), Shelf::gzipped(3), Shelf::archive()] {
        // A time that no new copy has.
        let of_old = UNIX_EPOCH;
        for copy in shelf.copies() {
            let file = fs::File::options().write(true).open(copy).unwrap();
            file.set_modified(of_old).unwrap();
        }
        assert_eq!(shelf.read(), shelf.expected);
        for copy in shelf.copies() {
            assert_eq!(copy.metadata().unwrap().modified().unwrap(), of_old);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_copy_that_others_could_have_put_there_is_made_anew() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;
    for shelf in [Shelf::gzipped(1), Shelf::archive()] {
        let elsewhere = shelf.folder.path().join("elsewhere");
        fs::write(&elsewhere, "kept").unwrap();
        shelf.mends("a link", |copy| {
            fs::remove_file(copy).unwrap();
            symlink(&elsewhere, copy).unwrap();
        });
        assert_eq!(fs::read(&elsewhere).unwrap(), b"kept");
        shelf.mends("a pipe", |copy| {
            fs::remove_file(copy).unwrap();
            assert!(Command::new("mkfifo").arg(copy).status().unwrap().success());
        });
        let mode = |copy: &Path| copy.metadata().unwrap().permissions().mode() & 0o777;
        for shared in [0o664, 0o646, 0o666] {
            for copy in shelf.copies() {
                fs::set_permissions(&copy, fs::Permissions::from_mode(shared)).unwrap();
            }
            assert_eq!(shelf.read(), shelf.expected);
            assert!(shelf.copies().iter().all(|copy| mode(copy) & 0o022 == 0), "{shared:o}");
        }
    }
}

#[test]
fn a_folder_in_the_place_of_a_copy_is_no_harm() {
    let shelf = Shelf::archive();
    for copy in shelf.copies() {
        fs::remove_file(&copy).unwrap();
        fs::create_dir(&copy).unwrap();
    }
    assert_eq!(shelf.read(), shelf.expected);
}
