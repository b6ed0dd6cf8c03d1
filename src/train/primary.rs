//! The primary worker's part between steps: it speaks for the team with the observer, takes the
//! state, and says when another team shall go on.

use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::history::{Epoch, Observer, Progress, TeamUse, Validation};
use super::state::{PartialEpoch, State};
use super::team_size::TeamSize;
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::worker::Worker;

/// What only the primary worker has.
pub(super) struct Primary<'a> {
    engine: &'a Engine,
    pub(super) state: &'a mut State,
    observer: &'a mut dyn Observer,
    /// The samples that are not trained on.
    held_out: Option<Split>,
    /// The size that the team shall have.
    size: TeamSize,
    /// What it has, and up to where that is noted in `teams`.
    threads: usize,
    noted: PartialEpoch,
    teams: Vec<TeamUse>,
    /// What shall happen as soon as the team meets.
    wanted: Wanted,
    next: Option<Continuation>,
}

/// What shall happen as soon as the team meets.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    stop: bool,
    checkpoint: bool,
}

/// Where another team goes on.
pub(super) struct Continuation {
    pub(super) state: State,
    /// From when on its time counts.
    pub(super) since: Instant,
}

impl<'a> Primary<'a> {
    /// Of a run that goes on from `state`.
    pub(super) fn new(
        engine: &'a Engine,
        state: &'a mut State,
        held_out: Option<Split>,
        observer: &'a mut dyn Observer,
        size: TeamSize,
    ) -> Self {
        let (noted, threads) = (state.partial, size.threads());
        let (teams, wanted, next) = (Vec::new(), Wanted::default(), None);
        Self { engine, state, observer, held_out, size, threads, noted, teams, wanted, next }
    }

    /// Where the run goes on with another team; `None` where it has ended.
    pub(super) fn take_next(&mut self) -> Option<Continuation> {
        self.next.take()
    }

    /// A team is to be made: its size.
    pub(super) fn take_size(&mut self) -> usize {
        self.threads = self.size.threads();
        self.threads
    }

    /// Whether the run was stopped before its end.
    pub(super) fn is_stopped(&self) -> bool {
        self.wanted.stop && !self.state.is_complete()
    }

    /// Which teams trained which epochs.
    pub(super) fn into_teams(self) -> Vec<TeamUse> {
        self.teams
    }

    /// A team took over, `duration` after the one before it ended.
    pub(super) fn begin_segment(&mut self, duration: Duration) {
        self.size.changed(duration);
    }

    /// After each step, which took `duration`; returns whether the team shall meet.
    pub(super) fn end_step(&mut self, progress: &Progress, duration: Duration) -> bool {
        self.size.step_took(duration);
        let flow = self.observer.on_step_end(progress);
        self.wanted.stop |= flow.is_break() || self.engine.is_asked_to_stop();
        self.wanted.checkpoint = !self.wanted.stop && self.observer.is_checkpoint_due();
        self.wanted.stop || self.wanted.checkpoint || self.size.threads() != self.threads
    }

    /// When the team has met within an epoch of which there is `partial`; returns whether that ends
    /// the segment.
    pub(super) fn meet(&mut self, worker: &Worker, partial: PartialEpoch) -> Result<bool> {
        if self.wanted.stop {
            self.note(partial);
            self.state.take_parameters(worker);
            self.state.partial = partial;
            return Ok(true);
        }
        let changes = self.size.threads() != self.threads;
        let since = Instant::now();
        // The state itself stays as it was after the last completed epoch: should the loss turn
        // out not to be finite, that is the last one that is known to be good.
        let mut now = self.state.clone();
        now.take_parameters(worker);
        now.partial = partial;
        if self.wanted.checkpoint {
            self.observer.on_checkpoint(&now).map_err(Error::Observer)?;
        }
        if changes {
            self.note(partial);
            self.next = Some(Continuation { state: now, since });
        }
        Ok(changes)
    }

    /// After all steps of an epoch; returns whether the run ends.
    pub(super) fn end_epoch(&mut self, worker: &Worker, partial: PartialEpoch) -> Result<bool> {
        self.note(partial);
        self.noted = PartialEpoch::default();
        let Self { engine, state, observer, held_out, .. } = self;
        state.take_parameters(worker);
        // Until it is validated, the epoch is not complete.
        state.partial = partial;
        let validation = match held_out {
            None => None,
            Some(held_out) => match engine.evaluate(&state.network, held_out) {
                Ok(found) => Some(Validation { loss: found.loss, accuracy: found.accuracy() }),
                Err(Error::Stopped) => {
                    self.wanted.stop = true;
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
        self.wanted.stop |= flow.is_break() || engine.is_asked_to_stop();
        if is_best {
            observer.on_best(&epoch, &state.network).map_err(Error::Observer)?;
        }
        let ends = self.wanted.stop || state.is_complete();
        if !ends && observer.is_checkpoint_due() {
            observer.on_checkpoint(state).map_err(Error::Observer)?;
        }
        Ok(ends)
    }

    /// Notes which team trained the present epoch up to `partial`.
    fn note(&mut self, partial: PartialEpoch) {
        let epoch = self.state.epochs.len() + 1;
        let steps = partial.steps - self.noted.steps;
        let seconds = partial.seconds - self.noted.seconds;
        self.noted = partial;
        if steps == 0 {
            return;
        }
        let threads = self.threads;
        let mut of_epoch = self.teams.iter_mut().rev().take_while(|team| team.epoch == epoch);
        match of_epoch.find(|team| team.threads == threads) {
            Some(team) => {
                team.steps += steps;
                team.seconds += seconds;
            }
            None => self.teams.push(TeamUse { epoch, threads, steps, seconds }),
        }
    }
}
