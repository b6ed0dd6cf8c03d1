//! Convolution and pooling against scalar loops over what their definitions say, on every
//! instruction set: bits where those loops take the same steps, and bounds in f64 everywhere.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{
    Border, Correlation, FilterGradient, GradientSource, KernelGradient, NonZeroBounds, Padding,
    PoolBackward, PoolForward, Pooling, Position, Steps, Tiling, Volume, Window, Windows,
    filter_workspace_len, workspace_len,
};
use crate::kernels::Epilogue;
use crate::kernels::gemm::testing::{Sum, UNTOUCHED, is_untouched, number};
use crate::kernels::testing::with_cases;
use crate::rng::{Rng, Stream};
use crate::simd::{F32x16, Isa, Kernel, LANES, Simd, zeroed};

/// A convolution of a block of random images that are black outside `nonzero`.
#[derive(Debug)]
struct Case {
    volume: Volume,
    rows: Steps,
    columns: Steps,
    kernel: Window,
    stride: Window,
    filters: usize,
    nonzero: NonZeroBounds,
    rng: Rng,
}

fn window(largest: usize) -> impl Strategy<Value = Window> {
    (1..=largest, 1..=largest).prop_map(|(height, width)| Window { height, width })
}

fn cases() -> impl Strategy<Value = Case> {
    let size = (1_usize..=9, 1_usize..=11, 1_usize..=7);
    let padding = select(vec![Padding::Valid, Padding::Same]);
    let nonzero = ((0_usize..=9, 0_usize..=9), (0_usize..=9, 0_usize..=9), any::<bool>());
    let seed = any::<u64>().no_shrink();
    (size, window(5), window(3), padding, 1_usize..=9, nonzero, seed).prop_filter_map(
        "the kernel is larger than the image",
        |(
            (height, width, channels),
            kernel,
            stride,
            padding,
            filters,
            (down, across, all),
            seed,
        )| {
            let rows = Steps::new(height, kernel.height, stride.height, padding)?;
            let columns = Steps::new(width, kernel.width, stride.width, padding)?;
            let border = Border {
                top: rows.before,
                bottom: rows.after,
                left: columns.before,
                right: columns.after,
            };
            let volume = Volume { height, width, channels, border };
            let cut = |(a, b): (usize, usize), size: usize| a.min(b).min(size)..a.max(b).min(size);
            let nonzero = NonZeroBounds { rows: cut(down, height), columns: cut(across, width) };
            let nonzero = if all { volume.whole() } else { nonzero };
            let rng = Rng::stream(seed, Stream::Initialise, 0);
            Some(Case { volume, rows, columns, kernel, stride, filters, nonzero, rng })
        },
    )
}

impl Case {
    /// Random images, black outside `nonzero`, with zeros about them.
    fn images(&mut self) -> Vec<F32x16> {
        let mut vectors = zeroed(self.volume.vectors());
        for y in self.nonzero.rows.clone() {
            for x in self.nonzero.columns.clone() {
                let at = self.volume.at(y, x);
                for vector in &mut vectors[at..at + self.volume.channels] {
                    vector.0.fill_with(|| number(&mut self.rng));
                }
            }
        }
        vectors
    }

    /// A gradient of the sums, spread as the windows are, in a border that is not looked at.
    fn dz(&mut self) -> (Volume, Vec<F32x16>) {
        let spread = |count: usize, stride: usize| (count - 1) * stride + 1;
        let volume = Volume {
            height: spread(self.rows.count, self.stride.height),
            width: spread(self.columns.count, self.stride.width),
            channels: self.filters,
            border: Border { top: 1, bottom: 0, left: 2, right: 1 },
        };
        let mut dz = vec![F32x16([UNTOUCHED; LANES]); volume.vectors()];
        for position in self.positions() {
            let first = self.dz_at(&volume, position);
            for vector in &mut dz[first..first + self.filters] {
                vector.0.fill_with(|| number(&mut self.rng));
            }
        }
        (volume, dz)
    }

    /// Where the first channel of it stands at a position.
    fn dz_at(&self, volume: &Volume, Position { y, x }: Position) -> usize {
        volume.at(y * self.stride.height, x * self.stride.width)
    }

    /// What gradients are computed from.
    fn source<'a>(&self, input: &'a [F32x16], dz: &'a (Volume, Vec<F32x16>)) -> GradientSource<'a> {
        GradientSource {
            input,
            volume: self.volume,
            nonzero: self.nonzero.clone(),
            kernel: self.kernel,
            stride: self.stride,
            dz: &dz.1,
            dz_volume: dz.0,
        }
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| number(&mut self.rng)).collect()
    }

    fn taps(&self) -> usize {
        self.kernel.height * self.kernel.width * self.volume.channels
    }

    /// Where tap `tap` of the window at a position stands.
    fn tap(&self, position: Position, tap: usize) -> usize {
        let (pixel, channel) = (tap / self.volume.channels, tap % self.volume.channels);
        let y = position.y * self.stride.height + pixel / self.kernel.width;
        let x = position.x * self.stride.width + pixel % self.kernel.width;
        y * self.volume.row_stride() + x * self.volume.channels + channel
    }

    fn positions(&self) -> impl Iterator<Item = Position> + use<> {
        let columns = self.columns.count;
        (0..self.rows.count).flat_map(move |y| (0..columns).map(move |x| Position { y, x }))
    }
}

