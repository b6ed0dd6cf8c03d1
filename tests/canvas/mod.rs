//! Paper that digits and lines are drawn on.

#![allow(dead_code, reason = "no test draws all kinds of things")]

use mnistry::image::{ImageShape, Raster};

/// A generated digit, to be drawn at any size.
pub(crate) struct Glyph {
    image: Vec<f32>,
    /// Its first row and column, the greater of its height and width, and its width.
    ink: [f32; 4],
    pub(crate) digit: u8,
}

impl Glyph {
    pub(crate) fn of(image: &[u8], digit: u8) -> Self {
        let inked = |index: &usize| image[*index] > 100;
        let all = || (0..28 * 28).filter(inked);
        let (top, bottom) = (all().map(|i| i / 28).min(), all().map(|i| i / 28).max());
        let (left, right) = (all().map(|i| i % 28).min(), all().map(|i| i % 28).max());
        let [top, bottom, left, right] =
            [top, bottom, left, right].map(|side| side.unwrap() as f32);
        let width = right - left + 1.0;
        let size = (bottom - top + 1.0).max(width);
        let image = image.iter().map(|&level| f32::from(level) / 255.0).collect();
        Self { image, ink: [top, left, size, width], digit }
    }

    /// Its width, relative to the greater of its height and width.
    pub(crate) fn width(&self) -> f32 {
        self.ink[3] / self.ink[2]
    }

    /// How much ink is at this place, between pixels.
    fn cover(&self, row: f32, column: f32, scale: f32) -> f32 {
        if !(0.0..26.9).contains(&row) || !(0.0..26.9).contains(&column) {
            return 0.0;
        }
        let (top, left) = (row as usize, column as usize);
        let (down, across) = (row.fract(), column.fract());
        let at = |row: usize, column: usize| self.image[row * 28 + column];
        let line = |row: usize| at(row, left) + across * (at(row, left + 1) - at(row, left));
        let level = line(top) + down * (line(top + 1) - line(top));
        ((level - 0.45) * scale.max(1.5) + 0.5).clamp(0.0, 1.0)
    }
}

/// How much of each pixel is covered with ink.
#[derive(Clone)]
pub(crate) struct Canvas {
    height: usize,
    width: usize,
    cover: Vec<f32>,
}

impl Canvas {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { height, width, cover: vec![0.0; height * width] }
    }

    fn paint(&mut self, cover: impl Fn(f32, f32) -> f32) {
        for (index, pixel) in self.cover.iter_mut().enumerate() {
            *pixel = pixel.max(cover((index / self.width) as f32, (index % self.width) as f32));
        }
    }

    /// Draws `glyph`, `size` pixels high or wide, from this row and column on.
    pub(crate) fn draw(&mut self, glyph: &Glyph, top: f32, left: f32, size: f32) {
        let scale = size / glyph.ink[2];
        self.paint(|row, column| {
            let (row, column) = ((row - top) / scale, (column - left) / scale);
            glyph.cover(row + glyph.ink[0], column + glyph.ink[1], scale)
        });
    }

    /// Draws `glyph` to the right of all ink, so near that it touches in more than `shared` pixels;
    /// returns the column that it begins at.
    pub(crate) fn touch(&mut self, glyph: &Glyph, top: f32, size: f32, shared: usize) -> usize {
        let mut drawn = Self::new(self.height, size as usize + 2);
        drawn.draw(glyph, top, 0.0, size);
        let touches = |left: usize| {
            let rows =
                self.cover.chunks_exact(self.width).zip(drawn.cover.chunks_exact(drawn.width));
            let pixels = rows.flat_map(|(row, drawn)| row[left..].iter().zip(drawn));
            pixels.filter(|(one, other)| **one > 0.5 && **other > 0.5).count() > shared
        };
        let left = (0..self.width).rev().find(|&left| touches(left)).unwrap_or(0);
        self.draw(glyph, top, left as f32, size);
        left
    }

    /// Draws a line between two places, each a row and a column.
    pub(crate) fn line(&mut self, from: [f32; 2], to: [f32; 2], thick: f32) {
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = along[0].hypot(along[1]);
        self.paint(|row, column| {
            let away = [row - from[0], column - from[1]];
            let share =
                ((away[0] * along[0] + away[1] * along[1]) / (length * length)).clamp(0.0, 1.0);
            let far = (away[0] - share * along[0]).hypot(away[1] - share * along[1]);
            (thick / 2.0 + 0.5 - far).clamp(0.0, 1.0)
        });
    }

    /// Draws a frame within these sides: top, left, bottom, right.
    pub(crate) fn frame(&mut self, [top, left, bottom, right]: [f32; 4], thick: f32) {
        self.paint(|row, column| {
            let inside =
                (row - top).min(bottom - 1.0 - row).min(column - left).min(right - 1.0 - column);
            if (0.0..thick).contains(&inside) { 1.0 } else { 0.0 }
        });
    }

    pub(crate) fn circle(&mut self, row: f32, column: f32, radius: f32, thick: f32) {
        self.paint(|y, x| {
            let far = ((y - row).hypot(x - column) - radius).abs();
            (thick / 2.0 + 0.5 - far).clamp(0.0, 1.0)
        });
    }

    /// This on top of `below`, the ink of which is so much fainter.
    pub(crate) fn over(mut self, below: &Self, share: f32) -> Self {
        for (pixel, below) in self.cover.iter_mut().zip(&below.cover) {
            *pixel = pixel.max(share * below);
        }
        self
    }

    /// Without the paper around the ink, but for a margin.
    pub(crate) fn cropped(&self, margin: usize) -> Self {
        let inked = |index: &usize| self.cover[*index] > 0.3;
        let all = || (0..self.cover.len()).filter(inked);
        let rows = all().map(|index| index / self.width);
        let columns = all().map(|index| index % self.width);
        let (top, bottom) = (rows.clone().min().unwrap() - margin, rows.max().unwrap() + margin);
        let (left, right) =
            (columns.clone().min().unwrap() - margin, columns.max().unwrap() + margin);
        let row = |row: usize| &self.cover[row * self.width + left..=row * self.width + right];
        let cover = (top..=bottom).flat_map(row).copied().collect();
        Self { height: bottom + 1 - top, width: right + 1 - left, cover }
    }

    /// Each square of `side` pixels made one.
    pub(crate) fn reduced(&self, side: usize) -> Self {
        let mut small = Self::new(self.height / side, self.width / side);
        for (index, cover) in self.cover.iter().enumerate() {
            let (row, column) = (index / self.width / side, index % self.width / side);
            small.cover[row * small.width + column] += cover / (side * side) as f32;
        }
        small
    }

    /// Ink of one level on ground of another.
    pub(crate) fn on_paper(&self, ground: f32, ink: f32) -> Raster {
        self.on_paper_with_shadow([ground, ink], |_, _| false)
    }

    /// The same, darker where a shadow falls.
    pub(crate) fn on_paper_with_shadow(
        &self,
        [ground, ink]: [f32; 2],
        is_shaded: impl Fn(f32, f32) -> bool,
    ) -> Raster {
        let level = |(index, cover): (usize, &f32)| {
            let (row, column) = ((index / self.width) as f32, (index % self.width) as f32);
            let light = if is_shaded(row, column) { 0.45 } else { 1.0 };
            (light * (ground + cover * (ink - ground))).round() as u8
        };
        let pixels = self.cover.iter().enumerate().map(level).collect();
        Raster::new(ImageShape { height: self.height, width: self.width }, pixels).unwrap()
    }
}
