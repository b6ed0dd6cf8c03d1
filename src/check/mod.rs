//! Proofs of gradients: those that the engine finds of a network, against a reference in f64,
//! over random weights, images, labels and minibatches.
//!
//! ```
//! use mnistry::check::{GradientOptions, Verdict, gradients};
//! use mnistry::model::Architecture;
//! use mnistry::{Activation, Sequential, image::ImageShape};
//!
//! let layers = Sequential::new(ImageShape { height: 6, width: 5 })
//!     .conv2d(3, 3, Activation::Relu)
//!     .max_pool(2)
//!     .flatten()
//!     .dense(4, Activation::Softmax);
//! let options = GradientOptions { cases: 5, ..GradientOptions::default() };
//! let report = gradients(&Architecture::new(layers)?, &options)?;
//! assert_eq!(report.verdict(), Verdict::Agrees, "{report}");
//! # Ok::<(), mnistry::Error>(())
//! ```
//!
//! What the two may differ by is derived for each number, from what rounding to f32 may amount to at
//! worst: a right engine never fails, however its roundings fall.

mod approximate;
mod bounds;
mod case;
mod error;
pub(crate) mod expected;
mod memory;
pub(crate) mod reference;
mod report;

use crate::exec::engine::{Engine, EngineOptions};
use crate::model::Architecture;

use case::Case;
pub use error::Error;
use error::Result;
use expected::Expected;
use reference::Reference;
pub use report::{Agreement, GradientReport, TensorReport, Verdict};

/// What gradients are checked by.
#[derive(Clone, Copy, Debug)]
pub struct GradientOptions {
    /// How many cases there are, each of weights and a minibatch of its own.
    pub cases: usize,
    /// Decides all that is random.
    pub seed: u64,
    /// The engine that is checked. Its gradients do not depend on the number of threads, but each
    /// number of them divides the work in another way.
    pub engine: EngineOptions,
}

impl Default for GradientOptions {
    fn default() -> Self {
        Self { cases: 20, seed: 0, engine: EngineOptions::default() }
    }
}

/// Checks the gradients of networks of `architecture`.
///
/// # Errors
/// When there are no cases, no engine, or too little memory. That gradients are wrong is no error:
/// the report says it.
pub fn gradients(architecture: &Architecture, options: &GradientOptions) -> Result<GradientReport> {
    let mut check = GradientCheck::new(architecture, options)?;
    while !check.is_complete() {
        check.next_case()?;
    }
    Ok(check.report)
}

/// A check of gradients that is done case by case: for whoever shows how far it is, or ends it early.
#[derive(Debug)]
pub struct GradientCheck {
    engine: Engine,
    architecture: Architecture,
    options: GradientOptions,
    report: GradientReport,
}

impl GradientCheck {
    /// A check of networks of `architecture`, before its first case.
    ///
    /// # Errors
    /// As [`gradients`].
    pub fn new(architecture: &Architecture, options: &GradientOptions) -> Result<Self> {
        if options.cases == 0 {
            return Err(Error::NoCases);
        }
        memory::check(architecture)?;
        Ok(Self {
            engine: Engine::new(options.engine)?,
            architecture: architecture.clone(),
            options: *options,
            report: GradientReport::new(architecture),
        })
    }

    /// Whether all cases are done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.report.cases >= self.options.cases
    }

    /// Does one more case; none, if the [stop flag](Engine::stop_flag) of the engine is raised before
    /// its end.
    ///
    /// # Errors
    /// When there is too little memory.
    pub fn next_case(&mut self) -> Result<()> {
        let number = self.report.cases as u64;
        let Case { network, split } = Case::draw(&self.architecture, self.options.seed, number)?;
        let mut reference = Reference::new(&network).stopped_by(self.engine.stop_flag());
        let expected = Expected::new(&mut reference, &split, number);
        if !reference.is_stopped() {
            expected.compare(&self.engine.gradients(&network, &split)?, &mut self.report);
        }
        Ok(())
    }

    /// What was found so far.
    #[must_use]
    pub fn report(&self) -> &GradientReport {
        &self.report
    }

    /// The engine that is checked.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};

    #[test]
    fn a_case_ends_early_once_it_is_asked_to_and_does_not_count() {
        let layers = Sequential::new(ImageShape { height: 3, width: 3 });
        let layers = layers.dense(4, Activation::Relu).dense(3, Activation::Softmax);
        let architecture = Architecture::new(layers).unwrap();
        let mut check = GradientCheck::new(&architecture, &GradientOptions::default()).unwrap();
        check.next_case().unwrap();
        let before = check.report().clone();
        let stop = check.engine().stop_flag();
        stop.store(true, Ordering::Relaxed);
        check.next_case().unwrap();
        assert_eq!((check.report().cases, check.report()), (1, &before));

        let Case { network, split } = Case::draw(&architecture, 0, 0).unwrap();
        let mut reference = Reference::new(&network);
        let whole = Expected::new(&mut reference, &split, 0);
        assert!(whole.loss > 0.0 && whole.bounds.loss > 0.0 && !whole.slopes.is_empty());
        // No sample of it is looked at, in any of its parts.
        let stopped = Expected::new(&mut reference.stopped_by(stop), &split, 0);
        assert_eq!((stopped.loss, stopped.bounds.loss), (0.0, 0.0));
        assert!(stopped.gradient.iter().flatten().all(|&slope| slope == 0.0));
        assert!(stopped.slopes.iter().all(|slope| slope.value.is_nan()));
    }
}
