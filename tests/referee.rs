//! The referee between ways of cutting digits that touch: what it was trained on, and that training
//! it again makes the same bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ops::Range;

use canvas::{Canvas, Glyph};
use mnistry::data::generated;
use mnistry::image::{BoundingBox, Frame, Picture};
use mnistry::internals::{Rng, Stream, drawn_parts};
use mnistry::train::{LrDecay, LrSchedule};
use mnistry::{
    Activation, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential, Split,
};

mod canvas;

const SEED: u64 = 7;
const DRAWINGS: u64 = 6000;
/// The label of what is no digit.
const NO_DIGIT: u8 = 10;
/// A part is a digit if both its sides are so near those of one that was drawn, relative to the
/// height, and none if one side is farther away than this from those of any.
const IS_DIGIT: f32 = 0.1;
const IS_NONE: f32 = 0.22;
/// What is lower, or wider, relative to the height, is a scrap or a line that nobody takes for one.
const LEAST_HEIGHT: f32 = 0.4;
const MOST_WIDTH: f32 = 1.7;

/// A digit that was drawn, how large, and the columns that it begins and ends at.
struct Drawn {
    digit: u8,
    size: f32,
    sides: [f32; 2],
}

/// A picture of one to four digits that touch.
fn drawing(glyphs: &[Glyph], number: u64) -> (Picture, Vec<Drawn>) {
    let mut rng = Rng::stream(SEED, Stream::Digit, number);
    let count = [1, 1, 2, 3, 1, 2, 2, 2, 3, 3, 4][number as usize % 11];
    let height = rng.range(50.0, 110.0);
    let mut canvas =
        Canvas::new((1.8 * height) as usize, (height * (1.15 * count as f32 + 1.0)) as usize);
    let mut all: Vec<Drawn> = Vec::new();
    for _ in 0..count {
        let glyph = &glyphs[rng.below(glyphs.len() as u32) as usize];
        let size = height * rng.range(0.75, 1.15);
        let top = (1.8 * height - size) / 2.0 + height * rng.range(-0.1, 0.1);
        let left = if all.is_empty() {
            canvas.draw(glyph, top, 0.4 * height, size);
            0.4 * height
        } else {
            let shared = rng.range(1.0, 40.0) * (height / 100.0) * (height / 100.0);
            canvas.touch(glyph, top, size, shared as usize) as f32
        };
        let sides = [left, left + size * glyph.width()];
        all.push(Drawn { digit: glyph.digit, size, sides });
    }
    (Picture::from_levels(canvas.on_paper(rng.range(170.0, 255.0), rng.range(10.0, 80.0))), all)
}

/// What `part` is called: a digit, or none; `None` where that is not clear.
fn label(part: BoundingBox, drawn: &[Drawn]) -> Option<u8> {
    let (left, right) = (part.left as f32, (part.left + part.width) as f32);
    let away = |drawn: &Drawn| {
        (drawn.sides[0] - left).abs().max((drawn.sides[1] - right).abs()) / drawn.size
    };
    let nearest = drawn.iter().min_by(|one, other| away(one).total_cmp(&away(other)))?;
    let [height, width] = [part.height, part.width].map(|side| side as f32 / nearest.size);
    match away(nearest) {
        _ if height < LEAST_HEIGHT || width > MOST_WIDTH => None,
        away if away < IS_DIGIT => Some(nearest.digit),
        away if away > IS_NONE => Some(NO_DIGIT),
        _ => None,
    }
}

/// Pixels and labels of the parts of the pictures `numbers`.
fn parts(glyphs: &[Glyph], numbers: Range<u64>) -> (Vec<u8>, Vec<u8>) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for number in numbers {
        let (picture, drawn) = drawing(glyphs, number);
        for part in drawn_parts(&picture).unwrap_or_default() {
            if let Some(label) = label(part.bounding_box, &drawn) {
                pixels.extend_from_slice(part.image.pixels());
                labels.push(label);
            }
        }
    }
    (pixels, labels)
}

/// The parts of `count` pictures from number `first` on, which several threads draw.
fn split(glyphs: &[Glyph], first: u64, count: u64) -> Split {
    const THREADS: u64 = 4;
    let edge = |thread: u64| first + count * thread / THREADS;
    let (pixels, labels): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
        let draw = |thread| scope.spawn(move || parts(glyphs, edge(thread)..edge(thread + 1)));
        let threads: Vec<_> = (0..THREADS).map(draw).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).unzip()
    });
    Split::new(Frame::MNIST.image(), pixels.concat().into(), labels.concat().into()).unwrap()
}

#[test]
#[ignore = "takes a minute or two"]
fn the_referee_is_what_its_training_makes() {
    let digits = generated::generate(SEED, 20_000, 10).unwrap();
    let images = digits.train.labels().iter().enumerate();
    let glyphs: Vec<_> = images.map(|(i, &d)| Glyph::of(digits.train.image(i), d)).collect();
    let (train, test) = (split(&glyphs, 0, DRAWINGS), split(&glyphs, DRAWINGS, 300));
    let count = |digit: bool| train.labels().iter().filter(|&&l| (l < NO_DIGIT) == digit).count();
    println!("{} digits and {} others", count(true), count(false));

    let layers = Sequential::new(train.shape())
        .conv2d(8, 5, Activation::Relu)
        .max_pool(2)
        .conv2d(12, 5, Activation::Relu)
        .max_pool(2)
        .flatten()
        .dense(32, Activation::Relu)
        .dense(usize::from(NO_DIGIT) + 1, Activation::Softmax);
    let mut network = Network::new(layers, SEED).unwrap();
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let options = FitOptions {
        epochs: 6,
        batch_size: 64,
        schedule: LrSchedule { warm_up: 0.0, decay: LrDecay::Cosine },
        ..FitOptions::default()
    };
    engine.fit(&mut network, &train, &options, &mut NoObserver).unwrap();
    let right = engine.evaluate(&network, &test).unwrap().accuracy();
    println!("{:.1} % of {} parts that were not learnt are told", 100.0 * right, test.len());
    assert!(right > 0.85, "{right}");

    let made = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("referee.safetensors");
    network.save(&made).unwrap();
    let kept = include_bytes!("../src/reading/referee.safetensors");
    let is_kept = std::fs::read(&made).unwrap() == kept;
    assert!(is_kept, "{} is another: if that is meant, keep it", made.display());
}
