//! Trains the default network and tests it, with a line an epoch, and keeps the run in a folder:
//! `cargo run --release --example train -- mnist.npz`.

use std::ops::ControlFlow;

use mnistry::report::{Palette, RecordedRun, RunEnd};
use mnistry::train::{Epoch, Observer, ObserverError};
use mnistry::{Activation, Dataset, Engine, EngineOptions, Network, Result, Sequential};

/// Prints each epoch as it ends.
struct Print;

impl Observer for Print {
    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        _: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
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
    let network = Network::new(layers, 0)?;

    let engine = Engine::new(EngineOptions::default())?;
    let run = RecordedRun::new(&engine, &data).begin(network)?;
    println!("the run is kept in {}", run.folder().display());
    // Nothing interrupts it: the observer goes on after each step.
    if let RunEnd::Completed(run) = run.train(&mut Print)? {
        println!("\n{}", run.test()?.text(&Palette::plain()));
    }
    Ok(())
}
