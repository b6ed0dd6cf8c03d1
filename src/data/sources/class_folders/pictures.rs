//! The pictures of folders, and those that cannot be used: a few are left out and named, but not
//! many.

use std::path::Path;

use super::parts::PictureFile;
use super::treatment::{Treatment, fitted, is_small};
use crate::data::{Problem, Result};
use crate::files::Bytes;
use crate::image::{Error, FileKind, Picture, Raster};
use crate::sync::map_in_parallel;

/// Of so many pictures one may be left out.
const ONE_OF: usize = 20;

/// How many of those that are left out a note names.
const MOST_NAMED: usize = 3;

/// The pictures of a part, in the order of their files.
pub(super) struct Pictures(Vec<Outcome>);

/// What became of a file.
struct Outcome {
    file: PictureFile,
    picture: Result<Usable, Error>,
}

/// A picture that can be used.
pub(super) struct Usable {
    pub(super) content: Content,
    pub(super) kind: FileKind,
}

/// What is kept of a picture.
pub(super) enum Content {
    /// All: it is small, and may be taken as it is.
    Small(Picture),
    /// What a network reads of it.
    Image(Raster),
}

impl Content {
    pub(super) fn small(&self) -> Option<&Picture> {
        match self {
            Self::Small(picture) => Some(picture),
            Self::Image(_) => None,
        }
    }
}

impl Pictures {
    /// Reads these files.
    pub(super) fn read(files: Vec<PictureFile>) -> Self {
        Self(map_in_parallel(files, |file| Outcome { picture: read(&file.path), file }))
    }

    /// Those that can be used.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Usable> {
        self.0.iter().filter_map(|outcome| outcome.picture.as_ref().ok())
    }

    /// Makes images of those that are not yet, as `treatment` says.
    pub(super) fn apply(&mut self, treatment: &Treatment) {
        let outcomes = std::mem::take(&mut self.0);
        self.0 = map_in_parallel(outcomes, |Outcome { file, picture }| {
            let picture = picture.and_then(|usable| match &usable.content {
                Content::Small(picture) => {
                    let image = treatment.image(picture).map_err(|error| error.at(&file.path))?;
                    Ok(Usable { content: Content::Image(image), ..usable })
                }
                Content::Image(_) => Ok(usable),
            });
            Outcome { file, picture }
        });
    }

    /// The pixels of all images, one after the other, and their labels.
    pub(super) fn into_pixels(self) -> (Vec<u8>, Vec<u8>) {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for Outcome { file, picture } in self.0 {
            if let Ok(Usable { content: Content::Image(image), .. }) = picture {
                pixels.extend_from_slice(image.pixels());
                labels.push(file.class);
            }
        }
        (pixels, labels)
    }
}

fn read(path: &Path) -> Result<Usable, Error> {
    let file = Bytes::map(path)?;
    let read = Picture::decode(&file).and_then(|picture| {
        let kind = FileKind::of(&file);
        let content = match is_small(&picture) {
            true => Content::Small(picture),
            false => Content::Image(fitted(&picture)?),
        };
        Ok(Usable { content, kind })
    });
    file.check_unchanged()?;
    read.map_err(|error| error.at(path))
}

/// Why pictures of `parts` are left out, a line each.
///
/// # Errors
/// When they are more than a few of all.
pub(super) fn left_out(parts: &[&Pictures]) -> Result<Vec<String>> {
    let all = || parts.iter().flat_map(|part| &part.0);
    let errors = || all().filter_map(|outcome| outcome.picture.as_ref().err());
    let (count, found) = (all().count(), errors().count());
    let Some(first) = errors().next() else { return Ok(Vec::new()) };
    if found * ONE_OF <= count {
        return Ok(errors().map(Error::to_string).collect());
    }
    let first = first.to_string();
    Err(Problem::Unusable { found, count, first }.into())
}

/// What is to be said of the pictures that are `left_out` of the data set at `path`.
pub(super) fn notes(parts: &[&Pictures], left_out: &[String], path: &Path) -> Option<String> {
    let all: usize = parts.iter().map(|part| part.0.len()).sum();
    let folder = format!("{}/", path.display());
    let named: Vec<_> =
        left_out.iter().take(MOST_NAMED).map(|why| why.replace(&folder, "")).collect();
    let more = if left_out.len() > MOST_NAMED { "; …" } else { "" };
    (!left_out.is_empty()).then(|| {
        format!("{} of {all} pictures are left out: {}{more}", left_out.len(), named.join("; "))
    })
}
