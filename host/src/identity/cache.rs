//! Tokens that were verified a moment ago: the caller under the token's SHA-256, never the token.
//!
//! Invariant: an entry is used only while its token is valid, for at most [`MAX_AGE_MS`], and only
//! while the issuer's key set is the one that verified it.

use std::sync::{Arc, Mutex, PoisonError};

use super::caller::Caller;
use crate::fair::{FairMap, Owned};
use crate::principal::Principal;
use crate::tokens::SetVersion;

/// Callers by the digest of their token. A caller who sends a flood of tokens pushes out no one
/// else's.
pub(super) struct VerifiedTokens {
    entries: Mutex<FairMap<[u8; 32], CachedCaller>>,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self {
            entries: Mutex::new(FairMap::new(MAX_ENTRIES)),
        }
    }
}

struct CachedCaller {
    caller: Arc<Caller>,
    version: SetVersion,
    at_ms: u64,
    ends_ms: u64,
}

impl VerifiedTokens {
    /// Returns the caller of a token that need not be verified again. `version` gives an issuer's
    /// present key set: a token whose issuer has published new keys since is verified anew.
    pub(super) fn find(
        &self,
        digest: &[u8; 32],
        now_ms: u64,
        version: impl FnOnce(&Caller) -> Option<SetVersion>,
    ) -> Option<Arc<Caller>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(digest)?;
        // A clock that was set back must not make an entry last.
        let is_new = now_ms.abs_diff(entry.at_ms) < MAX_AGE_MS && now_ms < entry.ends_ms;
        if is_new && version(&entry.caller).as_ref() == Some(&entry.version) {
            return Some(Arc::clone(&entry.caller));
        }
        entries.remove(digest);
        None
    }

    /// Forgets the callers who are `unwanted`.
    pub(super) fn forget(&self, unwanted: impl Fn(&Caller) -> bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove_all(|_, cached| unwanted(&cached.caller));
    }

    /// Remembers a verified token.
    pub(super) fn insert(
        &self,
        digest: [u8; 32],
        caller: &Arc<Caller>,
        version: SetVersion,
        now_ms: u64,
    ) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let ends_ms = caller.expires_at().saturating_mul(1000);
        let cached = CachedCaller {
            caller: Arc::clone(caller),
            version,
            at_ms: now_ms,
            ends_ms,
        };
        let owned = Owned {
            owner: Principal::from(&**caller),
            until: ends_ms.min(now_ms.saturating_add(MAX_AGE_MS)),
            value: cached,
        };
        entries.insert(digest, owned, now_ms);
    }
}

const MAX_AGE_MS: u64 = 60_000;
const MAX_ENTRIES: usize = 20_000;

#[cfg(test)]
mod tests;
