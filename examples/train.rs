//! Trains the default network and tests it, with a line an epoch:
//! `cargo run --release --example train -- mnist.npz`.

use mnistry::report::{Palette, TestReport};
use mnistry::train::{Epoch, Observer};
use mnistry::{
    Activation, Dataset, Engine, EngineOptions, FitOptions, Network, Result, Sequential,
};
use std::ops::ControlFlow;

/// Prints each epoch as it ends.
struct Print;

impl Observer for Print {
    fn on_epoch_end(&mut self, epoch: &Epoch, _: &Network) -> Result<ControlFlow<()>> {
        println!("epoch {}: loss {:.4}, accuracy {:.4}", epoch.epoch, epoch.loss, epoch.accuracy);
        Ok(ControlFlow::Continue(()))
    }
}

fn main() -> Result<()> {
    let place = std::env::args_os().nth(1);
    let data = Dataset::find(place.as_deref().map(AsRef::as_ref), &mut |_| {})?.data;
    let layers = Sequential::new(data.shape())
        .dense(100, Activation::Relu)
        .dense(data.classes(), Activation::Sigmoid);
    let mut network = Network::new(layers, 0)?;

    let engine = Engine::new(EngineOptions::default())?;
    engine.fit(&mut network, &data.train, &FitOptions::default(), &mut Print)?;
    let test = TestReport::new(engine.evaluate(&network, &data.test)?)?;
    println!("\n{}", test.text(&Palette::plain()));
    network.save("model.safetensors")
}
