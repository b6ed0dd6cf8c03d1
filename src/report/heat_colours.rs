//! Shares as colours, from white on.

/// Blue for what is below nothing, white, orange for what is above: `value` from -1 to 1.
#[cfg(feature = "html")]
pub(super) fn diverging(value: f32) -> [u8; 3] {
    let end = if value < 0.0 { [0x00, 0x5A, 0x9C] } else { [0xC4, 0x4E, 0x00] };
    mixed([0xFF; 3], end, value.abs())
}

/// From white to blue: `share` from 0 to 1.
pub(super) fn right(share: f32) -> [u8; 3] {
    mixed([0xFF; 3], [0x00, 0x72, 0xB2], share)
}

/// From white to orange: `share` from 0 to 1.
pub(super) fn wrong(share: f32) -> [u8; 3] {
    mixed([0xFF; 3], [0xD5, 0x5E, 0x00], share)
}

fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let share = share.clamp(0.0, 1.0);
    // A cast keeps within a byte.
    let mix = |from: u8, to: u8| (f32::from(from) * (1.0 - share) + f32::from(to) * share) as u8;
    [0, 1, 2].map(|part| mix(from[part], to[part]))
}
