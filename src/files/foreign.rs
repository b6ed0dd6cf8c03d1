//! Files of other programs, known by their first bytes, so that a refusal can say what one is and
//! what to do about it.

use std::fmt;

/// A kind of file that is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    what: &'static str,
    way_out: &'static str,
}

/// `a web page: download the file itself …`
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.way_out)
    }
}

/// How many first bytes tell what a file is.
pub(crate) const BEGINNING: usize = 4096;

/// First bytes, where they are, what they are those of, and what can be done.
const BINARY: [(usize, &[u8], &str, &str); 21] = [
    (0, b"PAR1", "a Parquet file", "write it as CSV or .npz"),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file", "save its arrays as .npz with SciPy and NumPy"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "save its arrays as .npz with h5py and NumPy"),
    (0, b"%PDF", "a PDF document", "export the page as a PNG picture"),
    (0, b"8BPS", "a Photoshop document", "export it as a PNG picture"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document", "save its table as CSV"),
    (0, b"SQLite format 3\0", "an SQLite database", "export its table as CSV"),
    (0, b"Rar!", "a RAR archive", "unpack it, and name what was in it"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and name what was in it"),
    (0, b"\xfd7zXZ\0", "a file that xz compressed", "unpack it, and name what was in it"),
    (0, b"BZh", "a file that bzip2 compressed", "unpack it, and name what was in it"),
    (0, b"\x28\xb5\x2f\xfd", "a file that zstd compressed", "unpack it, and name what was in it"),
    (257, b"ustar", "a tar archive", "unpack it, and name what was in it"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file", "run `git lfs pull`"),
    (4, b"ftyphei", "a HEIC picture", "save it as JPEG or PNG"),
    (4, b"ftyphev", "a HEIC picture", "save it as JPEG or PNG"),
    (4, b"ftypmif1", "a HEIC or AVIF picture", "save it as JPEG or PNG"),
    (4, b"ftypavi", "an AVIF picture", "save it as JPEG or PNG"),
    (0, b"\xff\x0a", "a JPEG XL picture", "save it as JPEG or PNG"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture", "save it as JPEG or PNG"),
    (0, b"\0\0\x01\0", "an icon", "save it as PNG"),
];

/// What a Python pickle is, in which way ever it is written.
const PICKLE: Foreign = Foreign {
    what: "a Python pickle, which is never read, as unpickling runs code",
    way_out: "save its arrays with numpy.savez",
};

/// What a file that begins with `start` is, if it is known and none of those that are read.
pub(crate) fn foreign(start: &[u8]) -> Option<Foreign> {
    let begins = |&&(at, magic, ..): &&(usize, &[u8], &str, &str)| {
        start.get(at..).is_some_and(|rest| rest.starts_with(magic))
    };
    if let Some(&(_, _, what, way_out)) = BINARY.iter().find(begins) {
        return Some(Foreign { what, way_out });
    }
    // Protocols 2 to 5 say so; those before begin with a list, a tuple or a class of NumPy's.
    if matches!(start, [0x80, 2..=5, ..])
        || start.starts_with(b"(lp")
        || start.starts_with(b"cnumpy")
    {
        return Some(PICKLE);
    }
    text(start)
}

/// The same of text.
fn text(start: &[u8]) -> Option<Foreign> {
    let start = start.get(..BEGINNING).unwrap_or(start);
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let start = String::from_utf8_lossy(start).to_lowercase();
    let begin = start.trim_start();
    let is_markup = begin.starts_with('<');
    if is_markup
        && (begin.starts_with("<svg") || begin.contains("<svg "))
        && !begin.contains("<html")
    {
        return Some(Foreign { what: "an SVG drawing", way_out: "export it as a PNG picture" });
    }
    if is_markup && (begin.starts_with("<!doctype html") || begin.contains("<html")) {
        let way_out = "download the file itself, not the page about it";
        return Some(Foreign { what: "a web page", way_out });
    }
    if is_markup {
        return Some(Foreign { what: "an XML document", way_out: "write its data as CSV or .npz" });
    }
    // Comments come before.
    let first = begin.lines().find(|line| !line.trim().is_empty() && !line.starts_with('%'));
    if first.is_some_and(|line| line.trim_start().starts_with("@relation")) {
        return Some(Foreign { what: "an ARFF file", way_out: "save it as CSV, labels included" });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_programs_are_known() {
        let mut tar = vec![0; 300];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&[u8], &str); 11] = [
            (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", "a web page"),
            (b"<?xml version=\"1.0\"?>\n<svg width=\"3\">", "an SVG drawing"),
            (b"<html><body><svg width=\"3\">", "a web page"),
            (b"<?xml version=\"1.0\"?><data/>", "an XML document"),
            (b"% of digits\n\n@RELATION mnist\n", "an ARFF file"),
            (b"\x80\x04\x95", "a Python pickle"),
            (b"cnumpy.core.multiarray\n", "a Python pickle"),
            (b"PAR1\x15\x04", "a Parquet file"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
            (b"%PDF-1.7", "a PDF document"),
            (&tar, "a tar archive"),
        ];
        for (start, expected) in cases {
            let said = foreign(start).unwrap().to_string();
            assert!(said.starts_with(expected) && said.contains(": "), "{said}");
        }
        for read in ["label,pixel0\n1,2", "", "PK\x03\x04", "\x1f\u{8b}", "7,0,0,0,0"] {
            assert_eq!(foreign(read.as_bytes()), None, "{read:?}");
        }
    }
}
