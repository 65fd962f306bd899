//! Tokens that were verified a moment ago: the caller under the token's SHA-256, never the token.
//!
//! Invariant: an entry is used only while its token is valid, for at most [`MAX_AGE_MS`], and only
//! while the issuer's key set is the one that verified it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::caller::Caller;
use crate::tokens::SetVersion;

/// Callers by the digest of their token.
#[derive(Default)]
pub(super) struct VerifiedTokens {
    entries: Mutex<HashMap<[u8; 32], CachedCaller>>,
}

struct CachedCaller {
    caller: Arc<Caller>,
    version: SetVersion,
    until_ms: u64,
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
        if now_ms < entry.until_ms && version(&entry.caller).as_ref() == Some(&entry.version) {
            return Some(Arc::clone(&entry.caller));
        }
        entries.remove(digest);
        None
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
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, entry| now_ms < entry.until_ms);
        }
        if entries.len() >= MAX_ENTRIES {
            // Full of valid tokens. To forget them all costs one verification each; to search for
            // the oldest would cost every request.
            entries.clear();
        }
        let until_ms = caller
            .expires_at()
            .saturating_mul(1000)
            .min(now_ms.saturating_add(MAX_AGE_MS));
        entries.insert(
            digest,
            CachedCaller {
                caller: Arc::clone(caller),
                version,
                until_ms,
            },
        );
    }
}

const MAX_AGE_MS: u64 = 60_000;
const MAX_ENTRIES: usize = 20_000;

#[cfg(test)]
mod tests;
