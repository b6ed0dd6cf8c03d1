//! A sweep by successive halving, rung by rung.

use super::configuration::PlannedRun;
use super::error::Result;
use super::folder::{Keep, SweepFolder};
use super::halving::{Rung, Rungs};
use super::run::{SweepEnd, SweepProgress};
use super::standing::Standing;
use super::tasks::{Done, Task, TaskQueue};
use super::workforce::Workforce;

/// A sweep by successive halving. At each rung the runs of the configurations that have come to it are
/// trained on from where they stand; then the best configurations go on, and the runs of the others
/// are stopped. Which these are follows from the rows of the folder alone, so whoever goes on finds the
/// same.
pub(super) struct Climb<'a> {
    pub(super) rungs: Rungs,
    pub(super) workforce: &'a mut dyn Workforce,
    pub(super) folder: &'a mut SweepFolder,
    pub(super) keep: Keep,
    pub(super) observer: &'a mut dyn FnMut(&SweepProgress<'_>),
    /// How much is done here, in whole runs.
    pub(super) done: f64,
}

impl Climb<'_> {
    /// Climbs all rungs.
    pub(super) fn run(mut self) -> Result<SweepEnd> {
        let mut here: Vec<usize> = (1..=self.rungs.configurations(1)).collect();
        let rungs: Vec<Rung> = self.rungs.each().collect();
        for rung in rungs {
            if self.train(rung, &here)? == SweepEnd::Interrupted {
                return Ok(SweepEnd::Interrupted);
            }
            if rung.number < self.rungs.count() {
                let best = self.best(rung, &here);
                here.retain(|configuration| best.binary_search(configuration).is_err());
                self.stop(rung, &here)?;
                here = best;
            }
        }
        self.folder.clear_states()?;
        Ok(SweepEnd::Done)
    }

    /// Trains the configurations that are `here` up to `rung`.
    fn train(&mut self, rung: Rung, here: &[usize]) -> Result<SweepEnd> {
        let tasks = self.tasks(rung, here);
        let (part, mut done, of) = (self.rungs.part(rung.number), 0, tasks.len());
        let mut left = of as f64 * part + self.beyond(rung);
        let Self { workforce, folder, observer, .. } = self;
        workforce.carry_out(&tasks, &mut |Done { result, model, state }| {
            match state {
                Some(state) => folder.add_at_rung(rung.number, result.clone(), &state)?,
                None => folder.add(result.clone(), model.as_deref(), self.keep)?,
            }
            (done, left, self.done) = (done + 1, left - part, self.done + part);
            if let Some(run) = folder.runs().get(result.run - 1) {
                let share = self.done / (self.done + left);
                observer(&SweepProgress {
                    run,
                    result: &result,
                    rung: Some(rung),
                    done,
                    of,
                    best: folder.best(),
                    share,
                });
            }
            Ok(())
        })?;
        Ok(if done < of { SweepEnd::Interrupted } else { SweepEnd::Done })
    }

    /// What is to be done to bring the configurations that are `here` up to `rung`. Runs whose loss is
    /// no number any more are complete.
    fn tasks(&self, rung: Rung, here: &[usize]) -> TaskQueue {
        let is_last = rung.number == self.rungs.count();
        let runs = here.iter().flat_map(|&configuration| {
            let until = self.rungs.epoch(rung.number, configuration);
            let until = Some(until).filter(|_| !is_last);
            self.folder.runs_of(configuration).iter().map(move |run| (run.number, until))
        });
        let is_to_do = |&(run, _): &(usize, _)| {
            self.folder.result(run).is_none() && self.folder.result_at(rung.number, run).is_none()
        };
        let tasks = runs.filter(is_to_do).map(|(run, until)| Task { run, state: None, until });
        TaskQueue::new(tasks.collect()).going_on_from(self.folder.states().clone())
    }

    /// How much is to be done beyond `rung`, in whole runs.
    fn beyond(&self, rung: Rung) -> f64 {
        let each = self.folder.plan().runs_each();
        let rungs = self.rungs.each().skip(rung.number);
        rungs.map(|rung| (rung.configurations * each) as f64 * self.rungs.part(rung.number)).sum()
    }

    /// Of the configurations that are `here`, those that go on from `rung`.
    fn best(&self, rung: Rung, here: &[usize]) -> Vec<usize> {
        let judged = |run: &PlannedRun| {
            let at_rung = self.folder.result_at(rung.number, run.number);
            at_rung.or_else(|| self.folder.result(run.number))?.outcome.judged()
        };
        let standings = here.iter().map(|&configuration| {
            let runs = self.folder.runs_of(configuration).iter();
            (configuration, Standing::of(&runs.map(judged).collect::<Vec<_>>()))
        });
        best(standings.collect(), self.rungs.configurations(rung.number + 1))
    }

    /// Stops the runs of these configurations at `rung`.
    fn stop(&mut self, rung: Rung, configurations: &[usize]) -> Result<()> {
        for &configuration in configurations {
            let runs: Vec<_> =
                self.folder.runs_of(configuration).iter().map(|run| run.number).collect();
            for run in runs {
                self.folder.stop_at_rung(rung.number, run, self.keep)?;
            }
        }
        Ok(())
    }
}

/// The `count` best of these configurations, by their numbers: of equals the first.
fn best(mut standings: Vec<(usize, Standing)>, count: usize) -> Vec<usize> {
    standings.sort_by(|(number, a), (other, b)| a.better_first(b).then(number.cmp(other)));
    let mut best: Vec<_> = standings.into_iter().map(|(number, _)| number).take(count).collect();
    best.sort_unstable();
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_go_on_of_equals_the_first_and_last_those_that_failed() {
        let best = |count| {
            let all = [
                (1, [Some(0.5), Some(0.7)]),
                (2, [Some(0.9), None]),
                (3, [Some(0.75), Some(0.5)]),
                (4, [None, None]),
                (5, [Some(0.5), Some(0.75)]),
            ];
            best(all.map(|(number, runs)| (number, Standing::of(&runs))).into(), count)
        };
        assert_eq!(best(1), [3]);
        assert_eq!(best(2), [3, 5]);
        assert_eq!(best(3), [1, 3, 5]);
        assert_eq!(best(4), [1, 2, 3, 5]);
        assert_eq!(best(5), [1, 2, 3, 4, 5]);
    }
}
