//! A report as a person reads it in a terminal.

use std::borrow::Cow;
use std::fmt::{self, Write};

use anstyle::Style;

use super::{Palette, Report, TestReport};
use crate::train::{Averages, ClassReport, Confusion};

/// How wide the names of classes before rows are at least and at most, and those above columns at
/// most: the rest of a longer one is not shown.
const NARROWEST_ROW: usize = 5;
const LONGEST_ROW: usize = 24;
const LONGEST_COLUMN: usize = 6;

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
                self.teams_in_words(),
                self.isa,
            )?;
            if let Some(bytes) = self.peak_memory_bytes {
                write!(text, ", {} MB of memory", bytes / 1_000_000)?;
            }
            writeln!(text, "\n")?;
            if let Some(said) = self.until_accuracy_in_words() {
                writeln!(text, "{said}\n")?;
            }
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
        let names: Vec<_> = (0..matrix.rows().len()).map(|class| self.class_name(class)).collect();
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
        write_matrix(text, self, &confusions, palette)?;

        write_classes(text, self, &names, palette)?;

        if confusions.is_empty() {
            return writeln!(text, "\nnothing was confused");
        }
        writeln!(text, "\n{heading}most frequent confusions{heading:#}")?;
        for Confusion { truth, predicted, count } in confusions {
            let (truth, predicted) = (&names[truth], &names[predicted]);
            writeln!(text, "{truth} read as {predicted}: {}", counted(count, "time"))?;
        }
        Ok(())
    }
}

/// Precision, recall, F1 and support of each class, and their averages.
fn write_classes(
    text: &mut String,
    report: &TestReport,
    names: &[Cow<'_, str>],
    palette: &Palette,
) -> fmt::Result {
    let heading = palette.heading;
    let Averages { macro_average, weighted_average, .. } = report.averages;
    let averages = [("macro avg", macro_average), ("weighted avg", weighted_average)];
    let width = row_width(names).max("weighted avg".len());
    writeln!(
        text,
        "\n{heading}{:>width$}  precision  recall      F1  support{heading:#}",
        "class"
    )?;
    let classes =
        names.iter().map(|name| shortened(name, LONGEST_ROW)).zip(report.per_class.iter().copied());
    let averages = averages.map(|(name, average)| (name.into(), average));
    for (name, ClassReport { precision, recall, f1, support }) in classes.chain(averages) {
        writeln!(
            text,
            "{name:>width$}  {precision:>9.4}  {recall:.4}  {f1:.4}  {:>7}",
            grouped(support)
        )?;
    }
    Ok(())
}

/// The width of the names of classes before rows of numbers.
fn row_width(names: &[Cow<'_, str>]) -> usize {
    let widths = names.iter().map(|name| name.chars().count().min(LONGEST_ROW));
    widths.max().unwrap_or(0).max(NARROWEST_ROW)
}

/// `name`, or as much of it as `width` characters show.
fn shortened(name: &str, width: usize) -> Cow<'_, str> {
    match name.chars().count() {
        count if count > width => {
            let start: String = name.chars().take(width.saturating_sub(1)).collect();
            (start + "…").into()
        }
        _ => name.into(),
    }
}

/// The matrix as a table, columns aligned to the right.
fn write_matrix(
    text: &mut String,
    report: &TestReport,
    worst: &[Confusion],
    palette: &Palette,
) -> fmt::Result {
    let rows = report.confusion_matrix.rows();
    let names: Vec<_> = (0..rows.len()).map(|class| report.class_name(class)).collect();
    let greatest = rows.iter().flatten().copied().max().unwrap_or(0);
    let longest = names.iter().map(|name| name.chars().count().min(LONGEST_COLUMN)).max();
    let width = greatest.to_string().len().max(longest.unwrap_or(0));
    let row_width = row_width(&names);
    let heading = palette.heading;
    write!(text, "{:>row_width$}", "")?;
    for predicted in &names {
        write!(text, "  {heading}{:>width$}{heading:#}", shortened(predicted, LONGEST_COLUMN))?;
    }
    text.push('\n');
    for (truth, row) in rows.iter().enumerate() {
        let name = shortened(&names[truth], LONGEST_ROW);
        write!(text, "{heading}{name:>row_width$}{heading:#}")?;
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
pub(super) fn counted(count: u64, what: &str) -> String {
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
    use crate::data::ClassNames;
    use crate::train::{ConfusionMatrix, Evaluation};

    fn report() -> TestReport {
        named(&ClassNames::numbered(3))
    }

    fn named(names: &ClassNames) -> TestReport {
        let mut confusion = ConfusionMatrix::new(3);
        let counts = [[1234, 0, 1], [2, 56, 0], [0, 11, 7]];
        for (truth, row) in counts.iter().enumerate() {
            for (predicted, &count) in row.iter().enumerate() {
                (0..count).for_each(|_| confusion.record(truth, predicted));
            }
        }
        TestReport::new(Evaluation { loss: 0.0802, confusion, misclassified: vec![] }, names)
            .unwrap()
    }

    const TEXT: &str = "\
test loss 0.0802, accuracy 98.93 % (1,297 of 1,311 test images classified correctly)

confusion matrix: what was read as what (true class down, predicted across)
          0     1     2
    0  1234     0     1
    1     2    56     0
    2     0    11     7

       class  precision  recall      F1  support
           0     0.9984  0.9992  0.9988    1,235
           1     0.8358  0.9655  0.8960       58
           2     0.8750  0.3889  0.5385       18
   macro avg     0.9031  0.7845  0.8111    1,311
weighted avg     0.9895  0.9893  0.9879    1,311

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
    fn long_names_are_cut_above_columns_and_whole_in_words() {
        let names = ClassNames::new(["T-shirt/top", "Bag", "a name of more than a few letters"]);
        let expected = "
confusion matrix: what was read as what (true class down, predicted across)
                          T-shi…     Bag  a nam…
             T-shirt/top    1234       0       1
                     Bag       2      56       0
a name of more than a f…       0      11       7

                   class  precision  recall      F1  support
             T-shirt/top     0.9984  0.9992  0.9988    1,235
                     Bag     0.8358  0.9655  0.8960       58
a name of more than a f…     0.8750  0.3889  0.5385       18
               macro avg     0.9031  0.7845  0.8111    1,311
            weighted avg     0.9895  0.9893  0.9879    1,311

most frequent confusions
a name of more than a few letters read as Bag: 11 times
Bag read as T-shirt/top: 2 times
T-shirt/top read as a name of more than a few letters: 1 time
";
        let text = named(&names.unwrap()).text(&Palette::plain());
        assert_eq!(text.split_once('\n').unwrap().1, expected);
    }

    #[test]
    fn a_perfect_network_has_no_confusions() {
        let mut confusion = ConfusionMatrix::new(2);
        confusion.record(1, 1);
        let evaluation = Evaluation { loss: 0.0, confusion, misclassified: vec![] };
        let text = TestReport::new(evaluation, &ClassNames::numbered(2)).unwrap();
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
            machine: None,
            of_peak: None,
            dataset: "mnist".into(),
            model: "dense 100 relu, dense 10 sigmoid".into(),
            parameters: 79_510,
            threads: 1,
            ranks: None,
            teams: Vec::new(),
            until_accuracy: None,
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
