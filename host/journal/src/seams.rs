//! The few traits that tests replace: time and randomness.
//!
//! Nothing else in this crate asks the operating system for either, so a test can choose any point
//! in time and repeat any run.

mod chunked;

use std::time::{SystemTime, UNIX_EPOCH};

pub use chunked::ChunkedRandom;

/// The source of time.
pub trait Clock: Send + Sync {
    /// Returns milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> u64;

    /// Returns seconds since 1970-01-01 UTC.
    fn now(&self) -> u64 {
        self.now_ms() / 1000
    }
}

/// The source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` from a cryptographically secure generator.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| {
                u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
            })
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing here is safe; stop at once"
    )]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks for randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

/// Returns `N` bytes from `random` as lower-case hexadecimal digits.
pub fn random_hex<const N: usize>(random: &dyn Random) -> String {
    let mut bytes = [0_u8; N];
    random.fill(&mut bytes);
    hex(&bytes)
}

/// Returns lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)].into_iter().flatten());
    }
    text
}
