//! An answer of a policy point.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::decision(bytes);
});
