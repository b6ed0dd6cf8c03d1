//! Which column of a CSV file is what: by the names in its header, else by its values, else by what
//! a person says.
//!
//! | evidence | what is taken |
//! | --- | --- |
//! | a column is called `label`, `class`, `target`, `y` … | it has the labels |
//! | columns are called `id`, `index`, or not at all | they are ids |
//! | the others are as many as a square has pixels | they are the pixels |
//! | one more, or two: of the outermost ones, one has few values, each several times, and the others not | it has the labels |
//! | of those one counts up, a row after the other | it is an id |
//!
//! Whatever is left unclear is refused.

use std::fmt::Write;

use ::csv::ByteRecord;

use super::evidence::Kind;
use super::header::{ENDS, Meaning, check_order, meaning};
use super::start_of;
use crate::data::read_options::LabelColumn;
use crate::data::{CsvProblem, Problem, ReadOptions};
use crate::image::ImageShape;

/// What the columns of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) label: Option<usize>,
    /// The first of those that number the rows.
    pub(super) id: Option<usize>,
    pub(super) pixels: Vec<usize>,
    pub(super) shape: ImageShape,
    /// In a line, what was taken for what.
    pub(super) note: String,
}

/// What is known of columns before values are looked at.
struct Known {
    label: Option<usize>,
    ids: Vec<usize>,
    /// The others, in order.
    rest: Vec<usize>,
    /// Whether a label is still to be found among the rest.
    may_have_label: bool,
}

impl Columns {
    /// Those of a file of `count` columns with this header, if it has one. What values of columns
    /// speak for, `kinds` tells where it is asked.
    ///
    /// # Errors
    /// When it is not clear what they are.
    pub(super) fn of(
        count: usize,
        header: Option<&ByteRecord>,
        options: &ReadOptions,
        kinds: impl FnOnce(&[usize]) -> Result<Vec<Kind>, Problem>,
    ) -> Result<Self, Problem> {
        let Known { mut label, mut ids, mut rest, may_have_label } =
            Known::of(count, header, options)?;
        let Some(side) = (1..).take_while(|side| side * side <= rest.len()).last() else {
            return Err(CsvProblem::NotSquare(count).into());
        };
        let more = rest.len() - side * side;
        if more > 0 {
            if more > ENDS {
                return Err(CsvProblem::NotSquare(count).into());
            }
            let ends = outermost(&rest);
            let kinds = kinds(&ends)?;
            let found = decide(&kinds, &ends, more, may_have_label && label.is_none());
            let (found_label, found_id) = found.ok_or(match label.is_none() && may_have_label {
                true => CsvProblem::LabelUnclear { columns: count },
                false => CsvProblem::NotSquare(count),
            })?;
            label = label.or(found_label);
            ids.extend(found_id);
            rest.retain(|at| label != Some(*at) && found_id != Some(*at));
        }
        if let Some(header) = header {
            check_order(header, &rest)?;
        }
        let shape = ImageShape { height: side, width: side };
        let id = ids.first().copied();
        let note = note(label, &ids, header, rest.len(), shape);
        Ok(Self { count, label, id, pixels: rest, shape, note })
    }
}

impl Known {
    fn of(
        count: usize,
        header: Option<&ByteRecord>,
        options: &ReadOptions,
    ) -> Result<Self, Problem> {
        let names = |wanted: Meaning| {
            let fields = header.into_iter().flatten().enumerate();
            fields.filter(move |(_, name)| meaning(name) == wanted).map(|(at, _)| at)
        };
        let label = match &options.label_column {
            Some(column) => place(column, count, header)?,
            None => match &*names(Meaning::Label).collect::<Vec<_>>() {
                [] => None,
                [label] => Some(*label),
                _ => return Err(CsvProblem::LabelUnclear { columns: count }.into()),
            },
        };
        let ids: Vec<_> = names(Meaning::Id).filter(|id| label != Some(*id)).collect();
        let rest = (0..count).filter(|at| label != Some(*at) && !ids.contains(at)).collect();
        Ok(Self { label, ids, rest, may_have_label: options.label_column.is_none() })
    }
}

