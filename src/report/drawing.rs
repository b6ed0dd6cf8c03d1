//! Images drawn as characters: eight pixels each, as the dots of a braille pattern.
//!
//! Braille patterns have dots as wide apart as they are high, so that images keep their shape, and
//! most fonts for terminals have them.

use crate::image::Raster;

/// A pixel is a dot from this level on.
const DOT: u8 = 96;

/// What the dots add to the code of the empty pattern, for two columns of four rows.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The empty pattern.
const EMPTY: u32 = 0x2800;

/// The lines of the image, ink as dots: a quarter as many as it has rows, half as long as it has
/// columns.
pub(super) fn draw(image: &Raster) -> Vec<String> {
    let rows: Vec<&[u8]> = image.rows().collect();
    let columns = (0..image.shape().width).step_by(2);
    let line = |rows: &[&[u8]]| columns.clone().map(|left| pattern(rows, left)).collect();
    rows.chunks(DOTS.len()).map(line).collect()
}

/// The pattern of two columns, from `left` on, of up to four rows.
fn pattern(rows: &[&[u8]], left: usize) -> char {
    let mut code = EMPTY;
    for (row, dots) in rows.iter().zip(DOTS) {
        for (pixel, dot) in row.iter().skip(left).zip(dots) {
            if *pixel >= DOT {
                code += dot;
            }
        }
    }
    char::from_u32(code).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageShape;

    #[test]
    fn pixels_become_dots() {
        let shape = ImageShape { height: 5, width: 3 };
        let pixels = vec![
            255, 0, 0, //
            0, 255, 0, //
            0, 0, 255, //
            255, 0, 95, //
            0, 96, 0,
        ];
        let image = Raster::new(shape, pixels).unwrap();
        assert_eq!(draw(&image), ["⡑⠄", "⠈⠀"]);
    }
}
