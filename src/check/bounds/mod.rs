//! How far the engine's gradient and loss, in f32, may be from those of the reference.
//!
//! Every operation on the way forward to the loss and back to every parameter is followed with what
//! it may be wrong by ([`Approximate`]). That is the worst case: a right engine is never further off,
//! however its roundings fall. Where it is not sure on which side of a ReLU's kink the engine is, or
//! which number of a window it takes for the greatest, either may be: the bound is then so wide that
//! it holds for both.
//!
//! The way back is by the chain rule, as the engine's, but it gives the bounds alone: a fault that
//! both shared would still show in the slopes, which are differences.

mod linear;
mod loss;
mod winograd;

use super::approximate::{Approximate, FUNCTION, Sum, UNIT};
use super::reference::{Reference, STEP, Stage, sigmoid};
use crate::data::Split;
use linear::Linear;
use loss::cross_entropy;
use winograd::Winograd;

/// The same of f64 as [`UNIT`] of f32.
const UNIT_64: f64 = f64::EPSILON / 2.0;

/// The reference is wrong too, by what its own roundings amount to: as much as those of f32, but for
/// the unit. Twice that, as the bounds are rounded as well.
const WITH_REFERENCE: f64 = 1.0 + 2.0 * UNIT_64 / UNIT;

/// By how much the engine may differ from the truth.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// In the gradient, in the order and layout of [`Reference::parameters`].
    pub gradient: Vec<Vec<f64>>,
    /// In the mean loss.
    pub loss: f64,
}

impl Bounds {
    /// What a slope of the reference may be wrong by.
    ///
    /// The loss in f64 goes through the operations of that in f32, so its bound is that of f32 but
    /// for the unit; and of the losses at w ± h the slope takes 8/12h each, of those at w ± 2h 1/12h.
    /// What the series leaves, h⁴/30 < 10⁻²³ times the fifth derivative, is nothing beside that.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.loss * (UNIT_64 / UNIT) * 1.5 / STEP
    }
}

/// The stages of the reference as their numbers depend on each other.
enum Step<'a> {
    Linear(Linear<'a>),
    Winograd(Winograd),
    Greatest(&'a [Vec<usize>]),
    Relu,
    Sigmoid,
}

impl Reference {
    /// The bounds for `split` as one minibatch.
    #[must_use]
    pub fn bounds(&self, split: &Split) -> Bounds {
        let steps: Vec<Step<'_>> = self.stages.iter().map(|stage| self.step(stage)).collect();
        let sums = |tensor: &Vec<f64>| vec![Sum::default(); tensor.len()];
        let mut gradient: Vec<Vec<Sum>> = self.parameters.iter().map(sums).collect();
        let share = Approximate::exact(1.0 / split.len() as f64).rounded(1);
        let mut loss = 0.0;
        for (image, label) in self.samples(split) {
            let pixel = |&pixel| Approximate::exact(f64::from(pixel) / 255.0).rounded(1);
            let mut inputs = vec![image.iter().map(pixel).collect::<Vec<_>>()];
            for (index, step) in steps.iter().enumerate() {
                inputs.push(step.forward(&inputs[index]));
            }
            // The weight of a class is rounded to f32, and so are its products.
            let (weight, weighings) = match self.class_weights.is_empty() {
                true => (Approximate::exact(1.0), 0),
                false => (Approximate::exact(self.weight(label)).rounded(1), 1),
            };
            let scale = weight.times(share).rounded(weighings);
            let (sample_loss, mut dy) = cross_entropy(&inputs[steps.len()], label, scale);
            loss += sample_loss.times(weight).rounded(weighings).error / split.len() as f64;
            for (step, x) in steps.iter().zip(&inputs).rev() {
                if let Some(kernel) = step.parameters() {
                    let sums = gradient[kernel..kernel + 2].iter_mut().flatten();
                    sums.zip(step.gradient(x, &dy)).for_each(|(sum, part)| sum.add(part));
                }
                dy = step.backward(x, &dy);
            }
        }
        let error = |sum: &Sum| sum.rounded().error * WITH_REFERENCE;
        let gradient = gradient.iter().map(|sums| sums.iter().map(error).collect()).collect();
        Bounds { gradient, loss: loss * WITH_REFERENCE }
    }

    fn step<'a>(&self, stage: &'a Stage) -> Step<'a> {
        match stage {
            Stage::Dense { kernel } => Step::Linear(Linear::dense(&self.parameters, *kernel)),
            Stage::Conv2d { kernel, windows, places } => {
                match Winograd::new(&self.parameters, *kernel, windows) {
                    Some(winograd) => Step::Winograd(winograd),
                    None => Step::Linear(Linear::conv2d(&self.parameters, *kernel, places)),
                }
            }
            Stage::AveragePool { windows } => Step::Linear(Linear::mean(windows)),
            Stage::MaxPool { windows } => Step::Greatest(windows),
            Stage::Relu => Step::Relu,
            Stage::Sigmoid => Step::Sigmoid,
        }
    }
}

