//! A strip plot: a row a configuration, in which each run is a dot.

use std::ops::Range;

use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{ChartBuilder, Color, ShapeStyle};
use plotters::style::text_anchor::HPos;

use super::Judged;
use super::figure::{CHARACTER, Canvas, Fault, Figure, LINE, ink, shortened, stroke, write};
use crate::report::error::Result;
use crate::report::html::chart::{Unit, labelled};
use crate::report::html::colours::{AXIS, GRID, INK, SERIES};
use crate::sweep::{Measure, Statistics};

/// So many configurations at most have a row.
const ROWS: usize = 40;
/// Of more runs a row has a box.
const BOXED: usize = 20;
/// Of more runs only those beyond the whiskers are dots.
const DOTTED: usize = 200;
/// Whiskers reach to the last run within so many lengths of the box (Tukey, 1977).
const WHISKER: f64 = 1.5;

/// How opaque dots are.
const DOT: f64 = 0.6;
/// What was stopped is this much less opaque than all else.
const PALE: f64 = 0.4;

/// At least so much lies beside the least and the greatest accuracy.
const MARGIN: f64 = 5e-4;

const WIDTH: u32 = 640;
const TOP: i32 = 26;
const BOTTOM: i32 = 44;
/// What stands above rows that were stopped.
const HEADING: i32 = 24;
/// Where the numbers of configurations end, and the words begin.
const NUMBERS: i32 = 34;
const WORDS: i32 = 44;
/// Characters of the longest words that are not cut off.
const LONGEST: usize = 26;

/// The strip plot of the best of `configurations`, which differ in the settings `varied`; none where
/// there is nothing to draw.
///
/// # Errors
/// When it cannot be drawn.
pub(super) fn figure(
    configurations: &[Judged<'_>],
    varied: &[&str],
    judged_by: Measure,
) -> Result<Option<Figure>> {
    let drawn = &configurations[..configurations.len().min(ROWS)];
    let (Some(best), Some(last)) = (drawn.first(), drawn.last()) else { return Ok(None) };
    let plot = StripPlot::new(drawn, varied, judged_by);
    let figure = Figure {
        id: "strips",
        title: match drawn.len() {
            1 => format!("{judged_by} of each run"),
            _ => format!("{judged_by} of each run, the best configurations first"),
        },
        description: match drawn.len() {
            1 => format!("{}: {}. The table has the numbers.", best.configuration, best.accuracy()),
            count => format!(
                "{count} rows, from no. {} ({}: {}) down to no. {} ({}: {}). The table has the \
                 numbers.",
                best.configuration.number,
                best.configuration,
                best.accuracy(),
                last.configuration.number,
                last.configuration,
                last.accuracy(),
            ),
        },
        key: plot.key(configurations.len() - drawn.len()),
        width: WIDTH,
        height: (TOP + plot.height() + BOTTOM) as u32,
        shapes: String::new(),
    };
    Ok(Some(figure.drawn(|canvas| plot.draw(canvas))?))
}

/// What is drawn.
struct StripPlot<'a> {
    rows: &'a [Judged<'a>],
    varied: &'a [&'a str],
    judged_by: Measure,
    /// Runs of the row that has the most.
    most: usize,
}

/// Rows that were trained for as long.
struct Group<'a> {
    rows: &'a [Judged<'a>],
    /// The rung at which they were stopped, if they were.
    stopped_at_rung: Option<usize>,
}

impl Group<'_> {
    /// How much room there is for what stands above them.
    fn heading(&self) -> i32 {
        if self.stopped_at_rung.is_some() { HEADING } else { 0 }
    }
}

/// The box of a row and its whiskers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    quartiles: [f64; 3],
    whiskers: [f64; 2],
}

