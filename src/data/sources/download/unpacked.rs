//! Files that are published within an archive: those of one data set are unpacked, and written down
//! with their checksums, so that the archive need not stay.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::catalogue::{Edition, PublishedFile};
use super::error::{Error, Result};
use crate::data::checksum::sha256;
use crate::data::formats::unpack::UnpackError;
use crate::data::formats::zip_member::{self, ZipMember};
use crate::files::{self, Bytes, TemporaryFile, create_folder, is_of_no_stranger};
use crate::files::{open_unfollowed, read_bounded, write_atomically};

/// The file in the folder of a data set that lists what was unpacked there.
const RECORD: &str = "unpacked.json";

/// No record is as long as this, in bytes.
const LARGEST_RECORD: u64 = 1 << 16;

/// What was unpacked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// The SHA-256 of the archive.
    archive: String,
    files: Vec<PublishedFile>,
}

/// An archive of which members are a data set.
#[derive(Clone, Copy)]
pub(super) struct Archive<'a> {
    pub(super) file: &'a PublishedFile,
    members: &'a [String],
}

impl Edition {
    /// The archive of which some members are the data set, where it is published so.
    pub(super) fn archive(&self) -> Option<Archive<'_>> {
        match &*self.files {
            [file] if !self.unpack.is_empty() => Some(Archive { file, members: &self.unpack }),
            _ => None,
        }
    }
}

impl Archive<'_> {
    /// Where it is kept in the `cache` folder: in a folder that is its own, whichever data sets are
    /// in it.
    pub(super) fn folder(&self, cache: &Path) -> PathBuf {
        let start = self.file.sha256.get(..16).unwrap_or(&self.file.sha256);
        cache.join(format!("archive-{start}"))
    }

    /// The size of the files in `folder` together, if they are all there as they were unpacked.
    pub(super) fn unpacked(&self, folder: &Path) -> Option<u64> {
        let path = folder.join(RECORD);
        let file = open_unfollowed(File::options().read(true), &path).ok()?;
        is_of_no_stranger(&file, folder).then_some(())?;
        let record: Record =
            serde_json::from_slice(&read_bounded(&path, LARGEST_RECORD).ok()?).ok()?;
        let names = self.members.iter().map(|member| name_of(member));
        let is_whole = record.archive == self.file.sha256
            && names.eq(record.files.iter().map(|file| &*file.name))
            && record.files.iter().all(|file| file.is_in(folder));
        is_whole.then(|| record.files.iter().map(|file| file.bytes).sum())
    }

    /// Unpacks the members from the archive in the folder `from` into `folder`. Returns their size
    /// together.
    ///
    /// # Errors
    /// When it lacks one, one is damaged, or a file cannot be written.
    pub(super) fn unpack(&self, from: &Path, folder: &Path) -> Result<u64> {
        let path = from.join(&self.file.name);
        let archive = Bytes::map(&path)?;
        let wrong = |problem| Error::Archive { path: path.clone(), problem };
        let mut directory = zip_member::open(&archive).map_err(wrong)?;
        create_folder(folder)?;
        let mut files = Vec::new();
        for name in self.members {
            let member = ZipMember::find(&archive, &mut directory, name);
            let member = member.map_err(|problem| wrong(problem.within(name.clone())))?;
            let to = folder.join(name_of(name));
            let unpacked = unpack(&member, folder, &to);
            let (bytes, sha256) = unpacked.map_err(|failure| match failure {
                UnpackError::Compressed(problem) => wrong(problem.within(name.clone())),
                UnpackError::Write(said) => files::Error::io("write", &to)(said).into(),
            })?;
            files.push(PublishedFile { name: name_of(name).to_owned(), bytes, sha256 });
        }
        archive.check_unchanged()?;
        let bytes = files.iter().map(|file| file.bytes).sum();
        let record = Record { archive: self.file.sha256.clone(), files };
        let path = folder.join(RECORD);
        let text = serde_json::to_vec_pretty(&record)
            .map_err(|said| files::Error::io("write", &path)(said.into()))?;
        write_atomically(&path, &text)?;
        Ok(bytes)
    }

    /// Removes the archive from the folder `from`.
    pub(super) fn remove(&self, from: &Path) -> Result<()> {
        let path = from.join(&self.file.name);
        fs::remove_file(&path).map_err(files::Error::io("remove", &path))?;
        // Another process may just be fetching it anew.
        let _ = fs::remove_dir(from);
        Ok(())
    }
}

/// The file that a member becomes: without the folders that it is in.
pub(super) fn name_of(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

/// Unpacks `member` into the file `to` of `folder`. Returns its size and its SHA-256.
fn unpack(member: &ZipMember<'_>, folder: &Path, to: &Path) -> Result<(u64, String), UnpackError> {
    let len = member.len()?;
    let mut file = TemporaryFile::create_own(folder)?;
    member.unpack_to(&mut file, len)?;
    file.sync().map_err(UnpackError::Write)?;
    let file = file.rename(to)?;
    let bytes = Bytes::map_file(file, to).map_err(UnpackError::Write)?;
    Ok((bytes.len() as u64, sha256(&bytes)))
}
