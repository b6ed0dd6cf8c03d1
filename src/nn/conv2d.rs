//! The convolution, z = x ∗ w + b: one member's part of it, forward beside backward.
//!
//! A member takes its own images, sixteen at a time, all the way; only the parameters are shared.
//! Their gradient is added up in each sixteen for itself, and the sums of those in their order, so
//! that it does not matter who has which. Parameters stand in one row, kernel then biases, each
//! sixteen followed by their moments.
//!
//! A max pooling of 2 × 2 that follows at once is done while the sums are in registers.

use std::ops::Range;

use crate::buffers::{LANES, Lanes, Seat, groups, zeroed};
use crate::conv::{
    Border, Correlation, Finish, KernelGradient, Lit, Place, Steps, Tiling, Volume, Window,
    greatest, reduce,
};
use crate::nn::Activation;
use crate::ops::activation::{relu, relu_backward, sigmoid, sigmoid_backward};
use crate::optim::Rule;
use crate::simd::{Isa, Kernel, Simd};

/// What a convolution is: sizes, without numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// Its input, with the border that padding makes.
    pub(crate) input: Volume,
    /// Its places.
    pub(crate) rows: Steps,
    pub(crate) columns: Steps,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    pub(crate) filters: usize,
    pub(crate) activation: Activation,
    /// Whether a max pooling of 2 × 2 follows.
    pub(crate) pooled: bool,
}

impl Geometry {
    /// Weights and biases.
    pub(crate) fn parameters(&self) -> usize {
        self.weights() + self.filters
    }

    fn weights(&self) -> usize {
        self.kernel.height * self.kernel.width * self.input.channels * self.filters
    }

    /// What it puts out, after pooling, without a border.
    pub(crate) fn output(&self) -> Volume {
        let part = if self.pooled { 2 } else { 1 };
        Volume::new(self.rows.count / part, self.columns.count / part, self.filters)
    }

    /// The gradient of its sums, spread as far apart as the windows, with the border that windows
    /// need to reach every input.
    fn places(&self) -> Volume {
        let side = |steps: Steps, length: usize, size: usize, stride: usize| {
            let spread = (steps.count - 1) * stride + 1;
            // From the first window that meets the first input to the last that meets the last.
            (spread, size - 1 - steps.before, (length + steps.before).saturating_sub(spread))
        };
        let Self { input, kernel, stride, .. } = self;
        let (height, top, bottom) = side(self.rows, input.height, kernel.height, stride.height);
        let (width, left, right) = side(self.columns, input.width, kernel.width, stride.width);
        let border = Border { top, bottom, left, right };
        Volume { height, width, channels: self.filters, border }
    }
}

/// One member's convolution.
pub(crate) struct Conv2d {
    geometry: Geometry,
    /// Lanes of a parameter: itself and its moments.
    cells: usize,
    pub(crate) parameters: Seat,
    /// A group of sixteen parameters after the other, for each sixteen images.
    gradients: Seat,
    /// The groups of parameters that the member updates.
    own: Range<usize>,
    /// The parameters in one row, and the kernel turned about, with inputs and outputs exchanged.
    row: Vec<f32>,
    turned: Vec<f32>,
    /// For each sixteen images of the member, which number of its window is each pooled one.
    winners: Vec<Lanes>,
    dz: Vec<Lanes>,
    /// The gradient before its lanes are added.
    sums: Vec<Lanes>,
    /// The gradient of the parameters, for each sixteen images of the member.
    totals: Vec<Lanes>,
    /// Whether anybody needs the gradient of its inputs.
    backward_input: bool,
}

/// What a convolution shares with those of other members, and how much it has to do.
pub(crate) struct Share {
    pub(crate) cells: usize,
    pub(crate) parameters: Seat,
    pub(crate) gradients: Seat,
    /// The groups of parameters that the member updates.
    pub(crate) own: Range<usize>,
    /// Sixteens of images that the member takes.
    pub(crate) sixteens: usize,
    pub(crate) backward_input: bool,
}

