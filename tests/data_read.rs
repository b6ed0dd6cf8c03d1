//! Data sets are read as they were written, from every kind of file, and unpacked only once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use mnistry::Dataset;
use mnistry::data::{Cache, Problem};
use mnistry::internals::formats::{Layout, idx, npy, npz};
use proptest::prelude::*;
use tempfile::TempDir;
use writers::{Array, FILES, arrays, gzip, members, write_idx};
use zip::CompressionMethod::{Deflated, Stored};

mod writers;

/// The four arrays of a data set, as they are written.
fn arrays_of(data: &Dataset) -> [Array; 4] {
    let shape = data.shape();
    let images = |count| vec![count, shape.height, shape.width];
    let (train, test) = (&data.train, &data.test);
    [
        (images(train.len()), train.pixels().to_vec()),
        (vec![train.len()], train.labels().to_vec()),
        (images(test.len()), test.pixels().to_vec()),
        (vec![test.len()], test.labels().to_vec()),
    ]
}

fn open(path: &Path, cache: &Path) -> Dataset {
    Dataset::open_with(path, &Cache::at(cache)).unwrap()
}

/// The files in a folder, sorted; none if there is no folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn plain_idx_files_are_read_in_place() {
    let folder = TempDir::new().unwrap();
    write_idx(folder.path(), &arrays());
    let cache = folder.path().join("cache");
    let data = open(folder.path(), &cache);
    assert_eq!(arrays_of(&data), arrays());
    assert_eq!(data.classes(), 3);
    assert_eq!(Some(data.name.as_ref()), folder.path().file_name().unwrap().to_str());
    assert!(!cache.exists());
}

#[test]
fn gzipped_and_dotted_names_are_found() {
    let folder = TempDir::new().unwrap();
    let [a, b, c, d] = arrays();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write("train-images-idx3-ubyte.gz", gzip(&writers::idx(&a)));
    write("train-labels.idx1-ubyte.gz", gzip(&writers::idx(&b)));
    write("t10k-images.idx3-ubyte", writers::idx(&c));
    // Gzipped in spite of its name, and the other way round.
    write("t10k-labels-idx1-ubyte", gzip(&writers::idx(&d)));
    let cache = folder.path().join("cache");
    assert_eq!(arrays_of(&open(folder.path(), &cache)), arrays());
    assert_eq!(files(&cache).len(), 3);
    write("train-images-idx3-ubyte.gz", writers::idx(&a));
    assert_eq!(arrays_of(&open(folder.path(), &cache)), arrays());
}

#[test]
fn a_gzipped_file_may_have_several_members() {
    let folder = TempDir::new().unwrap();
    write_idx(folder.path(), &arrays());
    let images = writers::idx(&arrays()[0]);
    let (start, end) = images.split_at(7);
    fs::write(folder.path().join(FILES[0]), [gzip(start), gzip(end)].concat()).unwrap();
    let cache = folder.path().join("cache");
    assert_eq!(arrays_of(&open(folder.path(), &cache)), arrays());
}

#[test]
fn a_stored_archive_is_read_in_place_and_a_deflated_one_unpacked() {
    for (method, copies) in [(Stored, 0), (Deflated, 1)] {
        let folder = TempDir::new().unwrap();
        let (path, cache) = (folder.path().join("digits.NPZ"), folder.path().join("cache"));
        fs::write(&path, writers::npz(&members(&arrays()), method)).unwrap();
        let data = open(&path, &cache);
        assert_eq!(arrays_of(&data), arrays());
        assert_eq!(data.name, "digits.NPZ");
        assert_eq!(files(&cache).len(), copies);
    }
}

#[test]
fn members_may_come_in_any_order_and_with_others() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnist.npz");
    let [a, b, c, d] = members(&arrays());
    let archive = writers::npz(&[c, ("notes.txt", b"others".to_vec()), a, d, b], Deflated);
    fs::write(&path, archive).unwrap();
    assert_eq!(arrays_of(&open(&path, &folder.path().join("cache"))), arrays());
}

#[test]
fn a_folder_may_hold_an_archive_but_complete_idx_files_come_first() {
    let folder = TempDir::new().unwrap();
    let mut archived = arrays();
    archived[3].1 = vec![1, 1];
    let archive = writers::npz(&members(&archived), Stored);
    fs::write(folder.path().join("mnist.npz"), archive).unwrap();
    let cache = folder.path().join("cache");
    assert_eq!(arrays_of(&open(folder.path(), &cache)), archived);
    write_idx(folder.path(), &arrays());
    assert_eq!(arrays_of(&open(folder.path(), &cache)), arrays());
    fs::remove_file(folder.path().join(FILES[2])).unwrap();
    assert_eq!(arrays_of(&open(folder.path(), &cache)), archived);
}

