//! Arrays of bytes as the readers give them, and how images and labels are made of them.

use super::Layout;
use crate::data::{Dataset, Problem, Split};
use crate::files::Bytes;
use crate::image::ImageShape;

/// An array of unsigned bytes, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    dims: Vec<usize>,
    elements: Bytes,
}

impl Array {
    /// The array that lies in `file` as `layout` says, sharing its memory.
    pub(crate) fn new(file: &Bytes, layout: &Layout) -> Result<Self, Problem> {
        let payload = layout.payload();
        let truncated = Problem::Truncated { expected: payload.end, found: file.len() };
        let elements = file.slice(payload).ok_or(truncated)?;
        Ok(Self { dims: layout.dims().to_vec(), elements })
    }
}

impl Split {
    fn from_arrays(images: Array, labels: Array) -> Result<Self, Problem> {
        let [_, height, width] = *images.dims else {
            let expected = "count × height × width";
            return Err(Problem::Dimensions { array: "images", expected, found: images.dims });
        };
        let [_] = *labels.dims else {
            let expected = "one label an image";
            return Err(Problem::Dimensions { array: "labels", expected, found: labels.dims });
        };
        Self::new(ImageShape { height, width }, images.elements, labels.elements)
    }
}

impl Dataset {
    /// The data set of the images and labels of a training set, then of a test set.
    pub(crate) fn from_arrays(name: String, arrays: [Array; 4]) -> Result<Self, Problem> {
        let [images, labels, test_images, test_labels] = arrays;
        let train = Split::from_arrays(images, labels);
        let test = Split::from_arrays(test_images, test_labels);
        Self::new(
            name,
            train.map_err(|problem| problem.within("training set"))?,
            test.map_err(|problem| problem.within("test set"))?,
        )
    }
}
