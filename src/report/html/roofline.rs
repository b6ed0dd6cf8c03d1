//! The roofline of a machine (Williams, Waterman and Patterson, 2009) as a web page: how fast work can
//! be at most by how many operations it has for each byte from memory, and how fast it was.

use askama::Template;
use plotters::coord::combinators::IntoLogRange;
use plotters::element::{Circle, TriangleMarker};
use plotters::prelude::{
    ChartBuilder, DashedLineSeries, IntoDrawingArea, IntoFont, LineSeries, RGBColor, SVGBackend,
    ShapeStyle,
};

use super::chart::rounded;
use super::colours::{AXIS, GRID, INK, SERIES};
use super::rendered;
use crate::measure::Measurements;
use crate::report::error::{Error, Result};

/// Width and height of the chart, in units of its own; the page scales it.
const SIZE: (u32, u32) = (760, 430);

#[derive(Template)]
#[template(path = "roofline.html")]
struct Page<'a> {
    measured: &'a Measurements,
    svg: String,
    series: Vec<Series>,
    roofs: Vec<Roof>,
}

/// What so many threads can do at most.
#[derive(Clone, Debug)]
struct Roof {
    name: String,
    /// GFLOP/s.
    peak: f64,
    /// GB/s.
    bandwidth: f64,
    is_dashed: bool,
}

/// Points of one kind.
#[derive(Clone, Debug)]
struct Series {
    name: String,
    /// The number of its colour.
    colour: usize,
    /// The number of the roof that is theirs.
    roof: usize,
    points: Vec<Point>,
}

/// Work whose rate was measured.
#[derive(Clone, Debug)]
struct Point {
    name: String,
    flops_per_byte: f64,
    gflops: f64,
    /// The rate relative to the roof.
    of_roof: f64,
}

impl Roof {
    /// The most GFLOP/s of work with so many operations a byte.
    fn at(&self, flops_per_byte: f64) -> f64 {
        self.peak.min(self.bandwidth * flops_per_byte)
    }

    /// Where the slope meets the peak.
    fn ridge(&self) -> f64 {
        self.peak / self.bandwidth
    }
}

/// The page of what was `measured`, the bandwidth of memory with it: one file, which needs no other, no
/// network and no script.
///
/// # Errors
/// When it cannot be drawn, or the bandwidth is not known.
pub fn roofline_page(measured: &Measurements) -> Result<String> {
    let unknown = || Error::Chart("the bandwidth of memory was not measured".into());
    let memory = measured.memory_bandwidth.ok_or_else(unknown)?;
    let peak = &measured.fma_peak_gflops;
    let mut roofs = vec![Roof {
        name: "1 thread".into(),
        peak: peak.one_thread,
        bandwidth: memory.one_thread,
        is_dashed: false,
    }];
    if measured.threads > 1 {
        roofs.push(Roof {
            name: format!("{} threads", measured.threads),
            peak: peak.all_threads,
            bandwidth: memory.all_threads,
            is_dashed: true,
        });
    }
    let series = series(measured, &roofs);
    rendered(&Page { measured, svg: svg(&roofs, &series)?, series, roofs })
}

/// All that was measured, by kind.
fn series(measured: &Measurements, roofs: &[Roof]) -> Vec<Series> {
    let point = |name: String, flops_per_byte, gflops, roof: usize| Point {
        name,
        flops_per_byte,
        gflops,
        of_roof: gflops / roofs[roof].at(flops_per_byte),
    };
    let products = measured.gemm.iter().flatten().map(|rate| {
        point(rate.shape.to_string(), rate.shape.operations_per_byte(), rate.gflops, 0)
    });
    let mut all = vec![Series {
        name: "matrix products, 1 thread".into(),
        colour: 0,
        roof: 0,
        points: products.collect(),
    }];
    for (roof, of) in roofs.iter().enumerate() {
        let threads = if roof == 0 { 1 } else { measured.threads };
        let rates = measured.train.iter().flatten().filter(|rate| rate.threads == threads);
        let points = rates.map(|rate| {
            let name = format!("{}, batch {}", rate.model, rate.batch_size);
            point(name, rate.flops_per_byte, rate.dense_gflops, roof)
        });
        all.push(Series {
            name: format!("training, {}", of.name),
            colour: 1 + roof,
            roof,
            points: points.collect(),
        });
    }
    all.retain(|series| !series.points.is_empty());
    all
}

