//! What is served. Names that a browser sends are looked up in what is listed here, and never become
//! paths of their own.

use std::path::{Path, PathBuf};

use mnistry::report::{MODEL_FILE, run_folders};

use crate::cli::CommandError;
use crate::cli::common::load;

/// The ending of a model file.
const MODEL_END: &str = "safetensors";

/// What is served.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A model file.
    Model(PathBuf),
    /// A run folder.
    Run(PathBuf),
    /// A folder of run folders, and perhaps of model files.
    Runs(PathBuf),
}

/// Something that is served, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl Named {
    /// What is at `path`, called by the last part of it.
    fn at(path: PathBuf) -> Self {
        // A path such as `..` has no last part that is a name.
        let name = path.file_name().map(ToOwned::to_owned);
        let name = name.or_else(|| Some(path.canonicalize().ok()?.file_name()?.to_owned()));
        Self { name: name.unwrap_or_default().to_string_lossy().into_owned(), path }
    }
}

impl Place {
    /// What is at `path`.
    ///
    /// # Errors
    /// When nothing is, or a file that is no model.
    pub(super) fn at(path: &Path) -> Result<Self, CommandError> {
        let path = path.to_owned();
        match path.metadata() {
            Ok(found) if found.is_dir() => match run_folders(&path) {
                Ok(runs) if runs == [path.clone()] => Ok(Self::Run(path)),
                _ => Ok(Self::Runs(path)),
            },
            Ok(_) => {
                // What holds no network is known at once, not when somebody draws.
                load(&path)?;
                Ok(Self::Model(path))
            }
            Err(source) => Err(CommandError::Nowhere { path, source }),
        }
    }

    /// What a person calls it.
    pub(super) fn path(&self) -> &Path {
        let (Self::Model(path) | Self::Run(path) | Self::Runs(path)) = self;
        path
    }

    /// The runs, in the order of their numbers and names.
    pub(super) fn runs(&self) -> Vec<Named> {
        let folders = match self {
            Self::Model(_) => Vec::new(),
            Self::Run(path) => vec![path.clone()],
            // A folder that has no run yet, or is gone for a while, has none.
            Self::Runs(path) => run_folders(path).unwrap_or_default(),
        };
        folders.into_iter().map(Named::at).collect()
    }

    /// The models: those of `runs`, which are all, then the model files beside them.
    pub(super) fn models(&self, runs: &[Named]) -> Vec<Named> {
        if let Self::Model(path) = self {
            return vec![Named::at(path.clone())];
        }
        let of_run = |run: &Named| Named { path: run.path.join(MODEL_FILE), ..run.clone() };
        let of_runs = runs.iter().map(of_run).filter(|model| model.path.is_file());
        let mut models: Vec<_> = of_runs.collect();
        if let Self::Runs(folder) = self {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            let files = entries.map(|entry| entry.path()).filter(|path| {
                path.extension().is_some_and(|end| end == MODEL_END) && path.is_file()
            });
            let mut files: Vec<_> = files.collect();
            files.sort();
            models.extend(files.into_iter().map(Named::at));
        }
        models
    }
}
