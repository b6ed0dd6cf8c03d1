//! Numbers and texts as C has them.

use std::fmt::Write;

/// Writes `values` as the constant array `name`, to the bit: fractions are in base 16.
pub(super) fn floats(text: &mut String, name: &str, values: &[f32]) {
    Array { kind: "float", name, columns: 6 }.write(text, values, hexadecimal);
}

/// Writes `values` as the constant array `name`.
pub(super) fn bytes(text: &mut String, name: &str, values: &[i8]) {
    let array = Array { kind: "signed char", name, columns: 20 };
    array.write(text, values, |text, value| text.push_str(&value.to_string()));
}

/// A constant array.
struct Array<'a> {
    /// The type of its numbers.
    kind: &'a str,
    name: &'a str,
    /// How many numbers a line has.
    columns: usize,
}

impl Array<'_> {
    /// Writes it with these `values`, each as `write_one` does.
    fn write<T: Copy>(&self, text: &mut String, values: &[T], write_one: impl Fn(&mut String, T)) {
        let Self { kind, name, columns } = self;
        text.push_str(&format!("static const {kind} {name}[{}] = {{\n", values.len()));
        for row in values.chunks(*columns) {
            text.push_str("   ");
            for &value in row {
                text.push(' ');
                write_one(text, value);
                text.push(',');
            }
            text.push('\n');
        }
        text.push_str("};\n");
    }
}

/// Writes the finite number `value`: `-0x1.8p-3f`.
fn hexadecimal(text: &mut String, value: f32) {
    const FRACTION: u32 = f32::MANTISSA_DIGITS - 1;
    const LEAST_EXPONENT: i32 = f32::MIN_EXP - 1;
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let exponent = (bits >> FRACTION) & 0xff;
    // Numbers too small for a leading one have the least exponent.
    let (leading, power) = match exponent {
        0 => (0, LEAST_EXPONENT),
        exponent => (1, exponent as i32 + LEAST_EXPONENT - 1),
    };
    // Six digits are 24 bits.
    let fraction = format!("{:06x}", (bits << 1) & 0xff_ffff);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    // Nothing can be done about a string that cannot grow.
    let _ = match bits << 1 {
        0 => write!(text, "{sign}0.0f"),
        _ => write!(text, "{sign}0x{leading}{point}{fraction}p{power}f"),
    };
}

/// `text` in quotes; what is not plain ASCII is escaped byte by byte.
pub(super) fn string(text: &str) -> String {
    let escaped: String = text
        .bytes()
        .map(|byte| match byte {
            // Two question marks begin another character in old C.
            b'"' | b'\\' | b'?' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (value, expected) in [
            (0.1875, "0x1.8p-3f"),
            (-1.0, "-0x1p0f"),
            (0.0, "0.0f"),
            (-0.0, "-0.0f"),
            (0.1, "0x1.99999ap-4f"),
            (f32::MAX, "0x1.fffffep127f"),
            (f32::MIN_POSITIVE, "0x1p-126f"),
            (f32::from_bits(1), "0x0.000002p-126f"),
        ] {
            let mut text = String::new();
            hexadecimal(&mut text, value);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn texts_have_no_surprises() {
        assert_eq!(string("a \"b\" \\ ??/ é"), r#""a \"b\" \\ \?\?/ \303\251""#);
    }
}
