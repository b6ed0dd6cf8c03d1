//! What the numbers of an array are, byte by byte.

/// The type of an array's elements, and the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    kind: Kind,
    is_big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Element {
    /// Unsigned bytes, which is what pixels are kept as.
    pub const U8: Self = Self { kind: Kind::U8, is_big_endian: false };

    /// Numbers of four bytes, little-endian, as tables are kept that have fractions.
    pub(super) const F32: Self = Self { kind: Kind::F32, is_big_endian: false };

    /// That of an IDX file, whose numbers are all big-endian.
    pub(super) fn of_idx(code: u8) -> Option<Self> {
        let kind = match code {
            0x08 => return Some(Self::U8),
            0x09 => Kind::I8,
            0x0b => Kind::I16,
            0x0c => Kind::I32,
            0x0d => Kind::F32,
            0x0e => Kind::F64,
            _ => return None,
        };
        Some(Self { kind, is_big_endian: true })
    }

    /// That of an npy file, as NumPy names it: `<i8` are little-endian integers of eight bytes.
    pub(super) fn of_numpy(name: &[u8]) -> Option<Self> {
        let (order, name) = match name {
            [order @ (b'<' | b'>' | b'|' | b'='), rest @ ..] => (*order, rest),
            _ => (b'=', name),
        };
        let kind = match name {
            // Truth values are bytes that are 0 or 1.
            b"u1" | b"b1" | b"?" => Kind::U8,
            b"i1" => Kind::I8,
            b"u2" => Kind::U16,
            b"i2" => Kind::I16,
            b"u4" => Kind::U32,
            b"i4" => Kind::I32,
            b"u8" => Kind::U64,
            b"i8" => Kind::I64,
            b"f4" => Kind::F32,
            b"f8" => Kind::F64,
            _ => return None,
        };
        Some(match kind {
            Kind::U8 => Self::U8,
            kind => Self { kind, is_big_endian: order == b'>' },
        })
    }

    /// Whether it is a number of four or eight bytes with a fraction.
    pub(crate) fn is_float(self) -> bool {
        matches!(self.kind, Kind::F32 | Kind::F64)
    }

    /// Its bytes.
    #[must_use]
    pub fn size(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// Element number `index` of `bytes`; beyond their end, none is a number. Integers above 2⁵³,
    /// which no pixel and no label is, may be rounded.
    pub(super) fn at(self, bytes: &[u8], index: usize) -> f64 {
        macro_rules! number {
            ($kind:ty) => {{
                let (start, size) = (index * size_of::<$kind>(), size_of::<$kind>());
                let Some(bytes) = bytes.get(start..start + size).and_then(|b| b.try_into().ok())
                else {
                    return f64::NAN;
                };
                let number = match self.is_big_endian {
                    true => <$kind>::from_be_bytes(bytes),
                    false => <$kind>::from_le_bytes(bytes),
                };
                number as f64
            }};
        }
        match self.kind {
            Kind::U8 => number!(u8),
            Kind::I8 => number!(i8),
            Kind::U16 => number!(u16),
            Kind::I16 => number!(i16),
            Kind::U32 => number!(u32),
            Kind::I32 => number!(i32),
            Kind::U64 => number!(u64),
            Kind::I64 => number!(i64),
            Kind::F32 => number!(f32),
            Kind::F64 => number!(f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_kind_are_read() {
        let cases: [(&[u8], Vec<u8>); 10] = [
            (b"|u1", vec![0, 7]),
            (b"|i1", vec![0, 7]),
            (b"<u2", vec![0, 0, 7, 0]),
            (b">i2", vec![0, 0, 0, 7]),
            (b"<u4", vec![0, 0, 0, 0, 7, 0, 0, 0]),
            (b">i4", vec![0, 0, 0, 0, 0, 0, 0, 7]),
            (b"<u8", [0_u64, 7].map(u64::to_le_bytes).as_flattened().to_vec()),
            (b">i8", [0_i64, 7].map(i64::to_be_bytes).as_flattened().to_vec()),
            (b"<f4", [0_f32, 7.0].map(f32::to_le_bytes).as_flattened().to_vec()),
            (b">f8", [0_f64, 7.0].map(f64::to_be_bytes).as_flattened().to_vec()),
        ];
        for (name, bytes) in cases {
            let element = Element::of_numpy(name).unwrap();
            assert_eq!(element.size() * 2, bytes.len());
            assert_eq!(element.at(&bytes, 1), 7.0, "{name:?}");
            assert!(element.at(&bytes, 2).is_nan());
        }
        assert_eq!(Element::of_idx(0x0c).unwrap().at(&[255, 255, 255, 254], 0), -2.0);
        assert_eq!(Element::of_numpy(b"<f2"), None);
        assert_eq!(Element::of_idx(0x0a), None);
    }
}
