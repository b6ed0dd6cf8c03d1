//! `mnistry predict`: reads images with a trained network.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Args;
use mnistry::{Engine, Error, Network, Split};
use serde::Serialize;

use super::common::{Common, load};
use super::{Failure, Outcome, output};

/// Read images with a trained network
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Predict {
    /// A model file, or a run folder that holds one
    model: PathBuf,

    /// Which of the data set's test images, counted from 0: numbers and ranges, separated by
    /// commas
    #[arg(long, value_name = "N", value_delimiter = ',', required = true, value_parser = range)]
    index: Vec<RangeInclusive<usize>>,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry predict runs/1 --data mnist.npz --index 7
  mnistry predict runs/1 --data mnist.npz --index 0-9,115 --json";

/// What was read in an image.
#[derive(Serialize)]
struct Reading {
    /// The image's place among the test images, from 0.
    index: usize,
    /// What it is, according to the data set.
    label: u8,
    /// What it was read as.
    class: usize,
    /// How probable that is.
    probability: f32,
    /// The second best reading.
    runner_up: Option<RunnerUp>,
}

#[derive(Serialize)]
struct RunnerUp {
    class: usize,
    probability: f32,
}

impl Predict {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let engine = self.common.engine()?;
        let network = load(&self.model)?;
        let images = self.common.dataset()?.test;
        if let Some(range) = self.index.iter().find(|range| *range.end() >= images.len()) {
            return Err(Error::Option(format!(
                "there is no test image {}: they are 0 to {}",
                range.end(),
                images.len() - 1
            ))
            .into());
        }
        let indices = self.index.into_iter().flatten();
        let readings = indices
            .map(|index| read(&engine, &network, &images, index))
            .collect::<mnistry::Result<Vec<_>>>()?;
        if self.common.json {
            output::print_json(&readings)?;
        } else if !self.common.quiet {
            output::print(&readings.iter().map(Reading::text).collect::<String>())?;
        }
        Ok(Outcome::Done)
    }
}

fn read(
    engine: &Engine,
    network: &Network,
    images: &Split,
    index: usize,
) -> mnistry::Result<Reading> {
    let prediction = engine.predict(network, images.image(index))?;
    Ok(Reading {
        index,
        label: images.labels()[index],
        class: prediction.class,
        probability: prediction.probability(),
        runner_up: prediction
            .runner_up()
            .map(|class| RunnerUp { class, probability: prediction.probabilities[class] }),
    })
}

impl Reading {
    /// A line for a person: `image 7: 9 (99.12 %), or 4 (0.71 %); labelled 9`.
    fn text(&self) -> String {
        let percent = |share: f32| format!("{:.2} %", 100.0 * share);
        let second = self.runner_up.as_ref().map_or(String::new(), |second| {
            format!(", or {} ({})", second.class, percent(second.probability))
        });
        format!(
            "image {}: {} ({}){second}; labelled {}\n",
            self.index,
            self.class,
            percent(self.probability),
            self.label
        )
    }
}

/// A number, or two with a dash between.
fn range(text: &str) -> Result<RangeInclusive<usize>, String> {
    let number = |text: &str| {
        text.parse::<usize>().map_err(|_| "give numbers from 0 such as 7, or ranges such as 0-9")
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = number(first)?..=number(last)?;
    if range.is_empty() { Err("a range goes from low to high".into()) } else { Ok(range) }
}
