//! Convolutions by minimal filtering: what the transforms, the products at their points and the
//! transforms back may be wrong by.
//!
//! The engine adds numbers of either sign that windows alone would not bring together, so its sums
//! may be further off than direct ones: here every step is followed as the engine takes it.

use super::linear::weights;
use crate::check::approximate::{Approximate, Sum};
use crate::check::reference::Windows;
use crate::kernels::conv::winograd::Sizes;
use crate::model::Window;
use crate::simd::LANES;

/// A matrix that numbers are multiplied with along one side.
type Matrix<const ROWS: usize, const COLUMNS: usize> = [[f64; COLUMNS]; ROWS];

/// Of inputs, Bᵀ; of weights, G; and of products, Aᵀ.
const INPUT: Matrix<4, 4> =
    [[1., 0., -1., 0.], [0., 1., 1., 0.], [0., -1., 1., 0.], [0., 1., 0., -1.]];
const WEIGHT: Matrix<4, 3> = [[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]];
const SUM: Matrix<2, 4> = [[1., 1., 1., 0.], [0., 1., -1., -1.]];

/// The points where patches and kernels are multiplied.
const POINTS: usize = 16;
/// The side of a kernel.
const SIDE: usize = 3;
/// The weights of a kernel for each pair of channels.
const TAPS: usize = SIDE * SIDE;

/// A convolution of 3 × 3.
pub(super) struct Winograd {
    windows: Windows,
    filters: usize,
    /// The kernel, then the biases.
    weights: Vec<Approximate>,
    /// Which parameter the kernel is.
    pub(super) parameters: usize,
}

/// An image whose patches are transformed: number (y, x, c) stands at (y · width + x) · channels + c.
struct Image<'a> {
    numbers: &'a [Approximate],
    height: usize,
    width: usize,
    channels: usize,
    /// Where the first patch begins.
    first: (isize, isize),
}

impl Winograd {
    /// The convolution whose kernel is parameter `kernel`, if the engine computes it so.
    pub(super) fn new(parameters: &[Vec<f64>], kernel: usize, windows: &Windows) -> Option<Self> {
        let filters = parameters[kernel + 1].len();
        let sizes = Sizes {
            kernel: windows.size,
            stride: windows.stride,
            inputs: windows.channels,
            filters,
            positions: windows.count,
        };
        let weights = sizes.suit().then(|| weights(parameters, kernel))?;
        Some(Self { windows: *windows, filters, weights, parameters: kernel })
    }

    pub(super) fn forward(&self, x: &[Approximate]) -> Vec<Approximate> {
        let (inputs, filters) = (self.windows.channels, self.filters);
        let kernel =
            at_points(|tap, input, filter| self.weight(tap, input, filter), inputs, filters);
        let mut y = correlate(&self.image(x), &kernel, filters, self.windows.count);
        let biases = self.weights[TAPS * inputs * filters..].iter().cycle();
        for (y, &bias) in y.iter_mut().zip(biases) {
            *y = sum([*y, bias]);
        }
        y
    }

    /// The gradient of the inputs: windows over dy, with the kernel flipped.
    pub(super) fn backward(&self, dy: &[Approximate]) -> Vec<Approximate> {
        let Self { windows, filters, .. } = self;
        let flipped = |tap, filter, input| self.weight(TAPS - 1 - tap, input, filter);
        let kernel = at_points(flipped, *filters, windows.channels);
        // The first window that meets the first input, two rows and columns before it at most.
        let first = (-2 - windows.first.0, -2 - windows.first.1);
        correlate(
            &self.gradient_image(dy, first),
            &kernel,
            windows.channels,
            Window { height: windows.height, width: windows.width },
        )
    }

    /// One sample's part of the gradient of the weights, then of the biases.
    pub(super) fn gradient(&self, x: &[Approximate], dy: &[Approximate]) -> Vec<Approximate> {
        let (inputs, filters) = (self.windows.channels, self.filters);
        let (image, dy_image) = (self.image(x), self.gradient_image(dy, (0, 0)));
        let mut sums = vec![[Sum::default(); POINTS]; inputs * filters];
        for (row, column) in squares(self.windows.count) {
            let squares: Vec<[Approximate; POINTS]> = (0..filters)
                .map(|filter| {
                    let square = dy_image.square::<2>(row, column, filter);
                    flat(transform(&transposed(SUM), square))
                })
                .collect();
            for input in 0..inputs {
                let patch = flat(transform(&INPUT, image.square::<4>(row, column, input)));
                for (sums, square) in sums[input * filters..].iter_mut().zip(&squares) {
                    for ((sum, x), dy) in sums.iter_mut().zip(patch).zip(square) {
                        sum.add(x.times(*dy));
                    }
                }
            }
        }
        let mut gradient = vec![Approximate::exact(0.0); self.weights.len()];
        for (pair, sums) in sums.into_iter().enumerate() {
            // The images of a block are added at the points, too.
            let points = sums.map(|sum| sum.rounded_with(LANES));
            let taps = transform(&transposed(WEIGHT), square_of(points));
            for (tap, number) in taps.as_flattened().iter().enumerate() {
                gradient[tap * inputs * filters + pair] = *number;
            }
        }
        let mut biases = vec![Sum::default(); filters];
        for dy in dy.chunks_exact(filters) {
            biases.iter_mut().zip(dy).for_each(|(sum, dy)| sum.add(*dy));
        }
        let into = gradient[TAPS * inputs * filters..].iter_mut();
        into.zip(biases).for_each(|(into, sum)| *into = sum.rounded());
        gradient
    }

