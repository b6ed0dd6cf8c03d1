//! `mnistry predict`: classifies images with a trained network.

mod images;
mod inputs;
mod origin;
mod prediction;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use mnistry::data::ClassNames;
use mnistry::reading::Reader;
use mnistry::report::{ProbabilityTable, check_output, submission, write_submission};
use mnistry::{Dataset, Engine, Network};

use super::common::{
    Common, data_of_run, in_a_row, is_network, load_ensemble, model_file, names, output_file,
};
use super::{CommandError, Outcome, output};
use images::Images;
use inputs::Input;
use prediction::ImagePrediction;

/// Classify images with a trained network: pictures of your own, rows of a CSV file, or test images
///
/// A picture may be drawn, scanned or photographed: dark ink on light ground, or light on dark.
/// Shadows, frames, boxes and ruled lines do not matter. Each digit is cut out and fitted as MNIST's
/// were; several are read in turn, line by line, and those that touch are cut apart where the network
/// reads them best. A picture of just the size that the network takes is left as it is, if its digit
/// is fitted already. A reading that may as well be another is called unsure.
#[derive(Args)]
#[command(after_help = EXAMPLES, mut_arg("data", data_of_run))]
pub(super) struct Predict {
    /// A model file, or a run folder that holds one
    model: PathBuf,

    /// Ask this network too: the answer is the mean of the probabilities of all. May be given many
    /// times
    #[arg(long, value_name = "MODEL")]
    ensemble: Vec<PathBuf>,

    /// Pictures (PNG, JPEG, BMP, WebP, GIF or TIFF), CSV files of images, a row each, with or
    /// without labels, or folders of these, which are read in the order of their names; a dash is
    /// standard input. One that cannot be read is named, and the others are read
    #[arg(value_name = "FILE", required_unless_present = "index", conflicts_with_all = ["index", "data"])]
    files: Vec<PathBuf>,

    /// Which of the data set's test images, counted from 0: numbers and ranges, separated by
    /// commas
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = range)]
    index: Vec<RangeInclusive<usize>>,

    /// Print what the network saw, as characters
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    show: bool,

    /// Write the predictions to this file, as Kaggle wants them: ImageId,Label; `-` is standard
    /// output, to which nothing else is then written
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Write the predictions to this CSV file with the probabilities of all classes:
    /// file,index,label,predicted,p0,p1 and so on. Index counts the digits of a picture or the rows of
    /// a file from 0; a label that is not known is empty
    #[arg(long, value_name = "FILE", value_parser = output_file)]
    probabilities: Option<PathBuf>,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry predict runs/1 seven.png number.jpg
  mnistry predict runs/1 photo.jpg --show
  mnistry predict runs/1 --ensemble runs/2 --ensemble runs/3 photo.jpg
  mnistry predict runs/1 test.csv --csv submission.csv
  mnistry predict runs/1 --data mnist.npz --index 0-9,115 --json";