/// Starts from the biases, and keeps the sums of each position and channel.
pub(super) struct Tables<'a> {
    pub(super) biases: &'a [f32],
    pub(super) found: &'a mut [[f32; LANES]],
    pub(super) columns: usize,
}

impl<S: Simd> Epilogue<S, Position> for Tables<'_> {
    #[inline(always)]
    fn start(&self, s: S, _position: Position, channel: usize) -> S::F32 {
        s.splat(self.biases[channel])
    }

    #[inline(always)]
    fn finish<const C: usize>(
        &mut self,
        s: S,
        position: Position,
        channel: usize,
        sums: [S::F32; C],
    ) {
        let first = (position.y * self.columns + position.x) * self.biases.len() + channel;
        for (found, sum) in self.found[first..].iter_mut().zip(sums) {
            assert!(is_untouched(found[0]), "{position:?} was finished twice");
            s.store_unaligned(sum, found);
        }
    }
}

struct Run<'a> {
    correlation: Correlation<'a>,
    tables: Tables<'a>,
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.correlation.run(s, &mut self.tables);
    }
}

/// A sum is what a scalar loop makes it: to the bit but for the sign of a zero, where products
/// are fused.
fn check(isa: Isa, sum: &Sum, found: f32) -> TestCaseResult {
    let equal = !isa.is_fused() || sum.equals(found);
    prop_assert!(equal && sum.bounds(found), "{isa:?}: {found}, not {sum:?}");
    Ok(())
}

