//! How well networks read the real MNIST.

use mnistry::{
    Activation, Dataset, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential,
};

#[test]
#[ignore = "needs MNISTRY_DATA_DIR"]
fn five_epochs_read_974_of_1000_test_images() {
    let folder = std::env::var_os("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR is set");
    let mnist = Dataset::open(folder).expect("it holds MNIST");
    let engine = Engine::new(EngineOptions::default()).expect("threads");
    let accuracies = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|seed| {
        let architecture = Sequential::new(mnist.shape())
            .dense(100, Activation::Relu)
            .dense(mnist.classes(), Activation::Sigmoid);
        let mut network = Network::new(architecture, seed).expect("a sound network");
        let options = FitOptions { seed, ..FitOptions::default() };
        engine.fit(&mut network, &mnist.train, &options, &mut NoObserver).expect("a sound run");
        engine.evaluate(&network, &mnist.test).expect("it fits").accuracy()
    });
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    assert!(mean >= 0.974, "mean {mean} of {accuracies:?}");
    assert!(accuracies.iter().all(|&accuracy| accuracy >= 0.967), "{accuracies:?}");
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR"]
fn ten_epochs_of_lenet5_read_989_of_1000_test_images() {
    let folder = std::env::var_os("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR is set");
    let mnist = Dataset::open(folder).expect("it holds MNIST");
    let engine = Engine::new(EngineOptions::default()).expect("threads");
    let architecture = Sequential::lenet5(mnist.shape(), mnist.classes());
    let mut network = Network::new(architecture, 0).expect("a sound network");
    let options = FitOptions { epochs: 10, batch_size: 128, ..FitOptions::default() };
    engine.fit(&mut network, &mnist.train, &options, &mut NoObserver).expect("a sound run");
    let accuracy = engine.evaluate(&network, &mnist.test).expect("it fits").accuracy();
    assert!(accuracy >= 0.989, "{accuracy}");
}
