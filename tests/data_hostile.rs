//! Any bytes at all are read as data or refused: no panic, and no more memory than they can hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "a counting allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use mnistry::image::{Error, Picture};
use mnistry::internals::formats::npz;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use writers::{arrays, gzip, members};
use zip::CompressionMethod::{Deflated, Stored};

mod readers;
mod writers;

/// Counts the bytes that the current thread holds, and the most that it has held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    HELD.set(HELD.get() + bytes);
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: every call is handed to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory that `work` holds at a time, in bytes.
fn most_held(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST.set(before);
    work();
    (MOST.get() - before) as usize
}

/// What a reader may hold whatever it reads: buffers, decoders and error texts.
const BASE: usize = 256 << 10;

/// What a plain file may make a reader hold: no more than a few times itself.
fn plain(len: usize) -> usize {
    BASE + 16 * len
}

/// What a CSV file may make a reader hold: a row is kept with the ends of its fields.
fn table(len: usize) -> usize {
    BASE + 64 * len
}

/// What a compressed file may make a reader hold: what deflate can have put into it.
fn packed(len: usize) -> usize {
    BASE + (16 + 1032) * len
}

/// What a file of HDF5 may make a reader hold: it is read again and again, in small parts.
#[cfg(feature = "keras")]
fn model(len: usize) -> usize {
    BASE + 64 * len
}

/// A network of every kind of layer as a file whose name ends so.
#[cfg(feature = "keras")]
fn exported(ending: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("model{ending}"));
    let network = readers::networks::of_all_layers();
    mnistry::interchange::export(&network, &path, Default::default()).unwrap();
    std::fs::read(path).unwrap()
}

#[cfg(feature = "keras")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn changed_weights_of_keras(bytes in changed(exported(".weights.h5"))) {
        prop_assert!(most_held(|| readers::weights_h5(&bytes)) <= model(bytes.len()));
    }

    #[test]
    fn changed_archives_of_keras(bytes in changed(exported(".keras"))) {
        prop_assert!(most_held(|| readers::keras(&bytes)) <= model(bytes.len()));
    }
}

/// A file changed here and there, cut or lengthened.
fn changed(file: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let flips = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let length = prop_oneof![
        4 => Just(None),
        1 => any::<Index>().prop_map(Some),
    ];
    let tail = prop_oneof![4 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 1..40)];
    (flips, length, tail).prop_map(move |(flips, length, tail)| {
        let mut file = file.clone();
        for (position, byte) in flips {
            let position = position.index(file.len());
            file[position] ^= byte;
        }
        if let Some(length) = length {
            file.truncate(length.index(file.len()));
        }
        file.extend(tail);
        file
    })
}

/// Bytes of any kind, or after the magic of a format.
fn any_bytes(magic: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    (any::<bool>(), bytes)
        .prop_map(move |(with, bytes)| [if with { magic } else { &[] }, &bytes].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_as_idx(bytes in any_bytes(&[0, 0, 8])) {
        prop_assert!(most_held(|| readers::idx(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn changed_idx(bytes in changed(writers::idx(&arrays()[0]))) {
        prop_assert!(most_held(|| readers::idx(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn any_bytes_as_npy(bytes in any_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': ")) {
        prop_assert!(most_held(|| readers::npy(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn changed_npy(bytes in changed(writers::npy(&arrays()[0]))) {
        prop_assert!(most_held(|| readers::npy(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn any_bytes_as_npz(bytes in any_bytes(b"PK\x03\x04")) {
        prop_assert!(most_held(|| readers::npz(&bytes)) <= packed(bytes.len()));
    }

    #[test]
    fn any_bytes_as_csv(text in "(label,)?[0-9,;a\\r\\n\" -]{0,200}") {
        prop_assert!(most_held(|| readers::csv(text.as_bytes())) <= table(text.len()));
    }

    #[test]
    fn changed_csv(bytes in changed(b"label,pixel0,pixel1,pixel2,pixel3\n7,1,2,3,4\n".to_vec())) {
        prop_assert!(most_held(|| readers::csv(&bytes)) <= table(bytes.len()));
    }

    #[test]
    fn changed_gzip(bytes in changed(gzip(&writers::idx(&arrays()[0])))) {
        prop_assert!(most_held(|| readers::gz(&bytes)) <= packed(bytes.len()));
    }

    #[test]
    fn changed_stored_npz(bytes in changed(writers::npz(&members(&arrays()), Stored))) {
        prop_assert!(most_held(|| readers::npz(&bytes)) <= packed(bytes.len()));
    }

    #[test]
    fn changed_deflated_npz(bytes in changed(writers::npz(&members(&arrays()), Deflated))) {
        prop_assert!(most_held(|| readers::npz(&bytes)) <= packed(bytes.len()));
    }
}

/// The formats of pictures.
const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::Tiff,
    ImageFormat::WebP,
];

/// A small picture of a stroke.
fn picture(format: ImageFormat) -> Vec<u8> {
    let level = |x, y| Luma([if y > 3 && (x == 9 || x == 10) { 20 } else { 220_u8 }]);
    let mut file = Cursor::new(Vec::new());
    let grey = DynamicImage::from(GrayImage::from_fn(24, 20, level));
    // GIF has colours alone.
    let picture = if format == ImageFormat::Gif { grey.into_rgb8().into() } else { grey };
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// What a picture of a few hundred bytes may make a reader hold: the pixels that it may claim, as
/// levels, as numbers and as parts.
const PICTURE: usize = 256 << 20;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn changed_pictures(
        bytes in select(FORMATS.to_vec()).prop_flat_map(|format| changed(picture(format)))
    ) {
        prop_assert!(most_held(|| readers::picture(&bytes)) <= PICTURE);
    }
}

#[test]
fn a_claim_alone_takes_no_memory() {
    let claims = |dims: &[usize]| (dims.to_vec(), vec![]);
    let huge = claims(&[60_000, 1 << 20, 28]);
    let mut all = arrays();
    all[0] = huge.clone();
    for method in [Stored, Deflated] {
        let archive = writers::npz(&members(&all), method);
        assert!(npz::parse(&archive).is_err());
        assert!(most_held(|| readers::npz(&archive)) <= BASE);
    }
    assert!(most_held(|| readers::idx(&writers::idx(&huge))) <= BASE);
    assert!(most_held(|| readers::npy(&writers::npy(&huge))) <= BASE);
    // A picture of 16,384 × 4,096 pixels that has none.
    let mut file = picture(ImageFormat::Bmp);
    file[18..22].copy_from_slice(&16_384_u32.to_le_bytes());
    file[22..26].copy_from_slice(&4_096_u32.to_le_bytes());
    assert!(matches!(Picture::decode(&file), Err(Error::Claim { .. })));
    assert!(most_held(|| readers::picture(&file)) <= BASE);
}

#[test]
fn the_count_sees_an_allocation() {
    let held = most_held(|| drop(std::hint::black_box(vec![0u8; 1 << 20])));
    assert!(held >= 1 << 20);
}
