//! Any bytes at all are read as data or refused: no panic, and no more memory than they can hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "a counting allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use mnistry::Dataset;
use mnistry::data::{Cache, idx, npy, npz};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;
use writers::{FILES, arrays, gzip, members, write_idx};
use zip::CompressionMethod::{Deflated, Stored};

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

/// What a compressed file may make a reader hold: what deflate can have put into it.
fn packed(len: usize) -> usize {
    BASE + (16 + 1032) * len
}

fn read_idx(bytes: &[u8]) {
    if let Ok(layout) = idx::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        assert_eq!(layout.payload().len(), layout.dims().iter().product::<usize>());
    }
}

fn read_npy(bytes: &[u8]) {
    if let Ok(layout) = npy::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        assert_eq!(layout.payload().len(), layout.dims().iter().product::<usize>());
    }
}

fn read_npz(bytes: &[u8]) {
    let Ok(archive) = npz::parse(bytes) else { return };
    let in_place = archive.in_place().ok().flatten().map(|layouts| (bytes.to_vec(), layouts));
    let unpacked = archive.unpack().ok().map(|unpacked| (unpacked, archive.unpacked()));
    for (store, layouts) in in_place.into_iter().chain(unpacked) {
        for layout in layouts {
            let elements = store.get(layout.payload()).expect("the elements lie in their store");
            assert_eq!(elements.len(), layout.dims().iter().product::<usize>());
        }
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
        prop_assert!(most_held(|| read_idx(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn changed_idx(bytes in changed(writers::idx(&arrays()[0]))) {
        prop_assert!(most_held(|| read_idx(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn any_bytes_as_npy(bytes in any_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': ")) {
        prop_assert!(most_held(|| read_npy(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn changed_npy(bytes in changed(writers::npy(&arrays()[0]))) {
        prop_assert!(most_held(|| read_npy(&bytes)) <= plain(bytes.len()));
    }

    #[test]
    fn any_bytes_as_npz(bytes in any_bytes(b"PK\x03\x04")) {
        prop_assert!(most_held(|| read_npz(&bytes)) <= packed(bytes.len()));
    }

    #[test]
    fn changed_stored_npz(bytes in changed(writers::npz(&members(&arrays()), Stored))) {
        prop_assert!(most_held(|| read_npz(&bytes)) <= packed(bytes.len()));
    }

    #[test]
    fn changed_deflated_npz(bytes in changed(writers::npz(&members(&arrays()), Deflated))) {
        prop_assert!(most_held(|| read_npz(&bytes)) <= packed(bytes.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn changed_gzip(bytes in changed(gzip(&writers::idx(&arrays()[0])))) {
        let folder = TempDir::new().unwrap();
        write_idx(folder.path(), &arrays());
        fs::write(folder.path().join(FILES[0]), &bytes).unwrap();
        // Below a file there is no folder, so that the copy is made in memory.
        let cache = Cache::at(folder.path().join(FILES[1]).join("cache"));
        let held = most_held(|| {
            let _ = Dataset::open_with(folder.path(), &cache);
        });
        prop_assert!(held <= packed(bytes.len()));
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
        assert!(most_held(|| read_npz(&archive)) <= BASE);
    }
    assert!(most_held(|| read_idx(&writers::idx(&huge))) <= BASE);
    assert!(most_held(|| read_npy(&writers::npy(&huge))) <= BASE);
}

#[test]
fn the_count_sees_an_allocation() {
    let held = most_held(|| drop(std::hint::black_box(vec![0u8; 1 << 20])));
    assert!(held >= 1 << 20);
}
