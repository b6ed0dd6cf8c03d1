//! Bounded unpacking: a compressed file is believed only as far as its bytes go.

use crate::data::Problem;
use crate::files::{self, Bytes};
use crate::memory::{Need, reserve};
use std::io::{self, ErrorKind, Read, Write};

/// The most bytes that one byte of deflated data unpacks to: a match of 258 takes two bits.
const DEFLATE_RATIO: usize = 1032;

/// How much of a text is unpacked at first.
const FIRST_TEXT: usize = 1 << 20;

/// What is being done where there is too little memory.
const READING: &str = "reading the data";

/// A compressed file, its headers read and checked, that can be unpacked.
pub(crate) trait Compressed {
    /// What names of unpacked copies end in.
    const EXTENSION: &'static str;

    /// The whole compressed file.
    fn compressed(&self) -> &[u8];

    /// How long the unpacked copy is, in bytes; checked against what the file can hold.
    fn unpacked_len(&self) -> usize;

    /// Writes the unpacked copy, reading no more than the headers promise.
    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError>;

    /// Whether `copy` is this file unpacked, by its headers, lengths and checksums.
    fn unpacks_to(&self, copy: &Bytes) -> bool;
}

/// Why unpacking failed.
#[derive(Debug)]
pub(crate) enum UnpackError {
    /// The compressed file is not what it should be.
    Compressed(Problem),
    /// The unpacked bytes could not be written.
    Write(io::Error),
}

impl From<files::Error> for UnpackError {
    fn from(error: files::Error) -> Self {
        Self::Write(io::Error::other(error))
    }
}

impl From<Problem> for UnpackError {
    fn from(problem: Problem) -> Self {
        Self::Compressed(problem)
    }
}

/// The unpacked copy of `file`, in memory.
pub(crate) fn to_memory(file: &impl Compressed) -> Result<Vec<u8>, Problem> {
    in_memory(file.unpacked_len(), |copy| file.unpack_to(copy))
}

/// The `len` bytes that `unpack` writes.
pub(super) fn in_memory(
    len: usize,
    unpack: impl FnOnce(&mut Vec<u8>) -> Result<(), UnpackError>,
) -> Result<Vec<u8>, Problem> {
    let need = Need::default().and("an unpacked copy", len as u128);
    need.check(READING, "fewer or smaller images")?;
    let mut copy = Vec::new();
    reserve(&mut copy, len, (READING, "an unpacked copy"))?;
    match unpack(&mut copy) {
        Ok(()) => Ok(copy),
        Err(UnpackError::Compressed(problem)) => Err(problem),
        Err(UnpackError::Write(said)) => Err(Problem::Damaged(said.to_string())),
    }
}

/// Whether `copy` is `file` unpacked, which is done once more to see it.
pub(crate) fn is_copy(file: &impl Compressed, copy: &[u8]) -> bool {
    let mut rest = Expected(copy);
    file.unpack_to(&mut rest).is_ok() && rest.0.is_empty()
}

/// Takes the bytes that are expected, and no others.
struct Expected<'a>(&'a [u8]);

impl Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checks that `compressed` bytes can hold the `claimed` bytes that a header speaks of.
pub(crate) fn check_ratio(claimed: usize, compressed: usize) -> Result<(), Problem> {
    if claimed > compressed.saturating_mul(DEFLATE_RATIO) {
        return Err(Problem::Inflated { claimed, compressed });
    }
    Ok(())
}

/// Up to `limit` bytes from the start of `source`.
pub(crate) fn read_start(source: impl Read, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut start = Vec::new();
    source.take(limit as u64).read_to_end(&mut start).map_err(problem)?;
    Ok(start)
}

/// All of `source`, as long as memory lasts.
pub(super) fn to_text(mut source: impl Read) -> Result<Vec<u8>, Problem> {
    let mut text = Vec::new();
    loop {
        // Doubled each time, so that what is had is asked for a few times only.
        let more = text.len().max(FIRST_TEXT);
        let need = Need::default().and("an unpacked text", 3 * more as u128);
        need.check(READING, "a smaller file, or one that is not compressed")?;
        reserve(&mut text, more, (READING, "an unpacked text"))?;
        let read = source.by_ref().take(more as u64).read_to_end(&mut text).map_err(problem)?;
        if read < more {
            return Ok(text);
        }
    }
}

/// Copies `source`, which must end after exactly `len` bytes, and stops as soon as it does not.
pub(crate) fn copy_exactly(
    source: &mut impl Read,
    sink: &mut impl Write,
    len: usize,
) -> Result<(), UnpackError> {
    // One byte more than is wanted is asked for, so that an overlong source shows itself, and a
    // well-formed one reaches its end, where checksums are verified.
    let mut buffer = vec![0; (64 << 10).min(len.saturating_add(1))];
    let mut found = 0;
    loop {
        let read = source.read(&mut buffer).map_err(problem)?;
        if read == 0 {
            break;
        }
        found += read;
        if found > len {
            return Err(Problem::Overlong(len).into());
        }
        sink.write_all(buffer.get(..read).unwrap_or_default()).map_err(UnpackError::Write)?;
    }
    if found < len {
        return Err(Problem::Truncated { expected: len, found }.into());
    }
    Ok(())
}

/// What a decoder that reads from memory says about its input.
fn problem(said: io::Error) -> Problem {
    match said.kind() {
        ErrorKind::UnexpectedEof => Problem::CompressedTruncated,
        _ => Problem::Damaged(said.to_string()),
    }
}
