//! Reports as web pages: each is one file, which needs no other, no network and no script.

mod chart;
mod colours;
mod comparison;
mod curves;
mod heat_map;
mod picture;
mod pictures;
mod roofline;
mod run_page;
mod samples;
mod settings;
mod sweep;
mod weights;
mod words;

pub use comparison::comparison_page;
pub use curves::curves;
pub use pictures::RunPictures;
pub use roofline::roofline_page;
pub use run_page::run_page;
pub use sweep::sweep_page;

use std::path::Path;

use askama::Template;

use super::error::{Error, Result};
use crate::files::write_output;

/// Writes `page` to the file at `path`, in place of one that is there; a device or a named pipe is
/// written into.
///
/// # Errors
/// When it cannot be written.
pub fn write_page(path: &Path, page: &str) -> Result<()> {
    Ok(write_output(path, page.as_bytes())?)
}

/// The page that `template` makes.
fn rendered(template: &impl Template) -> Result<String> {
    template.render().map_err(|error| Error::Page(error.to_string()))
}
