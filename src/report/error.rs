//! Why a run is not recorded, or a report not made.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::OneLine;
use crate::{files, image, model, train};

/// Why a run was not recorded, or a report not made or written. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file cannot be what it should become.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder of a run has files of something else.
    #[error("{}: would be replaced, but belongs to no run: choose another folder", .0.display())]
    NoRun(PathBuf),
    /// The folder of a run has a `config.json` of something else.
    #[error("{}: was not written by a run: choose another folder for this one", .0.display())]
    ForeignConfig(PathBuf),
    /// The folder of a run has a sweep in it.
    #[error("{}: holds a sweep: choose another folder for this run", .0.display())]
    SweepThere(PathBuf),
    /// Another process writes to the folder.
    #[error("{}: another run is at work there: wait for its end, or choose another folder", .0.display())]
    Busy(PathBuf),
    /// There is no run to go on with.
    #[error("{}: holds no run: there is no config.json", .0.display())]
    NoSuchRun(PathBuf),
    /// A `config.json` that says nothing of a run.
    #[error("{}: is not what a run wrote: {}", path.display(), OneLine(source))]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The checkpoint is of another run than the settings.
    #[error("{}: its checkpoint is of another run than its config.json: start a new run", .0.display())]
    OtherRun(PathBuf),
    /// A completed run without what it could be gone on from.
    #[error("{}: has no checkpoint to go on from: start a new run", .0.display())]
    NoCheckpoint(PathBuf),
    /// A run is to be gone on with on other data.
    #[error(
        "{}: the data are not those that the run began with ({dataset}): name those with --data, \
         or start a new run",
        folder.display()
    )]
    OtherData {
        /// The folder of the run.
        folder: PathBuf,
        /// The name of the data that the run began with.
        dataset: String,
    },
    /// A run of a version that could not be gone on with.
    #[error("{}: is of a version that could not go on with its runs: start a new run", .0.display())]
    NoChecksum(PathBuf),
    /// The log of the steps would be a file of the run's folder.
    #[error("{}: is a file of the run itself: name another one for the log of the steps", .0.display())]
    LogInPlace(PathBuf),
    /// What should be the log of the steps is something else.
    #[error("{}: is no log of steps, and would be replaced: move it away", .0.display())]
    ForeignLog(PathBuf),
    /// The log of the steps has not those up to the checkpoint.
    #[error(
        "{}: has {found} of the {steps} steps that the checkpoint is after, so the log would have \
         a gap: put the file back, or start a new run",
        path.display()
    )]
    StepsMissing {
        /// The log.
        path: PathBuf,
        /// How many steps it has.
        found: usize,
        /// How many it should have.
        steps: usize,
    },
    /// Events of another run would be shown as part of this one.
    #[error("{}: has TensorBoard's events of another run: name another folder", .0.display())]
    OtherEvents(PathBuf),
    /// A network that is beyond use.
    #[error(
        "after epoch {epoch}, {tensor} holds a number that is not finite: lower the learning rate"
    )]
    NotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The tensor.
        tensor: String,
    },
    /// A test loss that JSON cannot say and nobody could use.
    #[error("the test loss is {0}: the weights are beyond use; train with a lower learning rate")]
    TestLoss(f64),
    /// A chart was not drawn.
    #[error("a chart of the report was not drawn: {0}")]
    Chart(String),
    /// A page was not made.
    #[error("the report was not made as a page: {0}")]
    Page(String),
    /// A report of other images than there are.
    #[error("there is no test image {index}, as there are {images}: the report is of other data")]
    NoSuchImage {
        /// The image that the report speaks of.
        index: usize,
        /// How many there are.
        images: usize,
    },
    /// A network was not saved.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A network was not trained or tested.
    #[error(transparent)]
    Train(train::Error),
    /// An image was not made.
    #[error(transparent)]
    Image(#[from] image::Error),
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl From<train::Error> for Error {
    /// What recording itself returned to the run comes back as it was.
    fn from(error: train::Error) -> Self {
        match error {
            train::Error::Observer(error) => match error.downcast() {
                Ok(own) => *own,
                Err(other) => Self::Train(train::Error::Observer(other)),
            },
            error => Self::Train(error),
        }
    }
}

impl Error {
    /// Whether the engine was [asked to stop](crate::Engine::stop_flag): nothing has failed.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Train(train::Error::Stopped))
    }

    /// Wraps what the system said when it was asked to `action` the file at `path`.
    pub(super) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let wrap = files::Error::io(action, path);
        move |source| Self::File(wrap(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recording_returned_to_a_run_comes_back_as_it_was() {
        let returned = |error: train::ObserverError| Error::from(train::Error::Observer(error));
        assert!(matches!(returned(Error::TestLoss(1.0).into()), Error::TestLoss(1.0)));
        let other = returned("the paper is out".into());
        assert!(matches!(other, Error::Train(train::Error::Observer(_))), "{other:?}");
        assert_eq!(other.to_string(), "the paper is out");
    }
}
