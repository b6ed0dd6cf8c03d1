//! The primary worker's part between steps: it speaks for the team with the observer, and takes the
//! state.

use super::error::{Error, Result};
use super::history::{Epoch, Observer, Progress, Validation};
use super::state::{PartialEpoch, State};
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::worker::Worker;

/// What only the primary worker has.
pub(super) struct Primary<'a> {
    pub(super) engine: &'a Engine,
    pub(super) state: &'a mut State,
    pub(super) observer: &'a mut dyn Observer,
    /// The samples that are not trained on.
    pub(super) held_out: Option<Split>,
    /// Whether the run shall stop as soon as the team meets.
    stopping: bool,
}

impl<'a> Primary<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        state: &'a mut State,
        held_out: Option<Split>,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self { engine, state, observer, held_out, stopping: false }
    }

    /// Whether the run was stopped before its end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopping && !self.state.is_complete()
    }

    /// After each step; returns whether the team shall meet.
    pub(super) fn end_step(&mut self, progress: &Progress) -> bool {
        let flow = self.observer.on_step_end(progress);
        self.stopping |= flow.is_break() || self.engine.is_asked_to_stop();
        self.stopping || self.observer.is_checkpoint_due()
    }

    /// When the team has met within an epoch of which there is `partial`; returns whether the run
    /// ends.
    pub(super) fn meet(&mut self, worker: &Worker, partial: PartialEpoch) -> Result<bool> {
        if self.stopping {
            self.state.take_parameters(worker);
            self.state.partial = partial;
            return Ok(true);
        }
        // The state itself stays as it was after the last completed epoch: should the loss turn
        // out not to be finite, that is the last one that is known to be good.
        let mut now = self.state.clone();
        now.take_parameters(worker);
        now.partial = partial;
        self.observer.on_checkpoint(&now).map_err(Error::Observer)?;
        Ok(false)
    }

    /// After all steps of an epoch; returns whether the run ends.
    pub(super) fn end_epoch(&mut self, worker: &Worker, partial: PartialEpoch) -> Result<bool> {
        let Self { engine, state, observer, held_out, .. } = self;
        state.take_parameters(worker);
        // Until it is validated, the epoch is not complete.
        state.partial = partial;
        let validation = match held_out {
            None => None,
            Some(held_out) => match engine.evaluate(&state.network, held_out) {
                Ok(found) => Some(Validation { loss: found.loss, accuracy: found.accuracy() }),
                Err(Error::Stopped) => {
                    self.stopping = true;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            },
        };
        let PartialEpoch { totals, seconds, .. } = partial;
        let (number, loss, accuracy) =
            (state.epochs.len() + 1, totals.mean_loss(), totals.accuracy());
        let epoch = Epoch { epoch: number, loss, accuracy, seconds, validation };
        let is_best = state.keep_best(&epoch);
        state.epochs.push(epoch);
        state.partial = PartialEpoch::default();
        let flow = observer.on_epoch_end(&epoch, &state.network).map_err(Error::Observer)?;
        self.stopping |= flow.is_break() || engine.is_asked_to_stop();
        if is_best {
            observer.on_best(&epoch, &state.network).map_err(Error::Observer)?;
        }
        let ends = self.stopping || state.is_complete();
        if !ends && observer.is_checkpoint_due() {
            observer.on_checkpoint(state).map_err(Error::Observer)?;
        }
        Ok(ends)
    }
}
