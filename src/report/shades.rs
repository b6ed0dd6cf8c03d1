//! An image as characters: two for each pixel, the more ink the darker.

use crate::image::Raster;

/// From no ink to all of it.
const SHADES: [&str; 5] = ["  ", "░░", "▒▒", "▓▓", "██"];

/// The lines of `image`, a row of pixels each.
#[must_use]
pub fn shades(image: &Raster) -> String {
    let shade = |&pixel: &u8| SHADES[usize::from(pixel).div_ceil(64)];
    image.rows().flat_map(|row| row.iter().map(shade).chain(["\n"])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageShape;

    #[test]
    fn black_alone_is_blank() {
        let image = Raster::new(ImageShape { height: 2, width: 3 }, vec![0, 1, 64, 65, 192, 255]);
        assert_eq!(shades(&image.unwrap()), "  ░░░░\n▒▒▓▓██\n");
    }
}
