//! The page of several runs: their curves over each other, and what they differ in.

use std::collections::BTreeSet;

use askama::Template;

use super::curves::{self, Figure};
use super::settings::{Setting, settings};
use super::{rendered, words};
use crate::report::error::Result;
use crate::report::{RunRecord, Summary};

/// What is shown of every run, and so is nothing that they may differ in.
const SHOWN: [&str; 1] = ["dataset"];

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    figures: Vec<Figure>,
    /// The settings that differ.
    settings: Vec<String>,
    rows: Vec<Row<'a>>,
}

/// A run.
struct Row<'a> {
    name: &'a str,
    /// The number of its colour in the charts.
    colour: usize,
    record: &'a RunRecord,
    /// Numbers that its network learns.
    parameters: usize,
    /// Its values of the settings that differ.
    values: Vec<String>,
}

/// The page of the runs in `records`, in this order: one file, which needs no other, no network and
/// no script.
///
/// # Errors
/// When a chart cannot be made.
pub fn comparison_page(records: &[RunRecord]) -> Result<String> {
    let names: Vec<_> = records.iter().map(|record| record.folder.display().to_string()).collect();
    let all = records.iter().map(|record| settings(&record.config)).collect::<Result<Vec<_>>>()?;
    let differing = differing(&all);
    let rows = records.iter().zip(&names).zip(&all).enumerate();
    let rows = rows.map(|(colour, ((record, name), own))| Row {
        name,
        colour,
        record,
        parameters: Summary::new(&record.config.architecture).parameters,
        values: differing.iter().map(|wanted| value_of(own, wanted)).collect(),
    });
    rendered(&Page {
        figures: curves::of_runs(records, &names)?,
        rows: rows.collect(),
        settings: differing.clone(),
    })
}

/// The value that the setting `name` has in a run.
fn value_of(run: &[Setting], name: &str) -> String {
    let found = run.iter().find(|setting| setting.name == name);
    found.map_or_else(|| "–".into(), |setting| setting.value.clone())
}

/// The names of the settings that are not the same in all runs, in their order.
fn differing(runs: &[Vec<Setting>]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = runs.iter().flatten().map(|setting| &setting.name);
    let names = names.filter(|name| !SHOWN.contains(&name.as_str()) && seen.insert(*name));
    let differs = |name: &&String| {
        let values: BTreeSet<_> = runs.iter().map(|run| value_of(run, name)).collect();
        values.len() > 1
    };
    names.filter(differs).cloned().collect()
}
