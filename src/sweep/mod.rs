//! Sweeps: many trainings of one plan, each by few threads, as many at a time as there are cores.
//!
//! A [`Plan`] says which settings are tried; its [`Configuration`]s are the points of a grid, or drawn
//! at random, and each is trained once by each seed. What a run gives depends on its settings and on
//! the data alone, so runs may go in any order, on any number of workers, machines and days: a
//! [`SweepFolder`] has a row of each that is done, and whoever goes on does the others.
//! [`Sweep::run`] does them, and [`Summary`] says what came of it.
//!
//! Inside, a run or a part of one is a task (`tasks.rs`), which a workforce carries out
//! (`workforce.rs`). All tasks of a plan are carried out at once, or, with a [`Halving`], those up to
//! one rung after those up to the rung before it (`climb.rs`).

mod claim;
mod climb;
mod conditions;
mod configuration;
mod error;
mod folder;
mod halving;
mod job;
mod measure;
mod merge;
mod network_files;
mod origin_file;
mod plan;
mod plan_file;
mod ranks;
mod results;
mod row_file;
mod run;
mod rung_file;
mod seeds;
mod settings_files;
mod shard;
mod standing;
mod states;
mod statistics;
mod summary;
mod table;
mod tasks;
#[cfg(test)]
mod tests;
mod trainer;
mod values;
mod workforce;

pub use claim::Claim;
pub use conditions::Conditions;
pub use configuration::{Configuration, PlannedRun, Setting};
pub use error::Error;
pub use folder::{Keep, SweepFolder};
pub use halving::{Halving, Rung, Rungs};
pub use job::{Job, MakeJob};
pub use measure::Measure;
pub use merge::Shards;
pub use plan::{Plan, Sample};
pub use results::{Outcome, ResultRow, Trained};
pub use run::{Checked, Sweep, SweepEnd, SweepProgress};
pub use seeds::{Seeds, in_ranges};
pub use shard::Shard;
pub use statistics::{Statistics, holm, welch};
pub use summary::{ConfigurationSummary, RungSummary, Summary};
pub use table::SummaryTable;
pub use values::{Range, Values};
