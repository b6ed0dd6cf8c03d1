//! Any bytes read as npy are refused, or are exactly one array.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnistry::data::npy;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(layout) = npy::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        assert_eq!(layout.payload().len(), layout.dims().iter().product::<usize>());
    }
});
