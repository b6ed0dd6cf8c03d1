//! Decodes a file of pixels, bounded before anything is decoded.

use std::io::Cursor;

use image::error::ImageError;
use image::metadata::Orientation;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma,
    LumaA,
};

use crate::files::foreign;
use crate::image::{Error, ImageShape, Picture, Raster};

/// The formats that are read.
const READ: [ImageFormat; 6] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::Bmp,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Tiff,
];

/// The longest side of a picture that is read, in pixels.
const LONGEST_SIDE: u32 = 1 << 14;

/// What decoding a picture may hold at a time, in bytes: all pixels in 16-bit RGBA.
const MOST_MEMORY: u64 = 8 * Picture::MOST_PIXELS;

/// The most pixels in a byte of a file. The formats allow of any number where all pixels are the
/// same; no picture of a digit comes near this one.
const PIXELS_IN_A_BYTE: u64 = 4096;

/// The grey levels of the picture `bytes`, the right way up and without transparency.
pub(super) fn grey_levels(bytes: &[u8]) -> Result<Raster, Error> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|said| Error::Damaged(said.into()))?;
    if !reader.format().is_some_and(|format| READ.contains(&format)) {
        return Err(foreign(bytes).map_or(Error::NotPicture, Error::Foreign));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(problem)?;
    check_size(decoder.dimensions(), bytes.len() as u64)?;
    // A picture whose notes are unreadable is upright as far as anybody knows.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(problem)?;
    let levels = if picture.color().has_alpha() {
        on_opaque(&picture.into_luma_alpha8())
    } else {
        picture.into_luma8()
    };
    let mut upright = DynamicImage::from(levels);
    upright.apply_orientation(orientation);
    let shape = ImageShape { height: upright.height() as usize, width: upright.width() as usize };
    Raster::new(shape, upright.into_luma8().into_raw()).ok_or(Error::NoPixels(shape))
}

fn check_size((width, height): (u32, u32), held: u64) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    let claimed = ImageShape { height: height as usize, width: width as usize };
    if pixels == 0 {
        return Err(Error::NoPixels(claimed));
    }
    if pixels > Picture::MOST_PIXELS || width.max(height) > LONGEST_SIDE {
        return Err(Error::TooLarge {
            found: claimed,
            pixels: Picture::MOST_PIXELS,
            side: LONGEST_SIDE,
        });
    }
    if pixels > held.saturating_mul(PIXELS_IN_A_BYTE) {
        return Err(Error::Claim { claimed, held });
    }
    Ok(())
}

/// The levels of a picture with transparent parts, on white paper, or where what is drawn is
/// itself light, on black.
fn on_opaque(picture: &GrayAlphaImage) -> GrayImage {
    let (mut light, mut opaque) = (0, 0);
    for &LumaA([level, alpha]) in picture.pixels() {
        light += u64::from(level) * u64::from(alpha);
        opaque += u64::from(alpha);
    }
    let transparent = opaque < 255 * u64::from(picture.width()) * u64::from(picture.height());
    let background = if transparent && light > 127 * opaque { 0 } else { 255 };
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [level, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        Luma([((level * alpha + background * (255 - alpha) + 127) / 255) as u8])
    })
}

/// What the decoder says, in our words where it is one of the usual causes.
fn problem(said: ImageError) -> Error {
    match said {
        ImageError::IoError(said) if said.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Truncated
        }
        said => Error::Damaged(said.into()),
    }
}
