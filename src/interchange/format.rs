//! The formats of model files, known by the endings of their names.

use std::fmt;
use std::path::Path;

use super::error::Problem;
use crate::image::ImageShape;
use crate::model::{Activation, Network};

/// A format of model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelFormat {
    /// This library's own: `.safetensors`.
    Safetensors,
    /// ONNX: `.onnx`.
    Onnx,
    /// An archive of Keras 3: `.keras`.
    Keras,
    /// Weights of Keras 3: `.weights.h5`.
    KerasWeights,
    /// Arrays of NumPy: `.npz`.
    Npz,
    /// A header for programs in C: `.h`.
    CHeader,
}

/// Each format by what names end in.
const ENDINGS: [(&str, ModelFormat); 6] = [
    (".safetensors", ModelFormat::Safetensors),
    (".onnx", ModelFormat::Onnx),
    (".keras", ModelFormat::Keras),
    (".weights.h5", ModelFormat::KerasWeights),
    (".npz", ModelFormat::Npz),
    (".h", ModelFormat::CHeader),
];

impl ModelFormat {
    /// What the name of the file at `path` ends in, in upper or lower case.
    ///
    /// # Errors
    /// When that is none of them.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, Problem> {
        let name = lowercase_name(path.as_ref());
        let known = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        known.map(|(_, format)| *format).ok_or(Problem::Ending)
    }

    /// The same of a file that is to be read.
    ///
    /// # Errors
    /// When the name ends in nothing that is read: [`Problem::Unread`] where it says nothing.
    pub(super) fn to_read(path: &Path) -> Result<Self, Problem> {
        match Self::of(path) {
            Ok(Self::CHeader) => Err(Problem::WriteOnly),
            Ok(known) => Ok(known),
            Err(_) if has_ending_of_hdf5(path) => Err(Problem::OldKeras),
            Err(_) => Err(Problem::Unread),
        }
    }
}

/// Whether the file at `path` is called as the models of Keras 2 are.
fn has_ending_of_hdf5(path: &Path) -> bool {
    let name = lowercase_name(path);
    [".h5", ".hdf5"].iter().any(|ending| name.ends_with(ending))
}

fn lowercase_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

impl ModelFormat {
    /// How `network` is used from the file at `path`: what it takes and gives, in a line.
    #[must_use]
    pub fn usage(self, network: &Network, path: &Path) -> String {
        let architecture = network.architecture();
        let ImageShape { height, width } = architecture.input();
        let classes = architecture.classes();
        match self {
            Self::Onnx => {
                let more = match architecture.output() {
                    Activation::Sigmoid => ", label int64 [N], and sigmoid",
                    _ => " and label int64 [N]",
                };
                format!(
                    "takes images, uint8 [N, {height}, {width}]; gives probabilities and logits, float32 \
                     [N, {classes}]{more}"
                )
            }
            Self::CHeader => format!(
                "gives int {}_predict(const unsigned char *pixels, float *probabilities): {height} × \
                 {width} pixels, {classes} probabilities",
                super::c_header::name_of(path)
            ),
            Self::Npz => {
                let names = network.tensors().iter().map(|tensor| tensor.name.as_str());
                let names: Vec<_> = names.take(3).collect();
                format!("has the arrays {} …, and architecture.json", names.join(", "))
            }
            Self::Keras => format!(
                "takes images, uint8 [N, {height}, {width}]; predict gives what the last layer puts out, \
                 float32 [N, {classes}]"
            ),
            Self::KerasWeights => format!(
                "for load_weights of a model of the same layers; pixels of {height} × {width} images, \
                 divided by 255"
            ),
            Self::Safetensors => format!(
                "reads images of {height} × {width} pixels, divided by 255; {classes} classes"
            ),
        }
    }
}

/// In a word or two: `ONNX`.
impl fmt::Display for ModelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::Onnx => "ONNX",
            Self::Keras => "a Keras archive",
            Self::KerasWeights => "weights of Keras",
            Self::Npz => "arrays of NumPy",
            Self::CHeader => "a C header",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_formats() {
        for (ending, format) in ENDINGS {
            let found = ModelFormat::of(format!("folder.onnx/model.v2{ending}"));
            assert_eq!(found.unwrap(), format);
            assert!(ModelFormat::of(format!("MODEL{}", ending.to_uppercase())).is_ok());
        }
        for name in ["model", "model.h5", "model.onnx.gz", "h", "keras", ""] {
            assert!(ModelFormat::of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_not_read_is_told_apart() {
        let read = |name: &str| ModelFormat::to_read(Path::new(name));
        assert_eq!(read("my.weights.h5").unwrap(), ModelFormat::KerasWeights);
        assert!(matches!(read("model.h"), Err(Problem::WriteOnly)));
        assert!(matches!(read("model.h5"), Err(Problem::OldKeras)));
        assert!(matches!(read("MODEL.HDF5"), Err(Problem::OldKeras)));
        assert!(matches!(read("model.pt"), Err(Problem::Unread)));
    }
}
