//! A prediction of a network, with the image that it is of.

use mnistry::Prediction;
use mnistry::data::ClassNames;
use mnistry::report::ProbabilityTable;
use serde::Serialize;

use super::origin::Origin;

/// What a network predicts of an image.
#[derive(Serialize)]
pub(super) struct ImagePrediction {
    #[serde(flatten)]
    origin: Origin,
    /// The most probable class.
    class: usize,
    /// What that is called.
    pub(super) class_name: String,
    /// How probable that is, from 0 to 1.
    probability: f32,
    /// The second most probable class.
    runner_up: Option<RunnerUp>,
    /// Whether another class may as well be meant, or none.
    unsure: bool,
    /// How probable each class is.
    pub(super) probabilities: Vec<f32>,
    /// How many networks were asked together, if it was not one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    networks: Option<usize>,
}

#[derive(Serialize)]
struct RunnerUp {
    class: usize,
    class_name: String,
    probability: f32,
}

impl ImagePrediction {
    /// What a network predicts of the image from `origin`; its classes are called by their numbers.
    pub(super) fn new(origin: Origin, prediction: Prediction, unsure: bool) -> Self {
        let runner_up = prediction.runner_up().map(|class| RunnerUp {
            class,
            class_name: class.to_string(),
            probability: prediction.probabilities[class],
        });
        let (class, probability) = (prediction.class, prediction.probability());
        let (class_name, probabilities) = (class.to_string(), prediction.probabilities);
        let networks = None;
        Self { origin, class, class_name, probability, runner_up, unsure, probabilities, networks }
    }

    /// The same, as the answer of so many networks.
    pub(super) fn by(self, networks: usize) -> Self {
        Self { networks: (networks > 1).then_some(networks), ..self }
    }

    /// The same, the network's classes called by `classes`, and those of the image's label by
    /// `labels`.
    pub(super) fn named(mut self, classes: &ClassNames, labels: &ClassNames) -> Self {
        let name = |class: usize| classes.name(class).into_owned();
        self.class_name = name(self.class);
        if let Some(second) = &mut self.runner_up {
            second.class_name = name(second.class);
        }
        self.origin.name_label(classes, labels);
        self
    }

    /// What a submission says of the image, the one at `place` of all: its id and its class.
    pub(super) fn submitted(&self, place: usize) -> (String, &str) {
        (self.origin.submitted_as(place), &self.class_name)
    }

    /// Adds the image to `table`, by file, index, label and predicted class.
    pub(super) fn add_to(&self, table: &mut ProbabilityTable) {
        let Origin { file, index, label_name, .. } = &self.origin;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (file, index, label) = (text(file), index.to_string(), text(label_name));
        table.add(&[&file, &index, &label, &self.class_name], &self.probabilities);
    }

    /// Whether this image and `other` were found in the same picture.
    pub(super) fn shares_picture(&self, other: &Self) -> bool {
        self.origin.shares_picture(&other.origin)
    }

    /// What a person calls the image, or the picture that it was found in.
    pub(super) fn name(&self) -> String {
        self.origin.name()
    }

    /// A line for a person: `image 7: 9 (61.12 %), or 4 (30.71 %); unsure; labelled 9`.
    pub(super) fn text(&self) -> String {
        let percent = |probability: f32| format!("{:.2} %", 100.0 * probability);
        let second = self.runner_up.as_ref().map_or(String::new(), |second| {
            format!(", or {} ({})", second.class_name, percent(second.probability))
        });
        let unsure = if self.unsure { "; unsure" } else { "" };
        let label = self.origin.label_name.as_ref();
        let label = label.map_or(String::new(), |label| format!("; labelled {label}"));
        let (name, first) = (self.name(), percent(self.probability));
        format!("{name}: {} ({first}){second}{unsure}{label}\n", self.class_name)
    }
}
