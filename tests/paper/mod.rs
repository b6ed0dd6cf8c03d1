//! Digits written on paper and photographed: pens of all breadths, ink of all greys, paper with a
//! grain, light that falls off and the shadow of a hand.

use mnistry::Split;
use mnistry::image::{ImageShape, Raster};
use mnistry::internals::{Rng, Stream};

/// A photograph, and what is written there from left to right.
pub(crate) struct Photograph {
    pub(crate) levels: Raster,
    pub(crate) digits: Vec<u8>,
}

/// Photographs of the images of `written`, from one to five on each, some hundred pixels high.
pub(crate) fn photographs(written: &Split) -> Vec<Photograph> {
    let mut photographs = Vec::new();
    let mut next = 0;
    while next < written.len() {
        let mut rng = Rng::stream(7, Stream::Digit, photographs.len() as u64);
        // Every other photograph shows a single digit.
        let count = if photographs.len() % 2 == 0 { 1 } else { 2 + rng.below(4) as usize };
        let indices = next..written.len().min(next + count);
        photographs.push(Photograph {
            levels: photograph(&sheet(written, indices.clone(), &mut rng), &mut rng),
            digits: written.labels()[indices.clone()].to_vec(),
        });
        next = indices.end;
    }
    photographs
}

/// A sheet of paper: the share of each pixel that is covered with ink.
struct Sheet {
    shape: ImageShape,
    cover: Vec<f32>,
}

/// A row of digits, with some space around each.
fn sheet(written: &Split, indices: std::ops::Range<usize>, rng: &mut Rng) -> Sheet {
    let scale = rng.range(3.0, 9.0);
    let size = (28.0 * scale) as usize;
    let margin = (scale * rng.range(2.0, 20.0)) as usize;
    // Fitted digits have four empty columns on each side or more.
    let advance = (scale * rng.range(24.0, 34.0)) as usize;
    let shape = ImageShape {
        height: size + 2 * margin,
        width: size + (indices.len() - 1) * advance + 2 * margin,
    };
    let mut cover = vec![0.0_f32; shape.pixels()];
    let pen = Pen { edge: rng.range(0.3, 0.6), broad: rng.below(4) == 0 };
    for (place, index) in indices.enumerate() {
        let left = margin + place * advance;
        let top = margin + (scale * rng.range(-2.0, 2.0)) as usize;
        let drawn = pen.redraw(written.image(index));
        for row in 0..size {
            for column in 0..size {
                let ink = pen.cover(&drawn, row as f32 / scale, column as f32 / scale, scale);
                let pixel =
                    &mut cover[(top + row).min(shape.height - 1) * shape.width + left + column];
                *pixel = pixel.max(ink);
            }
        }
    }
    Sheet { shape, cover }
}

/// How a digit of 28 × 28 pixels is drawn anew: with a sharp edge, and broader or not.
struct Pen {
    /// The level at which the edge runs: the lower, the broader the strokes.
    edge: f32,
    broad: bool,
}

impl Pen {
    fn redraw(&self, image: &[u8]) -> Vec<f32> {
        let level = |row: usize, column: usize| f32::from(image[row * 28 + column]) / 255.0;
        let broader = |index: usize| {
            let (row, column) = (index / 28, index % 28);
            let below = level((row + 1).min(27), column).max(level(row, (column + 1).min(27)));
            if self.broad { level(row, column).max(below) } else { level(row, column) }
        };
        (0..28 * 28).map(broader).collect()
    }

    /// The cover at a place of the digit, between its pixels.
    fn cover(&self, drawn: &[f32], row: f32, column: f32, scale: f32) -> f32 {
        let (row, column) = (row.min(26.9), column.min(26.9));
        let (top, left) = (row as usize, column as usize);
        let (down, across) = (row.fract(), column.fract());
        let at = |row: usize, column: usize| drawn[row * 28 + column];
        let line = |row: usize| at(row, left) + across * (at(row, left + 1) - at(row, left));
        let level = line(top) + down * (line(top + 1) - line(top));
        ((level - self.edge) * scale + 0.5).clamp(0.0, 1.0)
    }
}

/// Takes a picture of `sheet`.
fn photograph(sheet: &Sheet, rng: &mut Rng) -> Raster {
    let ImageShape { height, width } = sheet.shape;
    let (paper, ink) = (rng.range(150.0, 245.0), rng.range(0.1, 0.55));
    let (grain, noise) = (rng.range(0.0, 0.04), rng.range(0.0, 4.0));
    // Light falls off from one side to the other and towards the corners.
    let (down, across) = (rng.range(-0.25, 0.25), rng.range(-0.25, 0.25));
    let corners = rng.range(0.0, 0.3);
    let shadow = Shadow::cast(rng);
    // One of six is chalk on a board.
    let chalk = rng.below(6) == 0;
    let mut fibres = vec![0.0; sheet.shape.pixels()];
    fibres.fill_with(|| rng.normal());
    let mut levels = Vec::with_capacity(sheet.shape.pixels());
    for (index, &cover) in sheet.cover.iter().enumerate() {
        let (row, column) = (index / width, index % width);
        let (y, x) = (row as f32 / height as f32 - 0.5, column as f32 / width as f32 - 0.5);
        // Fibres are some pixels long.
        let fibre = (0..4).map(|step| fibres[(index + step * 7) % fibres.len()]).sum::<f32>() / 2.0;
        let light = 1.0 + down * y + across * x - corners * (x * x + y * y);
        let bare = light * shadow.light(y, x) * (1.0 + grain * fibre);
        let level = if chalk {
            bare * (40.0 + cover * (150.0 + 60.0 * (1.0 - ink)))
        } else {
            paper * bare * (1.0 - cover * (1.0 - ink))
        };
        levels.push((level + noise * rng.normal()).clamp(0.0, 255.0) as u8);
    }
    Raster::new(sheet.shape, levels).unwrap()
}

/// The soft edge of a shadow, which falls on a part of the paper or on none.
struct Shadow {
    depth: f32,
    slope: f32,
    place: f32,
}

impl Shadow {
    fn cast(rng: &mut Rng) -> Self {
        let depth = if rng.below(2) == 0 { rng.range(0.1, 0.4) } else { 0.0 };
        Self { depth, slope: rng.range(-1.0, 1.0), place: rng.range(-0.4, 0.4) }
    }

    fn light(&self, y: f32, x: f32) -> f32 {
        let inside = ((x + self.slope * y - self.place) / 0.12 + 0.5).clamp(0.0, 1.0);
        1.0 - self.depth * inside * inside * (3.0 - 2.0 * inside)
    }
}
