//! A chart of a sweep: wider than those of runs, and told in words to who does not see it.

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, FontTransform, IntoDrawingArea, IntoFont, IntoTextStyle, RGBColor, SVGBackend,
    ShapeStyle, Text,
};
use plotters::style::TextStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::error::{Error, Result};
use crate::report::html::colours::INK;

/// What shapes are drawn on, in the units of a chart.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Why something was not drawn.
pub(super) type Fault = Box<dyn std::error::Error>;

/// About the width of a character, and the distance of lines.
pub(super) const CHARACTER: i32 = 7;
pub(super) const LINE: i32 = 16;

/// A chart as it stands in the page.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// Tells it from others of the page.
    pub(super) id: &'static str,
    pub(super) title: String,
    /// What is to be seen, in words.
    pub(super) description: String,
    /// What shapes and colours mean, and what is not drawn.
    pub(super) key: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The elements within its `svg` element.
    pub(super) shapes: String,
}

impl Figure {
    /// The width, in pixels, below which its words are too small: narrower windows show a part of it.
    pub(super) fn least_width(&self) -> u32 {
        self.width * 4 / 5
    }

    /// The width beyond which they are too large.
    pub(super) fn most_width(&self) -> u32 {
        self.width * 7 / 5
    }

    /// The same with what `draw` draws.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn drawn(
        mut self,
        draw: impl FnOnce(&Canvas<'_>) -> Result<(), Fault>,
    ) -> Result<Self> {
        let mut svg = String::new();
        let canvas = SVGBackend::with_string(&mut svg, (self.width, self.height));
        let canvas = canvas.into_drawing_area();
        let drawn = draw(&canvas).and_then(|()| Ok(canvas.present()?));
        drawn.map_err(|error| Error::Chart(error.to_string()))?;
        drop(canvas);
        // The element itself is the page's matter.
        let inside = svg.split_once('>').map_or("", |(_, inside)| inside).trim_end();
        self.shapes = inside.strip_suffix("</svg>").unwrap_or(inside).into();
        Ok(self)
    }
}

/// Writes `text` beside the point `at`, which is its left end, middle or right end, as `side` says.
pub(super) fn write(
    canvas: &Canvas<'_>,
    text: impl Into<String>,
    at: (i32, i32),
    side: HPos,
) -> Result<(), Fault> {
    let style = ink().pos(Pos::new(side, VPos::Center));
    Ok(canvas.draw(&Text::new(text.into(), at, style))?)
}

/// How numbers and words are written.
pub(super) fn ink() -> TextStyle<'static> {
    ("sans-serif", 13)
        .into_font()
        .transform(FontTransform::None)
        .color(&INK)
        .into_text_style(&(1, 1))
}

/// A line of `colour`.
pub(super) fn stroke(colour: RGBColor, width: u32) -> ShapeStyle {
    ShapeStyle { color: colour.into(), filled: false, stroke_width: width }
}

/// `text`, cut off where it is longer than so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}
