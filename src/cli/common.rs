//! The arguments that every command has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Args};
use mnistry::GemmBackend;
use mnistry::data::{ClassNames, Found, LabelColumn, ReadOptions};
use mnistry::image::ImageShape;
use mnistry::interchange;
use mnistry::model::Error as ModelError;
use mnistry::report::{Error as ReportError, MODEL_FILE, RunConfig, RunRecord};
use mnistry::sweep::SweepFolder;
use mnistry::train::{Ensemble, Error as TrainError};
use mnistry::{Dataset, Engine, EngineOptions, Network, Ranks, Result};

use super::CommandError;
use super::engine_args::EngineArgs;
use super::output::OutputOptions;
use super::transfer::Transfer;

/// What is said of `--data`, by what is taken where it is not given.
macro_rules! data_help {
    ($default:literal) => {
        concat!(
            "The data set: `mnist`, `fashion` or another that `data fetch` knows, which are fetched when \
             first needed; `generated`; a folder with the four IDX files of MNIST or a relative (plain or \
             gzipped); an .npz archive or a folder of .npy files; a .csv file (plain, gzipped or in a zip \
             archive) or a folder with train.csv and test.csv; or a folder of pictures for each class. \
             Where it is not given, ",
            $default,
            ". Of images in one part every seventh is kept to test with"
        )
    };
}
pub(super) use data_help;

/// `--data` of a command that takes the data of the run whose folder it is given.
pub(super) fn data_of_run(data: Arg) -> Arg {
    data.help(data_help!(
        "the data of the run whose folder is given; for a model file what the environment variable \
         MNISTRY_DATA_DIR names, else MNIST, or generated digits where that cannot be fetched"
    ))
}

/// Where the data are, what is computed with, and what is shown.
#[derive(Args)]
pub(super) struct Common {
    #[arg(long, value_name = "WHERE", help = data_help!(
        "what the environment variable MNISTRY_DATA_DIR names, else MNIST, or generated digits where that \
         cannot be fetched"
    ))]
    pub(super) data: Option<PathBuf>,

    #[command(flatten)]
    read: ReadArgs,

    /// Refuse a folder of pictures of which one cannot be used; without this, up to 1 in 20 are left
    /// out, and named
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    engine: EngineArgs,

    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// How data are read that do not say it themselves.
#[derive(Args)]
pub(super) struct ReadArgs {
    /// The column of a CSV file that has the labels: first, last, a number from 1, a name from the
    /// header, or none; where it is not given, found by its name or its values
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<LabelColumn>,

    /// A CSV file has no header, whatever its first line looks like
    #[arg(long)]
    no_header: bool,

    /// Rows and columns of each image change places
    #[arg(long)]
    transpose: bool,
}

impl ReadArgs {
    pub(super) fn options(&self) -> ReadOptions {
        let Self { label_column, no_header, transpose } = self;
        ReadOptions::default()
            .label_column(label_column.clone())
            .no_header(*no_header)
            .transpose(*transpose)
    }
}

/// Where data are, and how they are to be read.
pub(super) struct Place<'a> {
    pub(super) data: Option<&'a Path>,
    pub(super) read: ReadOptions,
}

