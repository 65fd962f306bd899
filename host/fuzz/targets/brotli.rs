//! A service's answer under Brotli.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::brotli(bytes);
});
