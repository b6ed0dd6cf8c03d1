//! Data that come in one part: every seventh image is held out as the test set, as of MNIST's.

use super::{Dataset, Problem, Split};

/// One image of so many is for the test: MNIST has 10,000 of 70,000 for that.
const EVERY: usize = 7;

impl Dataset {
    /// A data set of the images of `all`, of which every seventh is in the test set and the others
    /// are the training set. So both have all classes, even where those follow one another.
    ///
    /// # Errors
    /// When there are fewer than seven images, or a label is only in the test set and beyond the
    /// others.
    pub fn hold_out(name: impl Into<String>, all: &Split) -> Result<Self, Problem> {
        if all.len() < EVERY {
            return Err(Problem::TooFew { images: all.len(), least: EVERY });
        }
        let set = |test: bool| {
            let (mut pixels, mut labels) = (Vec::new(), Vec::new());
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
