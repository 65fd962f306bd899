//! The brake on renewals. A service decides how often it refuses a token, so this is what keeps it
//! from costing the authorization server a request each time.

/// Returns whether a token that was obtained at `at_ms` may be renewed because it was refused.
pub(crate) fn may_be_renewed(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) >= RENEWAL_MS
}

const RENEWAL_MS: u64 = 30_000;
