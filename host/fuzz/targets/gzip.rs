//! A service's answer under gzip.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::gzip(bytes);
});
