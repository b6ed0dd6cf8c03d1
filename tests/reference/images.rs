//! Convolution and pooling of one image in f64, as loops over what their definitions say.

use mnistry::model::{Padding, Shape, Window};

/// Height, width and channels; number (y, x, c) stands at (y · width + x) · channels + c.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

/// Windows that slide over an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    size: Window,
    stride: Window,
    /// Where the first window begins, and how many there are, down and across.
    first: (isize, isize),
    count: (usize, usize),
}

impl Image {
    pub(crate) fn of(shape: Shape) -> Self {
        match shape {
            Shape::Image { height, width, channels } => Self { height, width, channels },
            Shape::Vector(_) => panic!("no image is left"),
        }
    }

    /// The place of (y, x, c), if that lies in the image.
    fn place(&self, y: isize, x: isize, c: usize) -> Option<usize> {
        let inside =
            (0..self.height as isize).contains(&y) && (0..self.width as isize).contains(&x);
        inside.then(|| (y as usize * self.width + x as usize) * self.channels + c)
    }
}

impl Windows {
    pub(crate) fn new(image: Image, size: Window, stride: Window, padding: Padding) -> Self {
        let side = |length: usize, size: usize, stride: usize| match padding {
            Padding::Valid => (0, (length - size) / stride + 1),
            Padding::Same => {
                let count = length.div_ceil(stride);
                let missing = ((count - 1) * stride + size) as isize - length as isize;
                (-(missing.max(0) / 2), count)
            }
        };
        let (top, rows) = side(image.height, size.height, stride.height);
        let (left, columns) = side(image.width, size.width, stride.width);
        Self { size, stride, first: (top, left), count: (rows, columns) }
    }

    pub(crate) fn valid(image: Image, size: Window, stride: Window) -> Self {
        Self::new(image, size, stride, Padding::Valid)
    }

    /// Of each window, the places of its numbers, row by row and all channels of each; `None` for
    /// those outside the image.
    pub(crate) fn places(&self, image: Image) -> Vec<Vec<Option<usize>>> {
        let Self { size, stride, first, count } = *self;
        let window = |(row, column)| {
            let y = first.0 + (row * stride.height) as isize;
            let x = first.1 + (column * stride.width) as isize;
            pairs(size.height, size.width)
                .flat_map(|(i, j)| (0..image.channels).map(move |c| (i, j, c)))
                .map(|(i, j, c)| image.place(y + i as isize, x + j as isize, c))
                .collect()
        };
        pairs(count.0, count.1).map(window).collect()
    }

    /// The places inside the image, of each window and channel apart.
    pub(crate) fn places_by_channel(&self, image: Image) -> Vec<Vec<usize>> {
        let windows = self.places(image);
        let of = |window: &[Option<usize>], channel: usize| {
            window.iter().skip(channel).step_by(image.channels).copied().flatten().collect()
        };
        let channels = |window: &Vec<_>| (0..image.channels).map(|c| of(window, c)).collect();
        windows.iter().flat_map::<Vec<_>, _>(channels).collect()
    }
}

fn pairs(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Each window · kernel + bias; the kernel is height × width × channels × filters.
pub(crate) fn convolve(
    x: &[f64],
    windows: &[Vec<Option<usize>>],
    kernel: &[f64],
    bias: &[f64],
) -> Vec<f64> {
    let mut y = Vec::with_capacity(windows.len() * bias.len());
    for window in windows {
        let first = y.len();
        y.extend_from_slice(bias);
        for (place, weights) in window.iter().zip(kernel.chunks_exact(bias.len())) {
            let x = place.map_or(0.0, |place| x[place]);
            y[first..].iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
        }
    }
    y
}

/// The greatest number of each window. `hinges` gets the difference of each pair of numbers one of
/// which is the greatest; equal ones, which come of equal windows, stay equal whatever the
/// parameters are.
pub(crate) fn greatest(x: &[f64], windows: &[Vec<usize>], hinges: &mut Vec<f64>) -> Vec<f64> {
    let greatest_of = |places: &Vec<usize>| {
        let greatest = places.iter().map(|&place| x[place]).fold(f64::NEG_INFINITY, f64::max);
        for (i, &a) in places.iter().enumerate() {
            hinges.extend(places[i + 1..].iter().map(|&b| {
                let (a, b) = (x[a], x[b]);
                if a == b || a.max(b) < greatest { f64::INFINITY } else { a - b }
            }));
        }
        greatest
    };
    windows.iter().map(greatest_of).collect()
}

/// The mean of each window.
pub(crate) fn means(x: &[f64], windows: &[Vec<usize>]) -> Vec<f64> {
    let sum = |places: &[usize]| places.iter().map(|&place| x[place]).sum::<f64>();
    windows.iter().map(|places| sum(places) / places.len() as f64).collect()
}
