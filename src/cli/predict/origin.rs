//! Where an image came from.

use mnistry::data::ClassNames;
use mnistry::image::BoundingBox;
use serde::Serialize;

/// Where an image came from.
#[derive(Default, Serialize)]
pub(super) struct Origin {
    /// The file that was named, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The image's place among those of its file or data set, from 0.
    pub(super) index: usize,
    /// What its file calls it, where that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// Where in the picture it was found, if it was cut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<BoundingBox>,
    /// Its true class, where that is known: the network's class of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<u8>,
    /// What that is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label_name: Option<String>,
}

impl Origin {
    /// Calls the label by its name in `labels`, where it is a number, and numbers it as the network's
    /// `classes` are.
    pub(super) fn name_label(&mut self, classes: &ClassNames, labels: &ClassNames) {
        if let Some(name) = &self.label_name {
            self.label = classes.class_of(name);
            return;
        }
        let Some(label) = self.label else { return };
        let name = labels.name(label.into());
        if classes != labels {
            self.label = classes.class_of(&name);
        }
        self.label_name = Some(name.into_owned());
    }

    /// What a submission calls the image: its id, or its number from 1.
    pub(super) fn submitted_as(&self, place: usize) -> String {
        self.id.clone().unwrap_or_else(|| (place + 1).to_string())
    }

    /// Whether this image and `other` were found in the same picture.
    pub(super) fn shares_picture(&self, other: &Self) -> bool {
        self.place.is_some() && self.file == other.file
            // A picture may be named twice.
            && self.index < other.index
    }

    /// What a person calls the image, or the picture that it was found in.
    pub(super) fn name(&self) -> String {
        match (&self.file, self.place) {
            (None, _) => format!("image {}", self.index),
            (Some(file), None) => format!("{file}, row {}", self.index + 1),
            (Some(file), Some(_)) => file.clone(),
        }
    }
}
