//! The barriers between two principals. A test can remove each of them, and a hunt must then find
//! something. Only the test program has this module.

use std::env;
use std::ffi::OsString;
use std::sync::LazyLock;

use bailiwick_envelope::DelegationMode;

use super::cache::CacheKey;

/// A barrier between principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barrier {
    /// A connection carries the requests of one principal.
    PoolKey,
    /// An issued token is found only by the principal that it was issued for.
    CacheKey,
    /// An issued token names the subject that asked for it.
    IssuedSubject,
}

impl Barrier {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::PoolKey, Self::CacheKey, Self::IssuedSubject];
    /// The variable that names the barrier that a process does without.
    pub(crate) const REMOVED: &str = "BAILIWICK_TEST_WITHOUT";

    /// Returns its name in that variable.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PoolKey => "pool key",
            Self::CacheKey => "cache key",
            Self::IssuedSubject => "issued subject",
        }
    }

    /// Returns true unless this process does without it.
    pub(super) fn stands(self) -> bool {
        static REMOVED: LazyLock<Option<OsString>> =
            LazyLock::new(|| env::var_os(Barrier::REMOVED));
        REMOVED.as_ref().is_none_or(|name| name != self.name())
    }
}

impl CacheKey {
    /// Returns a key that says nothing of who asks.
    pub(super) fn of_everyone(service: &str, mode: DelegationMode) -> Self {
        Self {
            issuer: String::new(),
            sub: String::new(),
            tenant: None,
            agent: String::new(),
            agent_issuer: None,
            prior: Vec::new(),
            client: String::new(),
            service: service.to_owned(),
            mode,
            scopes: Vec::new(),
            subject_digest: [0; 32],
        }
    }
}
