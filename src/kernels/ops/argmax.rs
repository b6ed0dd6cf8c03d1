//! Where the greatest number is; the first of equal ones. NaN is never greater.

use crate::simd::Simd;

/// In each lane, the greatest of the numbers of `vectors` and its index, counted from 0; −∞ and 0
/// where there is none that is greater than −∞.
#[inline(always)]
pub(crate) fn argmax<S: Simd>(s: S, vectors: impl IntoIterator<Item = S::F32>) -> (S::F32, S::F32) {
    let (mut greatest, mut index) = (s.splat(f32::NEG_INFINITY), s.zero());
    for (number, x) in vectors.into_iter().enumerate() {
        let is_greater = s.lt(greatest, x);
        greatest = s.select(is_greater, x, greatest);
        index = s.select(is_greater, s.splat(number as f32), index);
    }
    (greatest, index)
}

/// The index of the greatest of `numbers`, which come with their indices; the first where none is
/// greater than −∞, `None` where there are none.
pub(crate) fn scalar_argmax(numbers: impl IntoIterator<Item = (usize, f32)>) -> Option<usize> {
    let mut numbers = numbers.into_iter().peekable();
    let first = numbers.peek()?.0;
    let none_yet = (first, f32::NEG_INFINITY);
    Some(numbers.fold(none_yet, |best, number| if number.1 > best.1 { number } else { best }).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::on_each_isa;
    use crate::simd::{F32x16, LANES, Lanes};

    const NONE: f32 = f32::NEG_INFINITY;

    /// Numbers, the greatest of them, and where it is.
    const CASES: [(&[f32], f32, usize); 7] = [
        (&[1.0, 3.0, 2.0], 3.0, 1),
        (&[2.0, 2.0, 1.0], 2.0, 0),
        (&[-3.0, -1.0, -1.0], -1.0, 1),
        (&[f32::NAN, 1.0, 2.0, f32::NAN], 2.0, 2),
        (&[NONE, NONE], NONE, 0),
        (&[f32::NAN, f32::NAN], NONE, 0),
        (&[-0.0, 0.0, f32::INFINITY], f32::INFINITY, 2),
    ];

    #[test]
    fn the_first_of_the_greatest_is_found() {
        for (numbers, greatest, index) in CASES {
            on_each_isa!(s => {
                let found = argmax(s, numbers.iter().map(|&x| s.splat(x)));
                let mut vectors = [F32x16::default(); 2];
                s.store(found.0, &mut vectors[0]);
                s.store(found.1, &mut vectors[1]);
                assert_eq!(vectors.map(|vector| vector.0), [[greatest; LANES], [index as f32; LANES]]);
            });
            let numbered = numbers.iter().copied().enumerate();
            assert_eq!(scalar_argmax(numbered), Some(index), "{numbers:?}");
        }
    }

    #[test]
    fn of_some_numbers_the_index_is_that_among_all() {
        let numbers = [5.0, 1.0, 4.0, 4.0];
        let but_the_first = numbers.into_iter().enumerate().skip(1);
        assert_eq!(scalar_argmax(but_the_first), Some(2));
        assert_eq!(scalar_argmax([(3, f32::NAN), (4, f32::NAN)]), Some(3));
        assert_eq!(scalar_argmax([]), None);
    }
}
