//! Networks that are asked together.

use canvas::{Canvas, Glyph};
use mnistry::data::generated::generate;
use mnistry::image::Picture;
use mnistry::reading::{Reader, Reading};
use mnistry::train::{Ensemble, Error};
use mnistry::{Activation, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential};

mod canvas;

fn engine() -> Engine {
    Engine::new(EngineOptions { threads: Some(2), ..EngineOptions::default() }).unwrap()
}

fn network(data: &mnistry::Dataset, seed: u64) -> Network {
    let layers = Sequential::new(data.shape()).dense(12, Activation::Relu);
    let mut network = Network::new(layers.dense(10, Activation::Sigmoid), seed).unwrap();
    let options = FitOptions { epochs: 3, seed, ..FitOptions::default() };
    engine().fit(&mut network, &data.train, &options, &mut NoObserver).unwrap();
    network
}

#[test]
fn the_answer_is_the_mean_of_the_probabilities() {
    let data = generate(0, 1000, 5000).unwrap();
    let engine = engine();
    let networks: Vec<_> = (0..3).map(|seed| network(&data, seed)).collect();
    let images = data.test.pixels().to_vec();
    let of_each: Vec<_> = networks
        .iter()
        .map(|network| engine.predict_batch(network, images.clone()).unwrap())
        .collect();
    let ensemble = Ensemble::new(networks).unwrap();
    let together = engine.predict_ensemble(&ensemble, images).unwrap();
    let (mut loss, mut correct) = (0.0, 0);
    for (index, (found, &label)) in together.iter().zip(data.test.labels()).enumerate() {
        let mean = |class: usize| {
            let of = of_each.iter().map(|of| f64::from(of[index].probabilities[class]));
            of.sum::<f64>() / 3.0
        };
        for class in 0..10 {
            assert!((f64::from(found.probabilities[class]) - mean(class)).abs() < 1e-6);
            assert!(found.probabilities[class] <= found.probability());
        }
        loss -= mean(label.into()).ln();
        correct += u64::from(found.class == usize::from(label));
    }
    // More images than are read at a time.
    let evaluation = engine.evaluate_ensemble(&ensemble, &data.test).unwrap();
    assert_eq!(evaluation.confusion.correct(), correct);
    assert_eq!(evaluation.misclassified.len() as u64, 5000 - correct);
    assert!((evaluation.loss - loss / 5000.0).abs() < 1e-6, "{}", evaluation.loss);
}

#[test]
fn one_network_together_with_itself_is_as_by_itself() {
    let data = generate(1, 400, 200).unwrap();
    let (engine, network) = (engine(), network(&data, 0));
    let alone = engine.evaluate(&network, &data.test).unwrap();
    let two = Ensemble::new(vec![network.clone(), network]).unwrap();
    let together = engine.evaluate_ensemble(&two, &data.test).unwrap();
    assert_eq!(together.confusion, alone.confusion);
    assert_eq!(together.misclassified, alone.misclassified);
    assert!((together.loss - alone.loss).abs() < 1e-5);
}

/// A picture of digits in two rows: one by itself, and some that touch.
fn picture(data: &mnistry::Dataset) -> Picture {
    let glyph = |index| Glyph::of(data.test.image(index), data.test.labels()[index]);
    let mut canvas = Canvas::new(330, 400);
    canvas.draw(&glyph(0), 30.0, 40.0, 100.0);
    canvas.draw(&glyph(1), 190.0, 40.0, 100.0);
    canvas.touch(&glyph(2), 190.0, 100.0, 20);
    canvas.touch(&glyph(3), 190.0, 100.0, 20);
    Picture::from_levels(canvas.on_paper(220.0, 40.0))
}

#[test]
fn a_reader_asks_one_network_together_as_it_asks_it_alone() {
    let data = generate(2, 2000, 100).unwrap();
    let (engine, network) = (engine(), network(&data, 0));
    let one = Ensemble::new(vec![network.clone()]).unwrap();
    let (alone, together) = (Reader::new(&engine, &network), Reader::new(&engine, &one));
    let images = data.test.pixels().to_vec();
    assert_eq!(together.predict(images.clone()).unwrap(), alone.predict(images).unwrap());
    let read = |reader: Reader<'_>| {
        let readings = reader.read(&picture(&data)).unwrap();
        let of = |Reading { digit, prediction, is_unsure, .. }: Reading| {
            (digit.bounding_box, digit.image.pixels().to_vec(), prediction, is_unsure)
        };
        readings.into_iter().map(of).collect::<Vec<_>>()
    };
    let read_alone = read(alone);
    assert!(read_alone.len() >= 2, "{}", read_alone.len());
    assert_eq!(read(together), read_alone);
}

#[test]
fn a_reader_reads_what_networks_say_together() {
    let data = generate(3, 2000, 100).unwrap();
    let engine = engine();
    let three = Ensemble::new((0..3).map(|seed| network(&data, seed)).collect()).unwrap();
    let readings = Reader::new(&engine, &three).read(&picture(&data)).unwrap();
    assert!(readings.len() >= 2, "{}", readings.len());
    for Reading { digit, prediction, .. } in readings {
        let pixels = digit.image.pixels().to_vec();
        assert_eq!(engine.predict_ensemble(&three, pixels).unwrap(), [prediction]);
    }
}

#[test]
fn networks_that_cannot_be_asked_the_same_are_refused() {
    let shape = mnistry::image::ImageShape { height: 8, width: 8 };
    let network = |classes| {
        let layers = Sequential::new(shape).dense(classes, Activation::Softmax);
        Network::new(layers, 0).unwrap()
    };
    assert!(matches!(Ensemble::new(Vec::new()), Err(Error::NoNetwork)));
    let refused = Ensemble::new(vec![network(3), network(3), network(4)]).unwrap_err();
    assert!(matches!(refused, Error::OtherKind { number: 3, .. }), "{refused}");
}
