//! Which of several arrays are images and which labels, to train on and to test with: by the names
//! that people give them, else by their shapes.
//!
//! | names | as |
//! | --- | --- |
//! | `x_train`, `y_train`, `x_test`, `y_test` | Keras's `mnist.npz` |
//! | `train_images`, `train_labels`, `test_images`, `test_labels` | MedMNIST, whose `val_…` are left out |
//! | `images` or `x` or `data`, with `labels` or `y` or `target` | one set, of which a part is held out |
//! | `arr_0`, `arr_1`, … | what NumPy calls arrays without names: by shape |
//!
//! By shape: the images are the arrays of more than one dimension, each with the labels of the same
//! count; of two such pairs the larger one is to train on. Pairs of the same count are refused.

use super::Layout;
use crate::data::Problem;

/// The places of images and labels among some arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The images.
    pub images: usize,
    /// The labels.
    pub labels: usize,
}

/// What each array is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// What is to be trained on.
    pub train: Pair,
    /// What is to be tested with, if that is apart.
    pub test: Option<Pair>,
}

/// Names of images and labels to train on and to test with.
const APART: [[&str; 4]; 5] = [
    ["x_train", "y_train", "x_test", "y_test"],
    ["train_images", "train_labels", "test_images", "test_labels"],
    ["training_images", "training_labels", "test_images", "test_labels"],
    ["train_x", "train_y", "test_x", "test_y"],
    ["train_data", "train_labels", "test_data", "test_labels"],
];

/// Names of images and of labels that are one set.
const TOGETHER: [[&str; 2]; 5] = [
    ["images", "labels"],
    ["x", "y"],
    ["data", "labels"],
    ["data", "target"],
    ["features", "labels"],
];

/// What NumPy's names of arrays without names begin with.
const NAMELESS: &str = "arr_";

impl Roles {
    /// Those of arrays of these names (in any case, without `.npy`) and layouts.
    ///
    /// # Errors
    /// When neither names nor shapes tell.
    pub fn of<'a>(arrays: &[(&'a str, &'a Layout)]) -> Result<Self, Problem> {
        let place = |name: &str| {
            let is_it = |&(found, _): &(&str, _)| found.eq_ignore_ascii_case(name);
            arrays.iter().position(is_it)
        };
        let pair = |images: &str, labels: &str| {
            Some(Pair { images: place(images)?, labels: place(labels)? })
        };
        for [images, labels, test_images, test_labels] in APART {
            if let Some(train) = pair(images, labels)
                && let Some(test) = pair(test_images, test_labels)
            {
                return Ok(Self { train, test: Some(test) });
            }
        }
        let is_half = |names: &[&str; 4]| names.iter().filter_map(|name| place(name)).count() > 1;
        if let Some(names) = APART.iter().find(|names| is_half(names)) {
            let missing = names.iter().filter(|name| place(name).is_none());
            return Err(Problem::LacksMembers(missing.map(|name| format!("{name}.npy")).collect()));
        }
        if let Some(train) = TOGETHER.iter().find_map(|[images, labels]| pair(images, labels)) {
            return Ok(Self { train, test: None });
        }
        if arrays.iter().all(|(name, _)| name.starts_with(NAMELESS))
            && let Some(roles) = Self::by_shape(arrays)
        {
            return Ok(roles);
        }
        let names = arrays.iter().map(|&(name, _)| name.escape_debug().to_string());
        Err(Problem::UnknownArrays(names.take(MOST_SHOWN).collect()))
    }

    fn by_shape(arrays: &[(&str, &Layout)]) -> Option<Self> {
        let count = |place: usize| arrays[place].1.dims().first().copied();
        let are_images = |place: &usize| {
            let dims = arrays[*place].1.dims();
            dims.iter().skip(1).product::<usize>() > 1
        };
        let (images, labels): (Vec<_>, Vec<_>) = (0..arrays.len()).partition(are_images);
        if images.len() != labels.len() {
            return None;
        }
        let with_labels = |images: usize| {
            let mut fitting = labels.iter().filter(|&&labels| count(labels) == count(images));
            match (fitting.next(), fitting.next()) {
                (Some(&labels), None) => Some(Pair { images, labels }),
                _ => None,
            }
        };
        let mut pairs: Vec<Pair> = images.into_iter().map(with_labels).collect::<Option<_>>()?;
        pairs.sort_by_key(|pair| count(pair.images));
        match *pairs {
            [train] => Some(Self { train, test: None }),
            [test, train] if count(test.images) < count(train.images) => {
                Some(Self { train, test: Some(test) })
            }
            _ => None,
        }
    }
}

/// How many names an error lists.
const MOST_SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::Element;

    fn roles(arrays: &[(&str, &[usize])]) -> Result<Roles, Problem> {
        let layout = |dims: &[usize]| Layout::new(dims.to_vec(), Element::U8, 0).unwrap();
        let layouts: Vec<_> = arrays.iter().map(|&(name, dims)| (name, layout(dims))).collect();
        Roles::of(&layouts.iter().map(|(name, layout)| (*name, layout)).collect::<Vec<_>>())
    }

    #[test]
    fn names_tell() {
        let images: &[usize] = &[9, 2, 2];
        let arrays = [("y_test", images), ("X_test", images), ("Y_train", images)];
        assert_eq!(
            roles(&arrays),
            Err(Problem::LacksMembers(vec!["x_train.npy".into()])),
            "three of four"
        );
        let all = [arrays[0], arrays[1], arrays[2], ("x_train", images)];
        let (train, test) = (Pair { images: 3, labels: 2 }, Pair { images: 1, labels: 0 });
        assert_eq!(roles(&all), Ok(Roles { train, test: Some(test) }));
        let one = [("other", images), ("target", &[9][..]), ("data", images)];
        let train = Pair { images: 2, labels: 1 };
        assert_eq!(roles(&one), Ok(Roles { train, test: None }));
        assert!(matches!(roles(&[("a", images)]), Err(Problem::UnknownArrays(_))));
    }

    #[test]
    fn shapes_tell_where_names_do_not() {
        let arrays: [(&str, &[usize]); 4] =
            [("arr_0", &[2]), ("arr_1", &[5, 4]), ("arr_2", &[5, 1]), ("arr_3", &[2, 4])];
        let (train, test) = (Pair { images: 1, labels: 2 }, Pair { images: 3, labels: 0 });
        assert_eq!(roles(&arrays), Ok(Roles { train, test: Some(test) }));
        assert_eq!(
            roles(&arrays[1..3]),
            Ok(Roles { train: Pair { images: 0, labels: 1 }, test: None })
        );
        for ambiguous in [
            &[("arr_0", &[2][..]), ("arr_1", &[2]), ("arr_2", &[2, 4]), ("arr_3", &[2, 4])][..],
            &[("arr_0", &[2][..]), ("arr_1", &[3, 4])],
            &[("arr_0", &[2, 3][..]), ("arr_1", &[2, 4])],
            &[("arr_0", &[2][..])],
        ] {
            assert!(matches!(roles(ambiguous), Err(Problem::UnknownArrays(_))));
        }
    }
}
