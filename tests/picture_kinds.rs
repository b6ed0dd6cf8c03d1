//! Pictures of all kinds that people have are read by a network that has seen generated digits alone:
//! each digit that is read from plain paper is read there too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::OnceLock;

use canvas::{Canvas, Glyph};
use mnistry::data::generated;
use mnistry::image::{Picture, Raster};
use mnistry::reading::{Reader, Reading};
use mnistry::{
    Activation, Dataset, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential,
};

mod canvas;

/// Digits that are drawn in each kind of picture.
const DIGITS: usize = 40;

/// A network, and digits that it surely reads from plain paper.
struct Desk {
    engine: Engine,
    network: Network,
    digits: Vec<Glyph>,
}

impl Desk {
    fn new() -> Self {
        let data: Dataset = generated::generate(0, 20_000, 200).unwrap();
        let layers = Sequential::new(data.shape())
            .dense(100, Activation::Relu)
            .dense(data.classes(), Activation::Sigmoid);
        let mut network = Network::new(layers, 0).unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let options = FitOptions { epochs: 4, ..FitOptions::default() };
        engine.fit(&mut network, &data.train, &options, &mut NoObserver).unwrap();
        let all = (0..data.test.len())
            .map(|index| Glyph::of(data.test.image(index), data.test.labels()[index]));
        let mut desk = Self { engine, network, digits: Vec::new() };
        let is_read = |glyph: &Glyph| {
            let read = desk.read(&plain(glyph));
            read.len() == 1
                && is_sure(&read[0])
                && read[0].prediction.class == usize::from(glyph.digit)
        };
        let digits = all.filter(is_read).take(DIGITS).collect();
        desk.digits = digits;
        desk
    }

    fn read(&self, picture: &Raster) -> Vec<Reading> {
        let reader = Reader::new(&self.engine, &self.network);
        reader.read(&Picture::from_levels(picture.clone())).unwrap_or_default()
    }

    /// Whether these digits are read in `picture`, and no others.
    fn reads(&self, picture: &Raster, digits: &[u8]) -> bool {
        let read = self.read(picture);
        read.iter().map(|reading| reading.prediction.class as u8).eq(digits.iter().copied())
    }
}

fn is_sure(reading: &Reading) -> bool {
    !reading.is_unsure && reading.prediction.probability() > 0.95
}

/// The desk that all tests share.
fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = Desk::new();
        assert_eq!(desk.digits.len(), DIGITS);
        desk
    })
}

/// Grey paper with a digit on it.
fn plain(glyph: &Glyph) -> Raster {
    let mut canvas = Canvas::new(220, 200);
    canvas.draw(glyph, 60.0, 60.0, 100.0);
    canvas.on_paper(225.0, 40.0)
}

/// Asserts that at least 19 of 20 pictures, one of each digit, are read right.
fn all_are_read(picture: impl Fn(usize, &Glyph) -> Raster) {
    let desk = desk();
    let all = desk.digits.iter().enumerate();
    let wrong = all.filter(|(index, glyph)| !desk.reads(&picture(*index, glyph), &[glyph.digit]));
    let wrong: Vec<_> = wrong.map(|(index, glyph)| (index, glyph.digit)).collect();
    assert!(20 * wrong.len() <= DIGITS, "misread: {wrong:?}");
}

#[test]
fn tight_crops_of_ink_on_light_and_on_dark() {
    for margin in [0, 1, 6] {
        all_are_read(|index, glyph| {
            let mut canvas = Canvas::new(160, 160);
            canvas.draw(glyph, 25.0, 25.0, 110.0);
            let levels = [(250.0, 5.0), (20.0, 235.0), (200.0, 60.0)][index % 3];
            canvas.cropped(margin).on_paper(levels.0, levels.1)
        });
    }
}

#[test]
fn small_pictures_that_are_not_fitted() {
    for size in [11.0, 14.0, 27.0] {
        all_are_read(|index, glyph| {
            let mut canvas = Canvas::new(280, 280);
            let start = (280.0 - 10.0 * size) / 2.0;
            canvas.draw(glyph, start, start, 10.0 * size);
            let levels = [(255.0, 0.0), (0.0, 255.0)][index % 2];
            canvas.reduced(10).on_paper(levels.0, levels.1)
        });
    }
}

#[test]
fn frames_at_the_edge_and_boxes_around() {
    for (margin, thick) in [(0.0, 3.0), (0.0, 10.0), (15.0, 2.0), (25.0, 6.0)] {
        all_are_read(|_, glyph| {
            let mut canvas = Canvas::new(220, 200);
            canvas.draw(glyph, 60.0, 50.0, 100.0);
            canvas.frame([margin, margin, 220.0 - margin, 200.0 - margin], thick);
            canvas.on_paper(230.0, 40.0)
        });
    }
}

