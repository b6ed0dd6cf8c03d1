use sha2::{Digest, Sha256};

use super::*;

fn digits(seed: u64, train: usize) -> Dataset {
    generate(seed, train, 10).unwrap()
}

fn sha256(split: &Split) -> String {
    let digest = Sha256::new().chain_update(split.pixels()).chain_update(split.labels()).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Rows, or columns, with ink: the first and the number up to the last.
fn extent(inked: impl Fn(usize) -> bool) -> (usize, usize) {
    let lines: Vec<usize> = (0..28).filter(|&line| inked(line)).collect();
    (lines[0], lines[lines.len() - 1] + 1 - lines[0])
}

#[test]
fn the_bytes_are_fixed() {
    let digits = digits(0, 1000);
    assert_eq!(
        sha256(&digits.train),
        "158963801b1334c4fdd6d8e90b1b356ab905d8ac685cfbd0ad1622ca37f93695"
    );
    assert_eq!(
        sha256(&digits.test),
        "7758a8e0893a66fff1bab46882b0fca28aca5347efe81597133e21d704e30a45"
    );
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let [one, two, five] = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        sha256(&pool.install(|| digits(3, 405)).train)
    });
    assert_eq!(one, two);
    assert_eq!(one, five);
}

#[test]
fn fewer_are_the_first_of_more_and_seeds_and_parts_differ() {
    let (few, more) = (digits(5, 33), generate(5, 60, 60).unwrap());
    assert_eq!(few.train.pixels(), &more.train.pixels()[..33 * 784]);
    assert_eq!(few.train.labels(), &more.train.labels()[..33]);
    assert_ne!(more.train.pixels(), more.test.pixels());
    assert_ne!(more.train.pixels(), generate(6, 60, 60).unwrap().train.pixels());
}

#[test]
fn no_images_are_refused() {
    assert!(generate(0, 0, 10).is_err());
    assert!(generate(0, 10, 0).is_err());
}

#[test]
fn labels_are_balanced_and_shuffled() {
    let digits = digits(0, 2000);
    for ten in digits.train.labels().chunks_exact(10) {
        let mut ten = ten.to_vec();
        ten.sort_unstable();
        assert!(ten.into_iter().eq(0..10));
    }
    assert_ne!(digits.train.labels()[..10], digits.train.labels()[10..20]);
}

#[test]
fn every_image_is_inked_fitted_and_centred() {
    for seed in [1, u64::MAX] {
        let split = digits(seed, 2000).train;
        for index in 0..split.len() {
            let image = split.image(index);
            let (top, height) = extent(|row| image[row * 28..][..28].iter().any(|&ink| ink != 0));
            let (left, width) = extent(|column| (0..28).any(|row| image[row * 28 + column] != 0));
            assert!((18..=20).contains(&height.max(width)), "image {index}: {height} × {width}");
            let mass: f64 = image.iter().copied().map(f64::from).sum();
            let centre = |line: fn(usize) -> usize| {
                let pixels = image.iter().enumerate();
                pixels.map(|(index, &ink)| (line(index) * usize::from(ink)) as f64).sum::<f64>()
                    / mass
            };
            let (row, column) = (centre(|index| index / 28), centre(|index| index % 28));
            for (centre, start, length) in [(row, top, height), (column, left, width)] {
                let at_the_edge = start == 0 || start + length == 28;
                assert!((centre - 14.0).abs() <= 0.5 || at_the_edge, "image {index}: {centre}");
            }
        }
    }
}

#[test]
fn ink_is_spread_as_in_mnist() {
    let split = digits(0, 4000).train;
    let count = split.pixels().len() as f64;
    let values = || split.pixels().iter().map(|&pixel| f64::from(pixel) / 255.0);
    let mean = values().sum::<f64>() / count;
    let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let inked = values().filter(|&value| value > 0.0).count() as f64 / count;
    // MNIST's training images: 0.131, 0.308 and 0.191.
    assert!((mean - 0.131).abs() < 0.01, "{mean}");
    assert!((deviation - 0.308).abs() < 0.01, "{deviation}");
    assert!((inked - 0.191).abs() < 0.015, "{inked}");
}
