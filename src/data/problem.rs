//! Why data are refused: one variant a cause, each with the text that a person reads.

use std::borrow::Cow;
use std::path::Path;

use super::CsvProblem;
use super::{ClassProblem, Error};
use crate::files::{Foreign, OneLine};
use crate::image::ImageShape;
use crate::memory::Shortage;

/// Why bytes are not the data set that they should be.
///
/// A problem knows nothing of files; [`at`](Self::at) adds where it was found. It is a plain value,
/// to be compared and cloned, so what a decoder of another crate says is kept as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes end before their header does.
    #[error("truncated: it ends within its header, after {0} bytes")]
    HeaderTruncated(usize),
    /// There are fewer bytes than the header says.
    #[error("truncated: it has {found} of the {expected} bytes that its header says")]
    Truncated {
        /// Bytes according to the header, itself included.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// There are more bytes than the header says.
    #[error("overlong: it has more than the {0} bytes that its header says")]
    Overlong(usize),
    /// The number of elements overflows.
    #[error("its header claims {} bytes of data, more than can be addressed", product(.0))]
    Overflow(Vec<usize>),

    /// A file of another program.
    #[error("it is {0}")]
    Foreign(Foreign),
    /// The first bytes are not those of an IDX file.
    #[error("not an IDX file: it starts with {}, where 00 00 08 is expected", hex(.0))]
    NotIdx([u8; 3]),
    /// An IDX file of another element type.
    #[error("its elements are of the type {0:02x}, which no IDX file has")]
    IdxType(u8),

    /// The first bytes are not those of an npy file.
    #[error("not an npy file: it does not start with \\x93NUMPY")]
    NotNpy,
    /// An npy file of a version that does not exist yet.
    #[error("npy version {0}.{1} is unknown; versions 1.0, 2.0 and 3.0 are read")]
    NpyVersion(u8, u8),
    /// The npy header is longer than any array of bytes needs.
    #[error("its npy header claims {0} bytes; at most {max} are read", max = super::formats::npy::MAX_HEADER)]
    NpyHeaderLong(usize),
    /// The npy header is not the dictionary that it must be.
    #[error("its npy header is malformed: expected {expected} at byte {position}")]
    NpyHeader {
        /// What should have been there.
        expected: &'static str,
        /// Where, counted from the start of the file.
        position: usize,
    },
    /// The npy elements are Python objects.
    #[error(
        "its elements are pickled Python objects, which are never read, as unpickling runs code; \
         save the array as uint8"
    )]
    Pickled,
    /// The npy elements are no numbers that are read.
    #[error(
        "its elements are of type '{}'; integers, float32 and float64 are read: save it as uint8",
        .0.escape_debug()
    )]
    NpyType(String),

    /// The zip archive cannot be read at all.
    #[error("not a readable zip archive: {0}")]
    Zip(String),
    /// The end of a zip archive, where its directory is, is missing.
    #[error(
        "truncated: its directory, which comes last in a zip archive, is missing: fetch it again"
    )]
    ZipTruncated,
    /// Two members of a zip archive have the same name.
    #[error("it holds two members of the same name")]
    SameName,
    /// Members of an archive are missing.
    #[error("it lacks {}", .0.join(", "))]
    LacksMembers(Vec<String>),
    /// Nothing tells which arrays are images and which labels.
    #[error(
        "it holds {}; expected are x_train, y_train, x_test and y_test, or images and labels",
        listed(.0)
    )]
    UnknownArrays(Vec<String>),
    /// Files of a folder are missing.
    #[error(
        "the folder lacks {} (as they are, or gzipped and ending in .gz), and there is no mnist.npz",
        .0.join(", ")
    )]
    LacksFiles(Vec<&'static str>),
    /// What a path names is neither a folder nor a file of a known kind.
    #[error(
        "neither a folder nor an .npz or .csv file; for IDX files, name the folder that holds all \
         four"
    )]
    UnknownKind,
    /// Nothing in a folder is known.
    #[error(
        "no data set is in this folder: it is to hold MNIST's four IDX files, mnist.npz, \
         train.csv, or a folder of pictures for each class, named 0, 1 …"
    )]
    NoData,
    /// Several data sets in one folder.
    #[error("it holds several data sets: {}: name a file of the one that is meant", .0.join(", "))]
    SeveralSets(Vec<String>),
    /// A member is encrypted.
    #[error("it is encrypted; save it without a password")]
    Encrypted,
    /// A member is compressed by another method than deflate.
    #[error(
        "its compression method is not read; save it with numpy.savez or numpy.savez_compressed"
    )]
    Method,
    /// The members, or one of them, do not lie within the archive.
    #[error("it claims {claimed} bytes where the file holds at most {held}")]
    Beyond {
        /// Compressed bytes according to the archive.
        claimed: u64,
        /// Bytes that are there.
        held: u64,
    },
    /// The archive and the header within its member disagree about the size.
    #[error("the archive says {archive} bytes, its own header {header}")]
    Disagree {
        /// Unpacked bytes according to the archive.
        archive: u64,
        /// Unpacked bytes according to the member's header.
        header: usize,
    },
    /// The unpacked bytes have another checksum than the archive says.
    #[error("damaged: its checksum is {found:08x} and should be {expected:08x}")]
    Checksum {
        /// CRC-32 according to the archive.
        expected: u32,
        /// CRC-32 of the bytes.
        found: u32,
    },

    /// No compression can get so much data into so few bytes.
    #[error(
        "its header claims {claimed} bytes, more than its {compressed} compressed bytes can hold"
    )]
    Inflated {
        /// Unpacked bytes according to the header.
        claimed: usize,
        /// Compressed bytes.
        compressed: usize,
    },
    /// The compressed bytes end too early.
    #[error("truncated: its compressed data end too early")]
    CompressedTruncated,
    /// The compressed bytes make no sense.
    #[error("damaged: {0}")]
    Damaged(String),

    /// An archive without CSV files, or with several.
    #[error("it holds {}; expected are train.csv and test.csv, or one CSV file", listed(.0))]
    NoMembers(Vec<String>),
    /// Pictures that are to be transposed.
    #[error("pictures are not transposed: --transpose is for arrays and CSV files")]
    TransposedPictures,
    /// A published or generated data set that is to be read in another way.
    #[error(
        "it is read as it was made: --label-column, --no-header and --transpose are for files of \
         your own"
    )]
    ReadAsPublished,
    /// Options that only CSV files have.
    #[error("it is no CSV file: --label-column and --no-header are only for those")]
    NotCsv,
    /// Images to learn from without labels.
    #[error("it has no labels, so nothing can be learnt from it; only `predict` reads it")]
    NoLabels,
    /// Too few images to set some aside.
    #[error("it has {images} images; it takes {least}, as every seventh is kept to test with")]
    TooFew {
        /// How many images there are.
        images: usize,
        /// How many it takes.
        least: usize,
    },

    /// Fewer folds than a fold and what is around it.
    #[error("{0} folds: a cross-validation has two at least")]
    TooFewFolds(usize),
    /// Folds of which some would lack a class.
    #[error(
        "{folds} folds: the smallest class, {class}, has {images} training image{}, and each fold is to \
         have one at least", if *images == 1 { "" } else { "s" }
    )]
    TooManyFolds {
        /// How many were asked for.
        folds: usize,
        /// The label of the smallest class.
        class: u8,
        /// How many images it has.
        images: usize,
    },

    /// An array has another number of dimensions than it should.
    #[error("its {array} have the shape {}, where {expected} is expected", tuple(.found))]
    Dimensions {
        /// What is in the array.
        array: &'static str,
        /// What the shape should be.
        expected: &'static str,
        /// What it is.
        found: Vec<usize>,
    },
    /// No images.
    #[error("it has no images")]
    Empty,
    /// Images without pixels.
    #[error("its images have no pixels: they are {0}")]
    NoPixels(ImageShape),
    /// The pixels are not a whole number of images.
    #[error("{pixels} pixels are not a whole number of images of {shape} pixels")]
    Ragged {
        /// How many pixels there are.
        pixels: usize,
        /// The shape of an image.
        shape: ImageShape,
    },
    /// Numbers of images that are no pixels.
    #[error(
        "its pixels are from {least} to {greatest}; expected are whole numbers from 0 to 255, or \
         numbers from 0 to 1"
    )]
    Pixels {
        /// The least one.
        least: String,
        /// The greatest one.
        greatest: String,
    },
    /// A pixel of a test set that its training set cannot have.
    #[error(
        "it has the pixel {found}, where those of the training images end at {greatest}: both are \
         to be of one kind"
    )]
    PixelOfAnotherKind {
        /// The pixel.
        found: String,
        /// The greatest one of the training images.
        greatest: String,
    },
    /// A label that is no class.
    #[error("label {index} is {found}; labels are whole numbers from 0 to 255")]
    LabelValue {
        /// The label, from 0.
        index: usize,
        /// What it is.
        found: String,
    },
    /// A row of one-hot labels that does not have one 1 and zeros.
    #[error("label {index} of {classes} columns has not one 1 and zeros")]
    OneHot {
        /// The label, from 0.
        index: usize,
        /// How many columns there are.
        classes: usize,
    },
    /// A training set of a single class.
    #[error("all its training images have the label {0}: there is nothing to learn")]
    OneClass(String),
    /// Images and labels differ in count.
    #[error("{images} images but {labels} labels")]
    Counts {
        /// How many images there are.
        images: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// The images of the training set and those of the test set differ in shape.
    #[error("the training images are {train} pixels, the test images {test}")]
    Shapes {
        /// The shape of the training images.
        train: ImageShape,
        /// The shape of the test images.
        test: ImageShape,
    },
    /// A test label that no training image has, beyond the last class.
    #[error(
        "test image {index} has the label {label}, but the training labels end at {}",
        classes - 1
    )]
    Label {
        /// The image, from 0.
        index: usize,
        /// Its label.
        label: u8,
        /// The number of classes according to the training labels.
        classes: usize,
    },

    /// Names of classes that cannot be, or do not fit together.
    #[error(transparent)]
    Classes(#[from] ClassProblem),

    /// A file lies where folders of pictures are expected.
    #[error(
        "a stray file: pictures lie in folders, one for each class, and nothing lies beside them"
    )]
    Stray,
    /// A folder that is no class.
    #[error("not a class: its name is no text")]
    NotClass,
    /// A class that no folder can be called by.
    #[error("the class '{0}' cannot name a folder: pictures of it cannot be saved there")]
    Unnameable(String),
    /// An image that no picture file can hold.
    #[error("an image of {0} cannot be saved as a picture")]
    Unsavable(ImageShape),
    /// Two folders for one part of a data set.
    #[error("'{}' and '{}' would be the same part of the data set: put them together", .0[0], .0[1])]
    SamePart([String; 2]),
    /// More pictures that cannot be used than may be left out.
    #[error(
        "{}",
        match found {
            1 => first.clone(),
            _ => format!("{first}; so {found} of {count} pictures cannot be used, more than 1 in 20"),
        }
    )]
    Unusable {
        /// How many there are.
        found: usize,
        /// How many pictures there are in all.
        count: usize,
        /// Why the first one cannot be used, and where it is.
        first: String,
    },
    /// Folders of pictures that lack the training set or the test set.
    #[error("it has the folder {found} but no {lacking}; without both, the classes lie in it")]
    LacksFolder {
        /// The folder that is there.
        found: &'static str,
        /// The folder that is not.
        lacking: &'static str,
    },

    /// They take more memory than there is.
    #[error(transparent)]
    Memory(#[from] Shortage),
    /// What is wrong with a CSV file.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// What is wrong with a section of the data, such as a member of an archive.
    #[error("{}: {problem}", OneLine(section))]
    Within {
        /// What a person calls the section.
        section: Cow<'static, str>,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
}

impl Problem {
    /// That of numbers from `least` to `greatest`.
    pub(super) fn pixels(least: f64, greatest: f64) -> Self {
        Self::Pixels { least: least.to_string(), greatest: greatest.to_string() }
    }

    /// This problem as that of one named section of the data.
    #[must_use]
    pub fn within(self, section: impl Into<Cow<'static, str>>) -> Self {
        Self::Within { section: section.into(), problem: Box::new(self) }
    }

    /// This problem as the error of the file or folder at `path`.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Error {
        Error::Invalid { path: path.as_ref().to_owned(), problem: self }
    }
}

/// The dimensions with crosses between; a hostile header may have hundreds, of which some do.
fn product(dims: &[usize]) -> String {
    let shown = dims.iter().take(6).map(usize::to_string);
    shown.chain((dims.len() > 6).then(|| "…".into())).collect::<Vec<_>>().join(" × ")
}

/// The names with commas between; a hostile archive may have any number, of which some do.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names {
        [] => "nothing".into(),
        [shown @ .., _] if names.len() > SHOWN => {
            format!("{} and {} more", shown[..SHOWN].join(", "), names.len() - SHOWN)
        }
        names => names.join(", "),
    }
}

fn tuple(dims: &[usize]) -> String {
    match dims {
        [] => "of a single number".into(),
        dims => product(dims),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
