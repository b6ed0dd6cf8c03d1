//! The settings of the runs of a sweep: they are read as the arguments of `train` are.

use std::path::Path;

use clap::{ArgAction, CommandFactory, Parser};
use mnistry::sweep::{Job, Plan, PlannedRun, Setting};
use mnistry::{Dataset, FitOptions};

use crate::cli::CommandError;
use crate::cli::regularisation::Regularisation;
use crate::cli::settings::Settings;

/// What a run is told.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub(super) struct RunSettings {
    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    regularisation: Regularisation,

    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
}

/// What is wrong with settings.
type Fault = Box<dyn std::error::Error + Send + Sync>;

impl RunSettings {
    /// Refuses settings that `train` has not, or that a sweep has in another way.
    pub(super) fn check_names(plan: &Plan) -> Result<(), CommandError> {
        let command = Self::command();
        let names = command.get_arguments().filter_map(clap::Arg::get_long);
        // The seeds are the plan's.
        let names: Vec<_> = names.filter(|name| *name != "seed").collect();
        for (name, _) in &plan.settings {
            let problem = match name.as_str() {
                "seed" => "the seeds of the runs are given by `seeds` (--seeds 0-9)".to_owned(),
                "train-limit" if plan.folds.is_some() => {
                    "with folds all training images are taken, so that the folds are the same for all \
                     runs".to_owned()
                }
                name if names.contains(&name) => continue,
                _ => format!(
                    "`train` has no such setting that a sweep can try: {}",
                    names.join(", ")
                ),
            };
            return Err(CommandError::Setting { name: name.clone(), problem });
        }
        Ok(())
    }

    /// How each configuration is trained, by its first run.
    ///
    /// # Errors
    /// When `train` would refuse one.
    pub(super) fn options_of(runs: &[PlannedRun]) -> Result<Vec<FitOptions>, CommandError> {
        let mut options = Vec::new();
        for run in runs {
            // Their numbers are from 1.
            if run.configuration.number > options.len() {
                let read = Self::read(run).and_then(|read| read.options());
                options.push(read.map_err(|fault| CommandError::Setting {
                    name: run.configuration.to_string(),
                    problem: fault.to_string(),
                })?);
            }
        }
        Ok(options)
    }

    /// What makes trainings on `dataset` of the settings of runs.
    pub(super) fn job_maker(
        dataset: &Dataset,
    ) -> impl Fn(&PlannedRun) -> Result<Job, Fault> + Sync + '_ {
        |run| {
            let read = Self::read(run)?;
            Ok(Job {
                architecture: read.settings.architecture(dataset)?,
                init: read.settings.init.clone(),
                options: read.options()?,
                train_limit: read.settings.train_limit.map(|limit| limit as usize),
                files: read.settings.inputs().map(Path::to_owned).collect(),
            })
        }
    }

    fn options(&self) -> Result<FitOptions, Fault> {
        let options = self.settings.fit_options(self.epochs).map_err(|error| first_line(&error))?;
        Ok(self.regularisation.add_to(options))
    }

    fn read(run: &PlannedRun) -> Result<Self, Fault> {
        let command = Self::command();
        let settings = run.configuration.settings.iter();
        let mut arguments = Vec::new();
        for setting in settings {
            arguments.extend(argument(&command, setting)?);
        }
        arguments.push(format!("--seed={}", run.seed));
        Self::try_parse_from(arguments).map_err(|error| first_line(&error).into())
    }
}

/// The argument that says `setting`; none of one that is not set.
fn argument(command: &clap::Command, setting: &Setting) -> Result<Option<String>, Fault> {
    let Setting { name, value } = setting;
    let known = command.get_arguments().find(|known| known.get_long() == Some(name));
    let takes_value = known.is_none_or(|known| !matches!(known.get_action(), ArgAction::SetTrue));
    Ok(match (takes_value, value.as_str()) {
        (true, value) => Some(format!("--{name}={value}")),
        (false, "true") => Some(format!("--{name}")),
        (false, "false") => None,
        (false, value) => return Err(format!("{name} is true or false, not {value}").into()),
    })
}

/// What clap says, without how to ask for help.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
