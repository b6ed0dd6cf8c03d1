//! What became of a run until some accuracy.

use serde::{Deserialize, Serialize};

use super::Report;
use super::text::counted;
use crate::train::State;

/// What became of a run that was to end with some accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UntilAccuracy {
    /// The accuracy, from 0 to 1.
    pub goal: f64,
    /// Whether it was judged by the test images, after each epoch: what is told of them is then of
    /// images by which the run was ended. Else by those of the validation split.
    pub judged_by_test_images: bool,
    /// The accuracy after the last epoch, as it was judged.
    pub accuracy: f64,
    /// Whether that is the goal, or more.
    pub reached: bool,
    /// How long the training took with the judging, in seconds; `None` for a run that was gone on with.
    pub seconds: Option<f64>,
}

impl UntilAccuracy {
    /// What became of the run that ended in `state`, after so many `seconds` if they are known; `None`
    /// where no accuracy was to be reached, or nothing was trained.
    pub(super) fn of(state: &State, seconds: Option<f64>) -> Option<Self> {
        let (options, last) = (state.options(), state.epochs().last()?);
        let (goal, accuracy) = (options.until_accuracy?, last.validation?.accuracy);
        let judged_by_test_images = options.is_judged_by_others();
        let reached = accuracy >= goal;
        Some(Self { goal, judged_by_test_images, accuracy, reached, seconds })
    }

    /// The same in a sentence or two, of a run of so many epochs.
    fn in_words(&self, epochs: usize) -> String {
        let &Self { goal, judged_by_test_images, accuracy, reached, seconds } = self;
        let epochs = counted(epochs as u64, "epoch");
        // 0.29 is 29 %, without what is lost in binary.
        let goal = (1e10 * goal).round() / 1e8;
        let accuracy = 100.0 * accuracy;
        let time = seconds
            .map_or_else(String::new, |seconds| format!(", in {seconds:.3} s with the judging"));
        let images = if judged_by_test_images { "test images" } else { "validation images" };
        let end = match reached {
            true => format!(
                "{goal} % of the {images} reached after {epochs}{time}: \
                 {accuracy:.2} %."
            ),
            false => format!("{goal} % of the {images} not reached in {epochs}: {accuracy:.2} %."),
        };
        let known = "They were looked at after each epoch to end the run, so their accuracy is not one of \
                     images that it knows nothing of.";
        if judged_by_test_images { format!("{end} {known}") } else { end }
    }
}

impl Report {
    /// What became of the accuracy that was to be reached, if one was.
    pub(super) fn until_accuracy_in_words(&self) -> Option<String> {
        let until = self.until_accuracy?;
        Some(until.in_words(self.history.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_is_said_and_how_it_was_judged() {
        let said = |judged_by_test_images: bool, accuracy: f64| {
            let reached = accuracy >= 0.29;
            let (goal, seconds) = (0.29, judged_by_test_images.then_some(0.61));
            let until = UntilAccuracy { goal, judged_by_test_images, accuracy, reached, seconds };
            until.in_words(2)
        };
        let reached = said(true, 0.9912);
        let start = "29 % of the test images reached after 2 epochs, in 0.610 s with the judging: 99.12 %. They";
        assert!(reached.starts_with(start), "{reached}");
        let missed = "29 % of the validation images not reached in 2 epochs: 20.00 %.";
        assert_eq!(said(false, 0.2), missed);
    }
}
