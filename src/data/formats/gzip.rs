//! Gzipped IDX files, as MNIST is published: one array each.

use std::io::{Read, Write};

use flate2::bufread::MultiGzDecoder;

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
    let start = unpack::read_start(MultiGzDecoder::new(compressed), idx::MAX_HEADER)?;
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
        // The checksum, then the length modulo 2³².
        let len = copy.len() as u32;
        let end = [crc32(copy).to_le_bytes(), len.to_le_bytes()];
        self.compressed.ends_with(end.as_flattened())
    }
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
        let mut source = MultiGzDecoder::new(self.compressed);
        unpack::copy_exactly(source.by_ref(), sink, self.unpacked_len())
    }

    fn unpacks_to(&self, copy: &Bytes) -> bool {
        idx::parse(copy).is_ok_and(|layout| layout == self.layout)
            && (self.ends_as(copy) || unpack::is_copy(self, copy))
    }
}
