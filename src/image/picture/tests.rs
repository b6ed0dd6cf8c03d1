use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageFormat, Luma, LumaA, RgbImage};

use super::*;

const INPUT: ImageShape = Frame::MNIST.image();

/// A rectangle of ink: its first row and column, its height and width.
type Stroke = [usize; 4];

/// Grey paper with strokes of ink.
fn page(strokes: &[Stroke]) -> Picture {
    let shape = ImageShape { height: 200, width: 300 };
    let mut levels = Raster::new(shape, vec![210; shape.pixels()]).unwrap();
    for &[top, left, height, width] in strokes {
        let stroke = ImageShape { height, width };
        levels.paste(&vec![50; stroke.pixels()], stroke, top, left);
    }
    Picture::from_levels(levels)
}

/// Where the digits are that are seen, as strokes.
fn seen(picture: &Picture) -> Vec<Stroke> {
    let digits = picture.digits(INPUT).unwrap();
    let stroke = |digit: &Digit| {
        let BoundingBox { top, left, height, width } = digit.bounding_box;
        [top, left, height, width]
    };
    digits.iter().map(stroke).collect()
}

#[test]
fn lines_are_read_from_the_top_and_each_from_the_left() {
    let lines = [[20, 40, 60, 10], [25, 90, 60, 10], [110, 35, 55, 10], [104, 80, 60, 10]];
    let [a, b, c, d] = lines;
    assert_eq!(seen(&page(&[d, b, a, c])), lines);
}

#[test]
fn components_above_one_another_are_one_digit() {
    // A 5 whose bar is set apart, and a stroke beside it.
    let strokes = [[40, 60, 60, 10], [30, 62, 6, 30], [35, 120, 65, 10]];
    assert_eq!(seen(&page(&strokes)), [[30, 60, 70, 32], [35, 120, 65, 10]]);
}

#[test]
fn what_is_no_digit_is_left_out() {
    let digit = [60, 100, 60, 10];
    let others = [
        [150, 40, 4, 4],   // a speck
        [135, 60, 4, 120], // an underline
        [0, 280, 200, 20], // a table beside the paper
        [190, 0, 10, 12],  // a thumb
    ];
    assert_eq!(seen(&page(&[&[digit][..], &others].concat())), [digit]);
}

#[test]
fn light_ink_is_seen_on_a_dark_background() {
    let mut picture = page(&[[40, 100, 60, 10]]);
    picture.levels.pixels_mut().iter_mut().for_each(|level| *level = 255 - *level);
    assert_eq!(seen(&picture), [[40, 100, 60, 10]]);
}

#[test]
fn large_pictures_are_made_smaller_and_bounding_boxes_kept() {
    let shape = ImageShape { height: 2000, width: 3300 };
    let mut levels = Raster::new(shape, vec![210; shape.pixels()]).unwrap();
    let stroke = ImageShape { height: 600, width: 90 };
    levels.paste(&vec![50; stroke.pixels()], stroke, 300, 1500);
    assert_eq!(seen(&Picture::from_levels(levels)), [[300, 1500, 600, 90]]);
    // Of the last rows and columns fewer are made one.
    let shape = ImageShape { height: 1000, width: 1601 };
    let mut levels = Raster::new(shape, vec![210; shape.pixels()]).unwrap();
    levels.paste(&[50; 400 * 41], ImageShape { height: 400, width: 41 }, 300, 1560);
    assert_eq!(seen(&Picture::from_levels(levels)), [[300, 1560, 400, 41]]);
}

#[test]
fn all_that_is_drawn_can_be_one_image() {
    // An equals sign falls into two digits, or is one picture.
    let image = page(&[[60, 60, 20, 80], [120, 60, 20, 80]]).image(INPUT).unwrap();
    let rows: Vec<bool> = image.rows().map(|row| row.contains(&255)).collect();
    let edges = rows.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(edges, 4, "{rows:?}");
}

