//! For tests of what is written once for every instruction set: the one list of the tokens that
//! this CPU offers, and ways to run an operation on plain numbers.

use super::{F32x16, Kernel, LANES, Lanes, Simd, transpose_block};

/// Runs `$test`, an expression of the token `$s`, on every instruction set that this CPU has.
macro_rules! on_each_isa {
    ($s:ident => $test:expr) => {{
        {
            let $s = $crate::simd::Portable;
            $crate::simd::testing::vectorize($s, || $test);
        }
        #[cfg(target_arch = "aarch64")]
        {
            if let Some($s) = $crate::simd::Neon::new() {
                $crate::simd::testing::vectorize($s, || $test);
            }
        }
        #[cfg(target_arch = "x86_64")]
        {
            if let Some($s) = $crate::simd::Avx2::new() {
                $crate::simd::testing::vectorize($s, || $test);
            }
            if let Some($s) = $crate::simd::Avx512::new() {
                $crate::simd::testing::vectorize($s, || $test);
            }
        }
    }};
}
pub(crate) use on_each_isa;

/// Runs `test` where the instruction set of the token `s`, which it holds, is enabled.
pub(crate) fn vectorize<S: Simd>(s: S, test: impl FnOnce()) {
    struct Test<F>(F);
    impl<F: FnOnce()> Kernel for Test<F> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, _: S) {
            (self.0)();
        }
    }
    s.vectorize(Test(test));
}

/// `operation` in each lane.
#[inline(always)]
pub(crate) fn map<S: Simd>(
    s: S,
    operation: impl Fn(S, S::F32) -> S::F32,
    x: [f32; LANES],
) -> [f32; LANES] {
    let mut vector = F32x16(x);
    s.store(operation(s, s.load(&vector)), &mut vector);
    vector.0
}

/// `operation` of one number.
#[inline(always)]
pub(crate) fn map_one<S: Simd>(s: S, operation: impl Fn(S, S::F32) -> S::F32, x: f32) -> f32 {
    map(s, operation, [x; LANES])[0]
}

#[test]
fn no_instruction_set_is_left_out() {
    let mut runs = 0;
    on_each_isa!(_s => runs += 1);
    assert_eq!(runs, super::Isa::available().len());
}

#[test]
fn the_registers_of_a_vector_are_its_lanes() {
    fn check<S: Simd>(s: S) {
        let [a, b, c] = [0.1, 0.7, -0.3]
            .map(|start| F32x16(std::array::from_fn(|lane| start * (lane + 1) as f32)));
        let [mut whole, mut by_register] = [F32x16::default(); 2];
        s.store(s.mul_add(s.load(&a), s.load(&b), s.load(&c)), &mut whole);
        let mut numbers = [0.0; LANES + 1];
        numbers[1..].copy_from_slice(&a.0);
        let unaligned = numbers.last_chunk().expect("one more than a vector has");
        for index in 0..S::REGISTERS_PER_VECTOR {
            let lanes = s.register(index);
            let sum =
                lanes.mul_add(lanes.load_unaligned(unaligned), lanes.load(&b), lanes.load(&c));
            lanes.store(sum, &mut by_register);
        }
        assert_eq!(whole.0.map(f32::to_bits), by_register.0.map(f32::to_bits));
        for index in 0..S::REGISTERS_PER_VECTOR {
            let lanes = s.register(index);
            lanes.store(lanes.splat(index as f32), &mut by_register);
        }
        let of_lane = |lane| (lane * S::REGISTERS_PER_VECTOR / LANES) as f32;
        assert_eq!(by_register.0, std::array::from_fn(of_lane));
    }
    on_each_isa!(s => check(s));
}

#[test]
fn a_block_is_transposed() {
    let number = |row: usize, column: usize| (row * LANES + column) as f32;
    let row = |row| F32x16(std::array::from_fn(|column| number(row, column)));
    on_each_isa!(s => {
        let transposed = s.transpose(std::array::from_fn(|index| s.load(&row(index))));
        for (column, numbers) in transposed.into_iter().enumerate() {
            let mut found = F32x16::default();
            s.store(numbers, &mut found);
            assert_eq!(found.0, std::array::from_fn(|row| number(row, column)));
        }
        // In memory rows may stand anywhere.
        let rows: Vec<[f32; LANES + 1]> = (0..LANES)
            .map(|row| std::array::from_fn(|i| if i == 0 { 0.0 } else { number(row, i - 1) }))
            .collect();
        for (stride, length) in [(1, LANES), (3, 15 * 3 + 1), (1, 5), (2, 13), (1, 18), (1, 0)] {
            let untouched = F32x16([-1.0; LANES]);
            let mut columns = [untouched; 3 * LANES];
            let read = std::array::from_fn(|row| rows[row].last_chunk().unwrap());
            s.transpose_rows(read, &mut columns[..length], stride);
            for (at, found) in columns.iter().enumerate() {
                let expected = |row| number(row, at / stride);
                let is_one = at % stride == 0 && at < length.min(LANES * stride);
                assert_eq!(found.0, if is_one { std::array::from_fn(expected) } else { untouched.0 });
            }
        }
    });
}

