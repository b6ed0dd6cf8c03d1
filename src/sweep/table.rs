//! The summary of a sweep as a table for a person.

use std::fmt;

use super::measure::Measure;
use super::statistics::Statistics;
use super::summary::{ConfigurationSummary, RungSummary, Summary};
use crate::files::OneLine;

/// A row a configuration, in words.
#[derive(Clone, Debug)]
pub struct SummaryTable {
    /// What the columns are called.
    pub headings: Vec<String>,
    /// The fields of each row, in the order of the summary's configurations.
    pub rows: Vec<Vec<String>>,
}

impl Summary {
    /// The names of the settings that differ between configurations.
    #[must_use]
    pub fn varied(&self) -> Vec<&str> {
        let mut configurations = self.configurations.iter().map(|row| &row.configuration);
        let Some(first) = configurations.next() else { return Vec::new() };
        let others: Vec<_> = configurations.collect();
        let names = first.settings.iter().map(|setting| setting.name.as_str());
        let differs = |name: &&str| others.iter().any(|of| of.value(name) != first.value(name));
        names.filter(differs).collect()
    }

    /// As a table, for a person.
    #[must_use]
    pub fn table(&self) -> SummaryTable {
        let varied = self.varied();
        let shown = match self.shown() {
            Measure::Folds => "held-out % mean ± sd",
            Measure::Validation | Measure::Test => "test % mean ± sd",
        };
        let measures = [shown, "95 % interval", "least", "greatest", "seconds", "against the best"];
        let counts: &[_] = if self.rungs.is_empty() { &["runs"] } else { &["runs", "epochs"] };
        let headings = ["no."].iter().chain(&varied).chain(counts).chain(&measures);
        let has_best = self.best().is_some();
        let rows = self.configurations.iter().enumerate();
        let fields = |(place, row)| self.fields(row, &varied, has_best && place == 0);
        SummaryTable {
            headings: headings.map(|&name| name.to_owned()).collect(),
            rows: rows.map(fields).collect(),
        }
    }

    /// Whether the best is one of which no run failed, unlike others.
    fn stands_before_failures(&self) -> bool {
        let has_failed = |row: &ConfigurationSummary| row.failed > 0;
        self.best().is_some_and(|best| !has_failed(best))
            && self.configurations.iter().any(has_failed)
    }

    /// How the others are compared with the best, in words.
    #[must_use]
    pub fn comparison(&self) -> &'static str {
        if self.has_comparisons() {
            "the others are compared with it by Welch's t-test, adjusted by Holm's method"
        } else if self.configurations.len() > 1 {
            "whether the others differ from it by more than chance is not known: that takes several \
             complete runs of each, which vary (--seeds 0-9)"
        } else {
            "there are no others to compare it with"
        }
    }

    /// The measure whose numbers are shown. Images that configurations are chosen by say too much of
    /// them: the numbers of a validation are not.
    fn shown(&self) -> Measure {
        if self.judged_by == Measure::Folds { Measure::Folds } else { Measure::Test }
    }

    /// The fields of a row: of the settings `varied`, then the measures.
    fn fields(&self, row: &ConfigurationSummary, varied: &[&str], is_best: bool) -> Vec<String> {
        let setting = |name: &&str| row.configuration.value(name).unwrap_or_default().to_owned();
        let accuracy = row.accuracy(self.shown());
        let said = |say: fn(Statistics) -> String| accuracy.map_or_else(String::new, say);
        let count = accuracy.map_or(0, |of| of.count);
        let mut fields = vec![row.configuration.number.to_string()];
        fields.extend(varied.iter().map(setting));
        fields.push(match row.failed {
            0 => count.to_string(),
            failed => format!("{count} + {failed} failed"),
        });
        // By halving they differ, and all that follows with them.
        if !self.rungs.is_empty() {
            fields.push(row.epochs.map_or_else(String::new, |epochs| epochs.to_string()));
        }
        fields.push(said(|of| match of.standard_deviation {
            Some(deviation) => format!("{} ± {}", percent(of.mean), percent(deviation)),
            None => percent(of.mean),
        }));
        fields.push(said(|of| match of.half_width {
            // No accuracy is below none or above all.
            Some(half) => {
                let ends = [of.mean - half, of.mean + half].map(|end| percent(end.clamp(0.0, 1.0)));
                ends.join(" to ")
            }
            None => "–".into(),
        }));
        fields.push(said(|of| percent(of.least)));
        fields.push(said(|of| percent(of.greatest)));
        fields.push(row.seconds.map_or_else(String::new, |of| format!("{:.2}", of.mean)));
        fields.push(if is_best { "best".into() } else { against_the_best(row) });
        fields
    }
}

fn against_the_best(row: &ConfigurationSummary) -> String {
    match (row.is_worse, row.p_value, row.stopped_at_rung) {
        (Some(true), Some(p_value), _) => format!("worse (p {})", short(p_value)),
        (Some(false), Some(p_value), _) => format!("not significantly (p {})", short(p_value)),
        (_, _, Some(rung)) => format!("stopped at rung {rung}"),
        _ => "–".into(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.3}", 100.0 * share)
}

/// A p-value for a person.
fn short(p_value: f64) -> String {
    if p_value < 0.001 { "< 0.001".into() } else { format!("{p_value:.3}") }
}

/// In columns, a line a row.
impl fmt::Display for SummaryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings come from others too, and a terminal must take no orders from them.
        let lines = std::iter::once(&self.headings).chain(&self.rows);
        let shown = |field: &String| OneLine(field).to_string();
        let lines: Vec<Vec<_>> = lines.map(|line| line.iter().map(shown).collect()).collect();
        let width = |column: usize| {
            let fields = lines.iter().filter_map(|line| line.get(column));
            fields.map(|field| field.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.headings.len()).map(width).collect();
        for fields in &lines {
            let mut line = String::new();
            for (field, width) in fields.iter().zip(&widths) {
                let padding = width.saturating_sub(field.chars().count());
                line.push_str(field);
                line.extend(std::iter::repeat_n(' ', padding + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// As a table for a person.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { planned, done, judged_by, rungs, .. } = self;
        writeln!(f, "{}", self.table())?;
        for rung in rungs {
            writeln!(f, "{rung}")?;
        }
        writeln!(
            f,
            "{done} of {planned} runs are done; the best is that of the highest {judged_by} in the mean{};",
            if self.stands_before_failures() { ", of those of which no run failed" } else { "" }
        )?;
        f.write_str(self.comparison())?;
        match judged_by.caution() {
            Some(caution) => write!(f, ";\n{caution}"),
            None => Ok(()),
        }
    }
}

/// As a person says it: `rung 1: of 9 configurations 6 were stopped`.
impl fmt::Display for RungSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rung, configurations, stopped } = self;
        let plural = if *configurations == 1 { "" } else { "s" };
        let were = if *stopped == 1 { "was" } else { "were" };
        write!(f, "rung {rung}: of {configurations} configuration{plural} {stopped} {were} stopped")
    }
}
