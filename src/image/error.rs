//! Why there is no image: pictures that are refused, and images that cannot be made or written.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use super::ImageShape;
use crate::files::{self, OneLine};

/// Why there is no image: one variant a cause, each with the text that a person reads.
///
/// The text is one line that has in it those of its sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file that was read is refused.
    #[error("{}: {source}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },

    /// Not a file of pixels.
    #[error("not a picture that is read: a PNG, JPEG, BMP, WebP, GIF or TIFF file is expected")]
    NotPicture,
    /// A file of another program.
    #[error("it is {0}")]
    Foreign(files::Foreign),
    /// A picture without pixels.
    #[error("its images have no pixels: they are {0}")]
    NoPixels(ImageShape),
    /// A picture that is too large.
    #[error("it is {found} pixels; at most {pixels}, and {side} a side, are read: make it smaller")]
    TooLarge {
        /// Its size.
        found: ImageShape,
        /// The most pixels.
        pixels: u64,
        /// The longest side.
        side: u32,
    },
    /// A picture whose size cannot be true.
    #[error("its header claims {claimed} pixels, more than a picture in {held} bytes has")]
    Claim {
        /// Its size according to the header.
        claimed: ImageShape,
        /// The bytes of the file.
        held: u64,
    },
    /// A picture that ends too early.
    #[error("truncated: its pixels end too early")]
    Truncated,
    /// A picture whose bytes make no sense.
    #[error("damaged: {}", one_line(&**.0))]
    Damaged(#[source] Box<dyn StdError + Send + Sync>),

    /// Nothing stands out from the background of a picture.
    #[error(
        "no digit is seen in it: expected is ink that is clearly darker, or lighter, than the \
         ground around it"
    )]
    NoDigit,
    /// A picture falls into too many connected components.
    #[error(
        "it falls into {found} parts, where {most} at most can be digits: take a picture with \
         less beside them"
    )]
    TooManyComponents {
        /// How many there are.
        found: usize,
        /// How many may be.
        most: usize,
    },

    /// An image that no PNG file can hold.
    #[error("an image of {0} pixels cannot be written as a PNG file")]
    Png(ImageShape),
    /// A random affine transformation that makes no sense.
    #[error(
        "images moved by {shift} pixels, turned by {rotation} degrees, scaled by {scale}: give at \
         most 1000, 180 and 0.9, and at least 0"
    )]
    RandomAffine {
        /// The most pixels.
        shift: f32,
        /// The most degrees.
        rotation: f32,
        /// The largest share.
        scale: f32,
    },
}

impl Error {
    /// This error as that of the file at `path`.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Self {
        Self::Picture { path: path.as_ref().to_owned(), source: Box::new(self) }
    }
}

/// What a decoder says; some say in several lines what others say in one.
fn one_line(said: &dyn StdError) -> OneLine<String> {
    OneLine(said.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}
