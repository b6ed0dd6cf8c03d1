//! What the engine reads in images, against the reference.

mod generated;

use generated::{any_hidden, architectures, engine, engines, images};
use mnistry::internals::{Reference, sigmoid, softmax};
use mnistry::train::Error;
use mnistry::{Activation, Engine};
use proptest::prelude::*;

/// What logits in f32 may be wrong by: they are sums of up to 40 terms of size one or less, over
/// up to four layers.
const LOGITS: f64 = 1e-5;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn images_are_read_as_the_reference_reads_them(
        architecture in architectures(any_hidden()),
        engine in engines(),
        count in 1_usize..=20,
        seed in any::<u64>().no_shrink(),
    ) {
        let classes = architecture.classes();
        let output = architecture.output();
        let split = images(architecture.input(), count, classes, seed);
        let network = generated::network(architecture, seed);
        let reference = Reference::new(&network);
        let engine = Engine::new(engine).expect("threads");
        let mut rows = vec![vec![0; classes]; classes];
        let predictions = engine.predict_batch(&network, split.pixels().to_vec()).expect("they fit");
        prop_assert_eq!(predictions.len(), count);
        prop_assert_eq!(
            &engine.predict(&network, split.image(count - 1)).expect("it fits"),
            &predictions[count - 1]
        );
        for (index, prediction) in predictions.iter().enumerate() {
            let logits = reference.logits(split.image(index));
            let probabilities = softmax(&logits);
            let outputs = match output {
                Activation::Sigmoid => logits.iter().copied().map(sigmoid).collect(),
                Activation::Softmax => probabilities.clone(),
                _ => logits.clone(),
            };
            prop_assert!(near(&prediction.probabilities, &probabilities), "{prediction:?}");
            prop_assert!(near(&prediction.outputs, &outputs), "{prediction:?}");
            // Of two logits as good as equal, either may win.
            let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(greatest - logits[prediction.class] <= LOGITS);
            let runner_up = prediction.runner_up().expect("there are two classes or more");
            prop_assert_ne!(runner_up, prediction.class);
            let better = |class: &usize| *class != prediction.class
                && prediction.probabilities[*class] > prediction.probabilities[runner_up];
            prop_assert!(!(0..classes).any(|class| better(&class)));
            rows[usize::from(split.labels()[index])][prediction.class] += 1;
        }
        let evaluation = engine.evaluate(&network, &split).expect("it fits");
        prop_assert!((evaluation.loss - reference.loss(&split)).abs() <= LOGITS);
        prop_assert_eq!(evaluation.confusion.rows(), &rows);
        prop_assert_eq!(evaluation.confusion.total(), count as u64);
    }
}

fn near(found: &[f32], exact: &[f64]) -> bool {
    found.len() == exact.len()
        && found.iter().zip(exact).all(|(found, exact)| (f64::from(*found) - exact).abs() <= LOGITS)
}

#[test]
fn an_image_of_another_size_is_refused() {
    let shape = mnistry::image::ImageShape { height: 4, width: 3 };
    let network =
        generated::network(mnistry::Sequential::new(shape).dense(2, Activation::Sigmoid), 0);
    for pixels in [0, 11, 13] {
        let error = engine(1).predict(&network, &vec![0; pixels]).expect_err("not 12 pixels");
        assert!(matches!(error, Error::Pixels { .. }), "{error:?}");
        assert!(error.to_string().contains("4 × 3"), "{error}");
    }
    let error = engine(1).predict_batch(&network, vec![0; 25]).expect_err("two images and a pixel");
    assert_eq!(error.to_string(), "25 pixels are not a whole number of images of 4 × 3 pixels");
    assert_eq!(engine(1).predict_batch(&network, vec![]).expect("none"), []);
}
