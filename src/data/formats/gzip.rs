//! Gzipped files: IDX files, as MNIST is published, one array each, and text.

use std::io::{self, ErrorKind, Read, Write};

use flate2::bufread::GzDecoder;

use super::unpack;
use super::{Layout, idx};
use crate::data::Problem;
use crate::data::checksum::crc32;
use crate::data::formats::unpack::{Compressed, UnpackError};
use crate::files::Bytes;

/// A gzipped IDX file (of one gzip member or several), its IDX header read.
#[derive(Debug)]
pub struct GzippedIdx<'a> {
    compressed: &'a [u8],
    layout: Layout,
}

/// Whether `bytes` are gzipped; the name of a file does not tell, as some downloaders unpack what
/// they fetch and keep its name.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Reads the IDX header within `compressed`. Nothing else is unpacked.
///
/// # Errors
/// When `compressed` does not start as a gzipped IDX file does, or its header
/// claims what it cannot hold.
pub fn parse(compressed: &[u8]) -> Result<GzippedIdx<'_>, Problem> {
    let start = beginning(compressed, idx::MAX_HEADER)?;
    let layout = idx::parse_header(&start)?;
    unpack::check_ratio(layout.file_len(), compressed.len())?;
    Ok(GzippedIdx { compressed, layout })
}

impl GzippedIdx<'_> {
    /// Where the elements lie in the unpacked file.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Unpacks the IDX file into memory.
    ///
    /// # Errors
    /// When it is damaged or not exactly as long as its header says, which is noticed before more
    /// is unpacked.
    pub fn unpack(&self) -> Result<Vec<u8>, Problem> {
        unpack::to_memory(self)
    }

    /// Whether the end of the file speaks of `copy`, as that of a file of one gzip member does: the
    /// last one of several knows of its own bytes alone.
    fn ends_as(&self, copy: &Bytes) -> bool {
        // The checksum, then the length modulo 2³²; of which the last bytes may be zero, as those
        // that fill a block up.
        let len = copy.len() as u32;
        let end = [crc32(copy).to_le_bytes(), len.to_le_bytes()];
        let zeros = self.compressed.iter().rev().take_while(|&&byte| byte == 0).count();
        let used = self.compressed.len() - zeros;
        let mut ends = used..=self.compressed.len().min(used + size_of_val(&len));
        ends.any(|end_of| self.compressed[..end_of].ends_with(end.as_flattened()))
    }
}

/// What the gzip members of a file unpack to, one after the other. Zeros behind the last one, which
/// some tools fill a block up with, are nothing.
struct Members<'a>(GzDecoder<&'a [u8]>);

impl<'a> Members<'a> {
    fn new(compressed: &'a [u8]) -> Self {
        Self(GzDecoder::new(compressed))
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let rest = *self.0.get_ref();
            if read > 0 || buffer.is_empty() || rest.iter().all(|&byte| byte == 0) {
                return Ok(read);
            }
            if !is_gzip(rest) {
                let said = "what follows its end is neither gzip nor zeros";
                return Err(io::Error::new(ErrorKind::InvalidData, said));
            }
            self.0 = GzDecoder::new(rest);
        }
    }
}

/// Up to `limit` bytes from the start of what a gzipped file holds.
///
/// # Errors
/// When it is damaged.
pub(in crate::data) fn beginning(compressed: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    unpack::read_start(Members::new(compressed), limit)
}

/// The text of a gzipped file.
///
/// # Errors
/// When it is damaged, or takes more memory than there is.
pub(in crate::data) fn text(compressed: &[u8]) -> Result<Vec<u8>, Problem> {
    unpack::to_text(Members::new(compressed))
}

impl Compressed for GzippedIdx<'_> {
    const EXTENSION: &'static str = "idx";

    fn compressed(&self) -> &[u8] {
        self.compressed
    }

    fn unpacked_len(&self) -> usize {
        self.layout.file_len()
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError> {
        let mut source = Members::new(self.compressed);
        unpack::copy_exactly(source.by_ref(), sink, self.unpacked_len())
    }

    fn unpacks_to(&self, copy: &Bytes) -> bool {
        idx::parse(copy).is_ok_and(|layout| layout == self.layout)
            && (self.ends_as(copy) || unpack::is_copy(self, copy))
    }
}
