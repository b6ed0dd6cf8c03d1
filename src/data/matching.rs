//! The data set of one network labelled as that of another: by the names of the classes, whatever
//! their order.

use super::class_names::listed;
use super::{ClassNames, ClassProblem, Dataset, Problem, Split};

impl Dataset {
    /// The same images, labelled by `classes`, those of a network for example: each label becomes
    /// that of the class of the same name, in another case too where that is clear. Images of a
    /// class that is not among them are left out. What differs is said in the
    /// [notes](Self::notes).
    ///
    /// Where both call their classes by numbers, no label changes; there may be fewer than `classes`
    /// has.
    ///
    /// # Errors
    /// When no class of the training images or of the test images is among them.
    pub fn in_classes_of(self, classes: &ClassNames) -> Result<Self, Problem> {
        let both_numbers = classes.are_numbers() && self.class_names.are_numbers();
        if both_numbers {
            let fewer = self.class_names.len() < classes.len();
            let class_names = if fewer { classes.clone() } else { self.class_names };
            return Ok(Self { class_names, ..self });
        }
        if self.class_names == *classes {
            return Ok(self);
        }
        let meant = self.class_names.counterparts(classes);
        let relabelled = |split: &Split| match split.relabelled(&meant)? {
            Some(split) => Ok(split),
            None => Err(Problem::from(ClassProblem::NoCounterpart {
                found: listed(self.class_names.iter()),
                known: listed(classes.iter()),
            })),
        };
        let (train, test) = (relabelled(&self.train)?, relabelled(&self.test)?);
        let notes = differences(&self, classes, &meant);
        let relabelled = Self { train, test, class_names: classes.clone(), ..self };
        Ok(relabelled.noted(notes))
    }
}

/// What is to be said of the classes of `data` that mean these of `classes`.
fn differences(data: &Dataset, classes: &ClassNames, meant: &[Option<u8>]) -> Vec<String> {
    let mut notes = Vec::new();
    let pairs = || data.class_names.iter().zip(meant);
    let other_case = pairs().find_map(|(name, class)| {
        let known = classes.name(usize::from((*class)?));
        let differs = super::class_names::canonical(name) != super::class_names::canonical(&known);
        differs.then(|| format!("{name} is taken for the network's {known}, whatever the case"))
    });
    notes.extend(other_case);
    let unknown: Vec<_> =
        pairs().filter(|(_, class)| class.is_none()).map(|(name, _)| name).collect();
    if !unknown.is_empty() {
        let left_out = |split: &Split| {
            let is_unknown =
                |label: &&u8| meant.get(usize::from(**label)).is_none_or(Option::is_none);
            split.labels().iter().filter(is_unknown).count()
        };
        notes.push(format!(
            "the network does not know {}: {} training images and {} test images are left out",
            listed(unknown.into_iter()),
            left_out(&data.train),
            left_out(&data.test),
        ));
    }
    let is_missing =
        |&(class, _): &(usize, &str)| !meant.iter().flatten().any(|&of| usize::from(of) == class);
    let missing: Vec<_> =
        classes.iter().enumerate().filter(is_missing).map(|(_, name)| name).collect();
    if !missing.is_empty() {
        notes.push(format!("no images of the network's {}", listed(missing.into_iter())));
    }
    notes
}

impl Split {
    /// The same images with the labels that `meant` has in place of theirs, without those that have
    /// none there; `None` where no image is left.
    fn relabelled(&self, meant: &[Option<u8>]) -> Result<Option<Self>, Problem> {
        let of = |label: &u8| meant.get(usize::from(*label)).copied().flatten();
        let labels: Vec<u8> = self.labels().iter().filter_map(of).collect();
        match labels.len() {
            0 => Ok(None),
            all if all == self.len() => self.with_labels(labels).map(Some),
            kept => {
                let mut pixels = Vec::with_capacity(kept * self.shape().pixels());
                for (index, label) in self.labels().iter().enumerate() {
                    if of(label).is_some() {
                        pixels.extend_from_slice(self.image(index));
                    }
                }
                Self::new(self.shape(), pixels.into(), labels.into()).map(Some)
            }
        }
    }
}
