//! Classifies the first test images with a saved network, and shows the first one:
//! `cargo run --release --example predict -- runs/1/model.safetensors mnist.npz`.

use mnistry::{Dataset, Engine, EngineOptions, Network, Result};

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let model = arguments.next().unwrap_or_else(|| "model.safetensors".into());
    let network = Network::load(model)?;
    let images =
        Dataset::find(arguments.next().as_deref().map(AsRef::as_ref), &mut |_| {})?.data.test;

    for row in images.image(0).chunks(images.shape().width) {
        let shades = row.iter().map(|&pixel| [' ', '░', '▒', '▓'][usize::from(pixel / 64)]);
        println!("{}", shades.flat_map(|shade| [shade; 2]).collect::<String>());
    }
    let engine = Engine::new(EngineOptions::default())?;
    for index in 0..images.len().min(10) {
        let prediction = engine.predict(&network, images.image(index))?;
        println!("image {index}: {} ({:.2} %)", prediction.class, 100.0 * prediction.probability());
    }
    Ok(())
}
