//! `mnistry report`: runs as a web page.

use std::path::{Path, PathBuf};

use clap::Args;
use mnistry::report::{
    RunPictures, RunRecord, check_output, comparison_page, run_folders, run_page, write_page,
};
use mnistry::{Dataset, Engine};
use serde::Serialize;

use super::common::{Common, check_page, data_of_run, find_silently, load, output_file};
use super::{CommandError, Outcome};

/// Write a report of runs as a web page
///
/// Of one run it has all that is known of it, with pictures where its data set is at hand; every
/// `train` leaves that in its run folder as report.html. Of several runs it has the curves over each
/// other, and a table of their results and of the settings that differ. The page is one file, which
/// needs no network and no scripts.
#[derive(Args)]
#[command(after_help = EXAMPLES, mut_arg("data", data_of_run))]
pub(super) struct Report {
    /// Run folders, or folders of run folders
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,

    /// The file [default: report.html in the folder of a single run, runs.html for several]
    #[arg(short, long, value_name = "FILE", value_parser = output_file)]
    output: Option<PathBuf>,

    /// Open the page in the browser
    #[arg(long)]
    open: bool,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry report runs/1 --open
  mnistry report runs/1 runs/2 --output comparison.html
  mnistry report runs";

/// The JSON of what was written.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    runs: Vec<PathBuf>,
}

impl Report {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let records = self.records()?;
        let (file, page) = match &records[..] {
            [record] => (self.file(&record.folder, "report.html")?, self.page_of(record)?),
            several => (self.file(Path::new("."), "runs.html")?, comparison_page(several)?),
        };
        write_page(&file, &page)?;
        let runs = records.into_iter().map(|record| record.folder).collect();
        let written = Written { file, runs };
        let said = self.common.output.print(&written, || {
            let runs = match written.runs.len() {
                1 => "the run".into(),
                count => format!("{count} runs"),
            };
            format!("the report of {runs} is in {}\n", written.file.display())
        })?;
        if self.open {
            let opened = open::that_detached(&written.file);
            opened.map_err(|source| CommandError::Open { page: written.file, source })?;
        }
        Ok(said)
    }

    /// What the runs say of themselves. One that is damaged is told of and left out, if it is not
    /// named itself and there are others.
    fn records(&self) -> Result<Vec<RunRecord>, CommandError> {
        let mut records = Vec::new();
        let mut damaged = Vec::new();
        for path in &self.runs {
            if path.is_file() {
                return Err(CommandError::NoRunFolder(path.clone()));
            }
            for run in run_folders(path)? {
                match RunRecord::read(&run) {
                    Err(error) if run != *path => damaged.push(error),
                    read => records.push(read?),
                }
            }
        }
        let last = if records.is_empty() { damaged.pop() } else { None };
        for error in damaged {
            self.common.output.note(format_args!("left out: {error}"));
        }
        last.map_or(Ok(records), |error| Err(error.into()))
    }

    /// The file to be written, by default the one called `name` in `folder`.
    fn file(&self, folder: &Path, name: &str) -> Result<PathBuf, CommandError> {
        let file = self.output.clone().unwrap_or_else(|| match folder == Path::new(".") {
            true => name.into(),
            false => folder.join(name),
        });
        check_page(&file)?;
        check_output(&file, self.common.data.iter())?;
        Ok(file)
    }

    /// The page of the run in `record`: with pictures, if its data set is at hand.
    fn page_of(&self, record: &RunRecord) -> Result<String, CommandError> {
        let engine = self.common.engine()?;
        let data = match self.data_of(record, &engine) {
            Ok(data) => data,
            Err(error) if self.common.data.is_some() => return Err(error),
            Err(error) => {
                let output = &self.common.output;
                output.note(format_args!("the report has no pictures of the data set: {error}"));
                return Ok(run_page(record, None)?);
            }
        };
        let network = load(&record.folder)?;
        let pictures = RunPictures::new(&engine, &network, &data, record)?;
        Ok(run_page(record, Some(&pictures))?)
    }

    /// The data set that the run in `record` is on.
    fn data_of(&self, record: &RunRecord, engine: &Engine) -> Result<Dataset, CommandError> {
        let config = &record.config;
        let place = self.common.place_of(config);
        let output = &self.common.output;
        let mut data = engine.install(|| find_silently(&place, output))?.data;
        if let Some(classes) = &config.class_names {
            let named = place.data.unwrap_or(Path::new(&config.dataset)).to_owned();
            data = data.in_classes_of(classes).map_err(|problem| problem.at(named))?;
        }
        record.check_data(engine, &data)?;
        Ok(data)
    }
}
