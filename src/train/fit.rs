//! Training: [`Engine::fit`], and what must hold before it begins.

use std::path::Path;

use super::error::{Error, OptionError, Result};
use super::history::{History, Observer};
use super::options::FitOptions;
use super::primary::Primary;
use super::run::TrainingRun;
use super::state::State;
use super::team_size::TeamSize;
use crate::data::{ClassNames, Split, sha256};
use crate::exec::engine::Engine;
use crate::exec::samples::Samples;
use crate::image::RandomAffine;
use crate::kernels::optim::{Adam, Optimizer, Sgd};
use crate::model::{Architecture, Network};

impl Engine {
    /// Trains `network` on `split`, telling `observer` after each step and epoch.
    ///
    /// The arithmetic is Keras's: the loss is the cross-entropy of the softmax of the logits,
    /// whatever the last activation; gradients are means over the minibatch; the last minibatch
    /// may be short; an epoch's loss is the mean over its samples.
    ///
    /// The observer runs on one of the engine's threads: it may evaluate the network with this
    /// engine (on that thread alone), but not train another.
    ///
    /// By an engine that spans [several ranks](Engine::across), all call this with the same network,
    /// images and options. On rank 0 it does what it does elsewhere; on the others the network stays as
    /// it is, the history knows nothing of it, and the observer is told nothing.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit `split`, there is too little memory,
    /// the loss is not finite (`network` is then as after the last completed epoch), or `observer`
    /// returns one.
    pub fn fit(
        &self,
        network: &mut Network,
        split: &Split,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let samples = self.agree(self.prepare(network, split, options))?;
        let mut state = State::new(network.clone(), *options);
        let size = self.team_size(&state, samples.train.len());
        let history = self.go_on(&mut state, samples, observer, size);
        *network = state.into_result();
        history
    }

    /// Goes on with a run from `state`, to its end or until it is stopped: `state` is then where it
    /// stands. Whoever keeps it can go on from there, and will get the same bits as from a run that
    /// was never stopped.
    ///
    /// `split` must be the one that the run began with.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); `state` is then as after the last completed epoch, or, where the
    /// validation after an epoch failed, as before that. And when `state` is that of a run on other
    /// data.
    pub fn fit_from(
        &self,
        state: &mut State,
        split: &Split,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let samples = self.agree(self.prepare(state.network(), split, state.options()))?;
        let size = self.team_size(state, samples.train.len());
        self.go_on(state, samples, observer, size)
    }

    /// Goes on with a run [until an accuracy](FitOptions::until_accuracy) as
    /// [`fit_from`](Self::fit_from) does, judged after each epoch by `validation`, none of which is
    /// trained on. Time to an accuracy is measured so, on the test set; the network of the lowest loss
    /// is not kept.
    ///
    /// # Errors
    /// As [`fit_from`](Self::fit_from), when `network` does not fit `validation`, and when the options
    /// have no accuracy to reach, or set samples aside too.
    pub fn fit_validated(
        &self,
        state: &mut State,
        split: &Split,
        validation: &Split,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let samples = self.agree(self.prepare_validated(state, split, validation))?;
        let size = self.team_size(state, samples.train.len());
        self.go_on(state, samples, observer, size)
    }

    /// Checks that a run can go on from `state` that is judged by `validation`.
    fn prepare_validated(&self, state: &State, split: &Split, validation: &Split) -> Result<Parts> {
        if state.options().validation_split > 0.0 {
            return Err(OptionError::ValidatedTwice.into());
        }
        if state.options().until_accuracy.is_none() {
            return Err(OptionError::JudgesWithoutGoal.into());
        }
        check_compatible(state.network(), validation)?;
        let samples = self.prepare(state.network(), split, state.options())?;
        let (network, options) = (state.network(), state.options());
        self.check_training_memory(network, &samples.train, validation.len(), options)?;
        Ok(Parts { validation: Some(validation.clone()), ..samples })
    }

    /// What came of something on this rank, if it failed on none.
    pub(super) fn agree<T>(&self, own: Result<T>) -> Result<T> {
        match self.ranks() {
            None => own,
            Some(ranks) => ranks.agree(own),
        }
    }

    /// Refuses to train where the ranks would not do the same.
    pub(super) fn check_same(&self, state: &State, train: &Split) -> Result<()> {
        let Some(ranks) = self.ranks() else { return Ok(()) };
        let about = state.to_bytes(Path::new("a state")).map(|state| {
            let data = self.install(|| train.checksum());
            sha256(&[env!("CARGO_PKG_VERSION").as_bytes(), data.as_bytes(), &state].concat())
        });
        let about = ranks.agree(about.map_err(Error::from))?;
        match ranks.first_that_differs(about.as_bytes()) {
            None => Ok(()),
            Some(rank) => Err(Error::RanksDiffer { rank }),
        }
    }

