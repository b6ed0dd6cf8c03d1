//! Why a network is not trained or asked.

use super::history::ObserverError;
use crate::data::Problem;
use crate::exec::engine::EngineError;
use crate::files;
use crate::image::{self, ImageShape};
use crate::kernels::optim::InvalidOption;
use crate::memory::Shortage;
use crate::model::{self, NetworkError};
use crate::ranks;

/// Why a network was not trained, evaluated or asked. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option makes no sense.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The network reads images of another shape.
    #[error(
        "the network reads images of {} × {}, but these are {} × {}",
        .network.height, .network.width, .images.height, .images.width
    )]
    Shape {
        /// What the network reads.
        network: ImageShape,
        /// What the images are.
        images: ImageShape,
    },
    /// The network reads images of another number of pixels.
    #[error(
        "the network reads images of {} × {}, but this one has {pixels} pixels",
        .network.height, .network.width
    )]
    Pixels {
        /// What the network reads.
        network: ImageShape,
        /// What the image has.
        pixels: usize,
    },
    /// There are labels beyond the network's classes.
    #[error("the network tells {known} classes apart, but the labels go up to {greatest}")]
    Classes {
        /// The network's classes.
        known: usize,
        /// The greatest label.
        greatest: usize,
    },
    /// The ranks of a job do not train the same.
    #[error(
        "rank {rank} has another version of mnistry, other images or other settings than rank 0: start \
         all with the same program, data and arguments"
    )]
    RanksDiffer {
        /// The first one that differs.
        rank: usize,
    },
    /// Something failed on another rank.
    #[error(transparent)]
    Ranks(#[from] ranks::Error),
    /// A state that no file could hold.
    #[error(transparent)]
    State(#[from] model::Error),
    /// An ensemble of nothing.
    #[error("an ensemble has at least one network")]
    NoNetwork,
    /// An ensemble of networks that cannot be asked the same.
    #[error("network {number} of the ensemble {difference}: the two cannot be asked together")]
    OtherKind {
        /// Which one, from 1.
        number: usize,
        /// In what it differs from the first one.
        difference: String,
    },
    /// A class that cannot be weighed, as there is no sample of it.
    #[error(
        "no training sample is of the class {0}, so that classes cannot be balanced: train without \
         class weights, or on data that have it"
    )]
    ClassWithoutSamples(String),
    /// The validation split leaves nothing to train on, or nothing to validate with.
    #[error("a validation split of {split} leaves nothing on one side of {images} images")]
    Validation {
        /// The share that is set aside.
        split: f64,
        /// How many images there are.
        images: usize,
    },
    /// A file of the data changed while it was read.
    #[error(transparent)]
    File(#[from] files::Error),
    /// It needs more memory than is to be had.
    #[error(transparent)]
    Memory(#[from] Shortage),
    /// A network cannot be.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The loss turned NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}: lower the learning rate (the weights are as after epoch {})",
        epoch - 1
    )]
    NotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The loss: NaN or an infinity.
        loss: f32,
    },
    /// The engine was [asked to stop](crate::Engine::stop_flag) before the work was done.
    #[error("stopped before all images were read")]
    Stopped,
    /// A run is to end before where it is.
    #[error("{epochs} epochs: {done} are done or begun already")]
    EpochsDone {
        /// How many were asked for.
        epochs: usize,
        /// How many there are, the last one perhaps in part.
        done: usize,
    },
    /// A run is to have more or fewer epochs than those that its learning rates were made for.
    #[error(
        "{epochs} epochs: the learning rates are made for the {planned} that were planned, so a run of {epochs} would have differed from its first step on: start a new run"
    )]
    EpochsDecide {
        /// How many the run began with.
        planned: usize,
        /// How many were asked for.
        epochs: usize,
    },
    /// A state is that of a run on other data.
    #[error(
        "the run stands at step {step} of an epoch of {steps} steps: it was begun on other data"
    )]
    Position {
        /// The steps that are done.
        step: usize,
        /// Those of an epoch.
        steps: usize,
    },
    /// The engine cannot work now.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Images and labels are no data set.
    #[error(transparent)]
    Data(#[from] Problem),
    /// What the [`Observer`](super::Observer) of a run returned.
    #[error(transparent)]
    Observer(ObserverError),
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an option of [`FitOptions`](super::FitOptions) makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A number that is not what it must be.
    #[error(transparent)]
    Value(#[from] InvalidOption),
    /// No samples a step, or too many.
    #[error("a batch size of {found}: give a number from 1 to {most}")]
    BatchSize {
        /// How many were asked for.
        found: usize,
        /// The most that may be.
        most: usize,
    },
    /// A patience that ends every run at once.
    #[error("a patience of 0 epochs: give 1 or more")]
    NoPatience,
    /// A patience without anything to judge by.
    #[error("patience needs a validation loss: give a validation split too")]
    PatienceWithoutValidation,
    /// An accuracy that no network or every network has.
    #[error("a run until an accuracy of {0}: give a number above 0, up to 1")]
    Goal(f64),
    /// An accuracy to reach without anything to judge it by.
    #[error(
        "a run until some accuracy needs images to judge it by: give a validation split, or others"
    )]
    GoalWithoutValidation,
    /// Images to judge an accuracy by, and none that is to be reached.
    #[error("there are images to judge an accuracy by: give the accuracy to train until, too")]
    JudgesWithoutGoal,
    /// One cycle that rises to its end.
    #[error("a warm-up of {warm_up} epochs leaves nothing of {epochs} for one cycle to fall in")]
    EndlessRise {
        /// The epochs in which it rises.
        warm_up: f64,
        /// Those of the run.
        epochs: usize,
    },
    /// Samples set aside, and others given to validate with.
    #[error("there are other images to validate with: leave out the validation split")]
    ValidatedTwice,
    /// A warm-up of less than nothing, or without end.
    #[error("a warm-up of {0} epochs: give 0 or more")]
    WarmUp(f64),
    /// A schedule of steps of no epochs.
    #[error("the learning rate falls every 0 epochs: give 1 or more")]
    StepEpochs,
    /// A schedule by whose steps the learning rate does not fall.
    #[error("the learning rate falls by a factor of {0}: give a number above 0, up to 1")]
    StepFactor(f64),
    /// An augmentation that makes no sense.
    #[error(transparent)]
    Augmentation(#[from] image::Error),
}
