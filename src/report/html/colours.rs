//! The colours of pages: those of series are told apart by the colour-blind too.

use plotters::prelude::RGBColor;

/// Lines of charts: the palette of Okabe and Ito (2008), but its yellow and its black, which are lost
/// on light and on dark ground.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];

/// From little to much: each is seen on the ground of charts, and stands out from it more than the one
/// before. The style sheet has others in their place on dark ground.
pub(super) const RAMP: [RGBColor; 5] = [
    RGBColor(0xB9, 0xC9, 0xD8),
    RGBColor(0x8D, 0xB0, 0xCF),
    RGBColor(0x5B, 0x94, 0xC2),
    RGBColor(0x2E, 0x7B, 0xB5),
    RGBColor(0x00, 0x56, 0x96),
];

/// Numbers and words of charts. These three are also in the style sheet, which has others in their
/// place on dark ground.
pub(super) const INK: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// Axes.
pub(super) const AXIS: RGBColor = RGBColor(0x80, 0x80, 0x80);
/// The lines behind a chart.
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
