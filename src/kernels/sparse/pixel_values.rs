//! What a network sees of a pixel.

/// What it sees of each pixel value: x / 255.
pub(crate) static PIXEL_VALUES: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut x = 0;
    while x < 256 {
        values[x] = x as f32 / 255.0;
        x += 1;
    }
    values
};
