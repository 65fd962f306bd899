//! A caller's token with any claims, signed by its issuer.
#![no_main]

use std::sync::LazyLock;

use bailiwick::surfaces::Entrance;

static ENTRANCE: LazyLock<Entrance> = LazyLock::new(|| Entrance::open(&std::env::temp_dir(), &[]));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ENTRANCE.claims(bytes);
});