impl Spread {
    /// That of `numbers`, of which there is one at least.
    fn of(numbers: &[f64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        // Between neighbours, quartiles are interpolated, as most programs have it by default.
        let quantile = |share: f64| {
            let place = share * (sorted.len() - 1) as f64;
            let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            low + (high - low) * place.fract()
        };
        let quartiles @ [low, _, high] = [0.25, 0.5, 0.75].map(quantile);
        let reach = WHISKER * (high - low);
        let within = |number: &f64| (low - reach..=high + reach).contains(number);
        let mut near = sorted.iter().copied().filter(within);
        let first = near.next().unwrap_or(low);
        // A whisker is never within the box.
        let whiskers = [first.min(low), near.next_back().unwrap_or(first).max(high)];
        Self { quartiles, whiskers }
    }
}

impl<'a> StripPlot<'a> {
    fn new(rows: &'a [Judged<'a>], varied: &'a [&'a str], judged_by: Measure) -> Self {
        let most = rows.iter().map(|row| row.accuracies.len()).max().unwrap_or(0);
        Self { rows, varied, judged_by, most }
    }

    /// Those that are complete, then those that were stopped at each rung.
    fn groups(&self) -> impl Iterator<Item = Group<'a>> {
        let groups = self.rows.chunk_by(|a, b| a.stopped_at_rung == b.stopped_at_rung);
        groups.map(|rows| Group {
            rows,
            stopped_at_rung: rows.first().and_then(|row| row.stopped_at_rung),
        })
    }

    /// What `row` is called.
    fn words(&self, row: &Judged<'_>) -> String {
        let value = |name: &&str| row.configuration.value(name).unwrap_or_default();
        shortened(&self.varied.iter().map(value).collect::<Vec<_>>().join(" · "), LONGEST)
    }

    /// What shapes mean, where so many configurations are not drawn.
    fn key(&self, not_drawn: usize) -> String {
        let dots = match self.most {
            1 => "Each dot is a run.".into(),
            2..=BOXED => {
                "Each dot is a run; below them, a diamond is the mean and the line its 95 % \
                          confidence interval, cut off where it leaves the chart."
                    .into()
            }
            most => format!(
                "Each dot is a run{}; a box holds the middle half of a configuration's runs, with the \
                 median, and its whiskers reach to the last run within {WHISKER} times its length; the \
                 diamond is the mean and the line its 95 % confidence interval.",
                if most > DOTTED { " beyond the whiskers" } else { "" },
            ),
        };
        let stopped = match self.rows.iter().any(|row| row.stopped_at_rung.is_some()) {
            true => " Pale rows were stopped: their accuracies are those at the rung.",
            false => "",
        };
        let not_drawn = match not_drawn {
            0 => String::new(),
            1 => " One more configuration is not drawn.".into(),
            count => format!(" {count} more configurations are not drawn."),
        };
        format!("{dots}{stopped}{not_drawn}")
    }

    /// How high all rows are with what stands above them.
    fn height(&self) -> i32 {
        self.groups().map(|group| group.heading() + self.row() * group.rows.len() as i32).sum()
    }

    /// That of a row: dots, and below them what they come to.
    fn row(&self) -> i32 {
        self.dots() + if self.most > 1 { 16 } else { 6 }
    }

    /// That of the dots of a row.
    fn dots(&self) -> i32 {
        match (self.rows.len(), self.most) {
            (_, ..=5) => 12,
            (_, ..=BOXED) => 16,
            (1, _) => 60,
            _ => 26,
        }
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), Fault> {
        let words = self.rows.iter().map(|row| self.words(row).chars().count());
        let longest = words.max().unwrap_or(0);
        let left = (WORDS + CHARACTER * longest as i32).max(64);
        let frame = canvas.margin(TOP, 0, 0, 16);
        let mut chart = ChartBuilder::on(&frame)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(left)
            .build_cartesian_2d(self.accuracies(), 0.0..1.0)?;
        chart
            .configure_mesh()
            .x_desc(self.judged_by.to_string())
            .x_labels(7)
            .x_label_formatter(&|share| percent(*share))
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(ShapeStyle { color: GRID.into(), filled: false, stroke_width: 0 })
            .label_style(ink())
            .disable_y_mesh()
            .disable_y_axis()
            .draw()?;
        write(canvas, "no.", (NUMBERS, LINE / 2 + 4), HPos::Right)?;
        write(canvas, shortened(&self.varied.join(" · "), 60), (WORDS, LINE / 2 + 4), HPos::Left)?;
        let area = chart.plotting_area();
        let across = |share: f64| area.map_coordinate(&(share, 0.0)).0;
        let edges = area.get_pixel_range().0;
        let mut top = TOP;
        for group in self.groups() {
            if let Some(rung) = group.stopped_at_rung {
                let at = (WORDS, top + HEADING / 2 + 2);
                write(canvas, format!("stopped at rung {rung}:"), at, HPos::Left)?;
            }
            top += group.heading();
            for row in group.rows {
                let middle = top + self.row() / 2;
                let number = row.configuration.number.to_string();
                write(canvas, number, (NUMBERS, middle), HPos::Right)?;
                write(canvas, self.words(row), (WORDS, middle), HPos::Left)?;
                let line = [(edges.start, top), (edges.end, top)];
                canvas.draw(&PathElement::new(line, stroke(GRID, 1)))?;
                Row {
                    of: row,
                    top,
                    dots: self.dots(),
                    across: &across,
                    edges: [edges.start, edges.end],
                }
                .draw(canvas)?;
                top += self.row();
            }
        }
        Ok(())
    }

    /// From the least accuracy that is drawn to the greatest, and a little more. Intervals of few runs
    /// are wide: they may take as much again, and no more.
    fn accuracies(&self) -> Range<f64> {
        let statistics = || self.rows.iter().map(|row| row.statistics);
        let least = statistics().map(|of| of.least).fold(1.0, f64::min);
        let greatest = statistics().map(|of| of.greatest).fold(0.0, f64::max);
        let half = |of: &Statistics| of.half_width.unwrap_or(0.0);
        let from = statistics().map(|of| of.mean - half(&of)).fold(least, f64::min);
        let to = statistics().map(|of| of.mean + half(&of)).fold(greatest, f64::max);
        let more = (greatest - least) / 2.0;
        let (from, to) = (from.max(least - more), to.min(greatest + more));
        let margin = (0.04 * (to - from)).max(MARGIN);
        from - margin..to + margin
    }
}