proptest! {
    #![proptest_config(with_cases(120))]

    #[test]
    fn forward_is_a_sum_over_each_window(
        mut case in cases(),
        tiling in select(vec![Tiling::Rows, Tiling::Squares]),
    ) {
        let (input, filters) = (case.images(), case.filters);
        let weights = case.numbers(case.taps() * filters);
        let biases = case.numbers(filters);
        let columns = case.columns.count;
        let is_left_over = |Position { y, x }: Position| {
            let ends = (case.rows.count / 2 * 2, columns / 2 * 2);
            tiling == Tiling::Squares && (y >= ends.0 || x >= ends.1)
        };
        for isa in Isa::available() {
            let mut found = vec![[UNTOUCHED; LANES]; case.rows.count * columns * filters];
            isa.run(Run {
                correlation: Correlation {
                    input: &input,
                    volume: case.volume,
                    nonzero: case.nonzero.clone(),
                    row_step: 1,
                    kernel: case.kernel,
                    stride: case.stride,
                    weights: &weights,
                    outputs: filters,
                    positions: Window { height: case.rows.count, width: columns },
                    tiling,
                },
                tables: Tables { biases: &biases, found: &mut found, columns },
            });
            for (position, found) in case.positions().zip(found.chunks_exact(filters)) {
                if is_left_over(position) {
                    prop_assert!(found.iter().flatten().all(|&x| is_untouched(x)));
                    continue;
                }
                for (filter, found) in found.iter().enumerate() {
                    for (lane, &found) in found.iter().enumerate() {
                        let mut sum = Sum::from(biases[filter]);
                        for tap in 0..case.taps() {
                            let x = input[case.tap(position, tap)].0[lane];
                            sum.add(x, weights[tap * filters + filter]);
                        }
                        check(isa, &sum, found)?;
                    }
                }
            }
        }
    }

    #[test]
    fn the_gradient_of_a_kernel_is_a_sum_over_positions(mut case in cases()) {
        let (input, filters) = (case.images(), case.filters);
        let dz = case.dz();
        let taps = case.taps();
        for isa in Isa::available() {
            let mut sums = vec![F32x16([UNTOUCHED; LANES]); (taps + 1) * filters];
            let workspace = workspace_len(&case.volume, &dz.0, case.stride);
            let mut workspace = vec![F32x16([UNTOUCHED; LANES]); workspace];
            isa.run(KernelGradient {
                source: case.source(&input, &dz),
                sums: &mut sums,
                workspace: &mut workspace,
            });
            for (index, vector) in sums.iter().enumerate() {
                let (tap, filter) = (index / filters, index % filters);
                for (lane, &found) in vector.0.iter().enumerate() {
                    let mut sum = Sum::from(0.0);
                    for position in case.positions() {
                        // The biases are a tap that always meets a one.
                        let x = if tap < taps { input[case.tap(position, tap)].0[lane] } else { 1.0 };
                        sum.add(x, dz.1[case.dz_at(&dz.0, position) + filter].0[lane]);
                    }
                    check(isa, &sum, found)?;
                }
            }
        }
    }

    #[test]
    fn the_gradient_of_many_filters_is_a_sum_over_images_then_positions(mut case in cases()) {
        let (input, filters) = (case.images(), case.filters);
        let dz = case.dz();
        let taps = case.taps();
        for isa in Isa::available() {
            let mut totals = vec![UNTOUCHED; (taps + 1) * filters];
            isa.run(FilterGradient {
                source: case.source(&input, &dz),
                totals: &mut totals,
                workspace: &mut vec![F32x16([UNTOUCHED; LANES]); filter_workspace_len(taps)],
            });
            for (index, &found) in totals.iter().enumerate() {
                let (tap, filter) = (index / filters, index % filters);
                // As the engine adds it, and the sum of what is added.
                let (mut total, mut size) = (0.0_f32, 0.0_f64);
                for position in case.positions() {
                    let mut of_images = 0.0_f32;
                    for lane in 0..LANES {
                        // The biases are a tap that always meets a one.
                        let x = if tap < taps { input[case.tap(position, tap)].0[lane] } else { 1.0 };
                        let dz = dz.1[case.dz_at(&dz.0, position) + filter].0[lane];
                        of_images = x.mul_add(dz, of_images);
                        size += f64::from(x * dz).abs();
                    }
                    total += of_images;
                }
                if isa.is_fused() {
                    prop_assert_eq!(found, total, "{:?}, tap {}, filter {}", isa, tap, filter);
                }
                // Each product goes through a rounding of its own, 16 sums and those of the positions.
                let roundings = (2 * (LANES + 1 + case.rows.count * case.columns.count)) as f64;
                let bound = roundings * f64::from(f32::EPSILON) * size;
                prop_assert!(f64::from(found - total).abs() <= bound, "{found}, not {total}");
            }
        }
    }

    #[test]
    fn pooling_takes_the_first_of_the_greatest_or_the_mean(
        (height, width, channels) in (1_usize..=7, 1_usize..=7, 1_usize..=3),
        (size, stride) in (window(3), window(3)),
        pooling in select(vec![Pooling::Max, Pooling::Average]),
        seed in any::<u64>().no_shrink(),
    ) {
        prop_assume!(size.height <= height && size.width <= width);
        let mut rng = Rng::stream(seed, Stream::Initialise, 0);
        let input = Volume::new(height, width, channels);
        let output = Volume {
            border: Border { top: 1, bottom: 2, left: 1, right: 0 },
            ..Volume::new(
                (height - size.height) / stride.height + 1,
                (width - size.width) / stride.width + 1,
                channels,
            )
        };
        // Of few values: many are equal.
        let mut vector = || F32x16([(); LANES].map(|()| rng.below(3) as f32));
        let x: Vec<F32x16> = (0..input.vectors()).map(|_| vector()).collect();
        let windows = Windows { input, output, size, stride };
        let dy: Vec<F32x16> = (0..windows.numbers()).map(|_| vector()).collect();
        for isa in Isa::available() {
            let mut y = zeroed(output.vectors());
            let mut winners = zeroed(windows.numbers());
            let mut dx = vec![F32x16([UNTOUCHED; LANES]); input.vectors()];
            isa.run(PoolForward {
                pooling,
                windows,
                input: &x,
                output: &mut y,
                winners: &mut winners,
            });
            isa.run(PoolBackward { pooling, windows, winners: &winners, dy: &dy, dx: &mut dx });
            let share = 1.0 / (size.height * size.width) as f32;
            for lane in 0..LANES {
                let mut expected = vec![0.0; input.vectors()];
                for (index, dy) in dy.iter().enumerate() {
                    let (row, column) =
                        (index / channels / output.width, index / channels % output.width);
                    let taps: Vec<usize> = (0..size.height * size.width)
                        .map(|tap| {
                            let y = row * stride.height + tap / size.width;
                            input.at(y, column * stride.width + tap % size.width) + index % channels
                        })
                        .collect();
                    let values = taps.iter().map(|&tap| x[tap].0[lane]);
                    let found = y[output.at(row, column) + index % channels].0[lane];
                    match pooling {
                        Pooling::Max => {
                            let greatest = values.fold(f32::NEG_INFINITY, f32::max);
                            prop_assert_eq!(found, greatest);
                            let first = taps.iter().find(|&&tap| x[tap].0[lane] == greatest);
                            expected[*first.expect("one of them")] += dy.0[lane];
                        }
                        Pooling::Average => {
                            prop_assert_eq!(found, values.sum::<f32>() * share);
                            taps.iter().for_each(|&tap| expected[tap] += dy.0[lane] * share);
                        }
                    }
                }
                prop_assert!(dx.iter().map(|vector| vector.0[lane]).eq(expected));
            }
        }
    }
}

#[test]
fn nan_passes_a_max_pooling() {
    for isa in Isa::available() {
        for tap in 0..4 {
            let mut x = zeroed(4);
            x[tap] = F32x16([f32::NAN; LANES]);
            let (mut y, mut winners) = (zeroed(1), zeroed(1));
            let windows = Windows {
                input: Volume::new(2, 2, 1),
                output: Volume::new(1, 1, 1),
                size: Window::square(2),
                stride: Window::square(2),
            };
            let pooling = Pooling::Max;
            isa.run(PoolForward {
                pooling,
                windows,
                input: &x,
                output: &mut y,
                winners: &mut winners,
            });
            assert!(y[0].0.iter().all(|y| y.is_nan()), "{isa:?}, {tap}");
        }
    }
}
