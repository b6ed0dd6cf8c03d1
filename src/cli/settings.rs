//! The settings of a run: what is trained, and how.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mnistry::data::ClassNames;
use mnistry::model::Architecture;
use mnistry::{Activation, Adam, Dataset, FitOptions, Network, Optimizer, Result, Sequential, Sgd};

use super::conflict;

/// What is trained, and how.
#[derive(Args)]
#[command(next_help_heading = "Training")]
pub(super) struct Settings {
    /// The network: mlp (dense layers), lenet5 or cnn (convolutions), or a TOML file that lists
    /// layers
    #[arg(long, value_name = "NAME|FILE", default_value = "mlp", value_parser = model, help_heading = "Network")]
    model: Model,

    /// Units of each hidden layer of the mlp, separated by commas [default: 100]
    #[arg(
        long,
        help_heading = "Network",
        value_name = "UNITS",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    hidden: Vec<u32>,

    /// The activation of the last layer of the mlp [default: sigmoid]
    #[arg(long, value_enum, help_heading = "Network")]
    output: Option<Output>,

    /// Start from the weights in this safetensors file instead of random ones
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) init: Option<PathBuf>,

    /// The optimiser
    #[arg(long, value_enum, default_value_t = OptimizerName::Adam)]
    optimizer: OptimizerName,

    /// The step size [default: 0.001 for adam, 0.01 for sgd]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    learning_rate: Option<f64>,

    /// The momentum of sgd [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    momentum: Option<f64>,

    /// Images a step
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_size: u32,

    /// Decides the first weights, the order of the images, and all else that is random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Take the training images in the order of the data set, in every epoch
    #[arg(long)]
    no_shuffle: bool,

    /// Train on the first N images alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) train_limit: Option<u32>,
}

#[derive(Clone)]
enum Model {
    Mlp,
    LeNet5,
    Cnn,
    File(PathBuf),
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Sigmoid,
    Softmax,
}

#[derive(Clone, Copy, ValueEnum)]
enum OptimizerName {
    Adam,
    Sgd,
}

impl Settings {
    /// The options of the run.
    ///
    /// # Errors
    /// When arguments contradict each other.
    pub(super) fn fit_options(&self, epochs: Option<u32>) -> Result<FitOptions, clap::Error> {
        let shapes_mlp = !self.hidden.is_empty() || self.output.is_some();
        if shapes_mlp && !matches!(self.model, Model::Mlp) {
            let problem = "--hidden and --output are for --model mlp: other models have their own";
            return Err(conflict("train", problem));
        }
        let default = FitOptions::default();
        Ok(FitOptions {
            epochs: epochs.map_or(default.epochs, |epochs| epochs as usize),
            batch_size: self.batch_size as usize,
            optimizer: self.optimizer()?,
            shuffle: !self.no_shuffle,
            seed: self.seed,
            ..default
        })
    }

    fn optimizer(&self) -> Result<Optimizer, clap::Error> {
        match self.optimizer {
            OptimizerName::Adam if self.momentum.is_some() => {
                let problem = "--momentum is for --optimizer sgd: adam has moments of its own";
                Err(conflict("train", problem))
            }
            OptimizerName::Adam => {
                let default = Adam::default();
                let learning_rate = self.learning_rate.unwrap_or(default.learning_rate);
                Ok(Optimizer::Adam(Adam { learning_rate, ..default }))
            }
            OptimizerName::Sgd => {
                let default = Sgd::default();
                let learning_rate = self.learning_rate.unwrap_or(default.learning_rate);
                let momentum = self.momentum.unwrap_or(default.momentum);
                Ok(Optimizer::Sgd(Sgd { learning_rate, momentum }))
            }
        }
    }

    /// The files that are read for the network.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Path> {
        let described = match &self.model {
            Model::File(path) => Some(&**path),
            _ => None,
        };
        self.init.as_deref().into_iter().chain(described)
    }

    /// What the classes are called in the file that the first weights come from, if it says so.
    pub(super) fn class_names(&self) -> Result<Option<ClassNames>> {
        Ok(self.init.as_ref().map(Network::saved_class_names).transpose()?.flatten())
    }

    /// The network to start from, made for the images and classes of `data`.
    pub(super) fn network(&self, data: &Dataset) -> Result<Network> {
        let architecture = self.architecture(data)?;
        match &self.init {
            Some(path) => Ok(Network::load_weights(path, architecture)?),
            None => Ok(Network::new(architecture, self.seed)?),
        }
    }

    /// Its layers, made for the images and classes of `data`.
    pub(super) fn architecture(&self, data: &Dataset) -> Result<Architecture> {
        let (input, classes) = (data.shape(), data.classes());
        Ok(match &self.model {
            Model::Mlp => self.mlp(data).try_into()?,
            Model::LeNet5 => Sequential::lenet5(input, classes).try_into()?,
            Model::Cnn => Sequential::cnn(input, classes).try_into()?,
            Model::File(path) => Architecture::from_toml(path, input)?,
        })
    }

    fn mlp(&self, data: &Dataset) -> Sequential {
        let output = match self.output {
            None | Some(Output::Sigmoid) => Activation::Sigmoid,
            Some(Output::Softmax) => Activation::Softmax,
        };
        let input = Sequential::new(data.shape());
        let hidden = if self.hidden.is_empty() { &[100] } else { &self.hidden[..] };
        hidden
            .iter()
            .fold(input, |network, &units| network.dense(units as usize, Activation::Relu))
            .dense(data.classes(), output)
    }
}

/// The network of that name, or the file that describes one.
fn model(text: &str) -> Result<Model, String> {
    match text {
        "mlp" => Ok(Model::Mlp),
        "lenet5" => Ok(Model::LeNet5),
        "cnn" => Ok(Model::Cnn),
        file if file.ends_with(".toml") => Ok(Model::File(file.into())),
        _ => Err("give mlp, lenet5, cnn, or a file whose name ends with .toml".into()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&number: &f64| number > 0.0 && number.is_finite())
        .ok_or_else(|| "give a number above 0".into())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number| (0.0..1.0).contains(number))
        .ok_or_else(|| "give a number from 0 up to, not including, 1".into())
}
