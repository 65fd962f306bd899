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
pub fn fresh_id() -> Result<String, getrandom::Error> {
    Ok(URL_SAFE_NO_PAD.encode(fresh::<16>()?))
}

/// Returns a fresh key of 256 bits.
///
/// # Errors
/// The operating system has no randomness.
pub fn fresh_key() -> Result<[u8; 32], getrandom::Error> {
    fresh()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one source of chance of the development services"
)]
fn fresh<const LENGTH: usize>() -> Result<[u8; LENGTH], getrandom::Error> {
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