impl Predict {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        if let Some(network) = self.files.iter().find(|file| is_network(file)) {
            return Err(CommandError::NetworkAmongPictures(network.clone()));
        }
        let (inputs, notes) = inputs::expanded(&self.files)?;
        self.check_outputs(&inputs)?;
        let engine = self.common.engine()?;
        let networks = load_ensemble(&self.models().collect::<Vec<_>>())?;
        let (network, asked) = (networks.first(), networks.networks().len());
        let reader = Reader::new(&engine, &networks);
        let mut images = Images::new(network.architecture().input(), self.common.place().read);
        let failed = add_inputs(&inputs, reader, &mut images)?;
        let (names, labels) = self.add_tests(network, &engine, &mut images)?;
        for note in notes.iter().chain(images.notes()) {
            self.common.output.note(format_args!("{note}"));
        }
        if images.is_empty() {
            return Err(CommandError::NoneRead);
        }
        if asked > 1 {
            self.common.output.note(format_args!(
                "{asked} networks are asked together: probabilities are the means of theirs"
            ));
        }
        let drawn = if self.show { images.drawn() } else { Vec::new() };
        let predictions = images.predict(reader)?.into_iter();
        let predictions = predictions.map(|found| found.named(&names, &labels).by(asked));
        let predictions: Vec<_> = predictions.collect();
        let done = self.report(&predictions, &drawn)?;
        Ok(if failed > 0 { Outcome::Partly } else { done })
    }

    /// Where the networks are.
    fn models(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.model).chain(&self.ensemble).map(PathBuf::as_path)
    }

    /// Writes and prints the predictions.
    fn report(
        &self,
        predictions: &[ImagePrediction],
        drawn: &[String],
    ) -> Result<Outcome, CommandError> {
        if let Some(path) = &self.probabilities {
            let classes = predictions.first().map_or(0, |first| first.probabilities.len());
            let columns = ["file", "index", "label", "predicted"];
            let mut table = ProbabilityTable::new(&columns, classes);
            predictions.iter().for_each(|prediction| prediction.add_to(&mut table));
            table.write(path)?;
        }
        let submitted = predictions.iter().enumerate();
        let submitted = submitted.map(|(place, prediction)| prediction.submitted(place));
        match self.csv.as_deref() {
            Some(path) if is_stdout(path) => {
                output::print(&submission(submitted))?;
                return Ok(Outcome::Done);
            }
            Some(path) => write_submission(path, submitted)?,
            None => {}
        }
        self.common.output.print(&predictions, || match &self.csv {
            Some(path) if !self.show => {
                format!("{} predictions written to {}\n", predictions.len(), path.display())
            }
            _ => text(predictions, drawn),
        })
    }

    /// Refuses, before anything is done, predictions that would overwrite what they are made of, or
    /// would be mixed with something else.
    fn check_outputs(&self, inputs: &[Input]) -> Result<(), CommandError> {
        if let Some(path) = &self.probabilities {
            self.check_output(path, inputs)?;
        }
        match self.csv.as_deref() {
            None => Ok(()),
            Some(path) if !is_stdout(path) => {
                let other = self.probabilities.iter().map(PathBuf::as_path);
                check_output(path, other)?;
                self.check_output(path, inputs)
            }
            Some(_) if self.common.output.json || self.show => Err(both_on_stdout().into()),
            Some(_) => Ok(()),
        }
    }

    fn check_output(&self, path: &Path, inputs: &[Input]) -> Result<(), CommandError> {
        let files = inputs.iter().map(|input| &input.path);
        let models: Vec<_> = self.models().map(model_file).collect();
        check_output(path, models.iter().chain(files))?;
        if !self.index.is_empty() {
            Dataset::check_output(self.common.data.as_deref(), path)?;
        }
        Ok(())
    }

    /// Adds the test images that the arguments name. Returns what the classes of `network` are called,
    /// and those of the images' labels.
    fn add_tests(
        &self,
        network: &Network,
        engine: &Engine,
        images: &mut Images,
    ) -> Result<(ClassNames, ClassNames), CommandError> {
        if self.index.is_empty() {
            let names = network.names_of_classes();
            return Ok((names.clone(), ClassNames::numbered(names.len())));
        }
        let data = engine.install(|| self.common.dataset_for(&self.model, None))?;
        let last = data.test.len() - 1;
        if let Some(range) = self.index.iter().find(|range| *range.end() > last) {
            return Err(CommandError::NoTestImage { index: *range.end(), last });
        }
        images.add_tests(&data.test, self.index.iter().cloned().flatten())?;
        Ok((names(network, &data, &self.common.output), data.class_names))
    }
}

/// Adds what `inputs` hold. Where one of several cannot be read, that is said, and the others are
/// read; returns how many cannot.
///
/// # Errors
/// When there is only one, and it cannot be read.
fn add_inputs(
    inputs: &[Input],
    reader: Reader<'_>,
    images: &mut Images,
) -> Result<usize, CommandError> {
    let mut failed = 0;
    for input in inputs {
        match images.add_input(input, reader) {
            Err(error) if inputs.len() == 1 => return Err(error),
            Err(error) => {
                output::note(format_args!("error: {error}"));
                failed += 1;
            }
            Ok(()) => {}
        }
    }
    Ok(failed)
}

/// Whether `path` means standard output: by a dash, or by the names that systems give it.
fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// What is said of two results for one place.
fn both_on_stdout() -> clap::Error {
    let mut program = super::Cli::command();
    program.build();
    let problem = "--json and --show write to standard output, as --csv - does: give --csv a file";
    match program.find_subcommand_mut("predict") {
        Some(predict) => predict.error(ErrorKind::ArgumentConflict, problem),
        None => program.error(ErrorKind::ArgumentConflict, problem),
    }
}

/// The predictions for a person, each below what the network saw, if that is to be shown. Of a
/// picture with several digits a line of its own has all of them.
fn text(predictions: &[ImagePrediction], drawn: &[String]) -> String {
    let mut text = String::new();
    let mut drawn = drawn.iter();
    for picture in predictions.chunk_by(ImagePrediction::shares_picture) {
        for prediction in picture {
            text.extend(drawn.next().map(String::as_str));
            text += &prediction.text();
        }
        if let [first, _, ..] = picture {
            let names: Vec<_> = picture.iter().map(|digit| &*digit.class_name).collect();
            text += &format!("{}: {}\n", first.name(), in_a_row(&names));
        }
    }
    text
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
