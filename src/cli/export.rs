//! `mnistry export`: a network for other programs.

use std::path::{Path, PathBuf};

use clap::Args;
use mnistry::interchange::int8::quantised;
use mnistry::interchange::{self, ExportOptions, ModelFormat};
use mnistry::report::{check_output, check_writable};
use mnistry::{Engine, Network};
use serde::Serialize;

use super::common::{Common, data_of_run, find_silently, load, model_file, output_file};
use super::output::OutputOptions;
use super::{CommandError, Outcome, conflict};

/// Write a trained network for other programs
///
/// The ending says for which: .onnx (ONNX Runtime and its like), .keras and .weights.h5 (Keras 3), .npz
/// (NumPy), .h (a C99 header without dependencies), .safetensors. An ONNX file, a Keras model and a
/// header take the bytes of an image and scale them themselves. ONNX and headers give the probabilities
/// that `predict` gives: the softmax of the logits, under a sigmoid output too; Keras's `predict` gives
/// what the last layer puts out.
#[derive(Args)]
#[command(after_help = EXAMPLES, mut_arg("data", data_of_run))]
pub(super) struct Export {
    /// A model file, or a run folder that holds one
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The file to write, in place of one that is there
    #[arg(value_name = "OUT", value_parser = exported_file)]
    out: PathBuf,

    /// Write the kernels of a C header as bytes, a quarter as large: quantised after training, with a
    /// scale for each output. What that costs is told by the test images of --data
    #[arg(long)]
    int8: bool,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry export runs/1 digits.onnx
  mnistry export runs/1 digits.keras
  mnistry export runs/1 digits.npz
  mnistry export runs/1 digits.h
  mnistry export runs/1 digits.h --int8 --data mnist --json | jq .int8
  mnistry export model.safetensors digits.onnx";

/// The JSON of what was written.
#[derive(Serialize)]
struct Exported {
    file: PathBuf,
    format: String,
    bytes: usize,
    model: String,
    parameters: usize,
    /// What it takes and gives.
    usage: String,
    /// What quantisation costs, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    int8: Option<Quantised>,
}

/// What a network reads with its kernels in floats and in bytes, or why that is not known.
#[derive(Default, Serialize)]
struct Quantised {
    dataset: Option<String>,
    test_images: usize,
    float32: Option<Tested>,
    int8: Option<Tested>,
    #[serde(skip_serializing_if = "Option::is_none")]
    untested: Option<String>,
}

#[derive(Serialize)]
struct Tested {
    loss: f64,
    accuracy: f64,
}

impl Export {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let format = ModelFormat::of(&self.out).ok();
        if self.int8 && format != Some(ModelFormat::CHeader) {
            let problem = "--int8 is for a C header: name an OUT that ends in .h";
            return Err(conflict("export", problem).into());
        }
        check_output(&self.out, [model_file(&self.model)])?;
        check_writable(&self.out)?;
        let network = load(&self.model)?;
        // Before anything is written, as what is named may not be there.
        let int8 = self.int8.then(|| self.quantise(&network)).transpose()?;
        let options = ExportOptions::default().int8(self.int8);
        let bytes = interchange::export(&network, &self.out, options)?;
        let exported = Exported {
            format: format.map_or_else(String::new, |format| format.to_string()),
            bytes,
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            usage: format.map_or_else(String::new, |format| format.usage(&network, &self.out)),
            file: self.out,
            int8,
        };
        self.common.output.print(&exported, || exported.text())
    }

    /// What quantisation costs; where data that nobody named do not tell it, why.
    fn quantise(&self, network: &Network) -> Result<Quantised, CommandError> {
        let engine = self.common.engine()?;
        match self.test(network, &engine) {
            Err(error) if self.common.data.is_none() => {
                Ok(Quantised { untested: Some(error.to_string()), ..Quantised::default() })
            }
            tested => tested,
        }
    }

    /// Tests `network` as it is and with its kernels in bytes, on the data that are named, or those of
    /// the run, or MNIST. Generated digits do not stand in.
    fn test(&self, network: &Network, engine: &Engine) -> Result<Quantised, CommandError> {
        let place = self.common.run_of(&self.model)?;
        let place = self.common.place_for(place.as_ref());
        let silent = OutputOptions { json: false, quiet: true };
        let found = engine.install(|| find_silently(&place, &silent))?;
        if let Some(why) = &found.stands_in {
            let untested = Some(format!("no data were found: {why}"));
            return Ok(Quantised { untested, ..Quantised::default() });
        }
        let data = self.common.told(found, &place, network.class_names())?.data;
        let test = |network: &Network| -> Result<Tested, CommandError> {
            let evaluation = engine.evaluate(network, &data.test)?;
            Ok(Tested { loss: evaluation.loss, accuracy: evaluation.accuracy() })
        };
        let quantised = quantised(network).map_err(mnistry::Error::from)?;
        Ok(Quantised {
            float32: Some(test(network)?),
            int8: Some(test(&quantised)?),
            test_images: data.test.len(),
            dataset: Some(data.name),
            untested: None,
        })
    }
}

impl Exported {
    fn text(&self) -> String {
        let Self { file, format, bytes, model, usage, .. } = self;
        let kilobytes = bytes.div_ceil(1000);
        let mut text =
            format!("{}: {model}, as {format}, {kilobytes} kB\n{usage}\n", file.display());
        if let Some(int8) = &self.int8 {
            text += &int8.text();
        }
        text
    }
}

impl Quantised {
    fn text(&self) -> String {
        match (&self.dataset, &self.float32, &self.int8) {
            (Some(dataset), Some(float32), Some(int8)) => format!(
                "accuracy on the {} test images of {dataset}: {:.2} % in float32, {:.2} % with kernels in \
                 int8 (loss {:.4}, {:.4})\n",
                self.test_images,
                100.0 * float32.accuracy,
                100.0 * int8.accuracy,
                float32.loss,
                int8.loss,
            ),
            _ => format!(
                "what the quantisation costs was not tested (--data names what to test it with): {}\n",
                self.untested.as_deref().unwrap_or_default()
            ),
        }
    }
}

/// A file to be written whose name ends in a format.
fn exported_file(text: &str) -> Result<PathBuf, String> {
    let path = output_file(text)?;
    ModelFormat::of(Path::new(&path)).map_err(|problem| problem.to_string())?;
    Ok(path)
}
