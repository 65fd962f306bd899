//! Time and randomness of the development services, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns seconds since 1970-01-01 UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the development services"
)]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns a fresh identifier of 128 random bits, base64url.
///
/// # Errors
/// The operating system has no randomness.
#[expect(
    clippy::disallowed_methods,
    reason = "the one source of chance of the development services"
)]
pub fn fresh_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
