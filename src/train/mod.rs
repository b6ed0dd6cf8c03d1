//! The run: epochs, minibatches, the team of threads, history; and evaluation.

mod early_stopping;
mod evaluate;
mod fit;
mod gradients;
mod history;
mod metrics;
mod options;
mod schedule;

pub use evaluate::Prediction;
pub use gradients::Gradients;
pub use history::{Epoch, Flow, History, Observer, Progress, Silent, Validation};
pub use metrics::{ClassReport, Confusion, ConfusionMatrix, Evaluation};
pub use options::FitOptions;
pub use schedule::{Decay, Schedule};