impl Common {
    /// What was said of the data.
    pub(super) fn place(&self) -> Place<'_> {
        Place { data: self.data.as_deref(), read: self.read.options() }
    }

    /// The same, where what was not said is as `config` of a run has it.
    pub(super) fn place_of<'a>(&'a self, config: &'a RunConfig) -> Place<'a> {
        let Place { data, read } = self.place();
        let is_said = read != ReadOptions::default();
        Place {
            data: data.or(config.data.as_deref()),
            read: if is_said { read } else { config.read.clone() },
        }
    }

    /// The data set that was named, or the one that stands in for it, which is then said.
    pub(super) fn dataset(&self) -> Result<Dataset, CommandError> {
        Ok(self.find(&self.place(), None)?.data)
    }

    /// The data set for what is at `model`: that which was named, or else, where `model` is the folder of
    /// a run, that of the run, which is then said. Its classes are brought in the order of `classes`,
    /// where there are any.
    pub(super) fn dataset_for(
        &self,
        model: &Path,
        classes: Option<&ClassNames>,
    ) -> Result<Dataset, CommandError> {
        let run = self.run_of(model)?;
        let place = self.place_for(run.as_ref());
        Ok(self.find(&place, classes)?.data)
    }

    /// What the run says of itself whose folder `model` is; nothing where data are named, or it is none.
    pub(super) fn run_of(&self, model: &Path) -> Result<Option<RunRecord>, CommandError> {
        match self.data.as_ref().map_or_else(|| RunRecord::read(model).map(Some), |_| Ok(None)) {
            Err(ReportError::NoSuchRun(_)) => Ok(None),
            run => Ok(run?),
        }
    }

    /// What was said of the data, and where nothing was, where those of `run` are, which is then said.
    pub(super) fn place_for<'a>(&'a self, run: Option<&'a RunRecord>) -> Place<'a> {
        let Some(run) = run else { return self.place() };
        let place = self.place_of(&run.config);
        if let Some(data) = place.data {
            self.output.note(format_args!(
                "the data are those of the run, {}; --data names others",
                data.display()
            ));
        }
        place
    }

    /// The data set at `place`, or the one that stands in where none is named, which is then said; and
    /// what names it. Its classes are brought in the order of `classes`, where there are any. How it
    /// was read is said.
    pub(super) fn find(
        &self,
        place: &Place<'_>,
        classes: Option<&ClassNames>,
    ) -> Result<Found, CommandError> {
        self.told(find_silently(place, &self.output)?, place, classes)
    }

    /// What was `found` at `place`, its classes in the order of `classes`, where there are any. How it
    /// was read is said.
    pub(super) fn told(
        &self,
        mut found: Found,
        place: &Place<'_>,
        classes: Option<&ClassNames>,
    ) -> Result<Found, CommandError> {
        if let Some(why) = found.data.left_out.first().filter(|_| self.strict) {
            return Err(CommandError::LeftOut(why.clone()));
        }
        let name = found.data.name.clone();
        if let Some(classes) = classes {
            let place = place.data.unwrap_or(Path::new(&name));
            found.data = found.data.in_classes_of(classes).map_err(|problem| problem.at(place))?;
        }
        for note in &found.data.notes {
            self.output.note(format_args!("{name}: {note}"));
        }
        Ok(found)
    }

    /// An engine as asked for.
    pub(super) fn engine(&self) -> Result<Engine> {
        Ok(Engine::new(self.engine_options()?)?)
    }

    /// An engine as asked for, but that `gemm` computes the dense products, if that is said; where there
    /// are `ranks`, one that they have together.
    pub(super) fn training_engine(
        &self,
        ranks: Option<&Ranks>,
        gemm: Option<GemmBackend>,
    ) -> Result<Engine> {
        let options = self.engine_options();
        let options =
            options.map(|options| EngineOptions { gemm: gemm.unwrap_or(options.gemm), ..options });
        Ok(match ranks {
            None => Engine::new(options?)?,
            Some(ranks) => Engine::across(ranks.agree(options)?, ranks)?,
        })
    }

    /// The arguments by which another process has the same data, and computes as `engine` does.
    pub(super) fn arguments(&self, engine: &Engine) -> Vec<OsString> {
        let gemm = match engine.gemm_backend() {
            GemmBackend::Matrixmultiply => "matrixmultiply",
            _ => "engine",
        };
        let threads = engine.threads().to_string();
        let engine = [("--threads", &*threads), ("--isa", engine.isa().name()), ("--gemm", gemm)];
        let mut arguments: Vec<OsString> =
            engine.into_iter().flat_map(|(name, value)| [name.into(), value.into()]).collect();
        if let Some(data) = &self.data {
            arguments.extend(["--data".into(), data.into()]);
        }
        let ReadArgs { label_column, no_header, transpose } = &self.read;
        if let Some(column) = label_column {
            arguments.extend(["--label-column".into(), String::from(column.clone()).into()]);
        }
        let flags =
            [("--no-header", *no_header), ("--transpose", *transpose), ("--strict", self.strict)];
        let given = flags.into_iter().filter(|(_, is_given)| *is_given);
        arguments.extend(given.map(|(name, _)| name.into()));
        arguments
    }

    /// What was said of engines.
    pub(super) fn engine_options(&self) -> Result<EngineOptions> {
        self.engine.options()
    }
}