/// Where the column is that a person names; nowhere where there is to be none.
fn place(
    column: &LabelColumn,
    count: usize,
    header: Option<&ByteRecord>,
) -> Result<Option<usize>, CsvProblem> {
    let place = match column {
        LabelColumn::None => return Ok(None),
        LabelColumn::First => Some(0),
        LabelColumn::Last => count.checked_sub(1),
        LabelColumn::Number(number) => number.checked_sub(1).filter(|&at| at < count),
        LabelColumn::Named(name) => {
            let wanted = name.trim().as_bytes();
            let mut fields = header.into_iter().flatten();
            fields.position(|field| field.trim_ascii().eq_ignore_ascii_case(wanted))
        }
    };
    let missing = || CsvProblem::NoColumn { column: column.to_string(), columns: count };
    place.map(Some).ok_or_else(missing)
}

/// The first two of `rest` and the last two, which alone may be no pixels.
fn outermost(rest: &[usize]) -> Vec<usize> {
    let last = rest.len().saturating_sub(ENDS);
    let places = (0..rest.len()).filter(|&place| place < ENDS || place >= last);
    places.map(|place| rest[place]).collect()
}

/// Which of the columns at `ends`, of these kinds, is the label and which an id, where `more` of
/// them are no pixels. `None` where that is not clear.
fn decide(
    kinds: &[Kind],
    ends: &[usize],
    more: usize,
    may_have_label: bool,
) -> Option<(Option<usize>, Option<usize>)> {
    let all: Vec<_> = ends.iter().copied().zip(kinds.iter().copied()).collect();
    // Where one column more is there, it is the first or the last one.
    let at_ends = match (more, &*all) {
        (1, [first, .., last]) => vec![*first, *last],
        _ => all,
    };
    let of =
        |kind: Kind| at_ends.iter().filter(move |(_, found)| *found == kind).map(|(at, _)| *at);
    let only = |kind: Kind| {
        let mut found = of(kind);
        found.next().filter(|_| found.next().is_none())
    };
    let others_are_constant = |but: Kind| {
        at_ends
            .iter()
            .filter(|(_, kind)| *kind != but && *kind != Kind::CountsUp)
            .all(|(_, kind)| *kind == Kind::Constant)
    };
    let label = only(Kind::Labels)
        .or_else(|| only(Kind::Few).filter(|_| of(Kind::Labels).next().is_none()))
        .filter(|at| of(Kind::Labels).any(|label| label == *at) || others_are_constant(Kind::Few));
    let id = only(Kind::CountsUp);
    match (more, may_have_label) {
        (1, true) => match (label, id) {
            (Some(label), None) => Some((Some(label), None)),
            (None, Some(id)) if of(Kind::Few).next().is_none() => Some((None, Some(id))),
            _ => None,
        },
        (1, false) => id.map(|id| (None, Some(id))),
        (2, true) => label.zip(id).map(|(label, id)| (Some(label), Some(id))),
        _ => None,
    }
}

/// What was taken for what.
fn note(
    label: Option<usize>,
    ids: &[usize],
    header: Option<&ByteRecord>,
    pixels: usize,
    shape: ImageShape,
) -> String {
    let called = |at: usize| {
        let name = header.and_then(|header| header.get(at)).map(start_of).unwrap_or_default();
        let name = if name.is_empty() { name } else { format!(" ('{name}')") };
        format!("column {}{name}", at + 1)
    };
    let mut text = String::new();
    // A string takes all that is written.
    let _ = match label {
        Some(label) => write!(text, "{} has the labels", called(label)),
        None => write!(text, "no column has labels"),
    };
    for &id in ids {
        let _ = write!(text, ", {} is an id", called(id));
    }
    let others = if label.is_some() || !ids.is_empty() { "other " } else { "" };
    let header = if header.is_some() { "the first line is a header" } else { "there is no header" };
    let _ = write!(text, ", the {others}{pixels} are the pixels of {shape}; {header}");
    text
}
