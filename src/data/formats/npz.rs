//! `mnist.npz` as Keras publishes it: a zip archive of four npy files, stored or deflated.
//!
//! The archive's directory is read by the `zip` crate. Members are unpacked here, from the very
//! bytes that the directory points to, so that each can be held to what its headers say.

use std::io::{Cursor, Read, Write};

use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::unpack;
use super::{Layout, npy};
use crate::data::Problem;
use crate::data::checksum::crc32;
use crate::data::formats::unpack::{Compressed, UnpackError};
use crate::files::Bytes;

/// The members of the archive, in the order in which they are given: images and labels of the
/// training set, then of the test set.
pub const MEMBERS: [&str; 4] = ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"];

/// An npz archive with all its [`MEMBERS`], their headers read and checked.
#[derive(Debug)]
pub struct Npz<'a> {
    compressed: &'a [u8],
    members: [Member<'a>; 4],
}

#[derive(Debug)]
struct Member<'a> {
    name: &'static str,
    /// The member as it is in the archive, compressed or not, and where it starts there.
    bytes: &'a [u8],
    start: usize,
    deflated: bool,
    crc: u32,
    /// Where its elements lie in the unpacked member.
    layout: Layout,
}

/// Reads the directory of the archive `compressed` and the headers of its [`MEMBERS`].
///
/// Nothing is unpacked but the headers.
///
/// # Errors
/// When `compressed` is not a zip archive that holds all the members, each once and in a way that
/// is read, or a header claims what the archive cannot hold.
pub fn parse(compressed: &[u8]) -> Result<Npz<'_>, Problem> {
    let mut archive = ZipArchive::new(Cursor::new(compressed))
        .map_err(|said| Problem::Zip(said.to_string().escape_debug().to_string()))?;
    if archive.has_duplicate_names() {
        return Err(Problem::SameName);
    }
    let mut missing = MEMBERS.to_vec();
    missing.retain(|name| archive.index_for_name(name).is_none());
    if !missing.is_empty() {
        return Err(Problem::LacksMembers(missing));
    }
    let [train_images, train_labels, test_images, test_labels] = MEMBERS.map(|name| {
        Member::find(compressed, &mut archive, name).map_err(|problem| problem.within(name))
    });
    let members = [train_images?, train_labels?, test_images?, test_labels?];
    // Members that share their bytes would each unpack to as much as those bytes can hold.
    let claimed = members.iter().map(|member| member.bytes.len() as u64).sum();
    if claimed > compressed.len() as u64 {
        return Err(Problem::Beyond { claimed, held: compressed.len() as u64 });
    }
    let unpacked = members.iter().try_fold(0usize, |len, member| {
        len.checked_add(member.layout.file_len()).filter(|&len| isize::try_from(len).is_ok())
    });
    if unpacked.is_none() {
        return Err(Problem::Overflow(members.map(|member| member.layout.file_len()).into()));
    }
    Ok(Npz { compressed, members })
}

impl Npz<'_> {
    /// Where the four arrays lie in the archive itself, if all are stored without compression.
    ///
    /// # Errors
    /// When a stored member is not as long as its header says, or fails its checksum.
    pub fn in_place(&self) -> Result<Option<[Layout; 4]>, Problem> {
        if self.members.iter().any(|member| member.deflated) {
            return Ok(None);
        }
        for member in &self.members {
            member.check_stored().map_err(|problem| problem.within(member.name))?;
        }
        Ok(Some(self.members.each_ref().map(|member| member.layout.shifted(member.start))))
    }

    /// Unpacks the four npy files into memory, one after the other.
    ///
    /// # Errors
    /// When a member is damaged or not exactly as long as its header says, which is noticed
    /// before more is unpacked.
    pub fn unpack(&self) -> Result<Vec<u8>, Problem> {
        unpack::to_memory(self)
    }

    /// Where the four arrays lie once [unpacked](Self::unpack).
    #[must_use]
    pub fn unpacked(&self) -> [Layout; 4] {
        let mut start = 0;
        self.members.each_ref().map(|member| {
            let layout = member.layout.shifted(start);
            start = layout.payload().end;
            layout
        })
    }
}

impl Compressed for Npz<'_> {
    /// Four npy files, one after the other.
    const EXTENSION: &'static str = "npys";

    fn compressed(&self) -> &[u8] {
        self.compressed
    }

    fn unpacked_len(&self) -> usize {
        self.members.iter().map(|member| member.layout.file_len()).sum()
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError> {
        self.members.iter().try_for_each(|member| {
            member.unpack_to(sink).map_err(|failure| match failure {
                UnpackError::Compressed(problem) => problem.within(member.name).into(),
                sink => sink,
            })
        })
    }

    fn unpacks_to(&self, copy: &Bytes) -> bool {
        let mut start = 0;
        let same = self.members.iter().all(|member| {
            let end = start + member.layout.file_len();
            let Some(file) = copy.slice(start..end) else {
                return false;
            };
            start = end;
            npy::parse(&file).is_ok_and(|layout| layout == member.layout)
                && crc32(&file) == member.crc
        });
        same && start == copy.len()
    }
}

impl<'a> Member<'a> {
    fn find(
        compressed: &'a [u8],
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        name: &'static str,
    ) -> Result<Self, Problem> {
        let unreadable = |said: zip::result::ZipError| Problem::Zip(said.to_string());
        let index = archive.index_for_name(name).ok_or(Problem::LacksMembers(vec![name]))?;
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        if entry.encrypted() {
            return Err(Problem::Encrypted);
        }
        let deflated = match entry.compression() {
            CompressionMethod::STORE => false,
            CompressionMethod::DEFLATE => true,
            _ => return Err(Problem::Method),
        };
        let start = entry.data_start().and_then(|start| usize::try_from(start).ok());
        let start = start.unwrap_or(usize::MAX);
        let rest = compressed.get(start..).unwrap_or_default();
        let claimed = entry.compressed_size();
        let len = usize::try_from(claimed).unwrap_or(usize::MAX);
        let bytes = rest.get(..len).ok_or(Problem::Beyond { claimed, held: rest.len() as u64 })?;
        let begin = if deflated {
            unpack::read_start(DeflateDecoder::new(bytes), npy::MAX_START)?
        } else {
            unpack::read_start(bytes, npy::MAX_START)?
        };
        let layout = npy::parse_header(&begin)?;
        let header = layout.file_len();
        unpack::check_ratio(header, bytes.len())?;
        if entry.size() != header as u64 {
            return Err(Problem::Disagree { archive: entry.size(), header });
        }
        Ok(Self { name, bytes, start, deflated, crc: entry.crc32(), layout })
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError> {
        if !self.deflated {
            self.check_stored()?;
            return sink.write_all(self.bytes).map_err(UnpackError::Write);
        }
        let mut source = CrcReader::new(DeflateDecoder::new(self.bytes));
        unpack::copy_exactly(source.by_ref(), sink, self.layout.file_len())?;
        Ok(self.check_crc(source.crc().sum())?)
    }

    fn check_stored(&self) -> Result<(), Problem> {
        npy::parse(self.bytes)?;
        self.check_crc(crc32fast::hash(self.bytes))
    }

    fn check_crc(&self, found: u32) -> Result<(), Problem> {
        let expected = self.crc;
        if expected == found { Ok(()) } else { Err(Problem::Checksum { expected, found }) }
    }
}
