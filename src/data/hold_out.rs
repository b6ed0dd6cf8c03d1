//! Data that come in one part: every seventh image is held out as the test set, as of MNIST's.

use super::{Dataset, Problem, Split};
use crate::memory::{Need, reserve};

/// One image of so many is for the test: MNIST has 10,000 of 70,000 for that.
const EVERY: usize = 7;

impl Dataset {
    /// A data set of the images of `all`, of which every seventh is in the test set and the others
    /// are the training set. So both have all classes, even where those follow one another.
    ///
    /// # Errors
    /// When there are fewer than seven images, a label is only in the test set and beyond the
    /// others, or there is too little memory.
    pub fn hold_out(name: impl Into<String>, all: &Split) -> Result<Self, Problem> {
        if all.len() < EVERY {
            return Err(Problem::TooFew { images: all.len(), least: EVERY });
        }
        const WHAT: (&str, &str) = ("reading the data", "the images, parted");
        let need = Need::default().and(WHAT.1, all.pixels().len() as u128);
        need.check(WHAT.0, "fewer or smaller images")?;
        let set = |test: bool| {
            let (mut pixels, mut labels) = (Vec::new(), Vec::new());
            let held_out = all.len() / EVERY;
            let count = if test { held_out } else { all.len() - held_out };
            reserve(&mut pixels, count * all.shape().pixels(), WHAT)?;
            for (index, &label) in all.labels().iter().enumerate() {
                if (index % EVERY == EVERY - 1) == test {
                    pixels.extend_from_slice(all.image(index));
                    labels.push(label);
                }
            }
            Split::new(all.shape(), pixels.into(), labels.into())
        };
        Self::new(name, set(false)?, set(true)?)
    }
}
