//! The colours of a report, which may be none.

use anstyle::{AnsiColor, Style};

/// How the parts of a text are made to stand out; plain for files and pipes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    pub(super) heading: Style,
    pub(super) correct: Style,
    pub(super) worst: Style,
    pub(super) faint: Style,
}

impl Palette {
    /// No colours: nothing but text is written.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// Colours of a terminal: the diagonal of the confusion matrix in green, the most frequent
    /// confusions in red.
    #[must_use]
    pub fn coloured() -> Self {
        Self {
            heading: Style::new().bold(),
            correct: AnsiColor::Green.on_default(),
            worst: AnsiColor::Red.on_default().bold(),
            faint: Style::new().dimmed(),
        }
    }
}
