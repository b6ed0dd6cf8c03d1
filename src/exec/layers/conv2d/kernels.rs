//! What a convolution does with an image block, for any instruction set.

use crate::exec::layers::image_block::{ImagesMut, ImagesRef};
use crate::exec::plan::Geometry;
use crate::kernels::Epilogue;
use crate::kernels::conv::{
    Correlation, Position, Tiling, Volume, Window, greatest, reduce, winograd,
};
use crate::kernels::optim::{UpdateRule, WeightBlocks};
use crate::model::Activation;
use crate::simd::{F32x16, Kernel, Simd};

/// y = activation(x ∗ w + b), pooled where that follows.
pub(super) struct Forward<'a> {
    pub(super) geometry: &'a Geometry,
    /// As it is multiplied.
    pub(super) kernel: &'a [f32],
    pub(super) biases: &'a [f32],
    pub(super) x: ImagesRef<'a>,
    pub(super) y: ImagesMut<'a>,
    pub(super) winners: &'a mut [F32x16],
    pub(super) workspace: &'a mut [F32x16],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, kernel, biases, x, y, winners, workspace } = self;
        let correlation = Correlation {
            input: x.vectors,
            volume: geometry.input,
            nonzero: x.non_zero.clone(),
            row_step: 1,
            kernel: geometry.kernel,
            stride: geometry.stride,
            weights: kernel,
            outputs: geometry.filters,
            positions: Window { height: geometry.rows.count, width: geometry.columns.count },
            tiling: if geometry.pooled { Tiling::Squares } else { Tiling::Rows },
        };
        let activation = geometry.activation;
        if geometry.pooled {
            let pooled = geometry.output();
            let mut epilogue = MaxPool { biases, activation, y, winners, pooled };
            correlate(s, geometry, correlation, workspace, &mut epilogue);
        } else {
            let mut epilogue = BiasActivation { biases, activation, y };
            correlate(s, geometry, correlation, workspace, &mut epilogue);
        }
    }
}

/// Computes a correlation as `geometry` has it: directly, or, its weights being transformed, by
/// minimal filtering.
#[inline(always)]
fn correlate<S: Simd, E: Epilogue<S, Position>>(
    s: S,
    geometry: &Geometry,
    correlation: Correlation<'_>,
    workspace: &mut [F32x16],
    epilogue: &mut E,
) {
    if geometry.uses_winograd() {
        let Correlation { input, volume, weights, outputs, positions, .. } = correlation;
        winograd::Correlation { input, volume, weights, outputs, positions, workspace }
            .run(s, epilogue);
    } else {
        correlation.run(s, epilogue);
    }
}

/// From the bias to the activation.
struct BiasActivation<'a> {
    biases: &'a [f32],
    activation: Activation,
    y: ImagesMut<'a>,
}

impl<S: Simd> Epilogue<S, Position> for BiasActivation<'_> {
    #[inline(always)]
    fn start(&self, s: S, _position: Position, channel: usize) -> S::F32 {
        s.splat(self.biases[channel])
    }

    #[inline(always)]
    fn finish<const C: usize>(
        &mut self,
        s: S,
        Position { y, x }: Position,
        channel: usize,
        sums: [S::F32; C],
    ) {
        let output = &mut self.y.vectors[self.y.volume.at(y, x) + channel..][..C];
        for (z, output) in sums.into_iter().zip(output) {
            s.store(self.activation.forward(s, z), output);
        }
    }
}

/// From the bias through the greatest of a square to the activation, which keeps the order.
struct MaxPool<'a> {
    biases: &'a [f32],
    activation: Activation,
    y: ImagesMut<'a>,
    winners: &'a mut [F32x16],
    /// Of the winners.
    pooled: Volume,
}

impl<S: Simd> Epilogue<S, Position> for MaxPool<'_> {
    #[inline(always)]
    fn start(&self, s: S, _position: Position, channel: usize) -> S::F32 {
        s.splat(self.biases[channel])
    }

    #[inline(always)]
    fn finish_tile<const P: usize, const C: usize>(
        &mut self,
        s: S,
        square: &[Position; P],
        channel: usize,
        sums: [[S::F32; C]; P],
    ) {
        let (y, x) = (square[0].y / 2, square[0].x / 2);
        let output = &mut self.y.vectors[self.y.volume.at(y, x) + channel..][..C];
        let winners = &mut self.winners[self.pooled.at(y, x) + channel..][..C];
        for c in 0..C {
            let (z, winner) = greatest(s, sums.iter().map(|sums| sums[c]));
            s.store(self.activation.forward(s, z), &mut output[c]);
            s.store(winner, &mut winners[c]);
        }
    }
}

