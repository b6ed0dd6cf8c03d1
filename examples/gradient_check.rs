//! Checks the gradients of networks of one's own as a property: whatever their shapes, weights and
//! minibatches, and the number of threads, the engine finds the gradients that the reference finds.
//! A network in which a gradient of zeros would pass too proves nothing: another is drawn in its place.
//! `cargo run --release --example gradient_check`.
//!
//! In a test, `proptest!` takes the place of `main`.

use std::process::ExitCode;

use mnistry::check::{GradientOptions, Verdict, gradients};
use mnistry::image::ImageShape;
use mnistry::model::Architecture;
use mnistry::{Activation, EngineOptions, Sequential};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The networks that the property is about: a convolution, pooling and two dense layers.
fn networks() -> impl Strategy<Value = Architecture> {
    let image = (4_usize..=9, 4_usize..=9);
    let layers = (1_usize..=6, 1_usize..=3, 1_usize..=20, 2_usize..=10);
    (image, layers).prop_filter_map("layers fit", |(image, (filters, kernel, units, classes))| {
        let (height, width) = image;
        let network = Sequential::new(ImageShape { height, width })
            .conv2d(filters, kernel, Activation::Relu)
            .max_pool(2)
            .flatten()
            .dense(units, Activation::Sigmoid)
            .dense(classes, Activation::Softmax);
        Architecture::new(network).ok()
    })
}

/// The property.
fn has_right_gradients(
    (architecture, seed, threads): (Architecture, u64, usize),
) -> Result<(), TestCaseError> {
    let engine = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
    let options = GradientOptions { cases: 5, seed, engine };
    let report = gradients(&architecture, &options);
    let report = report.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assume!(report.verdict() != Verdict::Unproven);
    prop_assert_eq!(report.verdict(), Verdict::Agrees, "{}", report);
    Ok(())
}

fn main() -> ExitCode {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let any = (networks(), any::<u64>(), 1_usize..=3);
    match TestRunner::new(config).run(&any, has_right_gradients) {
        Ok(()) => {
            println!("the gradients of 200 random networks are right");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