    /// Goes on from `state` on samples that it was checked with, with a team of some `size`.
    pub(super) fn go_on(
        &self,
        state: &mut State,
        Parts { train, validation, class_weights }: Parts,
        observer: &mut dyn Observer,
        size: TeamSize,
    ) -> Result<History> {
        if state.options.until_accuracy.is_some() && validation.is_none() {
            return Err(OptionError::GoalWithoutValidation.into());
        }
        self.agree(state.check(&train).and_then(|()| Ok(self.check_idle()?)))?;
        self.check_same(state, &train)?;
        let (mut stopped, mut teams) = (false, Vec::new());
        if !state.is_complete() {
            let options = state.options;
            let data = self.samples(&train, state.network(), options.augmentation);
            let data = data.weighted(class_weights);
            let run = TrainingRun::new(data, options);
            let primary = Primary::new(self, state, validation, observer, size);
            let decay = |rate: f64| (rate * options.weight_decay) as f32;
            let schedule = options.schedule;
            let primary = match options.optimizer {
                Optimizer::Adam(adam) => run.fit(self, primary, |at| {
                    let learning_rate = adam.learning_rate * schedule.factor(at);
                    Adam { learning_rate, ..adam }.at(at.step).decaying(decay(learning_rate))
                }),
                Optimizer::Sgd(sgd) => run.fit(self, primary, |at| {
                    let learning_rate = sgd.learning_rate * schedule.factor(at);
                    Sgd { learning_rate, ..sgd }.step().decaying(decay(learning_rate))
                }),
            }?;
            (stopped, teams) = (primary.is_stopped(), primary.into_teams());
        }
        let best = state.restored().map(|(epoch, _)| epoch);
        Ok(History { epochs: state.epochs.clone(), stopped, best, teams })
    }

    /// How many threads shall go on from `state`, on so many samples.
    fn team_size(&self, state: &State, samples: usize) -> TeamSize {
        let Some(cores) = self.cores_to_choose() else {
            return TeamSize::Fixed(self.training_threads());
        };
        let all = samples.div_ceil(state.options.batch_size).saturating_mul(state.options.epochs);
        let plan = self.training_plan(&state.options, samples);
        let parts = plan.parts(state.network.architecture());
        TeamSize::auto(cores, parts, all.saturating_sub(state.steps_done(samples)))
    }

    /// Whether [`fit`](Self::fit) can begin, and its state be kept in files: to be asked before what
    /// an earlier run left is given up.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit `split`, or there is too little memory.
    pub fn check_fit(&self, network: &Network, split: &Split, options: &FitOptions) -> Result<()> {
        let names = network.names_of_classes();
        self.check_fit_of(network.architecture(), &names, split, options)
    }

    /// As [`check_fit`](Self::check_fit), of any network of `architecture` whose classes have these
    /// `names`.
    ///
    /// # Errors
    /// As [`check_fit`](Self::check_fit).
    pub(crate) fn check_fit_of(
        &self,
        architecture: &Architecture,
        names: &ClassNames,
        split: &Split,
        options: &FitOptions,
    ) -> Result<()> {
        let Parts { train, .. } = Parts::checked(architecture, names, split, options)?;
        self.check_recording_memory(architecture, &train, split.len() - train.len(), options)
    }

    /// Checks that a run can begin, and parts its samples.
    pub(super) fn prepare(
        &self,
        network: &Network,
        split: &Split,
        options: &FitOptions,
    ) -> Result<Parts> {
        let (architecture, names) = (network.architecture(), network.names_of_classes());
        let parts = Parts::checked(architecture, &names, split, options)?;
        let held_out = split.len() - parts.train.len();
        self.check_training_memory(network, &parts.train, held_out, options)?;
        Ok(parts)
    }

    /// The samples of `split` for the first layer of `network`; in training they are augmented.
    pub(super) fn samples<'a>(
        &self,
        split: &'a Split,
        network: &Network,
        augmentation: RandomAffine,
    ) -> Samples<'a> {
        Samples::new(split, network.architecture(), self.gemm_backend(), augmentation)
    }
}

/// The samples that a run trains on, and those that it validates the network with.
pub(super) struct Parts {
    pub(super) train: Split,
    validation: Option<Split>,
    /// How much each class counts, where not all count the same.
    class_weights: Option<Vec<f32>>,
}

impl Parts {
    /// Those of `split`, once it is checked that a network of `architecture`, whose classes have these
    /// `names`, can be trained on them so.
    fn checked(
        architecture: &Architecture,
        names: &ClassNames,
        split: &Split,
        options: &FitOptions,
    ) -> Result<Self> {
        options.check()?;
        check_architecture(architecture, split)?;
        let (train, validation) = match options.validation_split {
            0.0 => (split.clone(), None),
            share => {
                let images = split.len();
                let parts = split.split_at(options.training_samples(images));
                let wrong = |_| Error::Validation { split: share, images };
                let (train, held_out) = parts.map_err(wrong)?;
                (train, Some(held_out))
            }
        };
        let weights = options.class_weights.map(|weights| weights.of(architecture, names, &train));
        let class_weights = weights.transpose()?;
        Ok(Self { train, validation, class_weights })
    }
}

/// Checks that `network` can read the images of `split` and tell its classes apart.
pub(super) fn check_compatible(network: &Network, split: &Split) -> Result<()> {
    check_architecture(network.architecture(), split)
}

/// The same of any network of `architecture`.
fn check_architecture(architecture: &Architecture, split: &Split) -> Result<()> {
    let (input, shape) = (architecture.input(), split.shape());
    if input != shape {
        return Err(Error::Shape { network: input, images: shape });
    }
    let (known, needed) = (architecture.classes(), split.classes());
    if needed > known {
        return Err(Error::Classes { known, greatest: needed - 1 });
    }
    Ok(())
}
