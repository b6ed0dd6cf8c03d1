//! One member of a zip archive, stored or deflated.
//!
//! The archive's directory is read by the `zip` crate. Members are unpacked here, from the very
//! bytes that the directory points to, so that each can be held to what its headers say.

use std::io::{Cursor, Read, Write};

use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::unpack::{self, UnpackError};
use crate::data::Problem;

/// The directory of an archive.
pub(crate) type Directory<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// The directory of the archive `compressed`.
///
/// # Errors
/// When it is no zip archive, or two members have one name.
pub(crate) fn open(compressed: &[u8]) -> Result<Directory<'_>, Problem> {
    let archive = ZipArchive::new(Cursor::new(compressed)).map_err(|said| {
        match compressed.starts_with(b"PK\x03\x04") && !has_end(compressed) {
            true => Problem::ZipTruncated,
            false => Problem::Zip(said.to_string().escape_debug().to_string()),
        }
    })?;
    if archive.has_duplicate_names() {
        return Err(Problem::SameName);
    }
    Ok(archive)
}

/// Whether the end of an archive's directory is there, behind which at most a comment stands.
fn has_end(compressed: &[u8]) -> bool {
    const LEN: usize = 22;
    const FARTHEST: usize = LEN + (1 << 16);
    let last = compressed.get(compressed.len().saturating_sub(FARTHEST)..).unwrap_or_default();
    last.windows(LEN).any(|end| end.starts_with(b"PK\x05\x06"))
}

/// A member, within the archive.
#[derive(Debug)]
pub(crate) struct ZipMember<'a> {
    /// As it is in the archive, compressed or not, and where it starts there.
    pub(super) bytes: &'a [u8],
    pub(super) start: usize,
    pub(super) is_deflated: bool,
    pub(super) crc: u32,
    /// How long the archive says that it is when unpacked.
    pub(super) claimed: u64,
}

impl<'a> ZipMember<'a> {
    /// The member `name` of the archive `compressed`, which has this directory.
    ///
    /// # Errors
    /// When it is not there, or not in a way that is read.
    pub(crate) fn find(
        compressed: &'a [u8],
        archive: &mut Directory<'_>,
        name: &str,
    ) -> Result<Self, Problem> {
        let unreadable = |said: zip::result::ZipError| Problem::Zip(said.to_string());
        let index = archive
            .index_for_name(name)
            .ok_or_else(|| Problem::LacksMembers(vec![name.to_owned()]))?;
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        if entry.encrypted() {
            return Err(Problem::Encrypted);
        }
        let is_deflated = match entry.compression() {
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
        Ok(Self { bytes, start, is_deflated, crc: entry.crc32(), claimed: entry.size() })
    }

    /// Up to `limit` bytes from its start, unpacked.
    pub(super) fn beginning(&self, limit: usize) -> Result<Vec<u8>, Problem> {
        match self.is_deflated {
            true => unpack::read_start(DeflateDecoder::new(self.bytes), limit),
            false => unpack::read_start(self.bytes, limit),
        }
    }

    /// How long it is when unpacked, if its bytes can hold so much.
    ///
    /// # Errors
    /// When they cannot.
    pub(crate) fn len(&self) -> Result<usize, Problem> {
        let (len, held) = (usize::try_from(self.claimed).unwrap_or(usize::MAX), self.bytes.len());
        if !self.is_deflated && len > held {
            return Err(Problem::Beyond { claimed: self.claimed, held: held as u64 });
        }
        unpack::check_ratio(len, held)?;
        Ok(len)
    }

    /// Writes it, unpacked, of `len` bytes.
    pub(crate) fn unpack_to(&self, sink: &mut impl Write, len: usize) -> Result<(), UnpackError> {
        if !self.is_deflated {
            let mut source = self.bytes;
            unpack::copy_exactly(&mut source, sink, len)?;
            return Ok(self.check_stored()?);
        }
        let mut source = CrcReader::new(DeflateDecoder::new(self.bytes));
        unpack::copy_exactly(source.by_ref(), sink, len)?;
        Ok(self.check_crc(source.crc().sum())?)
    }

    /// Checks the checksum of a member that is stored as it is.
    pub(super) fn check_stored(&self) -> Result<(), Problem> {
        self.check_crc(crc32fast::hash(self.bytes))
    }

    fn check_crc(&self, found: u32) -> Result<(), Problem> {
        let expected = self.crc;
        if expected == found { Ok(()) } else { Err(Problem::Checksum { expected, found }) }
    }
}
