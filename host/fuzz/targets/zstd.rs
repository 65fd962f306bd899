//! A service's answer under zstd.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::zstd(bytes);
});