/// The chart as an `svg` element.
fn svg(roofs: &[Roof], series: &[Series]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, roofs, series).map_err(|error| Error::Chart(error.to_string()))?;
    // The size is the page's matter, and a reader that does not see it is told what it is.
    let from = format!("<svg width=\"{}\" height=\"{}\" ", SIZE.0, SIZE.1);
    let label = "<svg role=\"img\" aria-label=\"roofline: the tables have its numbers\" ";
    Ok(svg.replacen(&from, label, 1))
}

fn draw(
    svg: &mut String,
    roofs: &[Roof],
    series: &[Series],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let points = || series.iter().flat_map(|series| &series.points);
    // From below what is the least to above what is the greatest.
    let across = points().map(|point| point.flops_per_byte).chain(roofs.iter().map(Roof::ridge));
    let (left, right) = ends(across);
    let up = points().map(|point| point.gflops).chain(roofs.iter().map(|roof| roof.peak));
    let (bottom, top) = ends(up.chain(roofs.iter().map(|roof| roof.at(left))));
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d((left..right).log_scale(), (bottom..top).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("operations a byte")
        .y_desc("GFLOP/s")
        .x_label_formatter(&|value| rounded(*value))
        .y_label_formatter(&|value| rounded(*value))
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(ShapeStyle { color: GRID.into(), filled: false, stroke_width: 0 })
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    for roof in roofs {
        let style = ShapeStyle { color: INK.into(), filled: false, stroke_width: 2 };
        let corners = [left, roof.ridge(), right].map(|at| (at, roof.at(at)));
        match roof.is_dashed {
            true => chart.draw_series(DashedLineSeries::new(corners, 6, 4, style))?,
            false => chart.draw_series(LineSeries::new(corners, style))?,
        };
    }
    for series in series {
        let style = filled(SERIES[series.colour]);
        let points = series.points.iter().map(|point| (point.flops_per_byte, point.gflops));
        match series.roof {
            0 => chart.draw_series(points.map(|point| Circle::new(point, 4, style)))?,
            _ => chart.draw_series(points.map(|point| TriangleMarker::new(point, 6, style)))?,
        };
    }
    root.present()?;
    Ok(())
}

fn filled(colour: RGBColor) -> ShapeStyle {
    ShapeStyle { color: colour.into(), filled: true, stroke_width: 0 }
}

/// The ends of an axis that has room beside all of `values`, which are above zero.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    /// Beyond these nothing was measured, but axes could not be computed.
    const BOUNDS: (f64, f64) = (1e-6, 1e12);
    let within = values.filter(|value| (BOUNDS.0..BOUNDS.1).contains(value));
    let (least, greatest) =
        within.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if least <= greatest { (least / 2.0, greatest * 2.0) } else { (0.1, 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roof() -> Roof {
        Roof { name: "1 thread".into(), peak: 100.0, bandwidth: 20.0, is_dashed: false }
    }

    #[test]
    fn a_roof_rises_by_the_bandwidth_until_the_peak() {
        let found = [0.5, 5.0, 50.0].map(|flops_per_byte| roof().at(flops_per_byte));
        assert_eq!((found, roof().ridge()), ([10.0, 100.0, 100.0], 5.0));
    }

    #[test]
    fn any_numbers_are_drawn() {
        for value in [1.0, 1e-300, 1e300, f64::INFINITY, 0.0] {
            let name = String::from("<&>");
            let point = Point { name, flops_per_byte: value, gflops: value, of_roof: 1.0 };
            let series = Series { name: "any".into(), colour: 1, roof: 0, points: vec![point] };
            let svg = svg(&[roof()], &[series]).unwrap();
            assert!(svg.starts_with("<svg role=\"img\"") && !svg.contains("NaN"), "{svg}");
        }
    }
}