impl Conv2d {
    /// The convolution of a member, whose parameters are yet to be set.
    pub(crate) fn new(geometry: Geometry, share: Share) -> Self {
        let Share { cells, parameters, gradients, own, sixteens, backward_input } = share;
        let winners = if geometry.pooled { sixteens * geometry.output().lanes() } else { 0 };
        let turned = if backward_input { geometry.weights() } else { 0 };
        Self {
            geometry,
            cells,
            parameters,
            gradients,
            own,
            row: vec![0.0; groups(geometry.parameters()) * LANES],
            turned: vec![0.0; turned],
            winners: zeroed(winners),
            dz: zeroed(geometry.places().lanes()),
            sums: zeroed(geometry.parameters()),
            totals: zeroed(sixteens * groups(geometry.parameters())),
            backward_input,
        }
    }

    /// Sets the member's own parameters from `kernel` (height × width × inputs × filters) and
    /// `bias`.
    pub(crate) fn set(&mut self, kernel: &[f32], bias: &[f32]) {
        let Self { own, cells, parameters, .. } = self;
        let mut writer = parameters.write();
        let state = writer.lanes(own.start * *cells..own.end * *cells);
        let mut values = kernel.iter().chain(bias).skip(own.start * LANES);
        for lanes in state.chunks_exact_mut(*cells) {
            lanes[0].0.iter_mut().zip(&mut values).for_each(|(lane, value)| *lane = *value);
        }
    }

    /// Copies the lanes `cell` of all parameters (0: the parameter itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, cell: usize, kernel: &mut [f32], bias: &mut [f32]) {
        let state = self.parameters.read();
        let values = state.chunks_exact(self.cells).flat_map(|lanes| &lanes[cell].0);
        kernel.iter_mut().chain(bias).zip(values).for_each(|(into, value)| *into = *value);
    }

    /// Takes the parameters as they are now: once before each minibatch.
    pub(crate) fn prepare(&mut self) {
        let Self { geometry, cells, parameters, row, turned, backward_input, .. } = self;
        let state = parameters.read();
        let (sixteens, _) = row.as_chunks_mut::<LANES>();
        for (values, lanes) in sixteens.iter_mut().zip(state.chunks_exact(*cells)) {
            *values = lanes[0].0;
        }
        if *backward_input {
            let (inputs, filters) = (geometry.input.channels, geometry.filters);
            let taps = turned.chunks_exact_mut(inputs * filters).rev();
            for (turned, tap) in taps.zip(row.chunks_exact(inputs * filters)) {
                for (input, weights) in tap.chunks_exact(filters).enumerate() {
                    let turned = turned[input..].iter_mut().step_by(inputs);
                    turned.zip(weights).for_each(|(turned, weight)| *turned = *weight);
                }
            }
        }
    }

    /// y = activation(x ∗ w + b), pooled where that follows, for the member's `sixteen`th sixteen
    /// images, of which no more than `lit` is not zero.
    pub(crate) fn forward(
        &mut self,
        isa: Isa,
        sixteen: usize,
        (input, lit): (&[Lanes], Lit),
        (output, volume): (&mut [Lanes], Volume),
    ) {
        let pooled = self.geometry.output().lanes();
        let winners = self.winners.chunks_exact_mut(pooled.max(1)).nth(sixteen).unwrap_or_default();
        let geometry = &self.geometry;
        isa.run(Forward { geometry, row: &self.row, input, lit, output, volume, winners });
    }

    /// From the gradient `dy` of the member's `sixteen`th sixteen images that of the parameters,
    /// which is kept, and that of the inputs in `dx`, if anybody needs it.
    pub(crate) fn backward(
        &mut self,
        isa: Isa,
        sixteen: usize,
        passed: Passed<'_>,
        (dy, dx): (&[Lanes], &mut [Lanes]),
    ) {
        let Self { geometry, dz, sums, winners, turned, .. } = self;
        let geometry = &*geometry;
        let pooled = geometry.output().lanes();
        let winners = winners.chunks_exact(pooled.max(1)).nth(sixteen).unwrap_or_default();
        let Passed { input, lit, output, volume } = passed;
        isa.run(Deactivate { geometry, output, volume, winners, dy, dz });
        isa.run(KernelGradient {
            input,
            volume: geometry.input,
            lit,
            kernel: geometry.kernel,
            stride: geometry.stride,
            gradient: dz,
            places: geometry.places(),
            sums,
        });
        let count = groups(sums.len());
        isa.run(Reduce { sums, totals: &mut self.totals[sixteen * count..][..count] });
        if self.backward_input {
            isa.run(BackwardInput { geometry, turned, dz, dx });
        }
    }

    /// Lets the others see the gradients of the member's sixteens,.
    pub(crate) fn publish(&mut self, sixteens: Range<usize>) {
        let count = groups(self.sums.len());
        let mut writer = self.gradients.write();
        let into = writer.lanes(sixteens.start * count..sixteens.end * count);
        into.copy_from_slice(&self.totals[..into.len()]);
    }

    /// Adds the gradients of `sixteens` sixteens, and has `rule` turn the member's share of the
    /// sums into new parameters.
    pub(crate) fn update<R: Rule>(&mut self, isa: Isa, sixteens: usize, rule: R) {
        let gradients = self.gradients.read();
        let mut writer = self.parameters.write();
        let state = writer.lanes(self.own.start * R::CELLS..self.own.end * R::CELLS);
        let count = groups(self.sums.len());
        let gradients = &gradients[..sixteens * count];
        isa.run(Update { gradients, count, first: self.own.start, state, rule });
    }
}

