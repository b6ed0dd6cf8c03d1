//! A report as a person reads it in a terminal.

use std::fmt::{self, Write};

use anstyle::Style;

use super::{Palette, Report, TestReport};
use crate::train::{Confusion, ConfusionMatrix};

/// How many of the most frequent confusions are marked in the matrix and put into words.
const WORST: usize = 3;

impl Report {
    /// The report as lines of text.
    #[must_use]
    pub fn text(&self, palette: &Palette) -> String {
        written(|text| {
            let Palette { heading, .. } = palette;
            writeln!(text, "{heading}{} on {}{heading:#}", self.model, self.dataset)?;
            write!(
                text,
                "{} parameters, {} in {:.2} s ({} images/s) with {}, {}",
                grouped(self.parameters as u64),
                counted(self.history.len() as u64, "epoch"),
                self.train_seconds,
                grouped(self.samples_per_second as u64),
                counted(self.threads as u64, "thread"),
                self.isa,
            )?;
            if let Some(bytes) = self.peak_memory_bytes {
                write!(text, ", {} MB of memory", bytes / 1_000_000)?;
            }
            writeln!(text, "\n")?;
            self.test.write(text, palette)
        })
    }
}

impl TestReport {
    /// The report as lines of text.
    #[must_use]
    pub fn text(&self, palette: &Palette) -> String {
        written(|text| self.write(text, palette))
    }

    fn write(&self, text: &mut String, palette: &Palette) -> fmt::Result {
        let Palette { heading, .. } = palette;
        let matrix = &self.confusion_matrix;
        writeln!(
            text,
            "{heading}test loss {:.4}, accuracy {:.2} %{heading:#} \
             ({} of {} test images classified correctly)",
            self.loss,
            100.0 * self.accuracy,
            grouped(matrix.correct()),
            grouped(matrix.total()),
        )?;
        let mut confusions = matrix.confusions();
        confusions.truncate(WORST);

        writeln!(
            text,
            "\n{heading}confusion matrix{heading:#}: what was read as what (true class down, predicted \
             across)"
        )?;
        write_matrix(text, matrix, &confusions, palette)?;

        writeln!(text, "\n{heading}class  precision  recall      F1{heading:#}")?;
        for (class, report) in self.per_class.iter().enumerate() {
            let (precision, recall, f1) = (report.precision, report.recall, report.f1);
            writeln!(text, "{class:>5}  {precision:>9.4}  {recall:.4}  {f1:.4}")?;
        }

        if confusions.is_empty() {
            return writeln!(text, "\nnothing was confused");
        }
        writeln!(text, "\n{heading}most frequent confusions{heading:#}")?;
        for Confusion { truth, predicted, count } in confusions {
            writeln!(text, "{truth} read as {predicted}: {}", counted(count, "time"))?;
        }
        Ok(())
    }
}

/// The matrix as a table, columns aligned to the right.
fn write_matrix(
    text: &mut String,
    matrix: &ConfusionMatrix,
    worst: &[Confusion],
    palette: &Palette,
) -> fmt::Result {
    let rows = matrix.rows();
    let greatest = rows.iter().flatten().copied().max().unwrap_or(0).max(rows.len() as u64);
    let width = greatest.to_string().len();
    let heading = palette.heading;
    write!(text, "{:>5}", "")?;
    for predicted in 0..rows.len() {
        write!(text, "  {heading}{predicted:>width$}{heading:#}")?;
    }
    text.push('\n');
    for (truth, row) in rows.iter().enumerate() {
        write!(text, "{heading}{truth:>5}{heading:#}")?;
        for (predicted, &count) in row.iter().enumerate() {
            let is_worst = worst.iter().any(|c| (c.truth, c.predicted) == (truth, predicted));
            let style = match count {
                _ if is_worst => palette.worst,
                0 => palette.faint,
                _ if truth == predicted => palette.correct,
                _ => Style::new(),
            };
            write!(text, "  {style}{count:>width$}{style:#}")?;
        }
        text.push('\n');
    }
    Ok(())
}

/// The text that `write` writes. Writing to a `String` cannot fail.
pub(super) fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).unwrap_or_default();
    text
}

/// A count and what is counted: `1 time`, `11 times`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// Digits in groups of three: `79,510`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Evaluation;

    fn report() -> TestReport {
        let mut confusion = ConfusionMatrix::new(3);
        let counts = [[1234, 0, 1], [2, 56, 0], [0, 11, 7]];
        for (truth, row) in counts.iter().enumerate() {
            for (predicted, &count) in row.iter().enumerate() {
                (0..count).for_each(|_| confusion.record(truth, predicted));
            }
        }
        TestReport::new(Evaluation { loss: 0.0802, confusion }).unwrap()
    }

    const TEXT: &str = "\
test loss 0.0802, accuracy 98.93 % (1,297 of 1,311 test images classified correctly)

confusion matrix: what was read as what (true class down, predicted across)
          0     1     2
    0  1234     0     1
    1     2    56     0
    2     0    11     7

class  precision  recall      F1
    0     0.9984  0.9992  0.9988
    1     0.8358  0.9655  0.8960
    2     0.8750  0.3889  0.5385

most frequent confusions
2 read as 1: 11 times
1 read as 0: 2 times
0 read as 2: 1 time
";

    #[test]
    fn the_text_of_a_small_report() {
        assert_eq!(report().text(&Palette::plain()), TEXT);
    }

    #[test]
    fn colours_mark_the_diagonal_and_the_worst_and_move_nothing() {
        let text = report().text(&Palette::coloured());
        for marked in ["\x1b[32m1234\x1b[0m", "\x1b[1m\x1b[31m  11\x1b[0m", "\x1b[2m   0\x1b[0m"] {
            assert!(text.contains(marked), "{marked:?} in {text}");
        }
        let plain = text.split('\x1b').map(|part| match part.split_once('m') {
            Some((code, rest)) if code.starts_with('[') => rest,
            _ => part,
        });
        assert_eq!(plain.collect::<String>(), TEXT);
    }

    #[test]
    fn a_perfect_network_has_no_confusions() {
        let mut confusion = ConfusionMatrix::new(2);
        confusion.record(1, 1);
        let text = TestReport::new(Evaluation { loss: 0.0, confusion }).unwrap();
        assert!(text.text(&Palette::plain()).ends_with("\nnothing was confused\n"));
    }

    #[test]
    fn digits_are_grouped_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_run_is_summed_up_above_its_test() {
        let run = Report {
            dataset: "mnist".into(),
            model: "dense 100 relu, dense 10 sigmoid".into(),
            parameters: 79_510,
            threads: 1,
            isa: "portable".into(),
            train_seconds: 4.314,
            total_seconds: 4.9,
            samples_per_second: 69_541.0,
            peak_memory_bytes: Some(92_000_000),
            history: Vec::new(),
            test: report(),
        };
        let summary = "\
dense 100 relu, dense 10 sigmoid on mnist
79,510 parameters, 0 epochs in 4.31 s (69,541 images/s) with 1 thread, portable, 92 MB of memory

";
        assert_eq!(run.text(&Palette::plain()), format!("{summary}{TEXT}"));
    }
}
