//! How far numbers in f32 may be from those of the reference: a running error analysis.
//!
//! With u = 2⁻²⁴, an operation that is rounded once is wrong by no more than u times its result, and
//! a sum of n products, in any order, fused or not, by no more than γₙ Σ|xw|, γₙ = nu / (1 − nu)
//! (Higham, Accuracy and Stability of Numerical Algorithms, second edition, 2002, §3.1). What the
//! operands are wrong by is carried along beside their values (§3.3), forward to the loss and back
//! to every parameter. That is the worst case: a right engine is never further off, however its
//! roundings fall. Seen are errors of a hundredth of it, and of three tenths at most.
//!
//! The way back is by the chain rule, as the engine's, but it gives the bounds alone: a fault that
//! both shared would still show in the slopes, which are differences.
//!
//! Two things are left out: what underflows, and that the engine takes its greatest logit where the
//! reference takes its own, which changes what is rounded by a share of u at most. Both are far
//! less than [`Bounds::difference`], which every comparison allows for as well.

use mnistry::Split;

use super::{Reference, STEP, Stage, samples, sigmoid, softmax};

/// What rounding to f32 may change a number by, as a share of it.
const UNIT: f64 = 1.0 / 16_777_216.0;
/// The same of f64.
const UNIT_64: f64 = f64::EPSILON / 2.0;
/// What 2 units in the last place are, as a share: that much `exp`, `ln` and `sigmoid` may be
/// wrong by, as so many roundings.
const FUNCTION: usize = 4;

/// By how much the engine may differ from the truth.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// In the gradient, in the order and layout of [`Reference::parameters`].
    pub(crate) gradient: Vec<Vec<f64>>,
    /// In the mean loss.
    pub(crate) loss: f64,
}

/// A number in f64, and by how much the engine's may differ from it.
#[derive(Clone, Copy, Debug)]
struct Approximate {
    value: f64,
    error: f64,
}

/// A sum of those, in any order.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    value: f64,
    error: f64,
    /// Σ|x|
    size: f64,
    terms: usize,
}

/// The stages of the reference as their numbers depend on each other.
enum Step {
    Linear(Linear),
    /// The places of the numbers of each window.
    Greatest(Vec<Vec<usize>>),
    Relu,
    Sigmoid,
}

/// Sums of products of inputs and weights. Biases are the weights of an input that is always 1.
struct Linear {
    weights: Vec<Approximate>,
    links: Vec<Link>,
    outputs: usize,
    /// Which parameters the weights are: a kernel, this, and the next, biases.
    parameters: Option<usize>,
}

struct Link {
    /// Of a bias, [`BIAS`].
    input: usize,
    weight: usize,
    output: usize,
}

/// Beyond all inputs.
const BIAS: usize = usize::MAX;
const ONE: Approximate = Approximate::exact(1.0);

/// γₙ
fn gamma(n: usize) -> f64 {
    let share = n as f64 * UNIT;
    share / (1.0 - share)
}

impl Approximate {
    const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    fn size(self) -> f64 {
        self.value.abs() + self.error
    }

    /// After `n` roundings.
    fn rounded(self, n: usize) -> Self {
        Self { error: self.error + gamma(n) * self.size(), ..self }
    }

    /// The product, before it is rounded.
    fn times(self, other: Self) -> Self {
        let error = self.error * other.size() + self.value.abs() * other.error;
        Self { value: self.value * other.value, error }
    }
}

impl Sum {
    fn add(&mut self, term: Approximate) {
        // To add zero is exact.
        if term.size() > 0.0 {
            self.value += term.value;
            self.error += term.error;
            self.size += term.size();
            self.terms += 1;
        }
    }

    fn rounded(self) -> Approximate {
        let Self { value, error, size, terms } = self;
        Approximate { value, error: error + gamma(terms) * size }
    }
}

impl Bounds {
    /// What a slope of the reference may be wrong by.
    ///
    /// The loss in f64 goes through the operations of that in f32, so its bound is that of f32 but
    /// for the unit; and of the losses at w ± h the slope takes 8/12h each, of those at w ± 2h 1/12h.
    /// What the series leaves, h⁴/30 < 10⁻²³ times the fifth derivative, is nothing beside that.
    pub(crate) fn difference(&self) -> f64 {
        self.loss * (UNIT_64 / UNIT) * 1.5 / STEP
    }
}

