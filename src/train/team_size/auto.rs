//! The number of threads that is the fastest, found while they train.
//!
//! It depends on the network, the machine and what else runs there: a team of which one thread waits for
//! a core waits as a whole. So sizes are tried on real steps, and what they took decides:
//!
//! - A run begins with a thread a physical core, of those that do not keep the others waiting, or a
//!   thread for each part that the work falls into if those are fewer, and tries the sizes beside that one
//!   while they are faster.
//! - It keeps an account of what the present size loses against the best other one: the sum of the
//!   differences of their times, never below zero (Page's cumulative sum, 1954). An odd slow step is soon
//!   made up for; where it is not, the team takes the other size.
//! - A size that would be faster, were nobody else there, or else the one beside the present one, is tried
//!   again from time to time: the neighbour may have gone. What a try has lost is one in a hundred of the
//!   time until the next one, at most, but in the first tenth of a second of a run. One that is expected to
//!   cost too much of what is left is not made.

use crate::sync::Cores;

/// The share of a run that tries may cost.
const PRICE: f64 = 0.01;
/// The share of the rest of a run that a single try may be expected to cost.
const PRICE_OF_ONE: f64 = 0.015;

/// The share of the time since the run began that lies between two tries, at least.
const PAUSE: f64 = 0.125;

/// Steps after a change that nothing is learnt from, as the caches are cold, and those after a run has
/// begun, when files of it are still being written: so many, or fewer that take as long as that.
const COLD: WarmUp = WarmUp { steps: 4, seconds: 0.003 };
const BEGINNING: WarmUp = WarmUp { steps: 200, seconds: 0.008 };

/// As long as a run is younger, in seconds, what was given up for fewer threads is tried again as soon as
/// it is twice as old.
const YOUNG: f64 = 0.1;

/// The steps of which the median is taken: so many, or fewer that take as long as [`WINDOW_SECONDS`].
const WINDOW: usize = 12;
const SHORTEST_WINDOW: usize = 3;
const WINDOW_SECONDS: f64 = 0.003;

/// How long the time of a step counts for the mean, in seconds: what disturbs a team comes and goes within
/// some milliseconds.
const RECENT: f64 = 0.03;

/// A size counts as faster where it takes less than this share of the time.
const FASTER: f64 = 0.97;

/// How many times as long as with the present size a step is taken to be with the next smaller one, as
/// long as that was not tried.
const UNTRIED: f64 = 1.5;

/// The least loss after which the size changes, in seconds, and in steps of the other size; and no less
/// than the share [`PRICE`] of the time since the run began. Less would be chance: that a thread has to let
/// another program go first, for some 4 ms, happens now and then with any size.
const LEAST_LOSS: f64 = 0.010;
const LEAST_LOSS_STEPS: f64 = 3.0;

/// What a change is taken to cost before there was one: so much of what it took to begin the first team,
/// whose memory was new (measured).
const OF_BEGINNING: f64 = 0.5;

/// The sizes that a team may have, and what is known of them.
#[derive(Debug)]
pub(in crate::train) struct AutoSize {
    /// From the smallest to the largest.
    sizes: Vec<Size>,
    /// The one that is wanted now.
    at: usize,
    /// What there was since the team has its present size.
    stay: Stay,
    /// How long all took, in seconds.
    elapsed: f64,
    steps_left: usize,
    /// What a change costs, in seconds, by the last one.
    change: f64,
    /// From when on a size may be tried again.
    retry_at: f64,
}

/// A size, and how long a step takes with it, in seconds, where that is known.
#[derive(Clone, Copy, Debug)]
struct Size {
    threads: usize,
    /// Where nothing disturbs it.
    undisturbed: Option<f64>,
    /// With all that disturbed it when it was last used.
    mean: Option<f64>,
}

/// What there was since the team has its present size.
#[derive(Debug)]
struct Stay {
    warm_up: WarmUp,
    /// All of them.
    all: Steps,
    /// Those that count, of [`RECENT`] seconds or so.
    recent: Steps,
    /// What it has lost against the best other size.
    loss: f64,
    window: Window,
    /// Whether one was full.
    is_known: bool,
}

/// Which steps do not count.
#[derive(Clone, Copy, Debug)]
struct WarmUp {
    steps: usize,
    seconds: f64,
}

/// Some steps, and how long they took together, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    count: f64,
    seconds: f64,
}

/// The times of the latest steps, in seconds.
#[derive(Debug, Default)]
struct Window {
    seconds: [f64; WINDOW],
    count: usize,
}

