//! An issuer's metadata.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::metadata(bytes);
});
