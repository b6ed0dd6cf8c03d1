//! Regularisation and augmentation: what helps a network to do well on images that it was not
//! trained on, each of it off by default. And the schedule of the learning rate.

use clap::{Args, ValueEnum};
use mnistry::FitOptions;
use mnistry::image::RandomAffine;
use mnistry::train::{ClassWeights, LrDecay, LrSchedule};

/// Validation, early stopping, learning-rate schedule, regularisation and augmentation.
#[derive(Args)]
#[command(next_help_heading = "Regularisation and augmentation")]
pub(super) struct Regularisation {
    /// Do not train on this share of the images, the last ones, but test on them after each epoch
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    validation_split: f64,

    /// Early stopping: stop after so many epochs without a lower validation loss, and keep the
    /// network of the lowest
    #[arg(long, value_name = "EPOCHS", requires = "validation_split")]
    patience: Option<usize>,

    /// Stop as soon as this share of the images is read correctly, judged after each epoch: by the
    /// images of --validation-split, or else by the test images, of which the run then knows
    #[arg(long, value_name = "SHARE", value_parser = goal)]
    until_accuracy: Option<f64>,

    /// The learning-rate schedule: how the step size falls
    #[arg(long, value_enum, default_value_t = Schedule::Constant)]
    schedule: Schedule,

    /// Epochs of warm-up, in which the learning rate rises from nothing; with --schedule one-cycle,
    /// those in which it rises, if not 30 % of the run
    #[arg(long, value_name = "EPOCHS", default_value_t = 0.0)]
    warm_up: f64,

    /// After how many epochs the learning rate falls, each time, with --schedule step
    #[arg(long, value_name = "EPOCHS", default_value_t = 5)]
    step_epochs: usize,

    /// By what the learning rate is then multiplied
    #[arg(long, value_name = "FACTOR", default_value_t = 0.5)]
    step_factor: f64,

    /// The share of itself, times the learning rate, that each weight loses in each step
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    weight_decay: f64,

    /// The share of each label that is spread over all classes
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    label_smoothing: f32,

    /// How much each class counts in the loss: with balanced, as much as any other, however many
    /// images it has
    #[arg(long, value_enum)]
    class_weights: Option<Weights>,

    /// Augment the training images: shift, rotate and scale each at random, anew in each epoch, as
    /// --shift 2 --rotate 10 --scale 0.1
    #[arg(long)]
    augment: bool,

    /// Shift images by up to so many pixels
    #[arg(long, value_name = "PIXELS")]
    shift: Option<f32>,

    /// Rotate images by up to so many degrees, either way
    #[arg(long, value_name = "DEGREES")]
    rotate: Option<f32>,

    /// Scale images up or down by up to this share
    #[arg(long, value_name = "SHARE")]
    scale: Option<f32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Weights {
    /// By images / (classes × images of the class)
    Balanced,
}

#[derive(Clone, Copy, ValueEnum)]
enum Schedule {
    /// Not at all
    Constant,
    /// By a factor every so many epochs
    Step,
    /// To nothing at the end, along half a cosine
    Cosine,
    /// From a 25th up to all of it, and down to next to nothing at the end, each along half a cosine
    OneCycle,
}

impl Regularisation {
    /// `options` with this.
    pub(super) fn add_to(&self, options: FitOptions) -> FitOptions {
        let decay = match self.schedule {
            Schedule::Constant => LrDecay::Constant,
            Schedule::Step => LrDecay::Step { every: self.step_epochs, factor: self.step_factor },
            Schedule::Cosine => LrDecay::Cosine,
            Schedule::OneCycle => LrDecay::OneCycle,
        };
        let by_default = if self.augment {
            RandomAffine { shift: 2.0, rotation: 10.0, scale: 0.1 }
        } else {
            RandomAffine::default()
        };
        FitOptions {
            schedule: LrSchedule { warm_up: self.warm_up, decay },
            weight_decay: self.weight_decay,
            label_smoothing: self.label_smoothing,
            class_weights: self.class_weights.map(|Weights::Balanced| ClassWeights::Balanced),
            augmentation: RandomAffine {
                shift: self.shift.unwrap_or(by_default.shift),
                rotation: self.rotate.unwrap_or(by_default.rotation),
                scale: self.scale.unwrap_or(by_default.scale),
            },
            validation_split: self.validation_split,
            patience: self.patience,
            until_accuracy: self.until_accuracy,
            ..options
        }
    }
}

fn goal(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&share: &f64| share > 0.0 && share <= 1.0)
        .ok_or_else(|| "give a number above 0, up to 1, such as 0.99".into())
}
