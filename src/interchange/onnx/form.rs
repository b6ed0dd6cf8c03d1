//! What stands where in the values that go from node to node.

use std::fmt;

use super::channels::Image;
use crate::image::ImageShape;

/// The dimensions of a value but that of the images' number, and what they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// Height × width.
    Plane(ImageShape),
    /// An image of channels.
    Image(Image, Order),
    /// A row of numbers.
    Row(usize),
    /// An image that was flattened while its channels came first.
    Flattened(Image),
}

/// Where the channels of an image stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Channels × height × width.
    First,
    /// Height × width × channels.
    Last,
}

impl Form {
    /// What a value of `dims` is that comes in.
    pub(super) fn of_input(dims: &[usize]) -> Option<Self> {
        match *dims {
            [numbers] => Some(Self::Row(numbers)),
            [height, width] => Some(Self::Plane(ImageShape { height, width })),
            [1, height, width] => {
                Some(Self::Image(Image { height, width, channels: 1 }, Order::First))
            }
            [height, width, 1] => {
                Some(Self::Image(Image { height, width, channels: 1 }, Order::Last))
            }
            _ => None,
        }
    }

    /// Its dimensions.
    pub(super) fn dims(self) -> Vec<usize> {
        match self {
            Self::Plane(ImageShape { height, width }) => vec![height, width],
            Self::Image(Image { height, width, channels }, Order::First) => {
                vec![channels, height, width]
            }
            Self::Image(Image { height, width, channels }, Order::Last) => {
                vec![height, width, channels]
            }
            Self::Row(numbers) => vec![numbers],
            Self::Flattened(image) => vec![image.numbers()],
        }
    }

    /// How many numbers it has.
    pub(super) fn numbers(self) -> usize {
        self.dims().into_iter().fold(1, usize::saturating_mul)
    }

    /// The image that it is, if its channels come first.
    pub(super) fn channels_first(self) -> Option<Image> {
        match self {
            Self::Image(image, Order::First) => Some(image),
            _ => None,
        }
    }

    /// The same numbers as a row.
    pub(super) fn flattened(self) -> Self {
        match self {
            Self::Image(image, Order::First) if !image.has_one_order() => Self::Flattened(image),
            Self::Flattened(_) => self,
            _ => Self::Row(self.numbers()),
        }
    }

    /// The same numbers in other dimensions, if these still say what each is.
    pub(super) fn reshaped(self, dims: &[usize]) -> Option<Self> {
        if dims.iter().copied().fold(1, usize::saturating_mul) != self.numbers() {
            return None;
        }
        match self {
            _ if dims == self.dims() => Some(self),
            _ if dims.len() == 1 => Some(self.flattened()),
            _ => self
                .plane()
                .and_then(|plane| Self::of_input(dims).filter(|to| to.plane() == Some(plane))),
        }
    }

    /// Height and width, where there is one channel.
    pub(super) fn plane(self) -> Option<ImageShape> {
        match self {
            Self::Plane(shape) => Some(shape),
            Self::Image(Image { height, width, channels: 1 }, _) => {
                Some(ImageShape { height, width })
            }
            _ => None,
        }
    }

    /// The same with dimensions in the `order` of `Transpose`, that of the images' number first.
    pub(super) fn transposed(self, order: &[i64]) -> Option<Self> {
        match (self, order) {
            (Self::Image(image, Order::Last), [0, 3, 1, 2]) => {
                Some(Self::Image(image, Order::First))
            }
            (Self::Image(image, Order::First), [0, 2, 3, 1]) => {
                Some(Self::Image(image, Order::Last))
            }
            _ => None,
        }
    }

    /// The dimensions after the first one that `shape`, which Reshape has, makes of these: 0 is the size
    /// that was there, -1 what is left. The number of images is what it was: it is kept, said to be one,
    /// or what is left.
    pub(super) fn resolve(self, shape: &[i64]) -> Option<Vec<usize>> {
        let (&images, shape) = shape.split_first()?;
        let old = self.dims();
        let left = shape.iter().filter(|&&size| size == -1).count();
        if !(-1..=1).contains(&images) || left + usize::from(images == -1) > 1 {
            return None;
        }
        let known = shape.iter().enumerate().filter(|(_, size)| **size != -1);
        let known = known.map(|(place, &size)| match size {
            0 => old.get(place).copied(),
            size => usize::try_from(size).ok(),
        });
        let mut known: Vec<usize> = known.collect::<Option<_>>()?;
        if let Some(place) = shape.iter().position(|&size| size == -1) {
            let product = known.iter().copied().fold(1, usize::saturating_mul);
            known.insert(place, self.numbers().checked_div(product)?);
        }
        Some(known)
    }
}

/// As what a node takes: `N × 28 × 28`.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what it takes, N")?;
        self.dims().iter().try_for_each(|dim| write!(f, " × {dim}"))
    }
}
