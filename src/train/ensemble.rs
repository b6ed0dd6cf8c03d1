//! Several networks that are asked together.

use super::Evaluation;
use super::error::{Error, Result};
use super::evaluate::{Prediction, counted};
use super::fit::check_compatible;
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::layers::loss::Outcome;
use crate::files::Bytes;
use crate::kernels::ops::argmax::scalar_argmax;
use crate::kernels::ops::ln::ln;
use crate::model::Network;
use crate::simd::{F32x16, Kernel, LANES, Simd};

/// Several networks for the same images and classes, whose answer is the mean of their probabilities:
/// a deep ensemble (Lakshminarayanan, Pritzel and Blundell, 2017). Trained from different seeds they
/// err on different images.
#[derive(Clone, Debug)]
pub struct Ensemble {
    networks: Vec<Network>,
}

/// Images whose probabilities by all networks are held at a time.
const AT_A_TIME: usize = 4096;

impl Ensemble {
    /// These networks together.
    ///
    /// # Errors
    /// When there is none, or they do not read the same images or have not the same classes.
    pub fn new(networks: Vec<Network>) -> Result<Self> {
        let Some((first, others)) = networks.split_first() else { return Err(Error::NoNetwork) };
        let mut others = others.iter().zip(2..);
        match others.find_map(|(other, number)| Some((number, difference(other, first)?))) {
            Some((number, difference)) => Err(Error::OtherKind { number, difference }),
            None => Ok(Self { networks }),
        }
    }

    /// The first network: the others read the same images and have the same classes.
    #[must_use]
    pub fn first(&self) -> &Network {
        &self.networks[0]
    }

    /// The networks.
    #[must_use]
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }
}

/// Why `other` cannot be asked together with `first`, if it cannot.
fn difference(other: &Network, first: &Network) -> Option<String> {
    let [of_other, of_first] = [other, first].map(Network::architecture);
    let (input, classes) = (of_first.input(), of_first.classes());
    if of_other.input() != input {
        return Some(format!("reads images of {}, and the first one of {input}", of_other.input()));
    }
    if of_other.classes() != classes {
        return Some(format!("has {} classes, and the first one {classes}", of_other.classes()));
    }
    (other.names_of_classes() != first.names_of_classes())
        .then(|| "has classes of other names, or in another order, than the first one".into())
}

impl Engine {
    /// Reads images as [`predict_batch`](Self::predict_batch) does, by all networks of `ensemble`:
    /// probabilities and outputs are the means of theirs, the class that of the greatest mean
    /// probability. One alone is as [`predict_batch`](Self::predict_batch) has it, to the bit.
    ///
    /// # Errors
    /// As [`predict_batch`](Self::predict_batch).
    pub fn predict_ensemble(
        &self,
        ensemble: &Ensemble,
        images: impl Into<Bytes>,
    ) -> Result<Vec<Prediction>> {
        let images = images.into();
        if let [network] = ensemble.networks() {
            return self.predict_batch(network, images);
        }
        let mut predictions: Vec<Prediction> = Vec::new();
        for network in ensemble.networks() {
            let of_one = self.predict_batch(network, images.clone())?;
            if predictions.is_empty() {
                predictions = of_one;
                continue;
            }
            for (sum, prediction) in predictions.iter_mut().zip(of_one) {
                add(&mut sum.probabilities, &prediction.probabilities);
                add(&mut sum.outputs, &prediction.outputs);
            }
        }
        let networks = ensemble.networks().len() as f32;
        for prediction in &mut predictions {
            let Prediction { class, probabilities, outputs } = prediction;
            probabilities.iter_mut().chain(outputs).for_each(|sum| *sum /= networks);
            *class = scalar_argmax(probabilities.iter().copied().enumerate()).unwrap_or(0);
        }
        Ok(predictions)
    }

    /// Reads every image of `split` by all networks of `ensemble`, and counts what was read right. The
    /// loss is the mean of −ln of the mean probability of the true class.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_ensemble(&self, ensemble: &Ensemble, split: &Split) -> Result<Evaluation> {
        ensemble.networks().iter().try_for_each(|network| check_compatible(network, split))?;
        let classes = ensemble.first().architecture().classes();
        let mut outcomes = Vec::with_capacity(split.len());
        let mut labels = split.labels().iter().map(|&label| usize::from(label));
        for images in split.pixels().chunks(AT_A_TIME * split.shape().pixels()) {
            let predictions = self.predict_ensemble(ensemble, images.to_vec())?;
            // In this order: the predictions end first, and no label is lost.
            for (Prediction { class, probabilities, .. }, label) in
                predictions.into_iter().zip(labels.by_ref())
            {
                let (loss, correct) = (probabilities[label], class == label);
                outcomes.push(Outcome { loss, class, correct });
            }
        }
        self.isa().run(Losses(&mut outcomes));
        split.check_unchanged()?;
        Ok(counted(&outcomes, split, classes))
    }
}

fn add(sums: &mut [f32], numbers: &[f32]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
}

/// −ln p in place of each p, in the engine's own arithmetic, which is the same on every machine. Where p
/// is zero, it is taken for the least number above.
struct Losses<'a>(&'a mut [Outcome]);

impl Kernel for Losses<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for outcomes in self.0.chunks_mut(LANES) {
            let mut vector = F32x16([1.0; LANES]);
            for (lane, outcome) in vector.0.iter_mut().zip(&*outcomes) {
                *lane = outcome.loss.max(f32::MIN_POSITIVE);
            }
            let logarithms = ln(s, s.load(&vector));
            s.store(logarithms, &mut vector);
            for (outcome, logarithm) in outcomes.iter_mut().zip(vector.0) {
                outcome.loss = -logarithm;
            }
        }
    }
}
