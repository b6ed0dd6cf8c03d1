//! A network that has seen generated digits alone reads them from photographs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Cursor;

use image::{GrayImage, ImageFormat};
use mnistry::data::generated;
use mnistry::image::{Frame, Picture};
use mnistry::{Activation, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential};
use paper::{Photograph, photographs};

mod paper;

/// The photograph, as a camera or a scanner would store it.
fn file(photograph: &Photograph, format: ImageFormat) -> Vec<u8> {
    let shape = photograph.levels.shape();
    let pixels = photograph.levels.pixels().to_vec();
    let image = GrayImage::from_raw(shape.width as u32, shape.height as u32, pixels).unwrap();
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn nine_of_ten_digits_are_read_from_photographs() {
    let data = generated::generate(0, 40_000, 600).unwrap();
    let layers = Sequential::new(data.shape())
        .dense(100, Activation::Relu)
        .dense(data.classes(), Activation::Sigmoid);
    let mut network = Network::new(layers, 0).unwrap();
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let options = FitOptions { epochs: 4, ..FitOptions::default() };
    engine.fit(&mut network, &data.train, &options, &mut NoObserver).unwrap();

    let photographs = photographs(&data.test);
    let (mut cut_out, mut right) = (0, 0);
    for (number, photograph) in photographs.iter().enumerate() {
        let format = [ImageFormat::Png, ImageFormat::Jpeg][number % 2];
        let picture = Picture::decode(&file(photograph, format)).unwrap();
        let digits = picture.digits(Frame::MNIST.image()).unwrap_or_default();
        if digits.len() == photograph.digits.len() {
            let pixels = digits.iter().flat_map(|digit| digit.image.pixels()).copied();
            let read = engine.predict_batch(&network, pixels.collect::<Vec<_>>()).unwrap();
            let both = read.iter().zip(&photograph.digits);
            cut_out += read.len();
            right += both.filter(|(read, label)| read.class == usize::from(**label)).count();
        }
    }
    let all = data.test.len();
    let said = format!(
        "of {all} digits on {} photographs, {cut_out} were cut out and {right} read",
        photographs.len()
    );
    println!("{said}; before they were photographed, {:.1} %", {
        100.0 * engine.evaluate(&network, &data.test).unwrap().accuracy()
    });
    assert!(
        photographs.len() > 250 && 100 * cut_out >= 98 * all && 10 * right >= 9 * all,
        "{said}"
    );
}