/// What a convolution read and put out.
pub(crate) struct Passed<'a> {
    pub(crate) input: &'a [Lanes],
    pub(crate) lit: Lit,
    pub(crate) output: &'a [Lanes],
    pub(crate) volume: Volume,
}

struct Forward<'a> {
    geometry: &'a Geometry,
    row: &'a [f32],
    input: &'a [Lanes],
    lit: Lit,
    output: &'a mut [Lanes],
    volume: Volume,
    winners: &'a mut [Lanes],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, row, input, lit, output, volume, winners } = self;
        let (weights, biases) = row.split_at(geometry.weights());
        let correlation = Correlation {
            input,
            volume: geometry.input,
            lit,
            row_step: 1,
            kernel: geometry.kernel,
            stride: geometry.stride,
            weights,
            outputs: geometry.filters,
        };
        let places = (geometry.rows.count, geometry.columns.count);
        let activation = geometry.activation;
        if geometry.pooled {
            let pooled = geometry.output();
            let mut finish = Pool { biases, activation, output, volume, winners, pooled };
            correlation.run(s, places, Tiling::Squares, &mut finish);
        } else {
            let mut finish = Activate { biases, activation, output, volume };
            correlation.run(s, places, Tiling::Rows, &mut finish);
        }
    }
}

/// y = activation(z)
#[inline(always)]
fn activate<S: Simd>(s: S, activation: Activation, z: S::F32) -> S::F32 {
    match activation {
        Activation::Relu => relu(s, z),
        Activation::Sigmoid => sigmoid(s, z),
        Activation::Linear | Activation::Softmax => z,
    }
}

/// From the bias to the activation.
struct Activate<'a> {
    biases: &'a [f32],
    activation: Activation,
    output: &'a mut [Lanes],
    volume: Volume,
}

impl<S: Simd> Finish<S> for Activate<'_> {
    #[inline(always)]
    fn start(&self, s: S, channel: usize) -> S::F32 {
        s.splat(self.biases[channel])
    }

    #[inline(always)]
    fn finish<const P: usize, const C: usize>(
        &mut self,
        s: S,
        places: &[Place; P],
        channel: usize,
        sums: [[S::F32; C]; P],
    ) {
        for (&(y, x), sums) in places.iter().zip(sums) {
            let lanes = &mut self.output[self.volume.at(y, x) + channel..][..C];
            for (z, lanes) in sums.into_iter().zip(lanes) {
                s.store(activate(s, self.activation, z), lanes);
            }
        }
    }
}

/// From the bias through the greatest of a square to the activation, which keeps the order.
struct Pool<'a> {
    biases: &'a [f32],
    activation: Activation,
    output: &'a mut [Lanes],
    volume: Volume,
    winners: &'a mut [Lanes],
    /// Of the winners.
    pooled: Volume,
}

impl<S: Simd> Finish<S> for Pool<'_> {
    #[inline(always)]
    fn start(&self, s: S, channel: usize) -> S::F32 {
        s.splat(self.biases[channel])
    }

    #[inline(always)]
    fn finish<const P: usize, const C: usize>(
        &mut self,
        s: S,
        places: &[Place; P],
        channel: usize,
        sums: [[S::F32; C]; P],
    ) {
        let (y, x) = (places[0].0 / 2, places[0].1 / 2);
        let output = &mut self.output[self.volume.at(y, x) + channel..][..C];
        let winners = &mut self.winners[self.pooled.at(y, x) + channel..][..C];
        for c in 0..C {
            let (z, winner) = greatest(s, sums.iter().map(|sums| sums[c]));
            s.store(activate(s, self.activation, z), &mut output[c]);
            s.store(winner, &mut winners[c]);
        }
    }
}

