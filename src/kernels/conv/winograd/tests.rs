//! Minimal filtering against sums over windows: of whole numbers so small that no way of adding them
//! rounds anything, on every instruction set; and of others, the same bits on all.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::{
    Correlation, KERNEL, KernelGradient, TransformWeights, correlation_workspace_len,
    gradient_workspace_len, transformed_len,
};
use crate::kernels::conv::tests::Tables;
use crate::kernels::conv::{Border, GradientSource, Position, Volume, Window};
use crate::kernels::gemm::testing;
use crate::kernels::testing::with_cases;
use crate::rng::{Rng, Stream};
use crate::simd::{F32x16, Isa, Kernel, LANES, Simd, zeroed};

/// A convolution of 3 × 3 of a block of random images.
#[derive(Debug)]
struct Case {
    volume: Volume,
    positions: Window,
    filters: usize,
    /// Whole numbers, or any.
    is_whole: bool,
    rng: Rng,
}

const UNTOUCHED: F32x16 = F32x16([testing::UNTOUCHED; LANES]);

fn cases() -> impl Strategy<Value = Case> {
    let sides = (1_usize..=4, 1_usize..=6);
    let border = (0_usize..=2, 0_usize..=2, 0_usize..=2, 0_usize..=2);
    let channels = (1_usize..=9, 1_usize..=19);
    (sides, border, channels, any::<bool>(), any::<u64>().no_shrink()).prop_map(
        |((down, across), (top, bottom, left, right), (channels, filters), is_whole, seed)| {
            let positions = Window { height: 2 * down, width: 2 * across };
            // At least one pixel within the border.
            let (height, width) = (positions.height + KERNEL - 1, positions.width + KERNEL - 1);
            let bottom = bottom.min(height - 1 - top);
            let right = right.min(width - 1 - left);
            let border = Border { top, bottom, left, right };
            let (height, width) = (height - top - bottom, width - left - right);
            let volume = Volume { height, width, channels, border };
            let rng = Rng::stream(seed, Stream::Initialise, 0);
            Case { volume, positions, filters, is_whole, rng }
        },
    )
}

impl Case {
    /// A number of the case, `scale` times a whole one.
    fn number(&mut self, scale: f32) -> f32 {
        match self.is_whole {
            true => scale * (self.rng.below(9) as f32 - 4.0),
            false => self.rng.range(-1.0, 1.0),
        }
    }

    /// Numbers in `volume`, with zeros about them.
    fn images(&mut self, volume: &Volume) -> Vec<F32x16> {
        let mut vectors = zeroed(volume.vectors());
        for y in 0..volume.height {
            for vector in &mut vectors[volume.row(y)] {
                vector.0.fill_with(|| self.number(1.0));
            }
        }
        vectors
    }

    fn taps(&self) -> usize {
        KERNEL * KERNEL * self.volume.channels
    }

    /// Where tap `tap` of the window at a position stands.
    fn tap(&self, Position { y, x }: Position, tap: usize) -> usize {
        let (pixel, channel) = (tap / self.volume.channels, tap % self.volume.channels);
        let (y, x) = (y + pixel / KERNEL, x + pixel % KERNEL);
        y * self.volume.row_stride() + x * self.volume.channels + channel
    }

    fn each_position(&self) -> impl Iterator<Item = Position> + use<> {
        let Window { height, width } = self.positions;
        (0..height).flat_map(move |y| (0..width).map(move |x| Position { y, x }))
    }
}

/// A correlation with its epilogue.
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

/// What was found on the first instruction set whose multiply-add rounds once.
#[derive(Default)]
struct SameBits(Option<Vec<u32>>);

impl SameBits {
    fn check(&mut self, isa: Isa, found: impl Iterator<Item = f32>) -> TestCaseResult {
        let found: Vec<u32> = found.map(f32::to_bits).collect();
        if isa.is_fused() {
            prop_assert_eq!(self.0.get_or_insert_with(|| found.clone()), &found, "{:?}", isa);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(with_cases(100))]

    #[test]
    fn forward_is_a_sum_over_each_window(mut case in cases()) {
        let (volume, filters) = (case.volume, case.filters);
        let input = case.images(&volume);
        // By four, so that halves of halves are whole numbers.
        let weights: Vec<f32> = (0..case.taps() * filters).map(|_| case.number(4.0)).collect();
        let biases: Vec<f32> = (0..filters).map(|_| case.number(1.0)).collect();
        let mut same_bits = SameBits::default();
        for isa in Isa::available() {
            let mut transformed = vec![f32::NAN; transformed_len(weights.len())];
            isa.run(TransformWeights { weights: &weights, transformed: &mut transformed });
            let Window { height, width } = case.positions;
            let mut found = vec![UNTOUCHED.0; height * width * filters];
            isa.run(Run {
                correlation: Correlation {
                    input: &input,
                    volume,
                    weights: &transformed,
                    outputs: filters,
                    positions: case.positions,
                    workspace: &mut vec![
                        UNTOUCHED;
                        correlation_workspace_len(volume.channels, filters)
                    ],
                },
                tables: Tables { biases: &biases, found: &mut found, columns: width },
            });
            same_bits.check(isa, found.iter().flatten().copied())?;
            for (position, found) in case.each_position().zip(found.chunks_exact(filters)) {
                if !case.is_whole {
                    break;
                }
                for (filter, found) in found.iter().enumerate() {
                    for (lane, &found) in found.iter().enumerate() {
                        let product = |tap| {
                            input[case.tap(position, tap)].0[lane] * weights[tap * filters + filter]
                        };
                        let sum = biases[filter] + (0..case.taps()).map(product).sum::<f32>();
                        prop_assert_eq!(found, sum, "{:?}, {:?}", isa, position);
                    }
                }
            }
        }
    }

    #[test]
    fn the_gradient_of_a_kernel_is_a_sum_over_positions_and_images(mut case in cases()) {
        let (volume, filters) = (case.volume, case.filters);
        let input = case.images(&volume);
        let dz_volume = Volume {
            border: Border { top: 1, bottom: 0, left: 2, right: 1 },
            ..Volume::new(case.positions.height, case.positions.width, filters)
        };
        let dz = case.images(&dz_volume);
        let mut same_bits = SameBits::default();
        for isa in Isa::available() {
            let mut totals = vec![f32::NAN; (case.taps() + 1) * filters];
            let workspace = gradient_workspace_len(volume.channels, filters);
            isa.run(KernelGradient {
                source: GradientSource {
                    input: &input,
                    volume,
                    nonzero: volume.whole(),
                    kernel: Window::square(KERNEL),
                    stride: Window::one(),
                    dz: &dz,
                    dz_volume,
                },
                totals: &mut totals,
                workspace: &mut vec![UNTOUCHED; workspace],
            });
            same_bits.check(isa, totals.iter().copied())?;
            for (index, &found) in totals.iter().enumerate() {
                if !case.is_whole {
                    break;
                }
                let (tap, filter) = (index / filters, index % filters);
                let mut sum = 0.0;
                for position in case.each_position() {
                    let dz = dz[dz_volume.at(position.y, position.x) + filter].0;
                    for (lane, dz) in dz.into_iter().enumerate() {
                        // The biases are a tap that always meets a one.
                        let is_weight = tap < case.taps();
                        let x = if is_weight { input[case.tap(position, tap)].0[lane] } else { 1.0 };
                        sum += x * dz;
                    }
                }
                prop_assert_eq!(found, sum, "{:?}, tap {}, filter {}", isa, tap, filter);
            }
        }
    }
}
