//! An npz archive, read in place where it is stored without compression.

use std::path::Path;

use super::Cache;
use crate::data::formats::{Array, npz};
use crate::data::{Problem, Result};
use crate::files::Bytes;

/// The arrays of the npz archive at `path`, in the order of [`npz::MEMBERS`].
pub(super) fn read(path: &Path, cache: &Cache) -> Result<[Array; 4]> {
    let file = Bytes::map(path)?;
    let arrays = read_arrays(&file, cache);
    file.check_unchanged()?;
    arrays.map_err(|problem| problem.at(path))
}

fn read_arrays(file: &Bytes, cache: &Cache) -> Result<[Array; 4], Problem> {
    let archive = npz::parse(file)?;
    let (store, layouts) = match archive.in_place()? {
        Some(layouts) => (file.clone(), layouts),
        None => (cache.unpacked(&archive)?, archive.unpacked()),
    };
    let [a, b, c, d] = layouts.map(|layout| Array::new(&store, &layout));
    Ok([a?, b?, c?, d?])
}
