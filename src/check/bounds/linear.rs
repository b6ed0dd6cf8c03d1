//! Weighted sums: dense layers, convolutions and means.

use crate::check::approximate::{Approximate, Sum};

/// Sums of products of inputs and weights. Biases are the weights of an input that is always 1.
pub(super) struct Linear<'a> {
    weights: Vec<Approximate>,
    outputs: usize,
    links: Links<'a>,
    /// Which parameters the weights are: a kernel, this, and the next, biases.
    pub(super) parameters: Option<usize>,
}

/// What is multiplied with what.
enum Links<'a> {
    /// Each input with the weight of each unit.
    Dense { inputs: usize },
    /// The numbers of a window with the weights of each of `filters`.
    Conv2d { windows: &'a [Vec<Option<usize>>], filters: usize },
    /// The numbers of a window, all with one weight.
    Mean { windows: &'a [Vec<usize>] },
}

/// A product, and the sum that it is part of.
struct Link {
    /// `None` for 1, which a bias is multiplied with.
    input: Option<usize>,
    weight: usize,
    output: usize,
}

impl<'a> Linear<'a> {
    /// The dense layer whose kernel is parameter `kernel`.
    pub(super) fn dense(parameters: &[Vec<f64>], kernel: usize) -> Self {
        let outputs = parameters[kernel + 1].len();
        let links = Links::Dense { inputs: parameters[kernel].len() / outputs };
        Self { weights: weights(parameters, kernel), outputs, links, parameters: Some(kernel) }
    }

    /// The convolution whose kernel is parameter `kernel`.
    pub(super) fn conv2d(
        parameters: &[Vec<f64>],
        kernel: usize,
        windows: &'a [Vec<Option<usize>>],
    ) -> Self {
        let filters = parameters[kernel + 1].len();
        Self {
            weights: weights(parameters, kernel),
            outputs: windows.len() * filters,
            links: Links::Conv2d { windows, filters },
            parameters: Some(kernel),
        }
    }

    /// The mean of each of `windows`, all of one size.
    pub(super) fn mean(windows: &'a [Vec<usize>]) -> Self {
        let share = 1.0 / windows[0].len() as f64;
        Self {
            weights: vec![Approximate::exact(share).rounded(1)],
            outputs: windows.len(),
            links: Links::Mean { windows },
            parameters: None,
        }
    }

    /// Visits every product.
    fn for_each(&self, mut visit: impl FnMut(Link)) {
        match self.links {
            Links::Dense { inputs } => {
                for input in 0..=inputs {
                    for output in 0..self.outputs {
                        let weight = input * self.outputs + output;
                        visit(Link { input: (input < inputs).then_some(input), weight, output });
                    }
                }
            }
            Links::Conv2d { windows, filters } => {
                for (window, places) in windows.iter().enumerate() {
                    for tap in 0..=places.len() {
                        let input = places.get(tap).copied().flatten();
                        let is_outside = input.is_none() && tap < places.len();
                        for filter in (0..filters).filter(|_| !is_outside) {
                            let (weight, output) =
                                (tap * filters + filter, window * filters + filter);
                            visit(Link { input, weight, output });
                        }
                    }
                }
            }
            Links::Mean { windows } => {
                for (output, places) in windows.iter().enumerate() {
                    for &input in places {
                        visit(Link { input: Some(input), weight: 0, output });
                    }
                }
            }
        }
    }

    pub(super) fn forward(&self, x: &[Approximate]) -> Vec<Approximate> {
        let mut y = vec![Sum::default(); self.outputs];
        self.for_each(|Link { input, weight, output }| {
            y[output].add(input_of(x, input).times(self.weights[weight]));
        });
        y.into_iter().map(Sum::rounded).collect()
    }

    pub(super) fn backward(&self, inputs: usize, dy: &[Approximate]) -> Vec<Approximate> {
        let mut dx = vec![Sum::default(); inputs];
        self.for_each(|Link { input, weight, output }| {
            if let Some(input) = input {
                dx[input].add(dy[output].times(self.weights[weight]));
            }
        });
        dx.into_iter().map(Sum::rounded).collect()
    }

    /// One sample's part of the gradient of the weights.
    pub(super) fn gradient(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        let mut dw = vec![Sum::default(); self.weights.len()];
        self.for_each(|Link { input, weight, output }| {
            dw[weight].add(input_of(x, input).times(dy[output]));
        });
        dw.into_iter().map(Sum::rounded).collect()
    }
}

/// The kernel, which is parameter `kernel`, and the bias after it.
pub(super) fn weights(parameters: &[Vec<f64>], kernel: usize) -> Vec<Approximate> {
    let values = parameters[kernel].iter().chain(&parameters[kernel + 1]);
    values.map(|&value| Approximate::exact(value)).collect()
}

fn input_of(x: &[Approximate], input: Option<usize>) -> Approximate {
    input.map_or(Approximate::exact(1.0), |input| x[input])
}
