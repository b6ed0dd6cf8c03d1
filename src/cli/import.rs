//! `mnistry import`: a network that another program wrote.

use std::path::{Path, PathBuf};

use clap::Args;
use mnistry::image::ImageShape;
use mnistry::interchange::{self, Imported, ModelFormat};
use mnistry::report::check_output;
use serde::Serialize;

use super::common::{image_shape, output_file};
use super::model::{Mlp, Model, NAMED_CLASSES};
use super::output::OutputOptions;
use super::{CommandError, Outcome};

/// Read a network that another program wrote, and save it as a model file
///
/// Read are .onnx and .keras, of layers that are here too, .weights.h5 of Keras 3, .npz as `export`
/// writes it, and .safetensors. Weights of float32 stay as they are, to the bit. What does not fit is
/// refused, by the name of the layer. A .weights.h5 says neither its layers nor what its classes are
/// called: --model names the layers, with their dropout, and classes are then numbers.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Import {
    /// The file to read; its ending says what it is
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The model file to write, in place of one that is there: it ends in .safetensors
    #[arg(value_name = "OUT", value_parser = model_file)]
    out: PathBuf,

    /// The network of a file that has weights alone: mlp (100 hidden units), lenet5 or cnn, each with
    /// its 10 classes, or a TOML file that lists layers
    #[arg(long, value_name = "NAME|FILE", value_parser = Model::parse)]
    model: Option<Model>,

    /// Height and width of the images that the network of --model reads
    #[arg(long, value_name = "HxW", value_parser = image_shape, default_value = "28x28", requires = "model")]
    input: ImageShape,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry import digits.onnx model.safetensors
  mnistry import digits.keras model.safetensors
  mnistry import my.weights.h5 model.safetensors --model lenet5
  mnistry import my.weights.h5 model.safetensors --model layers.toml --input 32x32
  mnistry predict model.safetensors seven.png";

/// The JSON of what was read.
#[derive(Serialize)]
struct Read {
    file: PathBuf,
    model: String,
    input: ImageShape,
    classes: usize,
    parameters: usize,
    notes: Vec<String>,
}

impl Import {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let described = self.model.as_ref().and_then(Model::file);
        check_output(&self.out, [self.file.as_path()].into_iter().chain(described))?;
        let Imported { network, notes, .. } = match &self.model {
            Some(model) => {
                let architecture =
                    model.architecture(self.input, NAMED_CLASSES, &Mlp::default())?;
                interchange::import_weights_alone(&self.file, architecture)?
            }
            None => interchange::import(&self.file)?,
        };
        for note in &notes {
            self.output.note(format_args!("{}: {note}", self.file.display()));
        }
        interchange::export(&network, &self.out, interchange::ExportOptions::default())?;
        let architecture = network.architecture();
        let read = Read {
            model: architecture.to_string(),
            input: architecture.input(),
            classes: architecture.classes(),
            parameters: network.parameter_count(),
            file: self.out,
            notes,
        };
        self.output.print(&read, || {
            format!(
                "{}: {}, for images of {}, {} classes\n",
                read.file.display(),
                read.model,
                read.input,
                read.classes
            )
        })
    }
}

/// A model file to be written.
fn model_file(text: &str) -> Result<PathBuf, String> {
    let path = output_file(text)?;
    match ModelFormat::of(Path::new(&path)) {
        Ok(ModelFormat::Safetensors) => Ok(path),
        _ => Err("give a file whose name ends with .safetensors".into()),
    }
}
