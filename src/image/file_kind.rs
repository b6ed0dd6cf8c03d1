//! What a file of pixels has that is lost when grey levels are made of it.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

/// How much the channels of a pixel differ at least where it has a colour: less is a trace of
/// compression.
const COLOURED: u8 = 32;

/// What is lost of a file when grey levels are made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileKind {
    /// Whether some of its pixels are no grey.
    pub(crate) is_coloured: bool,
    /// Whether it has further pictures after the first.
    pub(crate) has_more_frames: bool,
}

impl FileKind {
    /// That of `bytes`, which were decoded as a [`Picture`](super::Picture) before.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let format = image::guess_format(bytes).ok();
        let has_more_frames = format.is_some_and(|format| has_more_frames(bytes, format));
        Self { is_coloured: is_coloured(bytes).unwrap_or(false), has_more_frames }
    }
}

fn is_coloured(bytes: &[u8]) -> Option<bool> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let decoder = reader.into_decoder().ok()?;
    if !decoder.color_type().has_color() {
        return Some(false);
    }
    let picture = DynamicImage::from_decoder(decoder).ok()?.into_rgba8();
    Some(picture.pixels().any(|pixel| {
        let [red, green, blue, alpha] = pixel.0;
        let [least, greatest] = [red.min(green).min(blue), red.max(green).max(blue)];
        alpha > 0 && greatest - least >= COLOURED
    }))
}

fn has_more_frames(bytes: &[u8], format: ImageFormat) -> bool {
    let cursor = || Cursor::new(bytes);
    match format {
        ImageFormat::Gif => {
            GifDecoder::new(cursor()).is_ok_and(|file| file.into_frames().take(2).count() > 1)
        }
        ImageFormat::WebP => WebPDecoder::new(cursor()).is_ok_and(|file| file.has_animation()),
        ImageFormat::Png => {
            PngDecoder::new(cursor()).is_ok_and(|file| file.is_apng().unwrap_or(false))
        }
        ImageFormat::Tiff => has_second_directory(bytes).unwrap_or(false),
        _ => false,
    }
}

/// Whether the first directory of the TIFF file `bytes` names a next one.
fn has_second_directory(bytes: &[u8]) -> Option<bool> {
    let is_little = bytes.starts_with(b"II");
    let number = |at: usize, size: usize| {
        let digits = bytes.get(at..at.checked_add(size)?)?.iter();
        let add = |sum: usize, &digit: &u8| sum << 8 | usize::from(digit);
        Some(if is_little { digits.rev().fold(0, add) } else { digits.fold(0, add) })
    };
    let first = number(4, 4)?;
    let entries = number(first, 2)?;
    let next = first.checked_add(2)?.checked_add(entries.checked_mul(12)?)?;
    Some(number(next, 4)? != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn colours_are_seen_where_there_are_some() {
        let grey = DynamicImage::from(RgbImage::from_pixel(3, 3, Rgb([90, 92, 91])));
        let red = DynamicImage::from(RgbImage::from_pixel(3, 3, Rgb([200, 90, 90])));
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Tiff] {
            let kind = |picture| FileKind::of(&written(picture, format));
            assert_eq!(kind(&grey), FileKind::default(), "{format:?}");
            assert_eq!(kind(&red), FileKind { is_coloured: true, has_more_frames: false });
        }
    }

    #[test]
    fn further_frames_are_seen() {
        let frame =
            |level| image::Frame::new(image::RgbaImage::from_pixel(2, 2, image::Rgba([level; 4])));
        let mut file = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut file);
        encoder.encode_frames([frame(255), frame(90)]).unwrap();
        drop(encoder);
        assert!(FileKind::of(&file).has_more_frames);
        let mut tiff = written(&DynamicImage::new_luma8(2, 2), ImageFormat::Tiff);
        assert!(!FileKind::of(&tiff).has_more_frames);
        let first = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
        let entries = usize::from(u16::from_le_bytes([tiff[first], tiff[first + 1]]));
        tiff[first + 2 + 12 * entries] = 8;
        assert!(FileKind::of(&tiff).has_more_frames);
    }
}
