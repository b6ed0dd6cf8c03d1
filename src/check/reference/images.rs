//! Convolution and pooling of one image in f64, as loops over what their definitions say.

use crate::model::{Padding, Shape, Window};

/// Windows that slide over an image, whose number (y, x, c) stands at
/// (y · width + x) · channels + c.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Windows {
    pub(in crate::check) height: usize,
    pub(in crate::check) width: usize,
    pub(in crate::check) channels: usize,
    pub(in crate::check) size: Window,
    pub(in crate::check) stride: Window,
    /// Where the first window begins.
    pub(in crate::check) first: (isize, isize),
    /// How many there are, down and across.
    pub(in crate::check) count: Window,
}

impl Windows {
    pub(super) fn new(image: Shape, size: Window, stride: Window, padding: Padding) -> Self {
        let (height, width, channels) = match image {
            Shape::Image { height, width, channels } => (height, width, channels),
            // Checked networks have none here; a row of numbers is an image of one line.
            Shape::Vector(numbers) => (1, numbers, 1),
        };
        let side = |length: usize, size: usize, stride: usize| match padding {
            Padding::Valid => (0, (length - size) / stride + 1),
            Padding::Same => {
                let count = length.div_ceil(stride);
                let missing = ((count - 1) * stride + size) as isize - length as isize;
                (-(missing.max(0) / 2), count)
            }
        };
        let (top, rows) = side(height, size.height, stride.height);
        let (left, columns) = side(width, size.width, stride.width);
        let (first, count) = ((top, left), Window { height: rows, width: columns });
        Self { height, width, channels, size, stride, first, count }
    }

    pub(super) fn valid(image: Shape, size: Window, stride: Window) -> Self {
        Self::new(image, size, stride, Padding::Valid)
    }

    /// The place of (y, x, c), if that lies in the image.
    fn place(&self, y: isize, x: isize, c: usize) -> Option<usize> {
        let inside =
            (0..self.height as isize).contains(&y) && (0..self.width as isize).contains(&x);
        inside.then(|| (y as usize * self.width + x as usize) * self.channels + c)
    }

    /// Of each window, the places of its numbers, row by row and all channels of each; `None` for
    /// those outside the image.
    pub(super) fn places(&self) -> Vec<Vec<Option<usize>>> {
        let Self { size, stride, first, count, .. } = *self;
        let window = |(row, column)| {
            let y = first.0 + (row * stride.height) as isize;
            let x = first.1 + (column * stride.width) as isize;
            pairs(size.height, size.width)
                .flat_map(|(i, j)| (0..self.channels).map(move |c| (i, j, c)))
                .map(|(i, j, c)| self.place(y + i as isize, x + j as isize, c))
                .collect()
        };
        pairs(count.height, count.width).map(window).collect()
    }

    /// The places inside the image, of each window and channel apart.
    pub(super) fn places_by_channel(&self) -> Vec<Vec<usize>> {
        let of = |window: &[Option<usize>], channel: usize| {
            window.iter().skip(channel).step_by(self.channels).copied().flatten().collect()
        };
        let channels = |window: &Vec<_>| (0..self.channels).map(|c| of(window, c)).collect();
        self.places().iter().flat_map::<Vec<_>, _>(channels).collect()
    }
}

fn pairs(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Each window · kernel + bias; the kernel is height × width × channels × filters.
pub(super) fn convolve(
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
            // Outside the image there are zeros.
            let Some(place) = *place else { continue };
            y[first..].iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x[place] * weight);
        }
    }
    y
}

/// dx, from each window what its filters' kernels make of dy; adds the products of the windows and
/// dy to `dkernel`.
pub(super) fn convolve_backward(
    x: &[f64],
    dy: &[f64],
    windows: &[Vec<Option<usize>>],
    kernel: &[f64],
    dkernel: &mut [f64],
) -> Vec<f64> {
    let filters = dy.len() / windows.len();
    let mut dx = vec![0.0; x.len()];
    for (window, dy) in windows.iter().zip(dy.chunks_exact(filters)) {
        for (tap, place) in window.iter().enumerate() {
            let Some(place) = *place else { continue };
            for (filter, dy) in dy.iter().enumerate() {
                dx[place] += kernel[tap * filters + filter] * dy;
                dkernel[tap * filters + filter] += x[place] * dy;
            }
        }
    }
    dx
}

/// The place of the greatest of the numbers of `window`; of the first of equal ones.
pub(super) fn winner(x: &[f64], window: &[usize]) -> usize {
    let better = |best: usize, &place: &usize| if x[place] > x[best] { place } else { best };
    window.iter().fold(window[0], better)
}

/// The greatest number of each window.
pub(super) fn greatest(x: &[f64], windows: &[Vec<usize>]) -> Vec<f64> {
    windows.iter().map(|window| x[winner(x, window)]).collect()
}

/// dx: what is greatest in a window has its dy.
pub(super) fn greatest_backward(x: &[f64], dy: &[f64], windows: &[Vec<usize>]) -> Vec<f64> {
    let mut dx = vec![0.0; x.len()];
    windows.iter().zip(dy).for_each(|(window, dy)| dx[winner(x, window)] += dy);
    dx
}

/// The mean of each window.
pub(super) fn means(x: &[f64], windows: &[Vec<usize>]) -> Vec<f64> {
    let sum = |window: &[usize]| window.iter().map(|&place| x[place]).sum::<f64>();
    windows.iter().map(|window| sum(window) / window.len() as f64).collect()
}

/// dx, of `inputs` numbers: each of a window has its share of the window's dy.
pub(super) fn means_backward(inputs: usize, dy: &[f64], windows: &[Vec<usize>]) -> Vec<f64> {
    let mut dx = vec![0.0; inputs];
    for (window, dy) in windows.iter().zip(dy) {
        window.iter().for_each(|&place| dx[place] += dy / window.len() as f64);
    }
    dx
}
