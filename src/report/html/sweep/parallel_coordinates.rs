//! Parallel coordinates: an axis a setting, the accuracy as the last, a line a configuration; in a
//! halving, how far it came as the first.

use plotters::element::{Circle, PathElement};
use plotters::prelude::{Color, RGBColor, ShapeStyle};
use plotters::style::text_anchor::HPos;

use super::Judged;
use super::axis::Axis;
use super::figure::{CHARACTER, Canvas, Fault, Figure, LINE, shortened, stroke, write};
use crate::report::error::Result;
use crate::report::html::colours::{AXIS, RAMP, SERIES};
use crate::sweep::{Configuration, Measure};

/// So many configurations at most are lines.
const LINES: usize = 1000;
/// Of more lines each is thin, and faint where they are more than this.
const THICK: usize = 60;
const FAINT: f64 = 200.0;
/// How opaque those are that were stopped.
const PALE: f64 = 0.35;

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
    if varied.is_empty() || lines.len() < 2 {
        return Ok(None);
    }
    let coordinates = Coordinates::new(lines, varied, judged_by);
    let best = Judged::best(lines);
    let mut description = format!(
        "{} lines, each a configuration, through its values of {} to its mean {judged_by}.",
        lines.len(),
        varied.join(", "),
    );
    let mut key =
        "Each line is a configuration: the stronger its blue, the higher its accuracy.".to_owned();
    if let Some(best) = best {
        let Configuration { number, .. } = best.configuration;
        description +=
            &format!(" The best is no. {number}, {}: {}.", best.configuration, best.accuracy());
        key += &format!(" The best, no. {number}, is orange.");
    }
    if coordinates.has_stopped() {
        key += " Grey ones were stopped at the rung that the first axis says: their accuracy is that \
                there.";
    }
    match configurations.len() - lines.len() {
        0 => {}
        1 => key += " One more configuration, the worst, is not drawn.",
        count => key += &format!(" The {count} worst configurations are not drawn."),
    }
    let figure = Figure {
        id: "coordinates",
        title: format!("settings and mean {judged_by}"),
        description,
        key,
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

/// A configuration.
struct Line {
    /// Where it meets the axes, from 0 to 1.
    places: Vec<f64>,
    standing: Standing,
}

/// How a configuration stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Best,
    Complete,
    Stopped,
}

/// What an axis is of: the value of each configuration.
struct Column<'a> {
    name: &'a str,
    values: Vec<String>,
}

impl<'a> Column<'a> {
    fn of_setting(name: &'a str, configurations: &[Judged<'_>]) -> Self {
        let value = |of: &Judged<'_>| of.configuration.value(name).unwrap_or_default().to_owned();
        Self { name, values: configurations.iter().map(value).collect() }
    }

    /// How far each came, where some were stopped.
    fn of_rungs(configurations: &[Judged<'_>]) -> Option<Self> {
        let reached = |of: &Judged<'_>| match of.stopped_at_rung {
            Some(rung) => rung.to_string(),
            None => "complete".into(),
        };
        let any_stopped = configurations.iter().any(|of| of.stopped_at_rung.is_some());
        any_stopped
            .then(|| Self { name: "rung", values: configurations.iter().map(reached).collect() })
    }

    fn axis(&self) -> Axis {
        Axis::of_setting(self.name, self.values.iter().map(String::as_str))
    }
}

impl Coordinates {
    fn new(configurations: &[Judged<'_>], varied: &[&str], judged_by: Measure) -> Self {
        let settings = varied.iter().map(|name| Column::of_setting(name, configurations));
        let columns: Vec<_> =
            Column::of_rungs(configurations).into_iter().chain(settings).collect();
        let mut axes: Vec<_> = columns.iter().map(Column::axis).collect();
        let means: Vec<f64> = configurations.iter().map(|of| of.statistics.mean).collect();
        let accuracy = Axis::of_accuracies(judged_by.to_string(), &means);
        let line = |(nth, of): (usize, &Judged<'_>)| {
            let places = axes.iter().zip(&columns).map(|(axis, of)| axis.place(&of.values[nth]));
            let places = places.chain([accuracy.place_of(of.statistics.mean)]).collect();
            let standing = match (nth, of.stopped_at_rung) {
                (_, Some(_)) => Standing::Stopped,
                (0, None) => Standing::Best,
                (_, None) => Standing::Complete,
            };
            Line { places, standing }
        };
        let lines = configurations.iter().enumerate().map(line).collect();
        let width = WIDTH.max(APART * columns.len() as i32 + LEFT + RIGHT);
        axes.push(accuracy);
        Self { axes, lines, width }
    }

    /// Whether any was stopped.
    fn has_stopped(&self) -> bool {
        self.lines.iter().any(|line| line.standing == Standing::Stopped)
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), Fault> {
        for (nth, _) in self.axes.iter().enumerate() {
            let x = self.across(nth);
            let ends = [(x, TOP), (x, HEIGHT - BOTTOM)];
            canvas.draw(&PathElement::new(ends, stroke(AXIS, 1)))?;
        }
        // The best over all others, and those that were stopped below them.
        for line in self.lines.iter().rev() {
            canvas.draw(&PathElement::new(self.points(line), self.style(line)))?;
        }
        for line in self.lines.iter().filter(|line| line.standing == Standing::Best) {
            for point in self.points(line) {
                let style = ShapeStyle { filled: true, ..stroke(SERIES[1], 0) };
                canvas.draw(&Circle::new(point, 4, style))?;
            }
        }
        // Over the lines.
        self.axes.iter().enumerate().try_for_each(|(nth, axis)| self.label(canvas, nth, axis))
    }

    /// How `line` is drawn.
    fn style(&self, line: &Line) -> ShapeStyle {
        let width = if self.lines.len() > THICK { 1 } else { 2 };
        let opacity = (FAINT / self.lines.len() as f64).clamp(0.3, 1.0);
        match line.standing {
            Standing::Best => stroke(SERIES[1], 3),
            Standing::Complete => {
                ShapeStyle { color: line.colour().mix(opacity), ..stroke(AXIS, width) }
            }
            Standing::Stopped => {
                ShapeStyle { color: AXIS.mix(opacity.min(PALE)), ..stroke(AXIS, 1) }
            }
        }
    }

    /// Writes what axis `nth` is called, and values beside it, as many as there is room for.
    fn label(&self, canvas: &Canvas<'_>, nth: usize, axis: &Axis) -> Result<(), Fault> {
        let x = self.across(nth);
        let is_last = nth + 1 == self.axes.len();
        let name = match is_last {
            true => axis.name.clone(),
            false => shortened(&axis.name, (self.distance() / CHARACTER) as usize),
        };
        write(canvas, name, (x, LINE), HPos::Center)?;
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
        let places = line.places.iter().enumerate();
        places.map(|(nth, &place)| (self.across(nth), up(place))).collect()
    }
}

impl Line {
    /// By where it meets the last axis.
    fn colour(&self) -> RGBColor {
        let place = self.places.last().copied().unwrap_or(0.0);
        RAMP[((place * RAMP.len() as f64) as usize).min(RAMP.len() - 1)]
    }
}

/// How high a place from 0 to 1 is.
fn up(place: f64) -> i32 {
    HEIGHT - BOTTOM - (place * f64::from(HEIGHT - BOTTOM - TOP)).round() as i32
}
