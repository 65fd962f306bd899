//! The body of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::request(bytes);
});