/// Another size than the present one.
struct Other {
    index: usize,
    /// How long a step is expected to take with it.
    seconds: f64,
}

impl AutoSize {
    /// The fastest of 1, 2, 4 … `physical` cores, and of `logical` ones where cores run several threads
    /// at once, in a run of so many steps; first, one of the `parts` that work falls into, a fast core
    /// each.
    pub(super) fn new(cores: Cores, parts: usize, steps: usize) -> Self {
        let Cores { physical, fast, logical } = cores;
        let first = parts.clamp(1, fast);
        let powers = (0..).map(|power| 1 << power).take_while(|&size| size < physical);
        let mut threads: Vec<_> = powers.chain([first, fast, physical, logical]).collect();
        threads.sort_unstable();
        threads.dedup();
        let at = threads.iter().position(|&size| size == first).unwrap_or(0);
        let size = |threads| Size { threads, undisturbed: None, mean: None };
        Self {
            sizes: threads.into_iter().map(size).collect(),
            at,
            stay: Stay::new(BEGINNING),
            elapsed: 0.0,
            steps_left: steps,
            change: 0.0,
            retry_at: 0.0,
        }
    }

    /// The size that the team shall have.
    pub(super) fn threads(&self) -> usize {
        self.sizes[self.at].threads
    }

    /// The team has the size that was asked for, the first one or another, which took so many `seconds`.
    pub(super) fn changed(&mut self, seconds: f64) {
        self.change = if self.elapsed > 0.0 { seconds } else { OF_BEGINNING * seconds };
        self.elapsed += seconds;
    }

    /// A step took so many `seconds` with the size that was asked for.
    pub(super) fn step_took(&mut self, seconds: f64) {
        if self.sizes.len() == 1 {
            return;
        }
        self.elapsed += seconds;
        self.steps_left = self.steps_left.saturating_sub(1);
        let other = self.best_other();
        match self.stay.take(seconds, other.as_ref().map(|other| other.seconds)) {
            Some(median) => self.learn(median, other),
            None => {
                let Some(other) = other else { return };
                let least =
                    LEAST_LOSS.max(LEAST_LOSS_STEPS * other.seconds).max(PRICE * self.elapsed);
                if self.stay.loss > least {
                    self.now().mean = Some(self.stay.recent.mean());
                    self.go_back(&other);
                }
            }
        }
    }

    /// What is known of the present size.
    fn now(&mut self) -> &mut Size {
        &mut self.sizes[self.at]
    }

    /// A step takes `median` with the present size, or a little more.
    fn learn(&mut self, median: f64, other: Option<Other>) {
        let is_first = !std::mem::replace(&mut self.stay.is_known, true);
        // Of a single window the mean says little: to wait once for another program takes longer than that.
        let mean = if is_first { median } else { self.stay.recent.mean() };
        let now = self.now();
        // What disturbs a step makes it slower: the fastest window tells most.
        let undisturbed =
            now.undisturbed.filter(|_| !is_first).map_or(median, |known| known.min(median));
        *now = Size { undisturbed: Some(undisturbed), mean: Some(mean), ..*now };
        // It is not faster even where nothing disturbs it.
        let is_slower = |other: &Other| self.is_tried(other.index) && other.seconds < median;
        match other.filter(|other| is_first && is_slower(other)) {
            Some(other) => self.go_back(&other),
            None => self.try_another(mean),
        }
    }

    fn is_tried(&self, index: usize) -> bool {
        self.sizes.get(index).is_some_and(|size| size.undisturbed.is_some())
    }

    /// Which other size would be the fastest, and how long it would take.
    fn best_other(&self) -> Option<Other> {
        let present = self.sizes[self.at].undisturbed;
        let expected = |(index, size): (usize, &Size)| {
            let untried = || present.filter(|_| index + 1 == self.at).map(|time| UNTRIED * time);
            size.mean.or_else(untried).map(|seconds| Other { index, seconds })
        };
        let others = self.sizes.iter().enumerate().filter(|&(index, _)| index != self.at);
        others.filter_map(expected).min_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }

    /// Takes the `other` size, against which the present one has lost.
    fn go_back(&mut self, other: &Other) {
        let Steps { count, seconds } = self.stay.all;
        let lost = (seconds - count * other.seconds).max(0.0) + 2.0 * self.change;
        self.pause(lost);
        self.retry_what_is_left_young(other.index);
        self.change_to(other.index);
    }