impl Reference {
    /// The bounds for `split` as one minibatch; `None` where the engine may take the other side of
    /// a ReLU's kink, or another number of a window for the greatest.
    pub(crate) fn bounds(&self, split: &Split) -> Option<Bounds> {
        let steps: Vec<Step> = self.stages.iter().map(|stage| self.step(stage)).collect();
        let mut gradient: Vec<Vec<Sum>> =
            self.parameters.iter().map(|tensor| vec![Sum::default(); tensor.len()]).collect();
        let scale = Approximate::exact(1.0 / split.len() as f64).rounded(1);
        let mut loss = 0.0;
        for (image, label) in samples(split) {
            let pixel = |&pixel| Approximate::exact(f64::from(pixel) / 255.0).rounded(1);
            let mut values = vec![image.iter().map(pixel).collect::<Vec<_>>()];
            for step in &steps {
                values.push(step.forward(values.last()?)?);
            }
            let logits = values.pop()?;
            let weight = Approximate::exact(self.weight(label));
            let is_weighted = !self.class_weights.is_empty();
            // The weight is rounded to f32, and so is its product.
            let (weight, scale) = match is_weighted {
                true => (weight.rounded(1), weight.rounded(1).times(scale).rounded(1)),
                false => (weight, scale),
            };
            let (error, mut dy) = cross_entropy(&logits, usize::from(label), scale);
            let values_of_logits: Vec<f64> = logits.iter().map(|logit| logit.value).collect();
            let value = super::cross_entropy(&values_of_logits, label);
            let weighted = Approximate { value, error }.times(weight);
            let sample_loss = weighted.rounded(usize::from(is_weighted)).error;
            loss += sample_loss / split.len() as f64;
            for (step, x) in steps.iter().zip(&values).rev() {
                if let Step::Linear(linear @ Linear { parameters: Some(first), .. }) = step {
                    let sums = gradient[*first..*first + 2].iter_mut().flatten();
                    sums.zip(linear.gradient(x, &dy)).for_each(|(sum, part)| sum.add(part));
                }
                dy = step.backward(x, &dy);
            }
        }
        let error = |sum: &Sum| sum.rounded().error;
        let gradient = gradient.iter().map(|sums| sums.iter().map(error).collect()).collect();
        Some(Bounds { gradient, loss })
    }

    fn step(&self, stage: &Stage) -> Step {
        let parameters = |first: usize| {
            let values = self.parameters[first].iter().chain(&self.parameters[first + 1]);
            values.map(|&value| Approximate::exact(value)).collect()
        };
        match stage {
            Stage::Dense { kernel } => {
                let units = self.parameters[kernel + 1].len();
                let inputs = self.parameters[*kernel].len() / units;
                let link = |weight| {
                    let (row, output) = (weight / units, weight % units);
                    Link { input: if row < inputs { row } else { BIAS }, weight, output }
                };
                Step::Linear(Linear {
                    weights: parameters(*kernel),
                    links: (0..(inputs + 1) * units).map(link).collect(),
                    outputs: units,
                    parameters: Some(*kernel),
                })
            }
            Stage::Conv2d { kernel, windows } => {
                let filters = self.parameters[kernel + 1].len();
                let mut links = Vec::new();
                for (window, places) in windows.iter().enumerate() {
                    let taps = places.iter().copied().chain([Some(BIAS)]).enumerate();
                    for (tap, input) in taps.filter_map(|(tap, input)| Some((tap, input?))) {
                        links.extend((0..filters).map(|filter| Link {
                            input,
                            weight: tap * filters + filter,
                            output: window * filters + filter,
                        }));
                    }
                }
                Step::Linear(Linear {
                    weights: parameters(*kernel),
                    links,
                    outputs: windows.len() * filters,
                    parameters: Some(*kernel),
                })
            }
            Stage::AveragePool { windows } => {
                let share = 1.0 / windows[0].len() as f64;
                let links = windows.iter().enumerate().flat_map(|(output, places)| {
                    places.iter().map(move |&input| Link { input, weight: 0, output })
                });
                Step::Linear(Linear {
                    weights: vec![Approximate::exact(share).rounded(1)],
                    links: links.collect(),
                    outputs: windows.len(),
                    parameters: None,
                })
            }
            Stage::MaxPool { windows } => Step::Greatest(windows.clone()),
            Stage::Relu => Step::Relu,
            Stage::Sigmoid => Step::Sigmoid,
        }
    }
}

impl Step {
    /// The outputs for the inputs `x`; `None` where it is not sure on which side of a kink they are.
    fn forward(&self, x: &[Approximate]) -> Option<Vec<Approximate>> {
        match self {
            Self::Linear(linear) => Some(linear.forward(x)),
            Self::Greatest(windows) => windows
                .iter()
                .map(|places| {
                    let best = x[greatest(x, places)];
                    let sure = |place: &usize| {
                        let other = x[*place];
                        best.value == other.value
                            || best.value - other.value > best.error + other.error
                    };
                    places.iter().all(sure).then_some(best)
                })
                .collect(),
            Self::Relu => x
                .iter()
                .map(|&x| {
                    let y = if x.value > 0.0 { x } else { Approximate::exact(0.0) };
                    (x.value.abs() > x.error || x.size() == 0.0).then_some(y)
                })
                .collect(),
            Self::Sigmoid => Some(x.iter().map(|&x| approximate_sigmoid(x)).collect()),
        }
    }

