//! Why a sweep cannot be done.

use std::io;
use std::path::PathBuf;

use super::values::Range;
use crate::exec::engine::EngineError;
use crate::files::{self, OneLine};
use crate::{data, interchange, model, ranks, train};

/// Why a sweep was not done, gone on with or summed up. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file that describes no plan.
    #[error("{}: is no plan of a sweep: {}", path.display(), OneLine(problem))]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        problem: String,
    },
    /// A setting that a plan has twice.
    #[error("{} is there twice: name all its values at once", OneLine(.0))]
    SettingTwice(String),
    /// A setting without a value.
    #[error("{} has no values", OneLine(.0))]
    NoValues(String),
    /// A value that a setting has twice.
    #[error("{}: {} and {} are the same value: name it once", OneLine(setting), OneLine(&values[0]), OneLine(&values[1]))]
    ValueTwice {
        /// Of which setting.
        setting: String,
        /// The value, as it is written both times.
        values: [String; 2],
    },
    /// A sample of more than there is.
    #[error(
        "sample: {configurations} configurations are to be drawn, but there are {there} combinations \
         of the settings: leave `sample` out to try all, or draw fewer"
    )]
    SampleOfFew {
        /// How many are to be drawn.
        configurations: usize,
        /// How many there are.
        there: usize,
    },
    /// More configurations than were found in many draws.
    #[error(
        "sample: {configurations} configurations are to be drawn, but number {number} is one that there \
         was already, {configuration}, however often it was drawn: draw fewer, or of wider ranges \
         (numbers are drawn with four digits)"
    )]
    SampleRepeats {
        /// How many are to be drawn.
        configurations: usize,
        /// The first that was not another one.
        number: usize,
        /// What it is.
        configuration: String,
    },
    /// A range where all combinations are wanted.
    #[error(
        "{} is a range, which has no list of values: say how many are to be drawn, with `sample`",
        OneLine(.0)
    )]
    RangeInGrid(String),
    /// A range with nothing in it.
    #[error(
        "{}: {range} is no range: its first number must be less than its second{}", OneLine(setting),
        if range.log { ", and above 0 for a logarithm" } else { "" }
    )]
    Range {
        /// Of which setting.
        setting: String,
        /// The range.
        range: Range,
    },
    /// A seed that a plan's file cannot say.
    #[error("seed {0}: a sample has one of at most {most}", most = i64::MAX)]
    Seed(u64),
    /// A plan without runs.
    #[error("the plan has no runs")]
    NoRuns,
    /// More runs than anyone can mean.
    #[error("the plan has more than {0} runs")]
    TooManyRuns(usize),
    /// Settings that make no training.
    #[error("{run}: {}", OneLine(source))]
    Settings {
        /// The run, and its settings.
        run: String,
        /// What is wrong with them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The best of what has no measure in common.
    #[error(
        "the best cannot be told: some configurations have a validation accuracy and others have none; \
         give all a validation split, or keep all networks and halve nothing"
    )]
    NoBest,
    /// A folder that has files of something else.
    #[error("{}: holds files, but no sweep: choose another folder", .0.display())]
    NotASweep(PathBuf),
    /// A folder without a sweep.
    #[error("{}: holds no sweep: there is no plan.toml", .0.display())]
    NoSuchSweep(PathBuf),
    /// A folder with a sweep of another plan.
    #[error("{}: holds a sweep of another plan or other data: choose another folder", .0.display())]
    OtherPlan(PathBuf),
    /// A folder with a sweep that was begun under other conditions.
    #[error(
        "{}: the sweep there was begun {}: go on as it was begun, or choose another folder",
        path.display(), OneLine(difference)
    )]
    OtherConditions {
        /// The folder.
        path: PathBuf,
        /// How it was begun, and how that differs.
        difference: String,
    },
    /// A folder with results of which it is not known what decided them.
    #[error(
        "{}: does not say how its sweep was begun, as there is no origin.toml: do its runs anew, elsewhere",
        .0.display()
    )]
    NoOrigin(PathBuf),
    /// A file that does not say how a sweep was begun.
    #[error("{}: does not say how a sweep was begun: {}", path.display(), OneLine(problem))]
    OriginFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process writes to the folder.
    #[error("{}: another sweep is at work there: wait for its end, or choose another folder", .0.display())]
    Busy(PathBuf),
    /// Folds of images of which a run takes some alone.
    #[error("{0}: train-limit is not for sweeps with folds, which are to be the same for all runs")]
    LimitedFolds(String),
    /// Fewer configurations than of which one goes on.
    #[error(
        "halving: of {factor} configurations one goes on, and the plan has {configurations} \
         configuration{}: try more, or leave it out", if *configurations == 1 { "" } else { "s" }
    )]
    FewToHalve {
        /// How many there are.
        configurations: usize,
        /// Of how many one goes on.
        factor: usize,
    },
    /// Fewer epochs than can be parted.
    #[error(
        "halving: configuration {configuration} has {epochs} epoch{}, and is to be judged after one \
         of {factor} parts of them: give it {factor} at least", if *epochs == 1 { "" } else { "s" }
    )]
    ShortToHalve {
        /// Its number, from 1.
        configuration: usize,
        /// Its epochs.
        epochs: usize,
        /// In how many parts a rung divides them.
        factor: usize,
    },
    /// Runs that end by themselves, in a sweep that stops some.
    #[error(
        "halving: configuration {configuration} may end before its last epoch (patience, \
         until-accuracy), and could not be compared with the others: leave one of the two out"
    )]
    EndsByItself {
        /// Its number, from 1.
        configuration: usize,
    },
    /// Shards of a sweep that compares all runs on its way.
    #[error(
        "halving: a sweep by halving has no shards, as the results of all runs decide which go on: \
         leave one of the two out"
    )]
    ShardOfHalving,
    /// A state that is not there.
    #[error("the state of run {0} is gone from the folder of the sweep: choose another folder")]
    NoState(usize),
    /// The ranks of a job do not have the same sweep.
    #[error(
        "rank {rank} has another version of mnistry, other data, other files that settings name, \
         other arguments, or rounds otherwise than rank 0: start all with the same program, data and files"
    )]
    RanksDiffer {
        /// The first one that differs.
        rank: usize,
    },
    /// Something failed on another rank.
    #[error(transparent)]
    Ranks(#[from] ranks::Error),
    /// Ranks that do not understand each other.
    #[error("what another rank says cannot be understood: {0}")]
    Message(String),
    /// A file that settings name became another.
    #[error(
        "{}: was changed while the sweep went on, whose results are of what it was: put that back and go on, \
         or do all anew in another folder", .0.display()
    )]
    ChangedFile(PathBuf),
    /// A task of a run that the plan has not.
    #[error("the plan has no run {0}")]
    NoSuchRun(usize),
    /// A state that is not one of its run.
    #[error("the state of run {0} is not one that its sweep left: choose another folder")]
    OtherState(usize),
    /// Results that are not those of the plan beside them.
    #[error("{}: is not what the sweep of this folder's plan wrote: {}", path.display(), OneLine(problem))]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Data other than those that the plan names.
    #[error("the data are not those of the plan ({expected}): name those with --data")]
    OtherData {
        /// What the plan knows them by.
        expected: String,
    },
    /// Two results of one run.
    #[error("{} and {}: have different results of run {run}: one of them is of another version or machine", first.display(), second.display())]
    Contradiction {
        /// The folder that one is from.
        first: PathBuf,
        /// The folder that the other is from.
        second: PathBuf,
        /// The run.
        run: usize,
    },
    /// A network that is not that of its result.
    #[error(
        "{}: is not the network that run {run} came to: it was changed or damaged; remove it to merge \
         without it", path.display()
    )]
    OtherNetwork {
        /// Its file.
        path: PathBuf,
        /// The run.
        run: usize,
    },
    /// Nothing to bring together.
    #[error("there are no shards to merge: name their folders")]
    NoShards,
    /// The system grants no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// An engine was not had.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A network was not made.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A network was not read from a file of another program.
    #[error(transparent)]
    Interchange(interchange::Error),
    /// A run was not trained or tested.
    #[error("{run}: {source}")]
    Train {
        /// The run, and its settings.
        run: String,
        /// Why.
        source: Box<train::Error>,
    },
    /// The data have not what a run needs.
    #[error(transparent)]
    Data(#[from] data::Problem),
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps what the system said when it was asked to `action` the file at `path`.
    pub(super) fn io(
        action: &'static str,
        path: impl AsRef<std::path::Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let wrap = files::Error::io(action, path);
        move |source| Self::File(wrap(source))
    }
}

impl From<interchange::Error> for Error {
    fn from(error: interchange::Error) -> Self {
        match error {
            interchange::Error::Model(error) => Self::Model(error),
            interchange::Error::File(error) => Self::File(error),
            error => Self::Interchange(error),
        }
    }
}
