//! What the classes of a run are called.

use crate::data::ClassNames;
use crate::model::{Error as ModelError, Network};
use crate::report::error::{Error, Result};

/// `network`, its classes called as those of the data set are from now on.
///
/// # Errors
/// When they are called otherwise already.
pub(super) fn taken_over(network: Network, names: &ClassNames) -> Result<Network> {
    match network.class_names() {
        Some(known) if known != names && !(known.are_numbers() && names.are_numbers()) => {
            Err(Error::ClassNames)
        }
        Some(_) => Ok(network),
        None => Ok(network.with_class_names(names.clone()).map_err(ModelError::from)?),
    }
}