/// dz = dy · activation′(y), spread as the windows are.
pub(super) struct ActivationGradient<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) y: ImagesRef<'a>,
    pub(super) winners: &'a [F32x16],
    pub(super) dy: &'a [F32x16],
    pub(super) dz: &'a mut [F32x16],
}

impl Kernel for ActivationGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, y: ImagesRef { volume, vectors, .. }, winners, dy, dz } = self;
        let (spread, plain, stride) =
            (geometry.gradient_volume(), geometry.output(), geometry.stride);
        let channels = geometry.filters;
        for y in 0..plain.height {
            for x in 0..plain.width {
                let (at, from) = (volume.at(y, x), plain.at(y, x));
                for channel in 0..channels {
                    let output = s.load(&vectors[at + channel]);
                    let dy = s.load(&dy[from + channel]);
                    let gradient = geometry.activation.backward(s, output, dy);
                    if !geometry.pooled {
                        let at = spread.at(y * stride.height, x * stride.width);
                        s.store(gradient, &mut dz[at + channel]);
                        continue;
                    }
                    let winner = s.load(&winners[from + channel]);
                    for (number, (row, column)) in
                        [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate()
                    {
                        let (row, column) = (2 * y + row, 2 * x + column);
                        let at = spread.at(row * stride.height, column * stride.width);
                        let wins = s.eq(winner, s.splat(number as f32));
                        s.store(s.select(wins, gradient, s.zero()), &mut dz[at + channel]);
                    }
                }
            }
        }
    }
}

/// The gradient of parameters, its lanes added.
pub(super) struct Reduce<'a> {
    pub(super) sums: &'a [F32x16],
    pub(super) totals: &'a mut [F32x16],
}

impl Kernel for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        reduce(s, self.sums, self.totals);
    }
}

/// dx = dz ∗ w flipped.
pub(super) struct BackwardInput<'a> {
    pub(super) geometry: &'a Geometry,
    /// As it is multiplied.
    pub(super) flipped: &'a [f32],
    pub(super) dz: &'a [F32x16],
    pub(super) dx: &'a mut [F32x16],
    pub(super) workspace: &'a mut [F32x16],
}

impl Kernel for BackwardInput<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { geometry, flipped, dz, dx, workspace } = self;
        let Volume { height, width, channels, .. } = geometry.input;
        let dz_volume = geometry.gradient_volume();
        let correlation = Correlation {
            input: dz,
            volume: dz_volume,
            nonzero: dz_volume.whole(),
            row_step: geometry.stride.height,
            kernel: geometry.kernel,
            stride: Window::square(1),
            weights: flipped,
            outputs: channels,
            positions: Window { height, width },
            tiling: Tiling::Rows,
        };
        let volume = Volume::new(height, width, channels);
        correlate(s, geometry, correlation, workspace, &mut Store { output: dx, volume });
    }
}

/// From zero to the vectors of a volume.
struct Store<'a> {
    output: &'a mut [F32x16],
    volume: Volume,
}

impl<S: Simd> Epilogue<S, Position> for Store<'_> {
    #[inline(always)]
    fn start(&self, s: S, _position: Position, _channel: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const C: usize>(
        &mut self,
        s: S,
        Position { y, x }: Position,
        channel: usize,
        sums: [S::F32; C],
    ) {
        let output = &mut self.output[self.volume.at(y, x) + channel..][..C];
        for (sum, output) in sums.into_iter().zip(output) {
            s.store(sum, output);
        }
    }
}

/// Adds up the gradients of all image blocks, and hands each sum to the optimiser.
pub(super) struct Update<'a, R> {
    /// `count` vectors of parameters for each image block.
    pub(super) gradients: &'a [F32x16],
    pub(super) count: usize,
    /// The first vector of parameters that is updated.
    pub(super) first: usize,
    /// Parameters and the optimiser's slots.
    pub(super) parameters: &'a mut [F32x16],
    pub(super) rule: R,
}

impl<R: UpdateRule> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gradients, count, first, parameters, rule } = self;
        for (vector, row) in (first..).zip(parameters.chunks_exact_mut(R::SLOTS)) {
            let parts = gradients[vector..].iter().step_by(count);
            let sum = parts.fold(s.zero(), |sum, part| s.add(sum, s.load(part)));
            let (weights, state) = row.split_at_mut(1);
            rule.update(s, [sum], WeightBlocks { weights, state, first: 0 });
        }
    }
}
