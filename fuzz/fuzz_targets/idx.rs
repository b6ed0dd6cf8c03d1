//! Any bytes read as idx are refused, or are exactly one array.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnistry::data::idx;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(layout) = idx::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        assert_eq!(layout.payload().len(), layout.dims().iter().product::<usize>());
    }
});