    fn weight(&self, tap: usize, input: usize, filter: usize) -> Approximate {
        self.weights[(tap * self.windows.channels + input) * self.filters + filter]
    }

    /// The inputs.
    fn image<'a>(&self, x: &'a [Approximate]) -> Image<'a> {
        let Windows { height, width, channels, first, .. } = self.windows;
        Image { numbers: x, height, width, channels, first }
    }

    /// The gradient of the outputs.
    fn gradient_image<'a>(&self, dy: &'a [Approximate], first: (isize, isize)) -> Image<'a> {
        let count = self.windows.count;
        let (height, width) = (count.height, count.width);
        Image { numbers: dy, height, width, channels: self.filters, first }
    }
}

impl Image<'_> {
    /// The `N` × `N` numbers of a channel from a position on; zeros outside the image.
    fn square<const N: usize>(
        &self,
        row: usize,
        column: usize,
        channel: usize,
    ) -> [[Approximate; N]; N] {
        let number = |y: usize, x: usize| {
            let y = self.first.0.checked_add_unsigned(row + y)?;
            let x = self.first.1.checked_add_unsigned(column + x)?;
            let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
            let is_inside = y < self.height && x < self.width;
            is_inside.then(|| self.numbers[(y * self.width + x) * self.channels + channel])
        };
        let or_zero = |y, x| number(y, x).unwrap_or(Approximate::exact(0.0));
        std::array::from_fn(|y| std::array::from_fn(|x| or_zero(y, x)))
    }
}

/// Sums over windows, without biases.
fn correlate(
    image: &Image<'_>,
    kernel: &[[Approximate; POINTS]],
    outputs: usize,
    positions: Window,
) -> Vec<Approximate> {
    let mut y = vec![Approximate::exact(0.0); positions.height * positions.width * outputs];
    for (row, column) in squares(positions) {
        let patch = |channel| flat(transform(&INPUT, image.square::<4>(row, column, channel)));
        let patches: Vec<_> = (0..image.channels).map(patch).collect();
        for output in 0..outputs {
            let mut sums = [Sum::default(); POINTS];
            for (patch, weights) in patches.iter().zip(kernel[output..].iter().step_by(outputs)) {
                for ((sum, x), weight) in sums.iter_mut().zip(patch).zip(weights) {
                    sum.add(x.times(*weight));
                }
            }
            let square = transform(&SUM, square_of(sums.map(Sum::rounded)));
            for (y_of, numbers) in square.iter().enumerate() {
                for (x_of, number) in numbers.iter().enumerate() {
                    let place = (row + y_of) * positions.width + column + x_of;
                    y[place * outputs + output] = *number;
                }
            }
        }
    }
    y
}

/// The kernels of `inputs` × `outputs` channels, transformed; `weight` is told tap, input and output.
fn at_points(
    weight: impl Fn(usize, usize, usize) -> Approximate,
    inputs: usize,
    outputs: usize,
) -> Vec<[Approximate; POINTS]> {
    let kernel = |input, output| {
        let taps =
            std::array::from_fn(|y| std::array::from_fn(|x| weight(SIDE * y + x, input, output)));
        flat(transform(&WEIGHT, taps))
    };
    (0..inputs)
        .flat_map(|input| (0..outputs).map(move |output| (input, output)))
        .map(|(input, output)| kernel(input, output))
        .collect()
}

/// Where squares of four positions begin.
fn squares(Window { height, width }: Window) -> impl Iterator<Item = (usize, usize)> {
    (0..height)
        .step_by(2)
        .flat_map(move |row| (0..width).step_by(2).map(move |column| (row, column)))
}

/// matrix · square · matrixᵀ: down the columns, then along the rows, rounded after each.
fn transform<const N: usize, const M: usize>(
    matrix: &Matrix<M, N>,
    square: [[Approximate; N]; N],
) -> [[Approximate; M]; M] {
    let columns = transposed(square).map(|column| along(matrix, column));
    transposed(columns).map(|row| along(matrix, row))
}

/// To multiply by 1, −1 and ½ is exact.
fn along<const N: usize, const M: usize>(
    matrix: &Matrix<M, N>,
    numbers: [Approximate; N],
) -> [Approximate; M] {
    matrix.map(|row| {
        let terms = row.into_iter().zip(numbers);
        sum(terms.map(|(factor, number)| number.times(Approximate::exact(factor))))
    })
}

/// The sum of some numbers, rounded.
fn sum(numbers: impl IntoIterator<Item = Approximate>) -> Approximate {
    let mut sum = Sum::default();
    numbers.into_iter().for_each(|number| sum.add(number));
    sum.rounded()
}

fn transposed<T: Copy, const N: usize, const M: usize>(rows: [[T; N]; M]) -> [[T; M]; N] {
    std::array::from_fn(|y| std::array::from_fn(|x| rows[x][y]))
}

/// Row by row.
fn flat(square: [[Approximate; 4]; 4]) -> [Approximate; POINTS] {
    std::array::from_fn(|point| square[point / 4][point % 4])
}

/// The same back.
fn square_of(points: [Approximate; POINTS]) -> [[Approximate; 4]; 4] {
    std::array::from_fn(|y| std::array::from_fn(|x| points[4 * y + x]))
}
