//! IDX files, as MNIST was first published: a magic number, big-endian dimensions, elements.
//!
//! ```text
//! 00 00 08 n    two zeros, the element type (08: unsigned bytes; 09, 0b, 0c, 0d, 0e: others), the
//!               number of dimensions
//! n × u32       the dimensions, big-endian, slowest first
//! …             the elements, row-major, big-endian
//! ```

use super::{Element, Layout};
use crate::data::Problem;

/// The longest header there can be: the magic number and 255 dimensions.
pub const MAX_HEADER: usize = 4 + 255 * 4;

const UNSIGNED_BYTES: u8 = 0x08;

/// Where the elements of the IDX file `bytes` lie.
///
/// # Errors
/// When `bytes` are not exactly one IDX file.
pub fn parse(bytes: &[u8]) -> Result<Layout, Problem> {
    parse_header(bytes)?.exactly(bytes.len())
}

/// Where the elements of an IDX file lie that starts with `start`: its first [`MAX_HEADER`] bytes,
/// or all of them.
///
/// # Errors
/// When `start` does not begin with the header of an IDX file.
pub fn parse_header(start: &[u8]) -> Result<Layout, Problem> {
    let truncated = Problem::HeaderTruncated(start.len());
    let Some((&[zero, zero_too, kind, count], rest)) = start.split_first_chunk() else {
        return Err(truncated);
    };
    if [zero, zero_too] != [0, 0] {
        return Err(Problem::NotIdx([zero, zero_too, kind]));
    }
    let element = Element::of_idx(kind).ok_or(Problem::IdxType(kind))?;
    let len = usize::from(count) * 4;
    let (dims, _) = rest.get(..len).ok_or(truncated)?.as_chunks();
    let dims = dims.iter().map(|&dim| u32::from_be_bytes(dim) as usize).collect();
    Layout::new(dims, element, 4 + len)
}

/// The header of an IDX file of unsigned bytes with these dimensions.
///
/// # Errors
/// When a dimension does not fit into 32 bits, or there are more than 255.
pub fn header(dims: &[usize]) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::Overflow(dims.to_vec());
    let count = u8::try_from(dims.len()).map_err(|_| too_large())?;
    let mut header = vec![0, 0, UNSIGNED_BYTES, count];
    for &dim in dims {
        header.extend(u32::try_from(dim).map_err(|_| too_large())?.to_be_bytes());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_dimensions_and_elements() {
        let file = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let layout = parse(&file).unwrap();
        assert_eq!(layout.dims(), [2, 3]);
        assert_eq!(&file[layout.payload()], [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_header_is_read_as_it_is_written() {
        for dims in [&[][..], &[7], &[60_000, 28, 28]] {
            assert_eq!(parse_header(&header(dims).unwrap()).unwrap().dims(), dims);
        }
        assert!(header(&[1 << 32]).is_err());
    }

    #[test]
    fn the_longest_header_is_enough() {
        let mut start = vec![0, 0, 8, 255];
        start.extend([0, 0, 0, 1].repeat(255));
        assert_eq!(start.len(), MAX_HEADER);
        assert_eq!(parse_header(&start).unwrap().dims(), [1; 255]);
    }
}