/// What is written beside an accuracy on the axis; nothing where there can be none.
fn percent(share: f64) -> String {
    if (0.0..=1.0).contains(&share) { labelled(share, Unit::Share) } else { String::new() }
}

/// A row as it is drawn.
struct Row<'a, F> {
    of: &'a Judged<'a>,
    top: i32,
    /// The height of its dots.
    dots: i32,
    /// Where an accuracy lies.
    across: &'a F,
    /// Where the chart begins and ends.
    edges: [i32; 2],
}

impl<F: Fn(f64) -> i32> Row<'_, F> {
    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), Fault> {
        let accuracies = &self.of.accuracies;
        let spread = (accuracies.len() > BOXED).then(|| Spread::of(accuracies));
        let [low, high] = match spread {
            Some(spread) if accuracies.len() > DOTTED => spread.whiskers,
            _ => [f64::INFINITY, f64::NEG_INFINITY],
        };
        let style = self.pale(ShapeStyle { filled: true, ..stroke(SERIES[0], 0) }, DOT);
        for (nth, &accuracy) in accuracies.iter().enumerate() {
            if !(low..=high).contains(&accuracy) {
                let at = ((self.across)(accuracy), self.top + 2 + self.down(nth));
                canvas.draw(&Circle::new(at, 3, style))?;
            }
        }
        if let Some(spread) = spread {
            self.draw_box(canvas, spread)?;
        }
        self.draw_mean(canvas)
    }

    /// `style` that opaque, and less so in a row that was stopped.
    fn pale(&self, style: ShapeStyle, opacity: f64) -> ShapeStyle {
        let opacity = if self.of.stopped_at_rung.is_some() { PALE * opacity } else { opacity };
        ShapeStyle { color: style.color.mix(opacity), ..style }
    }

    /// How far below the top dot `nth` is: few stand in a line, many are spread so that near ones are
    /// far apart.
    fn down(&self, nth: usize) -> i32 {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let free = self.dots - 6;
        match self.of.accuracies.len() {
            ..=5 => 3 + free / 2,
            _ => 3 + (f64::from(free) * (nth as f64 * GOLDEN).fract()).round() as i32,
        }
    }

    /// The middle of what is drawn below the dots.
    fn below(&self) -> i32 {
        self.top + self.dots + 7
    }

    fn draw_box(&self, canvas: &Canvas<'_>, spread: Spread) -> Result<(), Fault> {
        let [low, median, high] = spread.quartiles.map(self.across);
        let [first, last] = spread.whiskers.map(self.across);
        let (y, style) = (self.below(), self.pale(stroke(AXIS, 1), 1.0));
        canvas.draw(&Rectangle::new([(low, y - 6), (high, y + 6)], style))?;
        for line in [
            [(median, y - 6), (median, y + 6)],
            [(first, y), (low, y)],
            [(high, y), (last, y)],
            [(first, y - 3), (first, y + 3)],
            [(last, y - 3), (last, y + 3)],
        ] {
            canvas.draw(&PathElement::new(line, style))?;
        }
        Ok(())
    }

    /// The mean and its interval; nothing of a single run.
    fn draw_mean(&self, canvas: &Canvas<'_>) -> Result<(), Fault> {
        let Some(half) = self.of.statistics.half_width else { return Ok(()) };
        let mean = self.of.statistics.mean;
        let y = self.below();
        let [start, end] = self.edges;
        let [from, to] = [mean - half, mean + half].map(|end_of| (self.across)(end_of));
        let style = self.pale(stroke(INK, 2), 1.0);
        canvas.draw(&PathElement::new([(from.max(start), y), (to.min(end), y)], style))?;
        for at in [from, to].into_iter().filter(|at| (start..=end).contains(at)) {
            canvas.draw(&PathElement::new([(at, y - 3), (at, y + 3)], style))?;
        }
        let x = (self.across)(mean);
        let diamond = vec![(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)];
        canvas
            .draw(&Polygon::new(diamond, ShapeStyle { filled: true, stroke_width: 0, ..style }))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_whiskers_are_those_of_a_textbook() {
        let numbers: Vec<f64> = (1..=9).map(f64::from).chain([100.0]).collect();
        let spread = Spread::of(&numbers);
        assert_eq!(spread, Spread { quartiles: [3.25, 5.5, 7.75], whiskers: [1.0, 9.0] });
        let one = Spread { quartiles: [0.5; 3], whiskers: [0.5; 2] };
        assert_eq!(Spread::of(&[0.5; 30]), one);
        let mut but_one = vec![0.5; 30];
        but_one.push(0.1);
        assert_eq!(Spread::of(&but_one), one);
    }
}
