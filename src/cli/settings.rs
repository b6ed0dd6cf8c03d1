//! The settings of a run: what is trained, and how.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use mnistry::data::ClassNames;
use mnistry::interchange::{self, Imported};
use mnistry::model::Architecture;
use mnistry::{Activation, Adam, Dataset, FitOptions, Network, Optimizer, Result, Sgd};

use super::common::model_file;
use super::conflict;
use super::model::{Mlp, Model};

/// What is trained, and how.
#[derive(Args)]
#[command(next_help_heading = "Training")]
pub(super) struct Settings {
    /// The network: mlp (dense layers), lenet5 or cnn (convolutions), or a TOML file that lists
    /// layers [default: mlp, or that of --init]
    #[arg(long, value_name = "NAME|FILE", value_parser = Model::parse, help_heading = "Network")]
    model: Option<Model>,

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

    /// Start from the weights in this file instead of random ones: .safetensors, .keras, .weights.h5,
    /// .onnx or .npz, or a run folder that holds a model. Where no network is named, it is the one that
    /// the file describes; else the weights must fit it
    #[arg(
        long,
        value_name = "FILE|RUN",
        help_heading = "Network",
        value_parser = PathBufValueParser::new().map(|path| model_file(&path))
    )]
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

/// The network that a training starts from.
pub(super) struct Start {
    pub(super) network: Network,
    /// How it was read from a file of another program, a sentence each.
    pub(super) notes: Vec<String>,
}

impl From<Network> for Start {
    fn from(network: Network) -> Self {
        Self { network, notes: Vec::new() }
    }
}

impl From<Imported> for Start {
    fn from(Imported { network, notes, .. }: Imported) -> Self {
        Self { network, notes }
    }
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
        let is_mlp = matches!(self.model, None | Some(Model::Mlp));
        if self.shapes_mlp() && !is_mlp {
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
        let described = self.model.as_ref().and_then(Model::file);
        self.init.as_deref().into_iter().chain(described)
    }

    /// What the classes are called in the file that the first weights come from, if it says so.
    pub(super) fn class_names(&self) -> Result<Option<ClassNames>> {
        let names = self.init.as_ref().map(interchange::saved_class_names).transpose()?;
        Ok(names.flatten())
    }

    /// The network to start from, made for the images and classes of `data`.
    pub(super) fn network(&self, data: &Dataset) -> Result<Start> {
        if let Some(described) = self.described()? {
            return Ok(described.into());
        }
        let architecture = self.named(data)?;
        Ok(match &self.init {
            Some(path) if self.names_network() => {
                interchange::load_weights(path, architecture)?.into()
            }
            Some(path) => interchange::load_unnamed_weights(path, architecture)?.into(),
            None => Network::new(architecture, self.seed)?.into(),
        })
    }

    /// Its layers, made for the images and classes of `data`.
    pub(super) fn architecture(&self, data: &Dataset) -> Result<Architecture> {
        match self.described()? {
            Some(Imported { network, .. }) => Ok(network.architecture().clone()),
            None => self.named(data),
        }
    }

    /// The network that the file of first weights describes, where no settings name one.
    fn described(&self) -> Result<Option<Imported>> {
        let path = self.init.as_ref().filter(|_| !self.names_network());
        match path.map(interchange::load) {
            None => Ok(None),
            Some(Err(error)) if error.is_without_architecture() => Ok(None),
            Some(imported) => Ok(Some(imported?)),
        }
    }

    /// The layers that settings name.
    fn named(&self, data: &Dataset) -> Result<Architecture> {
        let model = self.model.as_ref().unwrap_or(&Model::Mlp);
        model.architecture(data.shape(), data.classes(), &self.mlp())
    }

    /// Whether the network is named, or the layers of an mlp are described.
    fn names_network(&self) -> bool {
        self.model.is_some() || self.shapes_mlp()
    }

    /// Whether the layers of an mlp are described.
    fn shapes_mlp(&self) -> bool {
        !self.hidden.is_empty() || self.output.is_some()
    }

    fn mlp(&self) -> Mlp {
        let default = Mlp::default();
        Mlp {
            hidden: match self.hidden.is_empty() {
                true => default.hidden,
                false => self.hidden.iter().map(|&units| units as usize).collect(),
            },
            output: match self.output {
                None => default.output,
                Some(Output::Sigmoid) => Activation::Sigmoid,
                Some(Output::Softmax) => Activation::Softmax,
            },
        }
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