    /// Has a size be tried again soon that a young run leaves for the smaller one of this `index`: what
    /// disturbs the first team may be the files of the run, which are soon written, or that its threads
    /// begin on one core.
    fn retry_what_is_left_young(&mut self, index: usize) {
        if index < self.at && self.elapsed < YOUNG {
            self.retry_at = 2.0 * self.elapsed;
        }
    }

    /// Lets no size be tried again until what is `lost`, in seconds, is a small part of the time.
    fn pause(&mut self, lost: f64) {
        self.retry_at = self.elapsed + (lost / PRICE).max(PAUSE * self.elapsed);
    }

    /// Tries a size that may be faster than the present one with its `mean`, if it is time.
    fn try_another(&mut self, mean: f64) {
        if self.cost_of_try(mean) > PRICE_OF_ONE * self.steps_left as f64 * mean {
            return;
        }
        let (above, below) = (self.at + 1, self.at.wrapping_sub(1));
        let beside = [above, below].into_iter().filter(|&index| index < self.sizes.len());
        if let Some(untried) = beside.clone().find(|&index| !self.is_tried(index)) {
            self.retry_what_is_left_young(untried);
            return self.change_to(untried);
        }
        if self.elapsed < self.retry_at {
            return;
        }
        let undisturbed = |index: usize| self.sizes[index].undisturbed.unwrap_or(f64::INFINITY);
        let order = |a: &usize, b: &usize| undisturbed(*a).total_cmp(&undisturbed(*b));
        let faster = (0..self.sizes.len())
            .filter(|&index| index != self.at && undisturbed(index) < FASTER * mean)
            .min_by(order);
        if let Some(another) = faster.or_else(|| beside.min_by(order)) {
            self.pause(2.0 * self.change);
            self.change_to(another);
        }
    }

    /// What a try is expected to cost, in seconds, where a step takes `mean`: two changes, and that its
    /// steps take as much longer as those of a size that was not tried.
    fn cost_of_try(&self, mean: f64) -> f64 {
        2.0 * self.change + (UNTRIED - 1.0) * (COLD.length(mean) + Window::length(mean)) * mean
    }

    fn change_to(&mut self, index: usize) {
        self.at = index;
        self.stay = Stay::new(COLD);
    }
}

impl WarmUp {
    /// How many steps of such a `mean` it has.
    fn length(self, mean: f64) -> f64 {
        (self.seconds / mean).ceil().min(self.steps as f64)
    }
}

impl Stay {
    fn new(warm_up: WarmUp) -> Self {
        let none = Steps::default();
        let window = Window::default();
        Self { warm_up, all: none, recent: none, loss: 0.0, window, is_known: false }
    }

    /// Takes a step's time, and what it would be with another size; gives the median of the window
    /// where that is full.
    fn take(&mut self, seconds: f64, other: Option<f64>) -> Option<f64> {
        self.all.add(seconds);
        let WarmUp { steps, seconds: longest } = self.warm_up;
        let is_cold = self.all.count <= steps as f64 && self.all.seconds < longest;
        if is_cold || self.all.count <= 1.0 {
            return None;
        }
        self.recent.forget(seconds / RECENT);
        self.recent.add(seconds);
        if let Some(other) = other {
            self.loss = (self.loss + seconds - other).max(0.0);
        }
        self.window.take(seconds)
    }
}

impl Steps {
    fn add(&mut self, seconds: f64) {
        self.count += 1.0;
        self.seconds += seconds;
    }

    /// Lets a `share` of them, at most all, count no more.
    fn forget(&mut self, share: f64) {
        let kept = (1.0 - share).max(0.0);
        self.count *= kept;
        self.seconds *= kept;
    }

    fn mean(self) -> f64 {
        self.seconds / self.count.max(1.0)
    }
}

impl Window {
    /// How many steps of such a `mean` it has.
    fn length(mean: f64) -> f64 {
        (WINDOW_SECONDS / mean).ceil().clamp(SHORTEST_WINDOW as f64, WINDOW as f64)
    }

    /// Takes a step's time; gives the median where it is full, and is then empty again.
    fn take(&mut self, seconds: f64) -> Option<f64> {
        self.seconds[self.count] = seconds;
        self.count += 1;
        let window = &mut self.seconds[..self.count];
        let is_long =
            window.len() >= SHORTEST_WINDOW && window.iter().sum::<f64>() >= WINDOW_SECONDS;
        if window.len() < WINDOW && !is_long {
            return None;
        }
        window.sort_unstable_by(f64::total_cmp);
        let median = window[window.len() / 2];
        self.count = 0;
        Some(median)
    }
}
