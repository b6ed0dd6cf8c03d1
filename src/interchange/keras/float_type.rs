//! Which floats of HDF5 are `f32`: a file says of a type where sign, exponent and fraction are and what
//! the exponent starts from, and any 32 bits may be floats of another kind.

use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout};

/// What the message of a type of floats says from its fifth byte on, where they are `f32`: four bytes,
/// bits 0 to 32, eight of exponent from 23 on, 23 of fraction from 0 on, a bias of 127.
const BINARY32: [u8; 16] = [4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];

/// Whether numbers of `datatype` are `f32`, the first byte first or last, as far as the type is parsed.
pub(super) fn is_f32(datatype: &Datatype) -> bool {
    let Datatype::FloatingPoint { size, byte_order, layout } = datatype else { return false };
    *size == 4
        && *byte_order != DatatypeByteOrder::Vax
        && *layout == FloatingPointLayout::IEEE754_BINARY32
}

/// Whether the HDF5 file `bytes` has a type of floats that are `f32` but for the place of the sign, or
/// whose fraction has no leading bit to be added. What is parsed does not tell: so the message itself is
/// looked for.
pub(super) fn has_altered_f32(bytes: &[u8]) -> bool {
    bytes.windows(4 + BINARY32.len()).any(|window| match window {
        [class, form, sign, _, rest @ ..] if *rest == BINARY32 => {
            let is_float = class & 0x0f == 1;
            let adds_a_bit = form & 0x30 == 0x20;
            is_float && !(adds_a_bit && *sign == 31)
        }
        _ => false,
    })
}
