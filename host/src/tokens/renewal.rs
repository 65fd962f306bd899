//! The brake on renewals. A service decides how often it refuses a token; without a brake, each
//! refusal would cost the authorization server a request.

/// Returns true if a refused token that was obtained at `at_ms` may be renewed.
pub(crate) fn may_be_renewed(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) >= RENEWAL_MS
}

const RENEWAL_MS: u64 = 30_000;
