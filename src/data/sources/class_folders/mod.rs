//! Folders of pictures, one for each class, named by it: `0/…`, `1/…` or `cat/…`, `dog/…`; or two
//! such sets, in `train` and `test`.
//!
//! - `parts`: which folders are for training and which for testing, and the classes in each;
//! - `pictures`: the pictures in them, and those that cannot be used;
//! - `treatment`: how pictures become images, all of a data set in the same way;
//! - `save`: a picture that is added.

mod parts;
mod pictures;
mod save;
mod treatment;

use std::path::Path;

use crate::data::{Dataset, Problem, Result, Split};
use parts::{Layout, Part};
use pictures::Pictures;
use treatment::Treatment;

pub(super) use parts::are_in;
pub use save::save_labelled;

/// The data set of the folders in the one at `path`. Where it has no test set, a part of its
/// pictures is held out for that.
pub(super) fn open(name: String, path: &Path) -> Result<Dataset> {
    let Layout { train, test, mut notes } = Layout::of(path)?;
    let class_names = train.class_names()?;
    let mut train = Read::new(train, &class_names)?;
    let mut test = test.map(|test| Read::new(test, &class_names)).transpose()?;

    let all = || std::iter::once(&train).chain(&test);
    let treatment = Treatment::of(all().flat_map(|part| part.pictures.usable()));
    notes.extend(treatment.notes());
    notes.extend(all().flat_map(|part| part.part.notes()));
    let several = test.as_mut().into_iter().chain([&mut train]);
    several.for_each(|part| part.pictures.apply(&treatment));

    let pictures: Vec<_> =
        std::iter::once(&train).chain(&test).map(|part| &part.pictures).collect();
    let left_out = pictures::left_out(&pictures)?;
    notes.extend(pictures::notes(&pictures, &left_out, path));
    let shape = treatment.shape();
    let first = train.into_split(shape)?;
    let dataset = match test {
        Some(test) => {
            let first = in_turn(&first).map_err(|problem| problem.at(path))?;
            Dataset::new(name, first, test.into_split(shape)?)
        }
        None => Dataset::hold_out(name, &first)
            .and_then(|data| Ok(Dataset { train: in_turn(&data.train)?, ..data })),
    };
    let dataset = dataset.and_then(|data| data.with_class_names(class_names));
    let dataset = dataset.map_err(|problem| problem.at(path))?;
    Ok(Dataset { left_out, ..dataset.noted(notes) })
}

/// A part of the data set with its pictures.
struct Read {
    part: Part,
    pictures: Pictures,
}

impl Read {
    fn new(part: Part, class_names: &crate::data::ClassNames) -> Result<Self> {
        let pictures = Pictures::read(part.files(class_names)?);
        Ok(Self { part, pictures })
    }

    fn into_split(self, shape: crate::image::ImageShape) -> Result<Split> {
        let (pixels, labels) = self.pictures.into_pixels();
        let split = Split::new(shape, pixels.into(), labels.into());
        split.map_err(|problem| problem.at(self.part.path()))
    }
}

/// The images of `split`, of each class the first, then of each the second and so on: any beginning
/// or end of them, which a run may be limited to or leave out, has all classes.
fn in_turn(split: &Split) -> Result<Split, Problem> {
    let mut seen = [0_usize; 1 << u8::BITS];
    let mut order: Vec<_> = (0..split.len()).collect();
    order.sort_by_cached_key(|&index| {
        let class = split.labels()[index];
        seen[usize::from(class)] += 1;
        (seen[usize::from(class)], class)
    });
    let pixels: Vec<u8> = order.iter().flat_map(|&index| split.image(index)).copied().collect();
    let labels: Vec<u8> = order.iter().map(|&index| split.labels()[index]).collect();
    Split::new(split.shape(), pixels.into(), labels.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageShape;

    #[test]
    fn classes_take_turns() {
        let shape = ImageShape { height: 1, width: 1 };
        let split = Split::new(shape, vec![1, 2, 3, 4, 5, 6].into(), vec![0, 0, 0, 3, 3, 9].into());
        let turned = in_turn(&split.unwrap()).unwrap();
        assert_eq!(turned.labels(), [0, 3, 9, 0, 3, 0]);
        assert_eq!(turned.pixels(), [1, 4, 6, 2, 5, 3]);
    }
}
