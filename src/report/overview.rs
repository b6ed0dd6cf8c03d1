//! What is in a data set, for machines and people.

use std::fmt::{self, Write};

use serde::Serialize;

use super::Palette;
use crate::data::{Dataset, Split, Statistics};
use crate::image::{ImageShape, Raster};
use crate::report::drawing::draw;
use crate::report::text::{grouped, written};

/// Classes that are shown an image of: more would fill the screen.
const SAMPLES: usize = 20;

/// The width of a terminal, in characters, where nobody has changed it.
const WIDTH: usize = 80;

/// What is in a data set. As JSON it has everything but the samples.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// The name of the data set.
    pub dataset: String,
    /// Rows of pixels of an image.
    pub height: usize,
    /// Columns of pixels of an image.
    pub width: usize,
    /// The number of classes.
    pub classes: usize,
    /// What they are called, in order.
    pub class_names: Vec<String>,
    /// How it was read, where its files do not say all of it themselves.
    pub notes: Vec<String>,
    /// The images to train on.
    pub train: Statistics,
    /// The images to test with.
    pub test: Statistics,
    /// The first training image of each class.
    #[serde(skip)]
    samples: Vec<Raster>,
}

impl Overview {
    /// Looks at all of `data`.
    #[must_use]
    pub fn new(data: &Dataset) -> Self {
        let (ImageShape { height, width }, classes) = (data.shape(), data.classes());
        Self {
            dataset: data.name.clone(),
            height,
            width,
            classes,
            class_names: (0..classes)
                .map(|class| data.class_names.name(class).into_owned())
                .collect(),
            notes: data.notes.clone(),
            train: Statistics::of(&data.train, classes),
            test: Statistics::of(&data.test, classes),
            samples: samples(&data.train),
        }
    }

    /// The overview as lines of text.
    #[must_use]
    pub fn text(&self, palette: &Palette) -> String {
        written(|text| {
            self.write_numbers(text, palette)?;
            self.write_samples(text)
        })
    }

    fn write_numbers(&self, text: &mut String, palette: &Palette) -> fmt::Result {
        let Palette { heading, .. } = palette;
        let Self { dataset, height, width, classes, class_names, notes, train, test, .. } = self;
        writeln!(
            text,
            "{heading}{dataset}{heading:#}: images of {height} × {width}, {classes} classes"
        )?;
        for note in notes {
            writeln!(text, "{note}")?;
        }
        writeln!(text)?;
        let rows = class_names.iter().map(|name| class_row(name));
        let widest = rows.map(|row| row.chars().count()).max().unwrap_or(0).max(17);
        writeln!(text, "{heading}{:widest$}{:>10}{:>10}{heading:#}", "", "train", "test")?;
        let mut row = |name: &str, value: &dyn Fn(&Statistics) -> String| {
            writeln!(text, "{name:widest$}{:>10}{:>10}", value(train), value(test))
        };
        row("images", &|of| grouped(of.images as u64))?;
        row("pixels not zero", &|of| format!("{:.2} %", 100.0 * of.nonzero))?;
        row("mean", &|of| format!("{:.4}", of.mean))?;
        row("deviation", &|of| format!("{:.4}", of.deviation))?;
        for (class, name) in class_names.iter().enumerate() {
            let count = |of: &Statistics| of.per_class.get(class).copied().unwrap_or_default();
            row(&class_row(name), &|of| grouped(count(of) as u64))?;
        }
        Ok(())
    }

    /// As many samples side by side as fit.
    fn write_samples(&self, text: &mut String) -> fmt::Result {
        let samples = self.samples.iter().take(SAMPLES).map(draw).collect::<Vec<_>>();
        let columns = self.width.div_ceil(2) + 1;
        for row in samples.chunks((WIDTH / columns).max(1)) {
            writeln!(text)?;
            for line in 0..self.height.div_ceil(4) {
                let parts = row.iter().filter_map(|sample| sample.get(line));
                writeln!(text, "{}", parts.map(String::as_str).collect::<Vec<_>>().join(" "))?;
            }
        }
        Ok(())
    }
}

/// What stands before the counts of a class.
fn class_row(name: &str) -> String {
    format!("class {name}")
}

/// The first image of each class, in the order of the classes.
fn samples(split: &Split) -> Vec<Raster> {
    let first = |class| split.labels().iter().position(|&label| usize::from(label) == class);
    let raster = |index| Raster::new(split.shape(), split.image(index).to_vec());
    (0..split.classes()).filter_map(first).filter_map(raster).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Bytes;

    #[test]
    fn a_small_data_set_in_full() {
        let shape = ImageShape { height: 4, width: 2 };
        let split = |labels: Vec<u8>| {
            let pixels = labels.iter().flat_map(|&label| [255, label, 0, 0, 0, 0, 0, 255]);
            Split::new(shape, Bytes::from(pixels.collect::<Vec<_>>()), Bytes::from(labels))
        };
        let train = split([[2, 0, 2].as_slice(), &[0; 1997]].concat()).unwrap();
        let data = Dataset::new("dots", train, split(vec![0, 2]).unwrap()).unwrap();
        let expected = "\
dots: images of 4 × 2, 3 classes

                      train      test
images                2,000         2
pixels not zero     25.01 %   31.25 %
mean                 0.2500    0.2505
deviation            0.4330    0.4327
class 0               1,998         1
class 1                   0         0
class 2                   2         1

⢁ ⢁
";
        let overview = Overview::new(&data);
        assert_eq!(overview.text(&Palette::plain()), expected);
        let json = serde_json::to_value(&overview).unwrap();
        assert_eq!(json["train"]["per_class"], serde_json::json!([1998, 0, 2]));
        assert_eq!(json["test"]["nonzero"], 0.3125);
    }
}
