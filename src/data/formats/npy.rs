//! NumPy's `.npy` files: a magic string, a version, a header written as a Python dictionary,
//! elements.
//!
//! ```text
//! \x93NUMPY     6 bytes
//! major minor   1.0, 2.0 or 3.0
//! length        of the header: u16 (1.0) or u32, little-endian
//! header        {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }
//!               padded with spaces, ended by a newline
//! …             the elements, row-major, or column-major in Fortran's order
//! ```
//!
//! The header is parsed as exactly such a dictionary; nothing in it is ever evaluated.

use super::{Element, Layout};
use crate::data::Problem;

/// The longest header dictionary that is read, in bytes: NumPy's own limit.
pub const MAX_HEADER: usize = 10_000;

/// The longest start of a file that [`parse_header`] needs.
pub const MAX_START: usize = 12 + MAX_HEADER;

/// Where the elements of the npy file `bytes` lie.
///
/// # Errors
/// When `bytes` are not exactly one npy file of numbers.
pub fn parse(bytes: &[u8]) -> Result<Layout, Problem> {
    parse_header(bytes)?.exactly(bytes.len())
}

/// Where the elements of an npy file lie that starts with `start`: its first [`MAX_START`] bytes,
/// or all of them.
///
/// # Errors
/// When `start` does not begin with the header of an npy file of numbers.
pub fn parse_header(start: &[u8]) -> Result<Layout, Problem> {
    let truncated = Problem::HeaderTruncated(start.len());
    let magic = b"\x93NUMPY";
    if start.len() < magic.len() && magic.starts_with(start) {
        return Err(truncated);
    }
    let rest = start.strip_prefix(magic).ok_or(Problem::NotNpy)?;
    let (len, begin) = match *rest {
        [1, 0, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 10),
        [2 | 3, 0, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        [1..=3, 0, ..] | [] | [_] => return Err(truncated),
        [major, minor, ..] => return Err(Problem::NpyVersion(major, minor)),
    };
    if len > MAX_HEADER {
        return Err(Problem::NpyHeaderLong(len));
    }
    let end = begin + len;
    let header = start.get(..end).ok_or(truncated)?;
    let Header { dims, element, is_fortran } =
        Parser { bytes: header, position: begin }.dictionary()?;
    Ok(Layout::new(dims, element, end)?.in_fortran_order(is_fortran))
}

/// The header of an npy file of `dims` elements, row-major, of the type that NumPy names `descr`.
///
/// # Errors
/// When there are so many dimensions that no header of version 1.0 holds them.
pub(crate) fn header(descr: &str, dims: &[usize]) -> Result<Vec<u8>, Problem> {
    let shape: String = dims.iter().map(|dim| format!("{dim},")).collect();
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The elements begin at a multiple of 64 bytes.
    let len = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let field = u16::try_from(len).map_err(|_| Problem::NpyHeaderLong(len))?;
    let text = format!("{text:<0$}\n", len - 1);
    Ok([b"\x93NUMPY\x01\x00", &field.to_le_bytes()[..], text.as_bytes()].concat())
}

/// What a header says.
struct Header {
    dims: Vec<usize>,
    element: Element,
    is_fortran: bool,
}

/// Reads the header dictionary from left to right; positions are those in the file.
struct Parser<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Parser<'a> {
    /// The whole header: the three keys in any order, each once, then only padding.
    fn dictionary(mut self) -> Result<Header, Problem> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{', "'{'")?;
        while !self.accept(b'}') {
            let key = self.string("a key in quotes")?;
            let key_end = self.position;
            self.expect(b':', "':'")?;
            let first = match key {
                b"descr" => descr.replace(self.descr()?).is_none(),
                b"fortran_order" => fortran_order.replace(self.boolean()?).is_none(),
                b"shape" => shape.replace(self.shape()?).is_none(),
                _ => false,
            };
            if !first {
                let expected = "each of 'descr', 'fortran_order', 'shape' once";
                return Err(Problem::NpyHeader { expected, position: key_end });
            }
            if !self.accept(b',') {
                self.expect(b'}', "',' or '}'")?;
                break;
            }
        }
        let closed = self.position;
        self.end()?;
        match (descr, fortran_order, shape) {
            (Some(element), Some(is_fortran), Some(dims)) => {
                Ok(Header { dims, element, is_fortran })
            }
            _ => Err(Problem::NpyHeader {
                expected: "all of 'descr', 'fortran_order', 'shape'",
                position: closed,
            }),
        }
    }

    fn descr(&mut self) -> Result<Element, Problem> {
        let descr = self.string("the element type in quotes")?;
        match (Element::of_numpy(descr), descr) {
            (Some(element), _) => Ok(element),
            (None, [b'O', ..] | [b'|', b'O', ..]) => Err(Problem::Pickled),
            (None, _) => Err(Problem::NpyType(String::from_utf8_lossy(descr).into_owned())),
        }
    }

    fn boolean(&mut self) -> Result<bool, Problem> {
        if self.accept_word(b"False") {
            Ok(false)
        } else if self.accept_word(b"True") {
            Ok(true)
        } else {
            Err(self.expected("True or False"))
        }
    }

    /// A Python tuple: `()`, `(3,)`, `(3, 4)` or `(3, 4,)`, but not `(3)`, which is a number.
    fn shape(&mut self) -> Result<Vec<usize>, Problem> {
        let mut dims = Vec::new();
        self.expect(b'(', "'('")?;
        while !self.accept(b')') {
            dims.push(self.number()?);
            if !self.accept(b',') {
                if dims.len() == 1 {
                    return Err(self.expected("','"));
                }
                self.expect(b')', "',' or ')'")?;
                break;
            }
        }
        Ok(dims)
    }

    fn number(&mut self) -> Result<usize, Problem> {
        self.skip_spaces();
        let rest = self.rest();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = rest.get(..digits).and_then(|digits| str::from_utf8(digits).ok());
        let number = text.and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| self.expected("a number that can be addressed"))?;
        self.position += digits;
        Ok(number)
    }

    /// A string without escapes, in single or double quotes.
    fn string(&mut self, expected: &'static str) -> Result<&'a [u8], Problem> {
        self.skip_spaces();
        let bytes = self.bytes;
        let start = self.position + 1;
        let quote = bytes.get(self.position).copied().filter(|byte| matches!(byte, b'\'' | b'"'));
        let text = bytes.get(start..).unwrap_or_default();
        let end = quote.and_then(|quote| text.iter().position(|&byte| byte == quote));
        match end.and_then(|end| text.get(..end)) {
            Some(text) if !text.contains(&b'\\') => {
                self.position = start + text.len() + 1;
                Ok(text)
            }
            _ => Err(self.expected(expected)),
        }
    }

    /// Only spaces and newlines up to the end.
    fn end(&mut self) -> Result<(), Problem> {
        while self.rest().first().is_some_and(|byte| matches!(byte, b' ' | b'\n')) {
            self.position += 1;
        }
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("only padding")) }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Problem> {
        if self.accept(byte) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.accept_word(&[byte])
    }

    fn accept_word(&mut self, word: &[u8]) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(word);
        if found {
            self.position += word.len();
        }
        found
    }

    fn skip_spaces(&mut self) {
        while self.rest().first() == Some(&b' ') {
            self.position += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Problem {
        Problem::NpyHeader { expected, position: self.position }
    }
}

#[cfg(test)]
mod tests;