impl Step<'_> {
    /// Which parameter its kernel is, if it has one; the next is its bias.
    fn parameters(&self) -> Option<usize> {
        match self {
            Self::Linear(linear) => linear.parameters,
            Self::Winograd(winograd) => Some(winograd.parameters),
            Self::Greatest(_) | Self::Relu | Self::Sigmoid => None,
        }
    }

    /// The outputs for the inputs `x`.
    fn forward(&self, x: &[Approximate]) -> Vec<Approximate> {
        match self {
            Self::Linear(linear) => linear.forward(x),
            Self::Winograd(winograd) => winograd.forward(x),
            Self::Greatest(windows) => windows.iter().map(|window| greatest(x, window)).collect(),
            Self::Relu => x.iter().map(|&x| relu(x)).collect(),
            Self::Sigmoid => x.iter().map(|&x| approximate_sigmoid(x)).collect(),
        }
    }

    /// The gradient of the inputs `x` from that of the outputs.
    fn backward(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        match self {
            Self::Linear(linear) => linear.backward(x.len(), dy),
            Self::Winograd(winograd) => winograd.backward(dy),
            Self::Greatest(windows) => {
                let mut dx = vec![Sum::default(); x.len()];
                for (window, &dy) in windows.iter().zip(dy) {
                    greatest_backward(x, window, dy, &mut dx);
                }
                dx.into_iter().map(Sum::rounded).collect()
            }
            Self::Relu => x.iter().zip(dy).map(|(&x, &dy)| relu_backward(x, dy)).collect(),
            Self::Sigmoid => x.iter().zip(dy).map(|(&x, &dy)| sigmoid_backward(x, dy)).collect(),
        }
    }

    /// One sample's part of the gradient of the parameters.
    fn gradient(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        match self {
            Self::Linear(linear) => linear.gradient(x, dy),
            Self::Winograd(winograd) => winograd.gradient(x, dy),
            _ => Vec::new(),
        }
    }
}

fn relu(x: Approximate) -> Approximate {
    // What is surely not positive is surely zero; of all else no error grows.
    if x.value + x.error <= 0.0 {
        return Approximate::exact(0.0);
    }
    Approximate { value: x.value.max(0.0), error: x.error }
}

fn relu_backward(x: Approximate, dy: Approximate) -> Approximate {
    if x.value > x.error {
        dy
    } else if x.value + x.error <= 0.0 {
        Approximate::exact(0.0)
    } else {
        // The engine may let it through or not.
        Approximate::or_smaller(if x.value > 0.0 { dy.value } else { 0.0 }, dy.size())
    }
}

/// The place of the greatest of the numbers of `window`, and those of the others that may be so to
/// the engine. Numbers of the same value and error come of equal windows: they are equal to the
/// engine as well, and then the first one counts.
fn contenders<'a>(
    x: &'a [Approximate],
    window: &'a [usize],
) -> (usize, impl Iterator<Item = usize> + 'a) {
    let better =
        |best: usize, &place: &usize| if x[place].value > x[best].value { place } else { best };
    let place = window.iter().fold(window[0], better);
    let best = x[place];
    let others = window.iter().copied().filter(move |&other| {
        let Approximate { value, error } = x[other];
        let is_equal = value == best.value && error == best.error;
        !is_equal && value + error >= best.value - best.error
    });
    (place, others)
}

fn greatest(x: &[Approximate], window: &[usize]) -> Approximate {
    let (best, others) = contenders(x, window);
    let error = others.map(|other| x[other].error).fold(x[best].error, f64::max);
    Approximate { value: x[best].value, error }
}

fn greatest_backward(x: &[Approximate], window: &[usize], dy: Approximate, dx: &mut [Sum]) {
    let (best, others) = contenders(x, window);
    let mut is_sure = true;
    for other in others {
        is_sure = false;
        dx[other].add(Approximate::or_smaller(0.0, dy.size()));
    }
    dx[best].add(if is_sure { dy } else { Approximate::or_smaller(dy.value, dy.size()) });
}

/// By how much softmax or sigmoid, `p`, may change as the difference of two logits changes by
/// `error`: with odds p / (1 − p) that change by the factor e^error, by p (1 − p) (e^error − 1).
fn spread(p: f64, error: f64) -> f64 {
    p * (1.0 - p) * error.exp_m1()
}

fn approximate_sigmoid(x: Approximate) -> Approximate {
    let value = sigmoid(x.value);
    Approximate { value, error: spread(value, x.error) }.rounded(FUNCTION)
}

/// dy · (y · (1 − y)), the derivative of y (1 − y) being 1 − 2y.
fn sigmoid_backward(x: Approximate, dy: Approximate) -> Approximate {
    let Approximate { value: y, error } = approximate_sigmoid(x);
    let error = (1.0 - 2.0 * y).abs() * error + error * error;
    dy.times(Approximate { value: y * (1.0 - y), error }).rounded(3)
}