#[test]
fn circles_around() {
    all_are_read(|_, glyph| {
        let mut canvas = Canvas::new(260, 260);
        canvas.draw(glyph, 85.0, 85.0, 90.0);
        canvas.circle(130.0, 130.0, 105.0, 5.0);
        canvas.on_paper(230.0, 40.0)
    });
}

#[test]
fn rows_of_boxes_are_read_cell_by_cell() {
    let desk = desk();
    for row in desk.digits.chunks_exact(4) {
        let mut canvas = Canvas::new(140, 460);
        canvas.frame([20.0, 30.0, 120.0, 430.0], 2.0);
        for (place, glyph) in row.iter().enumerate() {
            let left = 30.0 + 100.0 * place as f32;
            canvas.line([20.0, left], [120.0, left], 2.0);
            canvas.draw(glyph, 40.0, left + 20.0, 60.0);
        }
        let digits: Vec<u8> = row.iter().map(|glyph| glyph.digit).collect();
        let read = desk.read(&canvas.on_paper(240.0, 30.0));
        assert_eq!(read.len(), 4, "{digits:?}");
        let wrong = read.iter().zip(&digits);
        let wrong = wrong.filter(|(read, digit)| read.prediction.class != usize::from(**digit));
        assert!(wrong.count() <= 1, "{digits:?}");
    }
}

#[test]
fn underlines() {
    all_are_read(|index, glyph| {
        let mut canvas = Canvas::new(220, 220);
        canvas.draw(glyph, 50.0, 60.0, 100.0);
        canvas.line([170.0, 30.0], [165.0 + (index % 10) as f32, 190.0], 4.0);
        canvas.on_paper(230.0, 40.0)
    });
}

#[test]
fn ruled_and_squared_paper_askew() {
    for (gap, is_squared) in [(26.0, false), (45.0, false), (30.0, true)] {
        all_are_read(|index, glyph| {
            let mut lines = Canvas::new(320, 300);
            let fall = (index % 7) as f32 * 4.0 - 12.0;
            for line in 0..14 {
                let place = line as f32 * gap - 10.0;
                lines.line([place, -1.0], [place + fall, 301.0], 2.0);
                if is_squared {
                    lines.line([-1.0, place], [321.0, place - fall], 2.0);
                }
            }
            let mut canvas = Canvas::new(320, 300);
            canvas.draw(glyph, 100.0, 90.0, 120.0);
            canvas.over(&lines, 0.3).on_paper(245.0, 30.0)
        });
    }
}

#[test]
fn sharp_shadows_through_the_digit() {
    all_are_read(|index, glyph| {
        let mut canvas = Canvas::new(360, 300);
        canvas.draw(glyph, 120.0, 90.0, 120.0);
        let slope = (index % 9) as f32 * 0.2 - 0.8;
        canvas.on_paper_with_shadow([225.0, 35.0], |row, column| {
            column - 150.0 + slope * (row - 180.0) > 0.0
        })
    });
}

#[test]
fn small_digits_in_large_photographs() {
    for (index, glyph) in desk().digits.iter().take(6).enumerate() {
        let mut canvas = Canvas::new(1500, 2000);
        canvas.draw(glyph, 400.0 + 90.0 * index as f32, 900.0, [43.0, 100.0][index % 2]);
        let picture = canvas.on_paper(225.0, 50.0);
        assert!(desk().reads(&picture, &[glyph.digit]), "picture {index}");
    }
}

#[test]
fn digits_that_touch_are_cut_apart_or_called_unsure() {
    let desk = desk();
    let (mut right, mut silent, mut all) = (0, 0, 0);
    for pair in desk.digits.windows(2) {
        let mut canvas = Canvas::new(180, 300);
        canvas.draw(&pair[0], 30.0, 40.0, 100.0);
        canvas.touch(&pair[1], 30.0, 100.0, 8);
        let picture = canvas.on_paper(240.0, 30.0);
        let digits = [pair[0].digit, pair[1].digit];
        let is_right = desk.reads(&picture, &digits);
        let is_unsure = desk.read(&picture).iter().any(|reading| reading.is_unsure);
        all += 1;
        right += usize::from(is_right);
        silent += usize::from(!is_right && !is_unsure);
    }
    println!("of {all} pairs {right} were read, {silent} misread without a word");
    assert!(10 * right >= 7 * all && 20 * silent <= 3 * all, "{right}, {silent} of {all}");
}

#[test]
fn what_is_no_written_digit_is_unsure() {
    let mut dots = Canvas::new(200, 200);
    for dot in 0..12 {
        dots.circle(40.0 + 20.0 * (dot / 3) as f32, 60.0 + 24.0 * (dot % 3) as f32, 3.0, 7.0);
    }
    let readings = desk().read(&dots.on_paper(230.0, 30.0));
    assert!(!readings.is_empty() && readings.iter().all(|reading| reading.is_unsure));
}