/// What there is of it; the rest is zero, and rows that are not asked for are left out.
#[test]
fn a_block_may_be_short_of_rows_and_columns() {
    let number = |row: usize, column: usize| (1 + row * LANES + column) as f32;
    for rows in [0, 1, 5, LANES] {
        for columns in [0, 3, LANES] {
            on_each_isa!(s => {
                let from: Vec<F32x16> = (0..rows)
                    .map(|row| F32x16(std::array::from_fn(|column| number(row, column))))
                    .collect();
                let mut to = vec![F32x16::default(); columns];
                transpose_block(s, from.iter().map(|row| s.load(row)), &mut to);
                for (column, found) in to.iter().enumerate() {
                    let expected = |row| if row < rows { number(row, column) } else { 0.0 };
                    assert_eq!(found.0, std::array::from_fn(expected));
                }
            });
        }
    }
}

/// And what stands beyond a slice, or beyond 16 numbers of it, is left alone.
#[test]
fn slices_may_be_shorter_and_longer_than_a_vector() {
    let numbers: [f32; 20] = std::array::from_fn(|i| 1.0 + i as f32);
    for length in 0..=numbers.len() {
        on_each_isa!(s => {
            let vector = s.load_partial(&numbers[..length]);
            let mut loaded = F32x16::default();
            s.store(vector, &mut loaded);
            let lane = |i| if i < length { numbers[i] } else { 0.0 };
            assert_eq!(loaded.0, std::array::from_fn(lane));
            let mut written = [-1.0; 24];
            s.store_partial(vector, &mut written[..length]);
            let number = |i| if i < length.min(LANES) { numbers[i] } else { -1.0 };
            assert_eq!(written, std::array::from_fn(number));
        });
    }
}

#[test]
fn bytes_stand_in_lanes_and_show_in_bits() {
    let bytes: [u8; 64] = std::array::from_fn(|i| if i % 7 < 4 { 0 } else { 0x80 | i as u8 });
    let lanes = |keep: fn(usize) -> bool| {
        let has = |lane: &usize| (0..4).any(|byte| keep(byte) && bytes[4 * lane + byte] != 0);
        (0..LANES).filter(has).map(|lane| 1 << lane).sum::<u32>()
    };
    on_each_isa!(s => {
        let a = s.load_bytes(&bytes);
        assert_eq!(s.lanes_with(a, 0xFFFF), lanes(|byte| byte < 2));
        assert_eq!(s.lanes_with(a, !0xFFFF), lanes(|byte| byte >= 2));
        let mut stored = F32x16::default();
        s.store(s.with_bits(a), &mut stored);
        let stored = stored.0.map(|x| x.to_bits().to_le_bytes());
        assert_eq!(stored.as_flattened(), bytes);
    });
}

#[test]
fn four_lanes_are_the_first_of_all() {
    let row = F32x16(std::array::from_fn(|lane| 0.1 + lane as f32 / 3.0));
    let factors = [0.7, -3.1, 1e-3, 5.0];
    on_each_isa!(s => {
        let mut stored = [-1.0; 6];
        s.store_four(s.first_four(s.load(&row)), stored[1..].first_chunk_mut().unwrap());
        assert_eq!(stored, [-1.0, row.0[0], row.0[1], row.0[2], row.0[3], -1.0]);
        let (four, all) = (s.load_four(&factors), s.load(&row));
        let repeated = s.repeat_four(four);
        let mut vector = F32x16::default();
        s.store(repeated, &mut vector);
        assert!(vector.0.chunks(4).all(|lanes| lanes == factors));
        // The bits of the product of whole vectors.
        s.store(s.mul_add(all, repeated, all), &mut vector);
        let first = s.first_four(all);
        let mut sums = [0.0; 4];
        s.store_four(s.mul_add_four(first, four, first), &mut sums);
        assert_eq!(sums, vector.0[..4]);
    });
}

#[test]
fn sums_of_many_vectors_have_the_bits_of_each() {
    on_each_isa!(s => {
        let row = |row: usize| F32x16(std::array::from_fn(|i| 0.1 + (LANES * row + i) as f32 / 3.0));
        let rows = std::array::from_fn(|index| s.load(&row(index)));
        let mut sums = F32x16::default();
        s.store(s.reduce_add_each(rows), &mut sums);
        assert_eq!(sums.0.map(f32::to_bits), rows.map(|row| s.reduce_add(row).to_bits()));
    });
}
