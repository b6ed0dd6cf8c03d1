//! How much each class counts in the loss.
//!
//! The loss of a sample, and its gradient, are multiplied by the weight of its class, and the loss
//! of a minibatch is the sum of that divided by the number of samples, as Keras's `class_weight` has
//! it; it is not divided by the sum of the weights. Validation and tests are not weighted.

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use crate::data::{ClassNames, Split};
use crate::model::Architecture;

/// How the weights of classes are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClassWeights {
    /// Each class counts as much as any other, however many samples it has: as scikit-learn's
    /// `balanced`, a class has the weight samples / (classes × samples of the class), those that are
    /// learnt from.
    Balanced,
}

impl ClassWeights {
    /// The weight of each class of a network of `architecture`, whose classes have these `names`, in
    /// training on `split`.
    ///
    /// # Errors
    /// When a class has no sample.
    pub(super) fn of(
        self,
        architecture: &Architecture,
        names: &ClassNames,
        split: &Split,
    ) -> Result<Vec<f32>> {
        let classes = architecture.classes();
        let mut counts = vec![0_usize; classes];
        for &label in split.labels() {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        if let Some(class) = counts.iter().position(|&count| count == 0) {
            let class = names.name(class).into_owned();
            return Err(Error::ClassWithoutSamples(class));
        }
        let Self::Balanced = self;
        let weight = |&count: &usize| split.len() as f64 / (classes as f64 * count as f64);
        Ok(counts.iter().map(|count| weight(count) as f32).collect())
    }
}
