//! The run: epochs, minibatches, the team of threads, history; and evaluation.

mod evaluate;
mod fit;
mod gradients;
mod history;
mod options;
mod samples;
mod schedule;
mod team;
mod validation;
mod worker;

pub use evaluate::Prediction;
pub use gradients::Gradients;
pub use history::{Epoch, Flow, History, Observer, Progress, Silent, Validation};
pub use options::FitOptions;
pub use schedule::{Decay, Schedule};
