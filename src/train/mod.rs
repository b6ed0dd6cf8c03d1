//! The run: epochs, minibatches, history; and evaluation.

mod evaluate;
mod fit;
mod history;
mod options;
mod step;

pub use evaluate::Prediction;
pub use fit::Gradients;
pub use history::{Epoch, Flow, History, Observer, Progress, Silent};
pub use options::FitOptions;