#[test]
fn a_picture_of_the_right_size_is_taken_as_it_is_on_black() {
    let mut digit = Raster::blank(INPUT);
    let stroke = ImageShape { height: 20, width: 3 };
    digit.paste(&[200; 60], stroke, 4, 3);
    let inverted = digit.pixels().iter().map(|level| 255 - level).collect();
    for levels in [digit.clone(), Raster::new(INPUT, inverted).unwrap()] {
        assert_eq!(Picture::from_levels(levels).image(INPUT).unwrap(), digit);
    }
}

#[test]
fn a_small_picture_is_one_digit_as_it_is_if_it_is_fitted_already() {
    let digit = |height: usize, width: usize, top: usize, left: usize| {
        let mut picture = Raster::blank(INPUT);
        // What an image program leaves around a stroke is no ink.
        picture.paste(&[15; 26 * 26], ImageShape { height: 26, width: 26 }, 1, 1);
        picture.paste(&vec![250; height * width], ImageShape { height, width }, top, left);
        let digits = Picture::from_levels(picture.clone()).digits(INPUT).unwrap();
        assert_eq!(digits.len(), 1);
        (digits[0].image == picture, digits[0].image.bounding_box().unwrap().height)
    };
    assert_eq!(digit(20, 6, 4, 11), (true, 26));
    for (height, width, top, left) in [(12, 4, 8, 12), (28, 8, 0, 10), (20, 6, 4, 2)] {
        assert_eq!(digit(height, width, top, left), (false, 20), "{height} × {width}");
    }
}

#[test]
fn nothing_is_seen_on_an_empty_page() {
    assert!(matches!(page(&[]).digits(INPUT), Err(Error::NoDigit)));
    assert!(matches!(page(&[]).image(INPUT), Err(Error::NoDigit)));
    let one = Raster::new(ImageShape { height: 1, width: 1 }, vec![7]).unwrap();
    assert!(matches!(Picture::from_levels(one).digits(INPUT), Err(Error::NoDigit)));
    let none = Raster::blank(ImageShape { height: 0, width: 5 });
    assert!(matches!(Picture::from_levels(none).digits(INPUT), Err(Error::NoDigit)));
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn levels(file: &[u8]) -> Vec<u8> {
    Picture::decode(file).unwrap().levels.pixels().to_vec()
}

#[test]
fn every_format_is_decoded() {
    let image = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 10 } else { 240 }]));
    for format in [ImageFormat::Bmp, ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(levels(&encoded(image.clone(), format)), *image.as_raw(), "{format:?}");
    }
    let near = |a: &u8, b: &u8| a.abs_diff(*b) < 8;
    let jpeg = levels(&encoded(image.clone(), ImageFormat::Jpeg));
    assert!(jpeg.iter().zip(image.as_raw()).all(|(a, b)| near(a, b)), "{jpeg:?}");
    let grey = RgbImage::from_pixel(3, 2, image::Rgb([90, 90, 90]));
    assert!(levels(&encoded(grey, ImageFormat::Png)).iter().all(|level| near(level, &90)));
}

#[test]
fn a_transparent_background_is_paper_or_where_ink_is_light_a_board() {
    for (ink, expected) in [(20, [20, 255]), (230, [230, 0])] {
        let alpha = |x, _| LumaA([ink, if x == 0 { 255 } else { 0 }]);
        let file = encoded(GrayAlphaImage::from_fn(2, 1, alpha), ImageFormat::Png);
        assert_eq!(levels(&file), expected);
    }
}

#[test]
fn a_camera_held_sideways_is_turned() {
    let image = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 10 } else { 240 }]));
    let mut file = encoded(image, ImageFormat::Jpeg);
    // An Exif segment of one entry: the orientation is 6, a quarter turn to the right.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    let len = (exif.len() as u16 + 2).to_be_bytes();
    let segment = [&[0xff, 0xe1][..], &len, &exif].concat();
    file.splice(2..2, segment);
    let picture = Picture::decode(&file).unwrap();
    assert_eq!(picture.shape(), ImageShape { height: 16, width: 8 });
    assert!(picture.levels.pixels()[0] < 20 && picture.levels.pixels()[127] > 230);
}
