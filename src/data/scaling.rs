//! How the numbers of images become pixels from 0 to 255: decided once for a whole data set, by the
//! images to train on.
//!
//! | numbers | pixels |
//! | --- | --- |
//! | whole, from 0 to at most 255, some above 16 | as they are |
//! | whole, from 0 to 1 or to 16 | times 255, or 255 / 16: images of two tones, and of seventeen |
//! | whole, to another number below 16 | as they are, and that is said: they may be very dark |
//! | from 0 to 1, some with a fraction | times 255 |
//! | any other | refused |
//!
//! Whole images of a set that is really so dark that no pixel is above 16 would be taken for one of
//! seventeen tones if the brightest has 16 exactly; nothing but a word of whoever made them could
//! tell.

use super::Problem;

/// What the numbers of some images are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    least: f64,
    greatest: f64,
    /// Whether all are whole.
    whole: bool,
    /// Whether one of them is no number.
    strange: bool,
}

/// How numbers become pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaling {
    factor: f64,
    span: Span,
}

/// Up to here pixels are so dark that other tones may be meant.
const DARK: f64 = 16.0;

impl Span {
    pub(super) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let none =
            Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY, whole: true, strange: false };
        numbers.into_iter().fold(none, |span, number| Self {
            least: span.least.min(number),
            greatest: span.greatest.max(number),
            whole: span.whole && number.fract() == 0.0,
            strange: span.strange || !number.is_finite(),
        })
    }

    /// That of bytes, of which no more are looked at than it takes to see that they are pixels.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let bright = bytes.iter().position(|&byte| f64::from(byte) > DARK);
        let seen = &bytes[..bright.map_or(bytes.len(), |at| at + 1)];
        let (least, greatest) = (seen.iter().min(), seen.iter().max());
        Self {
            least: least.copied().unwrap_or(0).into(),
            greatest: greatest.copied().unwrap_or(0).into(),
            whole: true,
            strange: false,
        }
    }
}

impl Scaling {
    /// That of a data set whose images to train on have numbers of this span.
    pub(super) fn of(span: Span) -> Result<Self, Problem> {
        let Span { least, greatest, whole, strange } = span;
        let factor = match greatest {
            _ if strange || least < 0.0 => None,
            greatest if greatest == 1.0 || (!whole && greatest < 1.0) => Some(255.0),
            greatest if greatest == DARK && whole => Some(255.0 / DARK),
            greatest => (whole && greatest <= 255.0).then_some(1.0),
        };
        let factor = factor.ok_or_else(|| Problem::pixels(least, greatest))?;
        Ok(Self { factor, span })
    }

    /// Whether bytes are pixels as they are.
    pub(super) fn is_none(self) -> bool {
        self.factor == 1.0
    }

    /// The pixel that `number` becomes.
    pub(super) fn pixel(self, number: f64) -> Result<u8, Problem> {
        let pixel = number * self.factor;
        // A training set of whole numbers tells nothing of fractions.
        let fits = (0.0..=255.0).contains(&pixel) && (!self.span.whole || number.fract() == 0.0);
        match fits {
            true => Ok(pixel.round() as u8),
            false => {
                let greatest = format!("{}", self.span.greatest);
                Err(Problem::PixelOfAnotherKind { found: number.to_string(), greatest })
            }
        }
    }

    /// What a person is told of it, if that is worth a word.
    pub(super) fn note(self) -> Option<String> {
        let Span { greatest, whole, .. } = self.span;
        match () {
            () if !self.is_none() && whole => {
                Some(format!("pixels from 0 to {greatest} were scaled to 0 to 255"))
            }
            () if !self.is_none() => Some("pixels from 0 to 1 were scaled to 0 to 255".into()),
            () if greatest < DARK => {
                Some(format!("no pixel is above {greatest} of 255: they were taken as they are"))
            }
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(numbers: &[f64]) -> Result<Vec<u8>, Problem> {
        let scaling = Scaling::of(Span::of(numbers.iter().copied()))?;
        numbers.iter().map(|&number| scaling.pixel(number)).collect()
    }

    #[test]
    fn each_kind_of_numbers_has_its_pixels() {
        let cases: [(&[f64], &[u8]); 6] = [
            (&[0.0, 17.0, 255.0], &[0, 17, 255]),
            (&[0.0, 1.0], &[0, 255]),
            (&[0.0, 8.0, 16.0], &[0, 128, 255]),
            (&[0.0, 0.5, 1.0], &[0, 128, 255]),
            (&[0.0, 0.25], &[0, 64]),
            (&[0.0, 7.0], &[0, 7]),
        ];
        for (numbers, pixels) in cases {
            assert_eq!(scaled(numbers).unwrap(), pixels, "{numbers:?}");
        }
        for numbers in
            [[-1.0, 1.0], [0.0, 256.0], [0.5, 7.0], [0.0, f64::NAN], [0.0, f64::INFINITY]]
        {
            assert!(scaled(&numbers).is_err(), "{numbers:?}");
        }
    }

    #[test]
    fn a_test_set_is_treated_as_its_training_set() {
        let tones = Scaling::of(Span::of([0.0, 16.0])).unwrap();
        assert_eq!(tones.pixel(4.0), Ok(64));
        assert!(tones.pixel(17.0).is_err() && tones.pixel(0.5).is_err());
        assert_eq!(Scaling::of(Span::of_bytes(&[0, 200])).unwrap().pixel(1.0), Ok(1));
    }

    #[test]
    fn bytes_are_looked_at_until_they_are_seen_to_be_pixels() {
        assert!(Scaling::of(Span::of_bytes(&[0, 17, 3])).unwrap().note().is_none());
        assert!(!Scaling::of(Span::of_bytes(&[0, 1, 1])).unwrap().is_none());
        assert!(Scaling::of(Span::of_bytes(&[])).unwrap().note().is_some());
    }
}