/// The data set at `place`, or the one that stands in where none is named, which is then said. How it
/// was read is for the caller to show.
pub(super) fn find_silently(place: &Place<'_>, output: &OutputOptions) -> Result<Found> {
    let mut transfer = Transfer::new(output.quiet);
    let found = Dataset::find_as(place.data, &place.read, &mut |event| transfer.tell(&event))?;
    if let Some(why) = &found.stands_in {
        output.note(format_args!(
            "no data set was named, so these are generated digits ({why}); for MNIST, run `mnistry \
             data fetch mnist` where there is a network, or name a copy with --data or \
             MNISTRY_DATA_DIR"
        ));
    }
    Ok(found)
}

/// What the classes of `network` are called; where it does not say that, they are those of `data`,
/// by their order, which is then said.
pub(super) fn names(network: &Network, data: &Dataset, output: &OutputOptions) -> ClassNames {
    if network.class_names().is_none() && !data.class_names.are_numbers() {
        output.note(format_args!(
            "the network does not say what its classes are called: they are taken for those of {}, \
             in their order",
            data.name
        ));
        return data.class_names.clone();
    }
    network.names_of_classes()
}

/// Classes that were read in a row, as a person writes them: `42`, but `cat dog`.
pub(super) fn in_a_row(names: &[&str]) -> String {
    let are_characters = names.iter().all(|name| name.chars().count() == 1);
    names.join(if are_characters { "" } else { " " })
}

/// The network at `path`: a model file, or a run folder that holds one.
pub(super) fn load(path: &Path) -> Result<Network, CommandError> {
    let file = model_file(path);
    match Network::load(&file) {
        Err(_) if SweepFolder::is_at(path) => Err(CommandError::WholeSweep(path.to_owned())),
        Err(error @ ModelError::Invalid { .. }) => {
            interchange::check_own(&file)?;
            Err(error.into())
        }
        network => Ok(network?),
    }
}

/// The networks at `models`, to be asked together.
pub(super) fn load_ensemble(models: &[&Path]) -> Result<Ensemble, CommandError> {
    let networks = models.iter().map(|model| load(model)).collect::<Result<_, _>>()?;
    Ensemble::new(networks).map_err(|error| match (error, models) {
        (TrainError::OtherKind { number, difference }, [first, ..]) => CommandError::OtherKind {
            first: (*first).to_owned(),
            other: models[number - 1].to_owned(),
            difference,
        },
        (error, _) => error.into(),
    })
}

/// The model file that `path` means: itself, or the one in a run folder.
pub(super) fn model_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(MODEL_FILE) } else { path.to_owned() }
}

/// Whether there is a network at `path`, by its name, or a run. Of pictures a model may lie beside them.
pub(super) fn is_network(path: &Path) -> bool {
    let has_ending = |file: &Path| file.extension() == Path::new(MODEL_FILE).extension();
    if path.is_dir() { RunRecord::read(path).is_ok() } else { path.is_file() && has_ending(path) }
}

/// A file to be written, which a dash does not name: what is printed there is for people.
pub(super) fn output_file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("give the name of a file: a dash is standard output elsewhere, not here".into()),
        name => Ok(name.into()),
    }
}

/// Height and width of images, as `28x28`.
pub(super) fn image_shape(text: &str) -> Result<ImageShape, String> {
    let sides = text.split_once('x').map(|(height, width)| (height.parse(), width.parse()));
    match sides {
        Some((Ok(height @ 1..), Ok(width @ 1..))) => Ok(ImageShape { height, width }),
        _ => Err("give height and width, such as 28x28".into()),
    }
}

/// Refuses a page that would replace a file of something else.
pub(super) fn check_page(file: &Path) -> Result<(), CommandError> {
    let is_page = file.extension().is_some_and(|end| ["html", "htm"].iter().any(|e| end == *e));
    if file.is_file() && !is_page { Err(CommandError::NoPage(file.to_owned())) } else { Ok(()) }
}
