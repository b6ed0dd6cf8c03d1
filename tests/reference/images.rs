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

    /// Of each window, the places of its numbers of each channel, row by row; `None` for those
    /// outside the image.
    pub(crate) fn each(&self, image: Image) -> impl Iterator<Item = Vec<Vec<Option<usize>>>> {
        let Self { size, stride, first, count } = *self;
        (0..count.0).flat_map(move |row| (0..count.1).map(move |column| (row, column))).map(
            move |(row, column)| {
                let y = first.0 + (row * stride.height) as isize;
                let x = first.1 + (column * stride.width) as isize;
                let places = (0..size.height)
                    .flat_map(|i| (0..size.width).map(move |j| (y + i as isize, x + j as isize)));
                let channels = 0..image.channels;
                places
                    .map(|(y, x)| channels.clone().map(|c| image.place(y, x, c)).collect())
                    .collect()
            },
        )
    }

    /// The places of each window inside the image, channel by channel.
    pub(crate) fn of_channels(&self, image: Image) -> Vec<Vec<usize>> {
        let of = |window: &[Vec<Option<usize>>], c: usize| {
            window.iter().filter_map(|place| place[c]).collect()
        };
        self.each(image)
            .flat_map(|window| (0..image.channels).map(|c| of(&window, c)).collect::<Vec<_>>())
            .collect()
    }
}

/// Each window · kernel + bias; the kernel is height × width × channels × filters.
pub(crate) fn convolve(
    x: &[f64],
    image: Image,
    windows: Windows,
    kernel: &[f64],
    bias: &[f64],
) -> Vec<f64> {
    let mut y = Vec::new();
    for window in windows.each(image) {
        let mut sums = bias.to_vec();
        for (place, weights) in window.iter().flatten().zip(kernel.chunks_exact(bias.len())) {
            let x = place.map_or(0.0, |place| x[place]);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
        }
        y.extend(sums);
    }
    y
}

/// The greatest number of each window, channel by channel. `hinges` gets the difference of each
/// pair of numbers one of which is the greatest; equal ones, which come of equal windows, stay
/// equal whatever the parameters are.
pub(crate) fn greatest(
    x: &[f64],
    image: Image,
    windows: Windows,
    hinges: &mut Vec<f64>,
) -> Vec<f64> {
    let mut y = Vec::new();
    for window in windows.each(image) {
        for c in 0..image.channels {
            let numbers: Vec<f64> = window.iter().filter_map(|place| Some(x[place[c]?])).collect();
            let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (i, a) in numbers.iter().enumerate() {
                hinges.extend(
                    numbers[i + 1..].iter().map(|b| {
                        if a == b || a.max(*b) < greatest { f64::INFINITY } else { a - b }
                    }),
                );
            }
            y.push(greatest);
        }
    }
    y
}

/// The mean of each window, channel by channel.
pub(crate) fn means(x: &[f64], image: Image, windows: Windows) -> Vec<f64> {
    let mut y = Vec::new();
    for window in windows.each(image) {
        for c in 0..image.channels {
            let numbers: Vec<f64> = window.iter().filter_map(|place| Some(x[place[c]?])).collect();
            y.push(numbers.iter().sum::<f64>() / numbers.len() as f64);
        }
    }
    y
}
