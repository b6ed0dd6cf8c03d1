//! A contact sheet: images of a data set side by side, to be looked at.

use super::Split;
use crate::image::{ImageShape, Raster};

/// Pixels between neighbours.
const GAP: usize = 2;

/// The first `columns` images of each class, one row a class.
///
/// The place of an image stays black where a class has fewer.
#[must_use]
pub fn contact_sheet(split: &Split, columns: usize) -> Raster {
    let ImageShape { height, width } = split.shape();
    let classes = split.classes();
    let mut sheet = Raster::blank(ImageShape {
        height: classes * (height + GAP) + GAP,
        width: columns * (width + GAP) + GAP,
    });
    let mut shown = vec![0; classes];
    for (index, &label) in split.labels().iter().enumerate() {
        let (row, column) = (usize::from(label), &mut shown[usize::from(label)]);
        if *column < columns {
            let (top, left) = (GAP + row * (height + GAP), GAP + *column * (width + GAP));
            sheet.paste(split.image(index), split.shape(), top, left);
            *column += 1;
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Bytes;

    #[test]
    fn each_class_has_its_row() {
        let shape = ImageShape { height: 1, width: 2 };
        let pixels = Bytes::from(vec![1, 2, 3, 4, 5, 6, 7, 8]);
        let split = Split::new(shape, pixels, Bytes::from(vec![1, 0, 1, 1])).unwrap();
        let sheet = contact_sheet(&split, 2);
        assert_eq!(sheet.shape(), ImageShape { height: 8, width: 10 });
        let row = |row: usize| &sheet.pixels()[row * 10..(row + 1) * 10];
        assert_eq!(row(2), [0, 0, 3, 4, 0, 0, 0, 0, 0, 0]);
        assert_eq!(row(5), [0, 0, 1, 2, 0, 0, 5, 6, 0, 0]);
    }
}