    /// The gradient of the inputs `x` from that of the outputs.
    fn backward(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        match self {
            Self::Linear(linear) => linear.backward(x.len(), dy),
            Self::Greatest(windows) => {
                let mut dx = vec![Sum::default(); x.len()];
                let winners = windows.iter().map(|places| greatest(x, places));
                winners.zip(dy).for_each(|(place, &dy)| dx[place].add(dy));
                dx.into_iter().map(Sum::rounded).collect()
            }
            Self::Relu => {
                let through = |(x, &dy): (&Approximate, &Approximate)| {
                    if x.value > 0.0 { dy } else { Approximate::exact(0.0) }
                };
                x.iter().zip(dy).map(through).collect()
            }
            Self::Sigmoid => {
                let through = |(&x, &dy): (&Approximate, &Approximate)| {
                    // dy · (y · (1 − y)), the derivative of y (1 − y) being 1 − 2y.
                    let Approximate { value: y, error } = approximate_sigmoid(x);
                    let error = (1.0 - 2.0 * y).abs() * error + error * error;
                    dy.times(Approximate { value: y * (1.0 - y), error }).rounded(3)
                };
                x.iter().zip(dy).map(through).collect()
            }
        }
    }
}

impl Linear {
    fn forward(&self, x: &[Approximate]) -> Vec<Approximate> {
        let mut y = vec![Sum::default(); self.outputs];
        for link in &self.links {
            let x = x.get(link.input).copied().unwrap_or(ONE);
            y[link.output].add(x.times(self.weights[link.weight]));
        }
        y.into_iter().map(Sum::rounded).collect()
    }

    fn backward(&self, inputs: usize, dy: &[Approximate]) -> Vec<Approximate> {
        let mut dx = vec![Sum::default(); inputs];
        for link in self.links.iter().filter(|link| link.input != BIAS) {
            dx[link.input].add(dy[link.output].times(self.weights[link.weight]));
        }
        dx.into_iter().map(Sum::rounded).collect()
    }

    /// One sample's part of the gradient of the weights.
    fn gradient(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        let mut dw = vec![Sum::default(); self.weights.len()];
        for link in &self.links {
            let x = x.get(link.input).copied().unwrap_or(ONE);
            dw[link.weight].add(x.times(dy[link.output]));
        }
        dw.into_iter().map(Sum::rounded).collect()
    }
}

/// The place of the greatest of the numbers at `places`; the first of equal ones.
fn greatest(x: &[Approximate], places: &[usize]) -> usize {
    let better =
        |best: usize, &place: &usize| if x[place].value > x[best].value { place } else { best };
    places.iter().fold(places[0], better)
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

/// The error of the loss, and the gradient of the logits. Neither changes with the logit that is
/// taken from all others, so that it does not matter if the engine's greatest is wrong.
fn cross_entropy(
    logits: &[Approximate],
    label: usize,
    scale: Approximate,
) -> (f64, Vec<Approximate>) {
    let values: Vec<f64> = logits.iter().map(|logit| logit.value).collect();
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Of the differences that the exponential gets.
    let below = |logit: &Approximate| Approximate { value: logit.value - greatest, ..*logit };
    let errors: Vec<f64> = logits.iter().map(|logit| below(logit).rounded(1).error).collect();
    let most = errors.iter().copied().fold(0.0, f64::max);

    let probabilities = softmax(&values);
    let gradient = probabilities.iter().zip(&errors).enumerate().map(|(class, (&p, &error))| {
        // Above and below the line of the quotient an exponential, below it the sum.
        let roundings = 2 * FUNCTION + logits.len() + 1;
        let p = Approximate { value: p, error: spread(p, error + most) }.rounded(roundings);
        let truth = f64::from(u8::from(class == label));
        let difference = Approximate { value: p.value - truth, ..p };
        // Nothing is subtracted but from the label's.
        difference.rounded(usize::from(class == label)).times(scale).rounded(1)
    });

    // loss = ln Σ e^(logit − greatest) + (greatest − the label's)
    let (p, gap) = (probabilities[label], greatest - values[label]);
    let log_sum = -p.ln() - gap;
    let error = (1.0 - p) * (errors[label] + most).exp_m1()
        - (-gamma(FUNCTION + logits.len())).ln_1p()
        + gamma(FUNCTION) * log_sum.abs();
    let loss = Approximate { value: log_sum + gap, error }.rounded(1).error + UNIT * gap;
    (loss, gradient.collect())
}
