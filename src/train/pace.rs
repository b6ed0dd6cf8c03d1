//! What ranks that train together can expect, before they begin: how long a step takes all of them, and
//! one of them alone.

use std::time::{Duration, Instant};

use super::error::Result;
use super::run::TrainingRun;
use super::state::State;
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::worker::Worker;
use crate::kernels::optim::{Optimizer, UpdateRule};
use crate::sync::Exchanges;

/// How long a step of a run takes, as measured on a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// By the threads of rank 0 alone.
    pub alone: Duration,
    /// By those of all ranks.
    pub together: Duration,
    /// For how long of that rank 0 waits for what the others have to tell.
    pub exchange: Duration,
    /// How often it does.
    pub exchanges: u64,
    /// How many bytes they tell it.
    pub bytes: u64,
}

/// How long it is measured, about.
const MEASURED: Duration = Duration::from_millis(300);

/// Not by fewer steps than these, and not by more.
const FEWEST: usize = 2;
const MOST: usize = 100;

impl Engine {
    /// Measures how long the steps of a run from `state` on `split` take the ranks of this engine, which
    /// all call it, by some whose results are given up; `None` where there is one rank.
    ///
    /// # Errors
    /// As those of [`fit_from`](Self::fit_from) before it begins.
    pub fn pace_of_ranks(&self, state: &State, split: &Split) -> Result<Option<Pace>> {
        let Some(ranks) = self.ranks() else { return Ok(None) };
        let parts = self.agree(self.prepare(state.network(), split, state.options()))?;
        self.check_same(state, &parts.train)?;
        let options = *state.options();
        let data = self.samples(&parts.train, state.network(), options.augmentation);
        let run = TrainingRun::new(data, options);
        let mut start = state.clone();
        start.reserve_slots(options.optimizer.slots());
        let measure = |across, steps| {
            let measured = MeasuredSteps { engine: self, run: &run, start: &start, across, steps };
            match options.optimizer {
                Optimizer::Adam(adam) => measured.take(|step| adam.at(step)),
                Optimizer::Sgd(sgd) => measured.take(|_| sgd.step()),
            }
        };
        let (mut alone, mut steps) = (Duration::ZERO, FEWEST);
        if ranks.is_first() {
            let first = measure(false, FEWEST).time;
            let enough = MEASURED.as_secs_f64() / first.as_secs_f64().max(1e-9);
            steps = (enough as usize).clamp(FEWEST, MOST);
            alone = if steps > FEWEST { measure(false, steps).time } else { first };
        }
        // The others wait here.
        let said = ranks.broadcast(&steps.to_ne_bytes());
        let steps = said.try_into().map_or(steps, usize::from_ne_bytes);
        let together = measure(true, steps);
        Ok(Some(Pace {
            alone,
            together: together.time,
            exchange: together.exchanges.time,
            exchanges: together.exchanges.count,
            bytes: together.exchanges.bytes,
        }))
    }
}

/// Steps of a run that are taken to see how long they take.
struct MeasuredSteps<'a> {
    engine: &'a Engine,
    run: &'a TrainingRun<'a>,
    start: &'a State,
    /// Whether all ranks take them, or this one alone.
    across: bool,
    steps: usize,
}

/// What a step took.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    time: Duration,
    exchanges: Exchanges,
}

impl MeasuredSteps<'_> {
    /// Takes them.
    fn take<R: UpdateRule>(&self, rule: impl Fn(u64) -> R + Sync) -> Took {
        let Self { engine, run, start, across, steps } = *self;
        let work = |mut worker: Worker| {
            start.give_parameters(&mut worker);
            let (mut since, mut before) = (Instant::now(), Exchanges::default());
            // The first one has more to do.
            for step in 0..=steps {
                run.try_step(&mut worker, step, rule(1 + step as u64));
                if step == 0 {
                    (since, before) = (Instant::now(), worker.exchanges());
                }
            }
            let exchanges = worker.exchanges().since(before);
            Took { time: since.elapsed(), exchanges }.over(steps)
        };
        let plan = engine.training_plan(start.options(), run.data().len());
        let (plan, span) = match across {
            true => (plan, engine.span()),
            false => (plan.by(engine.threads()), None),
        };
        let found = engine.as_team(plan, span, start.network(), run.data(), work);
        found.into_iter().next().unwrap_or_default()
    }
}

impl Took {
    /// What one of `steps` took that took this together.
    fn over(self, steps: usize) -> Self {
        let Self { time, exchanges: Exchanges { count, bytes, time: waited } } = self;
        let steps = u32::try_from(steps).unwrap_or(u32::MAX).max(1);
        let of_each = |all: u64| all / u64::from(steps);
        let exchanges =
            Exchanges { count: of_each(count), bytes: of_each(bytes), time: waited / steps };
        Self { time: time / steps, exchanges }
    }
}
