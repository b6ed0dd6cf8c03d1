//! How what a file of Keras leaves open, or has otherwise, was understood.

use std::collections::BTreeMap;
use std::fmt;

use crate::files::OneLine;
use crate::image::ImageShape;

/// How what a file of Keras leaves open, or has otherwise, was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The model does not scale its pixels itself.
    PixelsFromZeroToOne,
    /// The model reads rows of pixels, and does not say of what images.
    SquareImages(ImageShape),
    /// The model computes less or more precisely.
    Precision {
        /// What Keras calls it: `mixed_float16`.
        policy: &'static str,
        /// The layers that do.
        layers: Vec<String>,
    },
    /// Layers that Keras does not train.
    Frozen(Vec<String>),
    /// Layers that Keras trains in another way.
    Training {
        /// What Keras calls it: `kernel_regularizer`.
        setting: &'static str,
        /// The layers that have it.
        layers: Vec<String>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PixelsFromZeroToOne => f.write_str(
                "the model does not scale pixels itself: it was taken to read them divided by 255",
            ),
            Self::SquareImages(shape) => {
                write!(f, "the model reads rows of pixels: they were taken to be images of {shape}")
            }
            Self::Precision { policy, layers } => write!(
                f,
                "{} computed by {policy} there, and in float32 here: what comes out is not the same to \
                 the last digit",
                Layers(layers)
            ),
            Self::Frozen(layers) => write!(
                f,
                "{} frozen there (trainable is false): here all layers are trained",
                Layers(layers)
            ),
            Self::Training { setting, layers } => write!(
                f,
                "{} trained with {setting} there, which training here does not have",
                Layers(layers)
            ),
        }
    }
}

/// Layers by their names, and that they are something: `layers 'a' and 'b' are`.
struct Layers<'a>(&'a [String]);

/// Of more layers, the first ones are named.
const NAMED: usize = 3;

impl fmt::Display for Layers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names) = *self;
        if let [name] = names {
            return write!(f, "layer '{}' is", OneLine(name));
        }
        f.write_str("layers ")?;
        for (number, name) in names.iter().take(NAMED).enumerate() {
            let before = match number {
                0 => "",
                _ if number + 1 == names.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}'{}'", OneLine(name))?;
        }
        match names.len().saturating_sub(NAMED) {
            0 => f.write_str(" are"),
            more => write!(f, " and {more} more are"),
        }
    }
}

/// Notes of layers, of each kind one.
#[derive(Default)]
pub(super) struct Notes {
    precision: BTreeMap<&'static str, Vec<String>>,
    frozen: Vec<String>,
    training: BTreeMap<&'static str, Vec<String>>,
}

impl Notes {
    /// The layer `name` computes by `policy`.
    pub(super) fn precision(&mut self, policy: &'static str, name: &str) {
        self.precision.entry(policy).or_default().push(name.into());
    }

    /// The layer `name` is not trained.
    pub(super) fn frozen(&mut self, name: &str) {
        self.frozen.push(name.into());
    }

    /// The layer `name` is trained with `setting`.
    pub(super) fn training(&mut self, setting: &'static str, name: &str) {
        self.training.entry(setting).or_default().push(name.into());
    }

    /// All of them.
    pub(super) fn into_list(self) -> Vec<Note> {
        let Self { precision, frozen, training } = self;
        let precision =
            precision.into_iter().map(|(policy, layers)| Note::Precision { policy, layers });
        let training =
            training.into_iter().map(|(setting, layers)| Note::Training { setting, layers });
        let frozen = (!frozen.is_empty()).then_some(Note::Frozen(frozen));
        precision.chain(frozen).chain(training).collect()
    }
}