/// A folder with one archive, deflated, and what was unpacked of it when it was first read.
fn unpacked() -> (TempDir, impl Fn() -> Dataset, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let (path, cache) = (folder.path().join("mnist.npz"), folder.path().join("cache"));
    fs::write(&path, writers::npz(&members(&arrays()), Deflated)).unwrap();
    let read = {
        let cache = cache.clone();
        move || open(&path, &cache)
    };
    read();
    let copy = files(&cache).pop().unwrap();
    (folder, read, copy)
}

#[test]
fn a_copy_is_made_once_and_then_used() {
    let (_folder, read, copy) = unpacked();
    // A time that no new copy has shows that it is the old one that is read.
    let of_old = std::time::UNIX_EPOCH;
    fs::File::options().write(true).open(&copy).unwrap().set_modified(of_old).unwrap();
    read();
    assert_eq!(copy.metadata().unwrap().modified().unwrap(), of_old);
}

#[test]
fn a_damaged_copy_is_made_again() {
    let (_folder, read, copy) = unpacked();
    let good = fs::read(&copy).unwrap();
    let mut header_changed = good.clone();
    header_changed[70] ^= 1;
    let damaged = [vec![], good[..good.len() - 1].to_vec(), [&good[..], &[0]].concat()];
    for damaged in damaged.into_iter().chain([header_changed]) {
        fs::write(&copy, damaged).unwrap();
        assert_eq!(arrays_of(&read()), arrays());
        assert_eq!(fs::read(&copy).unwrap(), good);
    }
}

#[test]
fn another_content_gets_another_copy() {
    let (folder, read, copy) = unpacked();
    let mut changed = arrays();
    changed[0].1[5] = 200;
    let archive = writers::npz(&members(&changed), Deflated);
    fs::write(folder.path().join("mnist.npz"), archive).unwrap();
    assert_eq!(arrays_of(&read()), changed);
    assert_eq!(files(copy.parent().unwrap()).len(), 2);
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnist.npz");
    fs::write(&path, writers::npz(&members(&arrays()), Deflated)).unwrap();
    // A folder cannot be made below a file, whatever the user may write elsewhere.
    let data = open(&path, &path.join("cache"));
    assert_eq!(arrays_of(&data), arrays());
}

#[test]
fn readers_at_once_do_each_other_no_harm() {
    let (_folder, read, copy) = unpacked();
    fs::remove_file(&copy).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(arrays_of(&read()), arrays()));
        }
    });
    assert_eq!(files(copy.parent().unwrap()), [copy]);
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR, a folder with MNIST as IDX files and mnist.npz"]
fn mnist_is_the_same_from_both_kinds_of_files() {
    let folder = std::env::var_os("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR is set");
    let cache = TempDir::new().unwrap();
    let from_idx = open(folder.as_ref(), cache.path());
    let from_npz = open(&Path::new(&folder).join("mnist.npz"), cache.path());
    assert_eq!((from_idx.train.len(), from_idx.test.len()), (60_000, 10_000));
    assert_eq!(from_idx.classes(), 10);
    assert!(arrays_of(&from_idx) == arrays_of(&from_npz));
    let lit = from_idx.train.pixels().iter().filter(|&&pixel| pixel != 0).count();
    assert_eq!(lit, 8_994_156);
}

/// Arrays of up to four dimensions and some hundreds of elements.
fn any_array() -> impl Strategy<Value = Array> {
    prop::collection::vec(0usize..6, 0..5).prop_flat_map(|dims| {
        let elements = prop::collection::vec(any::<u8>(), dims.iter().product::<usize>());
        (Just(dims), elements)
    })
}

/// Checks that a parser finds in `file` the array that was written into it.
fn check(parse: fn(&[u8]) -> Result<Layout, Problem>, file: &[u8], (dims, elements): &Array) {
    let layout = parse(file).unwrap();
    assert_eq!(layout.dims(), dims);
    assert_eq!(&file[layout.payload()], elements);
}

proptest! {
    #[test]
    fn idx_round_trip(array in any_array()) {
        check(idx::parse, &writers::idx(&array), &array);
    }

    #[test]
    fn npy_round_trip(array in any_array()) {
        check(npy::parse, &writers::npy(&array), &array);
    }

    #[test]
    fn npz_round_trip(
        arrays in [any_array(), any_array(), any_array(), any_array()],
        deflated: bool,
    ) {
        let method = if deflated { Deflated } else { Stored };
        let file = writers::npz(&members(&arrays), method);
        let archive = npz::parse(&file).unwrap();
        let in_place = archive.in_place().unwrap();
        prop_assert_eq!(in_place.is_none(), deflated);
        let unpacked = archive.unpack().unwrap();
        for (store, layouts) in
            [(&unpacked, Some(archive.unpacked())), (&file, in_place)]
        {
            for (layout, (dims, elements)) in layouts.iter().flatten().zip(&arrays) {
                prop_assert_eq!(layout.dims(), dims);
                prop_assert_eq!(&store[layout.payload()], elements);
            }
        }
    }
}
