//! `NumericDate` (RFC 7519 §2): seconds since 1970-01-01 UTC, which may have a fraction. Also dates
//! of HTTP.
//!
//! Invariant: each use of a `NumericDate` names the side to which a fraction is rounded, so every
//! comparison can round towards refusal. For example, a token with an `exp` of 100.5 has expired at
//! 100.

use bailiwick_journal::parse_time;

/// A time in a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// Reads seconds, unless they are negative or beyond the year 285,000,000.
    pub(super) fn new(seconds: f64) -> Option<Self> {
        let known = seconds.is_sign_positive() && seconds < MAX_TIME;
        known.then_some(Self(seconds))
    }

    /// Returns the whole second at or before it.
    pub(super) fn floor(self) -> u64 {
        whole(self.0.floor())
    }

    /// Returns the whole second at or after it.
    pub(super) fn ceil(self) -> u64 {
        whole(self.0.ceil())
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 0 to 2^53, as `new` checks"
)]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}

/// 2^53: up to here a double carries every whole number exactly.
const MAX_TIME: f64 = 9_007_199_254_740_992.0;

/// Reads a date of HTTP (RFC 9110 §5.6.7), in seconds since 1970-01-01 UTC.
pub(crate) fn http_date(text: &str) -> Option<u64> {
    let mut words = text.split(' ').skip(1);
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (time, zone) = (words.next()?, words.next()?);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|name| *name == month)? + 1;
    let ms = parse_time(&format!("{year}-{month:02}-{day}T{time}"))?;
    (zone == "GMT").then_some(ms / 1000)
}
