//! A caller's token with any claims, signed by its issuer.
#![no_main]

use std::sync::LazyLock;

use bailiwick::surfaces::Door;

static DOOR: LazyLock<Door> = LazyLock::new(|| Door::open(&std::env::temp_dir(), &[]));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    DOOR.claims(bytes);
});
