//! A run that rank 0 records, as the other ranks know it: they train it too, and keep nothing.

use std::fmt::Display;
use std::path::Path;

use super::folder::json;
use super::{RunConfig, StartedRun, checksum, taken};
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::ranks::Ranks;
use crate::report::error::Result;
use crate::train::{Error as TrainError, NoObserver, Pace, State};

/// What the state of a run is called in errors, on its way between ranks.
const MESSAGE: &str = "the state that rank 0 sends";

impl StartedRun<'_> {
    /// Has the other ranks train the run too, where the engine spans [several](Engine::across): each
    /// waits for it by [`Ranks::await_call`], and reads it by [`FollowedRun::read`]. Tells how long a
    /// step takes them; `None` where there is one rank. [`train`](Self::train) does it where it was not
    /// done.
    ///
    /// # Errors
    /// When a rank cannot train it.
    pub fn call_ranks(&mut self) -> Result<Option<Pace>> {
        let Self { engine, train_images, state, config, .. } = self;
        let Some(ranks) = engine.ranks().filter(|_| !self.has_called) else { return Ok(None) };
        let config = json(Path::new(MESSAGE), config)?;
        let bytes = state.to_bytes(Path::new(MESSAGE))?;
        ranks.call(&[&config.len().to_ne_bytes()[..], &config, &bytes].concat());
        self.has_called = true;
        Ok(engine.pace_of_ranks(state, train_images)?)
    }
}

/// A run that rank 0 records, and that this rank trains with it.
#[derive(Debug)]
pub struct FollowedRun {
    ranks: Ranks,
    config: RunConfig,
    state: State,
}

impl FollowedRun {
    /// The run that rank 0 has [called](StartedRun::call_ranks) for by `message`, which this rank
    /// [waited for](Ranks::await_call).
    ///
    /// # Errors
    /// When this rank cannot read it.
    pub fn read(ranks: &Ranks, message: &[u8]) -> Result<Self> {
        if let Some((config, state)) = read(message) {
            return Ok(Self { ranks: ranks.clone(), config, state });
        }
        let differs = TrainError::RanksDiffer { rank: ranks.rank() };
        Ok(ranks.agree(Err::<Self, _>(differs))?)
    }

    /// All that decides what the run does.
    #[must_use]
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Tells rank 0 why this rank cannot train the run, which ends it.
    pub fn decline(self, why: impl Display) {
        let why = crate::ranks::Error::Local(why.to_string());
        let _ = self.ranks.agree(Err::<(), _>(why));
    }

    /// Trains the run by `engine` on `dataset`, which must be that of the run, its classes in the order
    /// of the [configuration's](RunConfig::class_names).
    ///
    /// # Errors
    /// When a rank cannot, this or another.
    pub fn train(self, engine: &Engine, dataset: &Dataset) -> Result<()> {
        let images = match self.config.data_checksum.as_ref() {
            Some(known) if *known != checksum(engine, dataset) => {
                Err(TrainError::RanksDiffer { rank: self.ranks.rank() }.into())
            }
            _ => taken(dataset, self.config.train_limit),
        };
        let images = match images {
            Ok(images) => images,
            Err(error) => {
                self.decline(&error);
                return Err(error);
            }
        };
        let mut state = self.state;
        engine.pace_of_ranks(&state, &images)?;
        match self.config.fit.is_judged_by_others() {
            true => engine.fit_validated(&mut state, &images, &dataset.test, &mut NoObserver),
            false => engine.fit_from(&mut state, &images, &mut NoObserver),
        }?;
        Ok(())
    }
}

/// What the `message` of [`StartedRun::call_ranks`] says.
fn read(message: &[u8]) -> Option<(RunConfig, State)> {
    let (length, rest) = message.split_first_chunk()?;
    let (config, state) = rest.split_at_checked(usize::from_ne_bytes(*length))?;
    let config = serde_json::from_slice(config).ok()?;
    Some((config, State::from_bytes(Path::new(MESSAGE), state).ok()?))
}
