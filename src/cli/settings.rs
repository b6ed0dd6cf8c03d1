//! The settings of a run: what is trained, and how.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use mnistry::{
    Activation, Adam, Dataset, FitOptions, Network, Optimizer, Result, Sequential, Sgd, Split,
};

/// What is trained, and how.
#[derive(Args)]
#[command(next_help_heading = "Training")]
pub(super) struct Settings {
    /// The kind of network; mlp is dense layers
    #[arg(long, value_enum, default_value_t = Model::Mlp, help_heading = "Network")]
    model: Model,

    /// Units of each hidden layer, separated by commas
    #[arg(
        long,
        help_heading = "Network",
        value_name = "UNITS",
        value_delimiter = ',',
        default_value = "100",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    hidden: Vec<u32>,

    /// The activation of the last layer
    #[arg(long, value_enum, default_value_t = Output::Sigmoid, help_heading = "Network")]
    output: Output,

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

    /// How many times every training image is seen
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,

    /// Images a step
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_size: u32,

    /// Decides the first weights and the order of the images
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Take the training images in the order of the data set, in every epoch
    #[arg(long)]
    no_shuffle: bool,

    /// Train on the first N images alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    train_limit: Option<u32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    Mlp,
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
    pub(super) fn fit_options(&self) -> Result<FitOptions, clap::Error> {
        Ok(FitOptions {
            epochs: self.epochs as usize,
            batch_size: self.batch_size as usize,
            optimizer: self.optimizer()?,
            shuffle: !self.no_shuffle,
            seed: self.seed,
        })
    }

    fn optimizer(&self) -> Result<Optimizer, clap::Error> {
        match self.optimizer {
            OptimizerName::Adam if self.momentum.is_some() => {
                let problem = "--momentum is for --optimizer sgd: adam has moments of its own";
                Err(usage_error(ErrorKind::ArgumentConflict, problem))
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

    /// The images of `data` to train on.
    pub(super) fn training_images(&self, data: &Dataset) -> Result<Split> {
        Ok(match self.train_limit {
            Some(limit) => data.train.take(limit as usize)?,
            None => data.train.clone(),
        })
    }

    /// The network to start from, made for the images and classes of `data`.
    pub(super) fn network(&self, data: &Dataset) -> Result<Network> {
        let Model::Mlp = self.model;
        let output = match self.output {
            Output::Sigmoid => Activation::Sigmoid,
            Output::Softmax => Activation::Softmax,
        };
        let input = Sequential::new(data.shape());
        let hidden = self.hidden.iter().map(|&units| units as usize);
        let architecture = hidden
            .fold(input, |network, units| network.dense(units, Activation::Relu))
            .dense(data.classes(), output);
        match &self.init {
            Some(path) => Network::with_tensors_of(path, architecture),
            None => Network::new(architecture, self.seed),
        }
    }
}

fn usage_error(kind: ErrorKind, problem: &str) -> clap::Error {
    let mut program = super::Cli::command();
    program.build();
    match program.find_subcommand_mut("train") {
        Some(train) => train.error(kind, problem),
        None => program.error(kind, problem),
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
