//! Parallel coordinates: an axis a setting, the accuracy as the last, a line a configuration.

use plotters::element::{Circle, PathElement};
use plotters::prelude::{Color, RGBColor, ShapeStyle};
use plotters::style::text_anchor::HPos;

use super::Judged;
use super::axis::Axis;
use super::figure::{CHARACTER, Canvas, Fault, Figure, LINE, shortened, stroke, write};
use crate::report::error::Result;
use crate::report::html::colours::{AXIS, RAMP, SERIES};
use crate::sweep::Measure;

/// So many configurations at most are lines.
const LINES: usize = 1000;
/// Of more lines each is thin, and faint where they are more than this.
const THICK: usize = 60;
const FAINT: f64 = 200.0;

/// The least distance of axes, and the least width of all.
const APART: i32 = 118;
const WIDTH: i32 = 640;
const HEIGHT: i32 = 360;
/// Where axes begin and end, from the edges.
const LEFT: i32 = 80;
const RIGHT: i32 = 66;
const TOP: i32 = 36;
const BOTTOM: i32 = 16;

/// The parallel coordinates of `configurations`, the best first, by the settings `varied`; none where
/// nothing varies.
///
/// # Errors
/// When it cannot be drawn.
pub(super) fn figure(
    configurations: &[Judged<'_>],
    varied: &[&str],
    judged_by: Measure,
) -> Result<Option<Figure>> {
    let lines = &configurations[..configurations.len().min(LINES)];
    let Some(best) = lines.first().filter(|_| !varied.is_empty() && lines.len() > 1) else {
        return Ok(None);
    };
    let coordinates = Coordinates::new(lines, varied);
    let not_drawn = match configurations.len() - lines.len() {
        0 => String::new(),
        1 => " One more configuration, the worst, is not drawn.".into(),
        count => format!(" The {count} worst configurations are not drawn."),
    };
    let figure = Figure {
        id: "coordinates",
        title: format!("settings and mean {judged_by}"),
        description: format!(
            "{} lines, each a configuration, through its values of {} to its mean {judged_by}. The \
             best is no. {}, {}: {}.",
            lines.len(),
            varied.join(", "),
            best.configuration.number,
            best.configuration,
            best.accuracy(),
        ),
        key: format!(
            "Each line is a configuration: the stronger its blue, the higher its accuracy. The best, \
             no. {}, is orange.{not_drawn}",
            best.configuration.number
        ),
        width: coordinates.width as u32,
        height: HEIGHT as u32,
        shapes: String::new(),
    };
    Ok(Some(figure.drawn(|canvas| coordinates.draw(canvas))?))
}

/// What is drawn.
struct Coordinates {
    axes: Vec<Axis>,
    /// The best first.
    lines: Vec<Line>,
    width: i32,
}

/// Where a configuration meets the axes, from 0 to 1.
struct Line(Vec<f64>);

impl Coordinates {
    fn new(configurations: &[Judged<'_>], varied: &[&str]) -> Self {
        let values = |name| {
            configurations.iter().map(move |of| of.configuration.value(name).unwrap_or_default())
        };
        let settings: Vec<_> =
            varied.iter().map(|&name| Axis::of_setting(name, values(name))).collect();
        let means: Vec<f64> = configurations.iter().map(|of| of.statistics.mean).collect();
        let accuracy = Axis::of_accuracies("accuracy".into(), &means);
        let line = |of: &Judged<'_>| {
            let value = |axis: &Axis| of.configuration.value(&axis.name).unwrap_or_default();
            let places = settings.iter().map(|axis| axis.place(value(axis)));
            Line(places.chain([accuracy.place_of(of.statistics.mean)]).collect())
        };
        let lines = configurations.iter().map(line).collect();
        let width = WIDTH.max(APART * varied.len() as i32 + LEFT + RIGHT);
        let axes = settings.into_iter().chain([accuracy]).collect();
        Self { axes, lines, width }
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), Fault> {
        for (nth, _) in self.axes.iter().enumerate() {
            let x = self.across(nth);
            let ends = [(x, TOP), (x, HEIGHT - BOTTOM)];
            canvas.draw(&PathElement::new(ends, stroke(AXIS, 1)))?;
        }
        let width = if self.lines.len() > THICK { 1 } else { 2 };
        let opacity = (FAINT / self.lines.len() as f64).clamp(0.3, 1.0);
        if let Some((best, others)) = self.lines.split_first() {
            for line in others.iter().rev() {
                let color = line.colour().mix(opacity);
                let style = ShapeStyle { color, filled: false, stroke_width: width };
                canvas.draw(&PathElement::new(self.points(line), style))?;
            }
            canvas.draw(&PathElement::new(self.points(best), stroke(SERIES[1], 3)))?;
            for point in self.points(best) {
                let style = ShapeStyle { filled: true, ..stroke(SERIES[1], 0) };
                canvas.draw(&Circle::new(point, 4, style))?;
            }
        }
        // Over the lines.
        self.axes.iter().enumerate().try_for_each(|(nth, axis)| self.label(canvas, nth, axis))
    }

    /// Writes what axis `nth` is called, and values beside it, as many as there is room for.
    fn label(&self, canvas: &Canvas<'_>, nth: usize, axis: &Axis) -> Result<(), Fault> {
        let x = self.across(nth);
        let name = shortened(&axis.name, (self.distance() / CHARACTER) as usize);
        write(canvas, name, (x, LINE), HPos::Center)?;
        let is_last = nth + 1 == self.axes.len();
        let room = if nth == 0 { LEFT / CHARACTER } else { self.distance() / CHARACTER - 2 };
        let mut below = i32::MAX;
        for mark in &axis.marks {
            let y = up(mark.place);
            if below.saturating_sub(y) < LINE {
                continue;
            }
            below = y;
            canvas.draw(&PathElement::new([(x - 3, y), (x + 3, y)], stroke(AXIS, 1)))?;
            let text = shortened(&mark.text, room as usize);
            match is_last {
                true => write(canvas, text, (x + 7, y), HPos::Left)?,
                false => write(canvas, text, (x - 7, y), HPos::Right)?,
            }
        }
        Ok(())
    }

    /// How far axes are from each other.
    fn distance(&self) -> i32 {
        (self.width - LEFT - RIGHT) / (self.axes.len() as i32 - 1).max(1)
    }

    /// Where axis `nth` is.
    fn across(&self, nth: usize) -> i32 {
        LEFT + self.distance() * nth as i32
    }

    fn points(&self, line: &Line) -> Vec<(i32, i32)> {
        let places = line.0.iter().enumerate();
        places.map(|(nth, &place)| (self.across(nth), up(place))).collect()
    }
}

impl Line {
    /// By where it meets the last axis.
    fn colour(&self) -> RGBColor {
        let place = self.0.last().copied().unwrap_or(0.0);
        RAMP[((place * RAMP.len() as f64) as usize).min(RAMP.len() - 1)]
    }
}

/// How high a place from 0 to 1 is.
fn up(place: f64) -> i32 {
    HEIGHT - BOTTOM - (place * f64::from(HEIGHT - BOTTOM - TOP)).round() as i32
}
