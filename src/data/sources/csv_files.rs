//! CSV files of images, plain or gzipped: one, of which a part is held out as the test set, or two.

use std::path::{Path, PathBuf};

use super::known_classes;
use super::other_programs::or_what_it_is;
use crate::data::assemble::{Arrays, Labelled, Reading};
use crate::data::formats::csv::{self, Labels, Parsed};
use crate::data::formats::{Array, Element, ImageArray, Layout, gzip, zip};
use crate::data::problem::listed;
use crate::data::scaling::Scaling;
use crate::data::{Bytes, CsvProblem, Dataset, Error, Problem, ReadOptions, Result};
use crate::image::ImageShape;

/// The images of a CSV file, and their labels where it has them: to be classified.
#[derive(Clone, Debug)]
pub struct Table {
    shape: ImageShape,
    pixels: Bytes,
    labels: Option<Labels>,
    ids: Option<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// Reads the CSV file at `path`, which may be gzipped: a row an image, with or without a label
    /// and an id.
    ///
    /// # Errors
    /// When it cannot be read or is not such a file, or it is not clear what its columns are.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        let parsed = read(path, options).map_err(or_what_it_is)?;
        Self::of(parsed, options).map_err(|problem| or_what_it_is(problem.at(path)))
    }

    /// Whether a file of this name is read as CSV: it ends in `.csv` or `.csv.gz`.
    #[must_use]
    pub fn is_named(path: impl AsRef<Path>) -> bool {
        is_csv(&file_name(path.as_ref()))
    }

    /// The images of the text of a CSV file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn parse(bytes: &[u8], options: &ReadOptions) -> Result<Self, Problem> {
        Self::of(csv::parse(bytes, options)?, options)
    }

    fn of(parsed: Parsed, options: &ReadOptions) -> Result<Self, Problem> {
        let Parsed { images, labels, ids, note } = parsed;
        let images = ImageArray::new(images)?;
        let scaling = Scaling::of(images.span())?;
        let reading = Reading { is_transposed: options.transpose, ..Reading::default() };
        let (shape, pixels) = reading.pixels(images, scaling)?;
        let notes = std::iter::once(note).chain(scaling.note()).chain(reading.note()).collect();
        Ok(Self { shape, pixels, labels, ids, notes })
    }

    /// Height and width of every image.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// All pixels: count × `height` × `width`.
    #[must_use]
    pub fn pixels(&self) -> &Bytes {
        &self.pixels
    }

    /// What each image is labelled as, where there are labels: a number, or the name of a class.
    #[must_use]
    pub fn labels(&self) -> Option<impl Iterator<Item = &str>> {
        self.labels.as_ref().map(Labels::texts)
    }

    /// What each image is called, where a column of ids says so.
    #[must_use]
    pub fn ids(&self) -> Option<&[String]> {
        self.ids.as_deref()
    }

    /// How the file was read: a line each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A CSV file that was read, on disk or in an archive.
struct CsvFile {
    /// Where it is, or its archive.
    place: PathBuf,
    /// Its name, or its member's.
    name: String,
    parsed: Parsed,
}

/// The data set of the CSV file at `path`, of which a part is held out as the test set.
pub(super) fn open(name: String, path: &Path, options: &ReadOptions) -> Result<Dataset> {
    let parsed = read(path, options)?;
    assemble(name, CsvFile { place: path.into(), name: file_name(path), parsed }, None, options)
}

/// The data set of two CSV files.
pub(super) fn open_both(name: String, paths: [&Path; 2], options: &ReadOptions) -> Result<Dataset> {
    let file = |path: &Path, options: &ReadOptions| {
        Ok(CsvFile { place: path.into(), name: file_name(path), parsed: read(path, options)? })
    };
    both(name, [&|options| file(paths[0], options), &|options| file(paths[1], options)], options)
}

/// The data set of a zip archive of CSV files, as Kaggle hands them out.
pub(super) fn open_zip(name: String, path: &Path, options: &ReadOptions) -> Result<Dataset> {
    let file = Bytes::map(path)?;
    let at = |problem: Problem| problem.at(path);
    let mut names = zip::members(&file).map_err(at)?;
    let pair = pair_in(&names).map_err(at)?;
    let member = |member: &str, options: &ReadOptions| {
        let text = zip::text(&file, member).and_then(|text| csv::parse(&text, options));
        file.check_unchanged()?;
        let parsed = text.map_err(|problem| problem.within(member.to_owned()).at(path))?;
        Ok(CsvFile { place: path.into(), name: member.to_owned(), parsed })
    };
    let dataset = match &pair {
        Some([train, test]) => both(
            name,
            [&|options| member(train, options), &|options| member(test, options)],
            options,
        )?,
        None => match &*names.iter().filter(|name| is_csv(name)).collect::<Vec<_>>() {
            [only] => assemble(name, member(only, options)?, None, options)?,
            _ => return Err(Problem::NoMembers(names).at(path)),
        },
    };
    names.retain(|name| match &pair {
        Some(pair) => !pair.contains(name),
        None => !is_csv(name),
    });
    let left_out = (!names.is_empty()).then(|| format!("left out: {}", listed(&names)));
    Ok(dataset.noted(left_out))
}

