//! Any bytes read as an npz archive are refused, or unpack to four arrays.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnistry::data::npz;

fuzz_target!(|bytes: &[u8]| {
    let Ok(archive) = npz::parse(bytes) else { return };
    let Ok(unpacked) = archive.unpack() else { return };
    assert!(unpacked.len() <= 1032 * bytes.len());
    for layout in archive.unpacked() {
        let elements = &unpacked[layout.payload()];
        assert_eq!(elements.len(), layout.dims().iter().product::<usize>());
    }
    for layout in archive.in_place().ok().flatten().into_iter().flatten() {
        assert!(bytes.get(layout.payload()).is_some());
    }
});
