//! An issuer's public keys: fetched lazily, kept while good, renewed in passing.
//!
//! Invariant: each key verifies exactly one algorithm. A set with a symmetric key, a private key
//! or two keys of one name is refused whole, and the last good set stays.

mod set;
mod source;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::egress::Tls;
use crate::seams::Clock;
use set::KeySet;
use source::Fetch;

pub use set::Algorithm;
pub(super) use set::Key;
pub use source::KeySource;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer does not publish such a key.
    #[error("the issuer publishes no key of that id, or several keys and the token names none")]
    Unknown,
    /// The set cannot be had.
    #[error("the issuer's key set is not available: {what}")]
    Unavailable {
        /// What went wrong.
        what: String,
    },
}

/// The keys of one issuer: the newest good set, fetched when first needed, refreshed in passing.
pub struct KeyRing {
    source: KeySource,
    fetch: Arc<Fetch>,
    algorithms: Vec<Algorithm>,
    clock: Arc<dyn Clock>,
    current: Arc<ArcSwapOption<Loaded>>,
    // Holds when the last attempt was made; the lock makes fetches single-flight.
    attempt: Arc<Mutex<u64>>,
}

/// Which set it is: the SHA-256 of its text.
pub(super) type SetVersion = [u8; 32];

struct Loaded {
    set: KeySet,
    version: SetVersion,
    at_ms: u64,
}

impl KeyRing {
    /// A ring that has fetched nothing yet.
    pub fn new(source: KeySource, algorithms: Vec<Algorithm>, tls: &Tls, clock: Arc<dyn Clock>) -> Self {
        let fetch = Arc::new(Fetch::new(source.clone(), tls));
        Self { source, fetch, algorithms, clock, current: Arc::default(), attempt: Arc::new(Mutex::new(0)) }
    }

    /// The key of that id; without an id, the only key of the set.
    ///
    /// # Errors
    /// There is no such key, or no usable set.
    pub async fn find(&self, key_id: Option<&str>) -> Result<Arc<Key>, KeyError> {
        if let Some(loaded) = self.fresh()
            && let Some(key) = loaded.set.find(key_id)
        {
            return Ok(key);
        }
        // In a task of its own, so that a client that goes away does not undo the attempt.
        let ring = self.clone_for_refresh();
        let refreshed = tokio::spawn(async move { ring.refresh().await }).await;
        let refreshed = refreshed.unwrap_or_else(|_| Err(KeyError::Unavailable { what: "the fetch failed".into() }));
        match self.fresh() {
            Some(loaded) => loaded.set.find(key_id).ok_or(KeyError::Unknown),
            None => Err(refreshed.err().unwrap_or_else(|| KeyError::Unavailable { what: "it is too old".into() })),
        }
    }

    /// Which set is current, if there is one that may still be used.
    pub(super) fn version(&self) -> Option<SetVersion> {
        self.fresh().map(|loaded| loaded.version)
    }

    /// The current set, if it may still be used; asks for a newer one in passing.
    fn fresh(&self) -> Option<Arc<Loaded>> {
        let loaded = self.current.load_full()?;
        let age = self.clock.now_ms().abs_diff(loaded.at_ms);
        if age > REFRESH_MS && self.may_try() {
            let ring = self.clone_for_refresh();
            tokio::spawn(async move { ring.refresh().await });
        }
        (age <= MAX_STALE_MS).then_some(loaded)
    }

    /// Whether nobody is fetching and the last attempt is long enough ago.
    fn may_try(&self) -> bool {
        let now = self.clock.now_ms();
        self.attempt.try_lock().is_ok_and(|last| now.abs_diff(*last) >= COOLDOWN_MS)
    }

    /// Whether these keys come from `source`, for these algorithms.
    pub fn are_of(&self, source: &KeySource, algorithms: &[Algorithm]) -> bool {
        self.source == *source && self.algorithms == algorithms
    }

    /// The same keys, of which a new set is asked for at once.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let ring = self.clone_for_refresh();
        tokio::spawn(async move {
            *ring.attempt.lock().await = 0;
            ring.refresh().await
        });
        self.clone_for_refresh()
    }

    fn clone_for_refresh(&self) -> Self {
        Self {
            source: self.source.clone(),
            fetch: Arc::clone(&self.fetch),
            algorithms: self.algorithms.clone(),
            clock: Arc::clone(&self.clock),
            current: Arc::clone(&self.current),
            attempt: Arc::clone(&self.attempt),
        }
    }

    /// Fetches the set unless somebody just did.
    async fn refresh(&self) -> Result<(), KeyError> {
        let mut attempt = self.attempt.lock().await;
        let now = self.clock.now_ms();
        if *attempt != 0 && now.abs_diff(*attempt) < COOLDOWN_MS {
            return Err(KeyError::Unavailable { what: "the last attempt failed a moment ago".into() });
        }
        *attempt = now;
        let read = |bytes: Vec<u8>| {
            let version = Sha256::digest(&bytes).into();
            Ok(Loaded { set: set::parse(&bytes, &self.algorithms)?, version, at_ms: now })
        };
        let result = self.fetch.read().await.and_then(read);
        let pause = if result.is_ok() || self.current.load().is_some() { 0 } else { COOLDOWN_MS - RETRY_MS };
        *attempt = now.saturating_sub(pause);
        match result {
            Ok(loaded) => {
                self.current.store(Some(Arc::new(loaded)));
                Ok(())
            }
            Err(what) => {
                tracing::warn!(cause = %what, "an issuer's key set was not renewed; the last good one stays");
                Err(KeyError::Unavailable { what })
            }
        }
    }
}

// A set is renewed in passing once it is a minute old, so a withdrawn key is refused soon after;
// a set that could not be renewed for a day is no longer believed. An unknown key id asks the
// issuer at most once in COOLDOWN; before there is any set, an attempt is made every second.
const REFRESH_MS: u64 = 60_000;
const MAX_STALE_MS: u64 = 24 * 60 * 60 * 1000;
const COOLDOWN_MS: u64 = 30_000;
const RETRY_MS: u64 = 1_000;