/// dz = dy · activation′(y), spread as the windows are.
struct Deactivate<'a> {
    geometry: &'a Geometry,
    output: &'a [Lanes],
    volume: Volume,
    winners: &'a [Lanes],
    dy: &'a [Lanes],
    dz: &'a mut [Lanes],
}

impl Kernel for Deactivate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, output, volume, winners, dy, dz } = self;
        let (places, plain, stride) = (geometry.places(), geometry.output(), geometry.stride);
        let channels = geometry.filters;
        for y in 0..plain.height {
            for x in 0..plain.width {
                let (at, from) = (volume.at(y, x), plain.at(y, x));
                for channel in 0..channels {
                    let (y_lanes, dy_lanes) = (&output[at + channel], &dy[from + channel]);
                    let (out, dy) = (s.load(y_lanes), s.load(dy_lanes));
                    let gradient = match geometry.activation {
                        Activation::Relu => relu_backward(s, out, dy),
                        Activation::Sigmoid => sigmoid_backward(s, out, dy),
                        Activation::Linear | Activation::Softmax => dy,
                    };
                    if !geometry.pooled {
                        let at = places.at(y * stride.height, x * stride.width);
                        s.store(gradient, &mut dz[at + channel]);
                        continue;
                    }
                    let winner = s.load(&winners[from + channel]);
                    for (number, (row, column)) in
                        [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate()
                    {
                        let (row, column) = (2 * y + row, 2 * x + column);
                        let at = places.at(row * stride.height, column * stride.width);
                        let wins = s.eq(winner, s.splat(number as f32));
                        s.store(s.select(wins, gradient, s.zero()), &mut dz[at + channel]);
                    }
                }
            }
        }
    }
}

/// The gradient of parameters, its lanes added.
struct Reduce<'a> {
    sums: &'a [Lanes],
    totals: &'a mut [Lanes],
}

impl Kernel for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        reduce(s, self.sums, self.totals);
    }
}

/// dx = dz ∗ w turned about.
struct BackwardInput<'a> {
    geometry: &'a Geometry,
    turned: &'a [f32],
    dz: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for BackwardInput<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, turned, dz, dx } = self;
        let Volume { height, width, channels, .. } = geometry.input;
        let places = geometry.places();
        let correlation = Correlation {
            input: dz,
            volume: places,
            lit: places.whole(),
            row_step: geometry.stride.height,
            kernel: geometry.kernel,
            stride: Window::square(1),
            weights: turned,
            outputs: channels,
        };
        let mut finish = Store { output: dx, volume: Volume::new(height, width, channels) };
        correlation.run(s, (height, width), Tiling::Rows, &mut finish);
    }
}

/// From zero to the lanes of a volume.
struct Store<'a> {
    output: &'a mut [Lanes],
    volume: Volume,
}

impl<S: Simd> Finish<S> for Store<'_> {
    #[inline(always)]
    fn start(&self, s: S, _channel: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const P: usize, const C: usize>(
        &mut self,
        s: S,
        places: &[Place; P],
        channel: usize,
        sums: [[S::F32; C]; P],
    ) {
        for (&(y, x), sums) in places.iter().zip(sums) {
            let lanes = &mut self.output[self.volume.at(y, x) + channel..][..C];
            for (sum, lanes) in sums.into_iter().zip(lanes) {
                s.store(sum, lanes);
            }
        }
    }
}

/// Adds up the gradients of all sixteens, and hands each sum to the optimiser.
struct Update<'a, R> {
    /// `count` groups of parameters for each sixteen.
    gradients: &'a [Lanes],
    count: usize,
    /// The first group of parameters that is updated.
    first: usize,
    state: &'a mut [Lanes],
    rule: R,
}

impl<R: Rule> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gradients, count, first, state, rule } = self;
        for (group, row) in (first..).zip(state.chunks_exact_mut(R::CELLS)) {
            let parts = gradients[group..].iter().step_by(count);
            let sum = parts.fold(s.zero(), |sum, part| s.add(sum, s.load(part)));
            rule.update(s, sum, row, 1, 0);
        }
    }
}