/// How a file is read, as options say.
type ReadFile<'a> = &'a dyn Fn(&ReadOptions) -> Result<CsvFile>;

/// The data set of two files. Where those to test with have no labels, as Kaggle's, nothing can be
/// tested with them, and a part of the others is held out for that.
fn both(name: String, [train, test]: [ReadFile<'_>; 2], options: &ReadOptions) -> Result<Dataset> {
    let train = train(options)?;
    // What a person says of a column of labels need not be true of a file without.
    let tests = match test(options) {
        Err(Error::Invalid { problem, .. })
            if options.label_column.is_some() && is_of_columns(&problem) =>
        {
            test(&ReadOptions { label_column: None, ..options.clone() })?
        }
        tests => tests?,
    };
    if tests.parsed.labels.is_none() {
        let note = format!("left out: {}, which has no labels", tests.name);
        return Ok(assemble(name, train, None, options)?.noted([note]));
    }
    assemble(name, train, Some(tests), options)
}

/// Whether a file was refused for what its columns are.
fn is_of_columns(problem: &Problem) -> bool {
    match problem {
        Problem::Within { problem, .. } => is_of_columns(problem),
        Problem::Csv(problem) => {
            matches!(problem, CsvProblem::NoColumn { .. } | CsvProblem::NotSquare(_))
        }
        _ => false,
    }
}

fn assemble(
    name: String,
    train: CsvFile,
    test: Option<CsvFile>,
    options: &ReadOptions,
) -> Result<Dataset> {
    let set = known_classes::set_of(&train.name);
    let known = known_classes::reading_of(set);
    let reading = Reading { is_transposed: known.is_transposed != options.transpose, ..known };
    let said = |file: &CsvFile| format!("{}: {}", file.name, file.parsed.note);
    let mut notes = vec![said(&train)];
    notes.extend(test.iter().filter(|test| test.parsed.note != train.parsed.note).map(said));
    let all: Vec<_> = std::iter::once(&train)
        .chain(&test)
        .filter_map(|file| file.parsed.labels.as_ref())
        .collect();
    let labelled = |file: &CsvFile| {
        let labels = file.parsed.labels.as_ref().ok_or(Problem::NoLabels)?;
        let (classes, names) = labels.classes(&all)?;
        let layout = Layout::new(vec![classes.len()], Element::U8, 0)?;
        let labels = Array::new(&classes.into(), &layout)?;
        Ok((Labelled { images: file.parsed.images.clone(), labels }, names))
    };
    let at = |file: &CsvFile| {
        let place = file.place.clone();
        move |problem: Problem| problem.at(place)
    };
    let (to_train, names) = labelled(&train).map_err(at(&train))?;
    let to_test = match &test {
        Some(test) => Some(labelled(test).map_err(at(test))?.0),
        None => None,
    };
    let published = known_classes::of_emnist(train.place.parent().unwrap_or(Path::new(".")), set)?;
    let arrays = Arrays { train: to_train, test: to_test };
    let dataset = arrays.into_dataset(name, reading);
    let dataset = dataset.and_then(|dataset| known_classes::called(dataset, names.or(published)));
    Ok(dataset.map_err(at(test.as_ref().unwrap_or(&train)))?.noted(notes))
}

/// What the names of two CSV files end in: the training set and the test set.
const PAIR: [&str; 2] = ["train.csv", "test.csv"];

/// Of these names those of a training set and a test set: `train.csv` and `test.csv`, or
/// `mnist_train.csv` and `mnist_test.csv`, with any other word before; gzipped or not, in whichever
/// folder.
///
/// # Errors
/// When there are several.
pub(super) fn pair_in(names: &[String]) -> Result<Option<[String; 2]>, Problem> {
    let mut pairs = Vec::new();
    for gz in ["", ".gz"] {
        let [train, test] = PAIR.map(|end| format!("{end}{gz}"));
        for name in names {
            let Some(prefix) = name.strip_suffix(&train) else { continue };
            let other = format!("{prefix}{test}");
            if (prefix.is_empty() || prefix.ends_with(['_', '-', '/'])) && names.contains(&other) {
                pairs.push([name.clone(), other]);
            }
        }
    }
    // Those of the plain names come first, where a folder has others too.
    let usual = pairs.iter().position(|[train, _]| train.starts_with(PAIR[0]));
    match (usual, pairs.len()) {
        (Some(usual), _) => Ok(Some(pairs.swap_remove(usual))),
        (None, 0 | 1) => Ok(pairs.pop()),
        (None, _) => Err(Problem::SeveralSets(pairs.into_iter().map(|[train, _]| train).collect())),
    }
}

/// Whether the name is that of a CSV file, gzipped or not.
pub(super) fn is_csv(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with(".csv")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path, options: &ReadOptions) -> Result<Parsed> {
    let file = Bytes::map(path)?;
    let parsed = match gzip::is_gzip(&file) {
        true => gzip::text(&file).and_then(|text| csv::parse(&text, options)),
        false => csv::parse(&file, options),
    };
    file.check_unchanged()?;
    parsed.map_err(|problem| problem.at(path))
}
