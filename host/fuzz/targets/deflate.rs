//! A service's answer under deflate.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::deflate(bytes);
});
