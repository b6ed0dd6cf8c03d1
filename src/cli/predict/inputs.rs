//! What a person names to be read: files, folders of them, streams.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::CommandError;

/// A file or stream to be read.
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// Whether it lies in a folder that was named: then it may be something else.
    pub(super) is_found: bool,
}

/// What `named` names, in order: of a folder the files in it, by their names, in which numbers count
/// as such; and a note of what is left out.
///
/// # Errors
/// When a folder cannot be listed, or holds no file.
pub(super) fn expanded(named: &[PathBuf]) -> Result<(Vec<Input>, Vec<String>), CommandError> {
    let (mut inputs, mut notes) = (Vec::new(), Vec::new());
    for path in named {
        if !path.is_dir() {
            inputs.push(Input { path: path.clone(), is_found: false });
            continue;
        }
        let refused = |source| CommandError::Listing { path: path.clone(), source };
        let mut names = Vec::new();
        let mut folders = 0;
        for entry in fs::read_dir(path).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name();
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            if path.join(&name).is_dir() {
                folders += 1;
            } else {
                names.push(name);
            }
        }
        if folders > 0 {
            let said = if folders == 1 { "a folder in it is" } else { "folders in it are" };
            notes.push(format!("{}: {said} left out: name it to read it", path.display()));
        }
        if names.is_empty() {
            return Err(CommandError::EmptyFolder(path.clone()));
        }
        names.sort_by(|a, b| by_numbers(&a.to_string_lossy(), &b.to_string_lossy()));
        let found = names.into_iter().map(|name| Input { path: path.join(name), is_found: true });
        inputs.extend(found);
    }
    Ok((inputs, notes))
}

/// Whether `path` means standard input: by a dash.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The order of names for a person: `2.png` is before `10.png`.
fn by_numbers(a: &str, b: &str) -> Ordering {
    let (mut one, mut other) = (a, b);
    loop {
        let ([text, number, rest], [other_text, other_number, other_rest]) =
            (split(one), split(other));
        let digits = number.trim_start_matches('0');
        let other_digits = other_number.trim_start_matches('0');
        let order = text.cmp(other_text);
        let order =
            order.then(digits.len().cmp(&other_digits.len())).then(digits.cmp(other_digits));
        if order != Ordering::Equal || rest.is_empty() && other_rest.is_empty() {
            // Names that count as the same, as 1.png and 01.png do, have an order too.
            return order.then(a.cmp(b));
        }
        (one, other) = (rest, other_rest);
    }
}

/// What is before the first number in `name`, the number, and what follows.
fn split(name: &str) -> [&str; 3] {
    let start = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (text, rest) = name.split_at(start);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    [text, number, rest]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_such() {
        let mut names = ["10.png", "2.png", "a", "01.png", "1.png", "a10b2", "a2b10", "b", "2.jpg"];
        names.sort_by(|a, b| by_numbers(a, b));
        let sorted = ["01.png", "1.png", "2.jpg", "2.png", "10.png", "a", "a2b10", "a10b2", "b"];
        assert_eq!(names, sorted);
    }
}
