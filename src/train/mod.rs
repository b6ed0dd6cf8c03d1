//! Training runs: options, schedule, epochs and minibatches, early stopping, history; evaluation and
//! metrics, gradients.

mod checkpoint;
mod class_weights;
mod early_stopping;
mod ensemble;
mod error;
mod evaluate;
mod fit;
mod gradients;
mod history;
mod memory;
mod metrics;
mod options;
mod pace;
mod primary;
mod run;
mod schedule;
mod state;
mod team_size;

pub use class_weights::ClassWeights;
pub use ensemble::Ensemble;
pub use error::{Error, OptionError};
pub use evaluate::Prediction;
pub use gradients::Gradients;
pub use history::{
    Epoch, History, NoObserver, Observer, ObserverError, Progress, TeamUse, Validation,
};
pub use metrics::{Averages, ClassReport, Confusion, ConfusionMatrix, Evaluation};
pub use options::FitOptions;
pub use pace::Pace;
pub use schedule::{LrDecay, LrSchedule};
pub use state::State;
