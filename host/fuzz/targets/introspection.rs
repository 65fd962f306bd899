//! An issuer's answer about a token.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::introspection(bytes);
});
