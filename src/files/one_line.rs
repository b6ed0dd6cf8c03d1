//! What files and other libraries say, fit to be shown.

use std::fmt::{self, Display, Formatter, Write};

/// A text that may hold anything, on one line: control characters are escaped.
///
/// What another library says of a file often has parts of that file in it.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(formatter), "{}", self.0)
    }
}

/// Writes what is written to it, with control characters escaped.
struct Escaping<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c.is_control() {
            true => write!(self.0, "{}", c.escape_debug()),
            false => self.0.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_escaped() {
        let shown = OneLine("a \"quoted\" é\u{7f}\n\u{1b}[31m\\").to_string();
        assert_eq!(shown, "a \"quoted\" é\\u{7f}\\n\\u{1b}[31m\\");
    }
}
