//! Gzipped IDX files, as MNIST is published: one array each.

use std::io::{Read, Write};

use flate2::bufread::MultiGzDecoder;

use super::unpack::{self, Failure, Packed};
use super::{Bytes, Layout, Problem, idx};

/// A gzipped IDX file (of one gzip member or several), its IDX header read.
pub(super) struct GzippedIdx<'a> {
    packed: &'a [u8],
    layout: Layout,
}

/// Whether `bytes` are gzipped; the name of a file does not tell, as some downloaders unpack what
/// they fetch and keep its name.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

impl<'a> GzippedIdx<'a> {
    /// Reads the IDX header within `packed`.
    pub(super) fn parse(packed: &'a [u8]) -> Result<Self, Problem> {
        let start = unpack::read_start(MultiGzDecoder::new(packed), idx::MAX_HEADER)?;
        let layout = idx::parse_header(&start)?;
        unpack::check_ratio(layout.file_len(), packed.len())?;
        Ok(Self { packed, layout })
    }

    /// Where the elements lie in the unpacked file.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Packed for GzippedIdx<'_> {
    const EXTENSION: &'static str = "idx";

    fn packed(&self) -> &[u8] {
        self.packed
    }

    fn unpacked_len(&self) -> usize {
        self.layout.file_len()
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), Failure> {
        let mut source = MultiGzDecoder::new(self.packed);
        unpack::copy_exactly(source.by_ref(), sink, self.unpacked_len())
    }

    fn unpacks_to(&self, copy: &Bytes) -> bool {
        idx::parse(copy).is_ok_and(|layout| layout == self.layout)
    }
}
