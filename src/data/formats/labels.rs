//! Arrays as labels: one number an image, in whichever way it is written.

use super::Array;
use crate::data::Problem;
use crate::files::Bytes;

/// The columns of QMNIST's labels, of which the first one is the digit.
const QMNIST: usize = 8;

/// The labels in `array`: whole numbers from 0 to 255, one an image (count, or count × 1), or
/// one-hot (count × classes, of which one is 1 and the others 0), or, where the numbers are more
/// than bytes, the first of eight as QMNIST has them.
///
/// # Errors
/// When it is of another shape, or a number is no label.
pub(crate) fn labels(array: Array) -> Result<Bytes, Problem> {
    let columns = match *array.dims() {
        [_] | [_, 1] | [_, 1, 1] => 1,
        [_, columns] if columns > 1 => columns,
        _ => {
            let expected = "one label an image";
            let found = array.dims().to_vec();
            return Err(Problem::Dimensions { array: "labels", expected, found });
        }
    };
    match array.bytes() {
        Some(bytes) if columns == 1 => return Ok(bytes.clone()),
        _ => {}
    }
    if columns == 1 {
        return array
            .numbers()
            .enumerate()
            .map(label)
            .collect::<Result<Vec<_>, _>>()
            .map(Into::into);
    }
    let is_wide = array.bytes().is_none();
    match one_hot(&array, columns) {
        Err(_) if columns == QMNIST && is_wide => {
            let digits = array.numbers().step_by(columns).enumerate().map(label);
            digits.collect::<Result<Vec<_>, _>>().map(Into::into)
        }
        labels => labels,
    }
}

fn label((index, number): (usize, f64)) -> Result<u8, Problem> {
    match number {
        number if (0.0..=255.0).contains(&number) && number.fract() == 0.0 => Ok(number as u8),
        _ => Err(Problem::LabelValue { index, found: number.to_string() }),
    }
}

/// The label of each row of `classes` numbers.
fn one_hot(array: &Array, classes: usize) -> Result<Bytes, Problem> {
    let mut labels = Vec::new();
    let (mut ones, mut class) = (0, 0);
    for (place, number) in array.numbers().enumerate() {
        let (index, column) = (place / classes, place % classes);
        let refused = || Problem::OneHot { index, classes };
        if number == 1.0 {
            (ones, class) = (ones + 1, column);
        } else if number != 0.0 {
            return Err(refused());
        }
        if column + 1 == classes {
            let label = u8::try_from(class).ok().filter(|_| ones == 1);
            labels.push(label.ok_or_else(refused)?);
            ones = 0;
        }
    }
    Ok(labels.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::{Element, Layout};

    fn read(dims: &[usize], kind: &[u8], numbers: &[i32]) -> Result<Vec<u8>, Problem> {
        let bytes: Vec<u8> = match kind {
            b"u1" => numbers.iter().map(|&number| number as u8).collect(),
            _ => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        };
        let layout = Layout::new(dims.to_vec(), Element::of_numpy(kind).unwrap(), 0).unwrap();
        labels(Array::new(&bytes.into(), &layout).unwrap()).map(|labels| labels.to_vec())
    }

    #[test]
    fn labels_are_read_in_whichever_way_they_are_written() {
        for kind in [b"u1", b"i4"] {
            assert_eq!(read(&[3], kind, &[2, 0, 7]).unwrap(), [2, 0, 7]);
            assert_eq!(read(&[3, 1], kind, &[2, 0, 7]).unwrap(), [2, 0, 7]);
            assert_eq!(read(&[2, 3], kind, &[0, 0, 1, 1, 0, 0]).unwrap(), [2, 0]);
            assert!(read(&[2, 3], kind, &[0, 0, 1, 1, 1, 0]).is_err());
            assert!(read(&[2, 3], kind, &[0, 0, 1, 0, 0, 0]).is_err());
            assert!(read(&[1, 3], kind, &[0, 2, 0]).is_err());
        }
        let qmnist = [5, 0, 2600, 10, 0, 3, 0, 0, 0, 0, 2600, 12, 0, 4, 0, 1];
        assert_eq!(read(&[2, 8], b"i4", &qmnist).unwrap(), [5, 0]);
        assert!(read(&[2], b"i4", &[256, 0]).is_err());
        assert!(read(&[2], b"i4", &[-1, 0]).is_err());
        assert!(read(&[1, 2, 2], b"i4", &[0, 1, 0, 0]).is_err());
    }
}
