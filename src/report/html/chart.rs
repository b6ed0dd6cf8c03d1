//! Line charts, as SVG that stands within a page.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::Circle;
use plotters::prelude::{
    ChartBuilder, DashedLineSeries, IntoDrawingArea, IntoFont, LineSeries, RGBColor, SVGBackend,
    ShapeStyle,
};

use super::colours::{AXIS, GRID, INK, SERIES};
use crate::report::error::{Error, Result};

/// Width and height of a chart, in the units of its own; a page scales it.
const SIZE: (u32, u32) = (340, 230);

/// Up to so many points are marked by dots.
const MARKED: usize = 30;

/// What the numbers of a chart are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// As they are.
    Number,
    /// Shares of a whole, shown as per cent.
    Share,
}

/// A line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it is of.
    pub(super) name: String,
    /// Which of the colours it has; one beyond them is grey.
    pub(super) colour: usize,
    /// Whether it is dashed.
    pub(super) is_dashed: bool,
    /// Its points, from left to right.
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart of lines over epochs.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// What it shows.
    pub(super) title: &'static str,
    pub(super) unit: Unit,
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// Whether there is something to be seen.
    pub(super) fn has_points(&self) -> bool {
        self.series.iter().any(|series| !series.points.is_empty())
    }

    /// The lines that a legend tells apart.
    pub(super) fn legend(&self) -> impl Iterator<Item = &Series> {
        let is_needed = self.series.len() > 1;
        self.series.iter().filter(move |series| is_needed && series.colour < SERIES.len())
    }

    /// The chart as an `svg` element.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub(super) fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| Error::Chart(error.to_string()))?;
        // The size is the page's matter, and a reader that does not see it is told what it is.
        let from = format!("<svg width=\"{}\" height=\"{}\" ", SIZE.0, SIZE.1);
        let label = format!("<svg role=\"img\" aria-label=\"{} by epoch\" ", self.title);
        Ok(svg.replacen(&from, &label, 1))
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (across, up) = (span(points().map(|p| p.0)), span(points().map(|p| p.1)));
        let unit = self.unit;
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .x_label_area_size(38)
            .y_label_area_size(60)
            .build_cartesian_2d(Epochs(across), padded(up))?;
        chart
            .configure_mesh()
            .x_desc("epoch")
            .y_labels(6)
            .x_labels(10)
            .y_label_formatter(&|value| labelled(*value, unit))
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(ShapeStyle { color: GRID.into(), filled: false, stroke_width: 0 })
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .disable_x_mesh()
            .draw()?;
        for series in &self.series {
            let colour = SERIES.get(series.colour).copied().unwrap_or(AXIS);
            let style = ShapeStyle { color: colour.into(), filled: false, stroke_width: 2 };
            let points = series.points.iter().copied();
            if series.is_dashed {
                chart.draw_series(DashedLineSeries::new(points.clone(), 5, 4, style))?;
            } else {
                chart.draw_series(LineSeries::new(points.clone(), style))?;
            }
            if series.points.len() <= MARKED {
                chart.draw_series(points.map(|point| Circle::new(point, 3, dot(colour))))?;
            }
        }
        root.present()?;
        Ok(())
    }
}

fn dot(colour: RGBColor) -> ShapeStyle {
    ShapeStyle { color: colour.into(), filled: true, stroke_width: 0 }
}

/// Greater numbers are not drawn: with them, axes could not be computed.
const GREATEST: f64 = 1e100;

/// From the least to the greatest of `values`; something to be seen where they are one, or none.
fn span(values: impl Iterator<Item = f64>) -> Range<f64> {
    let start = f64::INFINITY..f64::NEG_INFINITY;
    let finite = values.filter(|value| value.abs() < GREATEST);
    let range = finite.fold(start, |range, v| range.start.min(v)..range.end.max(v));
    match range.start < range.end {
        true => range,
        false if range.start == range.end => {
            let half = (range.start.abs() * 0.5).max(1e-9);
            range.start - half..range.end + half
        }
        false => 0.0..1.0,
    }
}

/// `range` and a little more, so that no line lies on the frame; not below nothing where it is not.
fn padded(range: Range<f64>) -> Range<f64> {
    let more = 0.06 * (range.end - range.start);
    let low = range.start - more;
    let low = if range.start >= 0.0 { low.max(0.0) } else { low };
    low..range.end + more
}

/// A number beside the axis.
pub(super) fn labelled(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{} %", rounded(100.0 * value)),
        Unit::Number => rounded(value),
    }
}

/// `value` with four digits that count, without zeros that do not.
pub(super) fn rounded(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if !(-5.0..6.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let digits = (3.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

/// Epochs across a chart: numbers, of which the whole ones are named.
struct Epochs(Range<f64>);

impl Ranged for Epochs {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let Range { start, end } = self.0;
        from + (f64::from(to - from) * (value - start) / (end - start)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let (first, last) = (self.0.start.ceil() as i64, self.0.end.floor() as i64);
        let most = hint.max_num_points().max(1) as i64;
        // 1, 2, 5, 10, 20 … epochs apart.
        let steps = (0..).flat_map(|power| [1, 2, 5].map(|step| step * 10_i64.pow(power)));
        let Some(step) = steps.take(54).find(|step| (last - first) / step < most) else {
            return Vec::new();
        };
        let from = first.div_euclid(step) * step;
        let points = (from..=last).step_by(step as usize);
        points.filter(|&point| point >= first).map(|point| point as f64).collect()
    }

    fn range(&self) -> Range<f64> {
        self.0.clone()
    }
}

impl ValueFormatter<f64> for Epochs {
    fn format(value: &f64) -> String {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> String {
        let series = Series { name: "training".into(), colour: 0, is_dashed: false, points };
        Chart { title: "loss", unit: Unit::Number, series: vec![series] }.svg().unwrap()
    }

    #[test]
    fn any_points_make_a_chart() {
        let long = (0..2000).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let none = vec![(1.0, f64::NAN)];
        let great = vec![(1.0, -1.7e308), (2.0, 1.7e308), (3.0, 0.5)];
        let far = vec![(1.0, 0.5), (9e18, 0.25)];
        let few = [vec![], vec![(1.0, 0.5)], vec![(1.0, 0.0), (2.0, 0.0)]];
        for points in few.into_iter().chain([none, long, great, far]) {
            let svg = chart(points);
            assert!(svg.starts_with("<svg role=\"img\" aria-label=\"loss by epoch\" "), "{svg}");
            assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
        }
        let svg = chart(vec![(1.0, 0.25), (2.0, 0.125), (3.0, 0.1)]);
        for label in ["\n1\n", "\n2\n", "\n3\n", "epoch"] {
            assert!(svg.contains(label), "{label} in {svg}");
        }
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, text) in
            [(0.0, "0"), (0.25, "0.25"), (123_456.0, "123456"), (0.001, "0.001"), (1e-9, "1.00e-9")]
        {
            assert_eq!(rounded(value), text);
        }
        assert_eq!(labelled(0.975, Unit::Share), "97.5 %");
    }
}
