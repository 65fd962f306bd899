//! An issuer's public keys: fetched when first needed, kept while good, renewed.
//!
//! Invariant: each key verifies exactly one algorithm. A set that is refused changes nothing: the
//! last good one stays, for a time. No token is judged by a set older than two renewals, unless the
//! issuer was asked just now and did not answer.

mod key;
mod set;
mod source;
#[cfg(test)]
mod vectors;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::egress::Tls;
use crate::flight::{Flight, Landed};
use crate::seams::Clock;
use set::KeySet;
use source::Fetch;

pub use key::Algorithm;
pub(super) use key::Key;
pub use source::{KeyFile, KeySource};

/// Returns the keys of a set that are not used, each with the reason.
///
/// # Errors
/// Fails if the whole set is refused.
pub fn left_out(set: &[u8], algorithms: &[Algorithm]) -> Result<Vec<String>, String> {
    set::parse(set, algorithms).map(|set| set.left_out().to_vec())
}

/// The reasons for having no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The issuer does not publish such a key.
    #[error(
        "the issuer publishes no key with that id, or publishes several keys and the token names none"
    )]
    Unknown,
    /// There is no usable set.
    #[error("the issuer's key set is not available: {what}")]
    Unavailable {
        /// The last failure.
        what: String,
    },
}

/// The keys of one issuer: the newest good set, fetched when first needed.
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    source: KeySource,
    fetch: Fetch,
    algorithms: Vec<Algorithm>,
    clock: Arc<dyn Clock>,
    current: ArcSwapOption<LoadedSet>,
    looks: Flight<Fetched>,
}

/// The result of asking the issuer for its keys.
type Fetched = Result<(), KeyError>;

/// The version of a set: the SHA-256 of its text.
pub(crate) type SetVersion = [u8; 32];

struct LoadedSet {
    set: KeySet,
    at_ms: u64,
}

/// The reliability of the last look.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Fresh,
    /// It is usable, and renewed in the background.
    Aging,
    /// It must be renewed before it is used.
    Old,
}

impl KeyRing {
    /// Makes a ring that has fetched nothing yet.
    pub fn new(
        source: KeySource,
        algorithms: Vec<Algorithm>,
        tls: &Tls,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let fetch = Fetch::new(source.clone(), tls);
        let looks = Flight::new(Arc::clone(&clock));
        Self(Arc::new(Ring {
            source,
            fetch,
            algorithms,
            clock,
            current: ArcSwapOption::empty(),
            looks,
        }))
    }

    /// Returns the key with this id; without an id, the only key of the set.
    ///
    /// # Errors
    /// Fails if there is no such key or no usable set.
    pub async fn find(&self, key_id: Option<&str>) -> Result<Arc<Key>, KeyError> {
        let ring = &self.0;
        let looked = match ring.usable() {
            None => self.look(|ring, last| ring.since(last) < RETRY_MS).await,
            Some(loaded) => match loaded.set.find(key_id) {
                None => self.look(|ring, last| ring.since(last) < COOLDOWN_MS).await,
                Some(_) if ring.age() == Age::Old => {
                    self.look(|ring, last| ring.age_of(last) < Age::Old).await
                }
                Some(key) => {
                    self.renew_in_passing();
                    return Ok(key);
                }
            },
        };
        match ring.usable() {
            Some(loaded) => loaded.set.find(key_id).ok_or(KeyError::Unknown),
            None => Err(looked.err().unwrap_or_else(|| KeyError::Unavailable {
                what: "it is too old".into(),
            })),
        }
    }

    /// Returns the version of the current set, if the set can be relied on without asking the
    /// issuer.
    pub(crate) fn version(&self) -> Option<SetVersion> {
        let loaded = self.0.usable()?;
        if self.0.age() == Age::Old {
            return None;
        }
        self.renew_in_passing();
        Some(loaded.set.version())
    }

    /// Returns true if the last attempt to fetch the keys failed and no older set can be used.
    pub fn is_unavailable(&self) -> bool {
        let failed = |last: Landed<Fetched>| last.answer.is_err();
        self.0.usable().is_none() && self.0.looks.last().is_some_and(failed)
    }

    /// Returns true if these keys come from `source` and are for these algorithms.
    pub fn are_of(&self, source: &KeySource, algorithms: &[Algorithm]) -> bool {
        self.0.source == *source && self.0.algorithms == algorithms
    }

    /// Returns the same keys and starts to fetch a new set at once.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let ring = self.clone();
        tokio::spawn(async move { ring.look(|_, _| false).await });
        self.clone()
    }

    fn renew_in_passing(&self) {
        if self.0.age() != Age::Fresh && !self.0.looks.is_under_way() {
            let ring = self.clone();
            tokio::spawn(async move {
                ring.look(|ring, last| ring.age_of(last) == Age::Fresh)
                    .await
            });
        }
    }

    /// Asks the issuer, unless the last look is `enough`.
    async fn look(
        &self,
        enough: impl Fn(&Ring, &Landed<Fetched>) -> bool + Send + Sync + 'static,
    ) -> Fetched {
        let ring = Arc::clone(&self.0);
        // In a task of its own, so that a client that disconnects does not undo the attempt.
        let looked = tokio::spawn(async move {
            ring.looks
                .join(|last| enough(&ring, last), || ring.fetch())
                .await
        });
        looked.await.unwrap_or_else(|_| {
            Err(KeyError::Unavailable {
                what: "the fetch failed".into(),
            })
        })
    }
}

impl Ring {
    /// Returns the last good set, while it may be used at all.
    fn usable(&self) -> Option<Arc<LoadedSet>> {
        self.current
            .load_full()
            .filter(|loaded| self.clock.now_ms().abs_diff(loaded.at_ms) <= MAX_STALE_MS)
    }

    fn age(&self) -> Age {
        self.looks
            .last()
            .map_or(Age::Old, |last| self.age_of(&last))
    }

    fn age_of(&self, last: &Landed<Fetched>) -> Age {
        let renewal = if last.answer.is_ok() {
            REFRESH_MS
        } else {
            PAUSE_MS
        };
        match self.since(last) {
            since if since <= renewal => Age::Fresh,
            since if since <= 2 * renewal => Age::Aging,
            _ => Age::Old,
        }
    }

    fn since(&self, last: &Landed<Fetched>) -> u64 {
        self.clock.now_ms().abs_diff(last.at_ms)
    }

    /// Fetches the set once.
    async fn fetch(&self) -> Fetched {
        let at_ms = self.clock.now_ms();
        let read = tokio::time::timeout(FETCH_TIME, self.fetch.read()).await;
        let read = read.unwrap_or_else(|_| Err("it took too long".into()));
        match read.and_then(|bytes| set::parse(&bytes, &self.algorithms)) {
            Ok(set) => {
                let known = self
                    .current
                    .load()
                    .as_ref()
                    .is_some_and(|loaded| loaded.set.version() == set.version());
                // Logged once for each set, not at each renewal.
                if !known {
                    set.left_out()
                        .iter()
                        .for_each(|key| tracing::warn!(from = %self.source, "not used: {key}"));
                }
                self.current.store(Some(Arc::new(LoadedSet { set, at_ms })));
                Ok(())
            }
            Err(what) => {
                let effect = match self.usable() {
                    Some(_) => "the last good set serves",
                    None => "its tokens are not admitted",
                };
                tracing::warn!(from = %self.source, cause = %what, "an issuer's key set was not renewed; {effect}");
                Err(KeyError::Unavailable { what })
            }
        }
    }
}

// A set is renewed in the background once it is a minute old, and must be renewed before use once
// it is two minutes old, so a withdrawn key is refused soon after, even on a quiet host. If the
// issuer does not answer, that holds for half a minute in which it is asked again in the
// background, so a busy host does not wait. A set that could not be renewed for a day is no longer
// used. An unknown key id asks the issuer at most once in COOLDOWN; before there is any set, the
// issuer is asked every second.
const REFRESH_MS: u64 = 60_000;
const PAUSE_MS: u64 = 15_000;
const MAX_STALE_MS: u64 = 24 * 60 * 60 * 1000;
const COOLDOWN_MS: u64 = 30_000;
const RETRY_MS: u64 = 1_000;
/// The time for one attempt: at most two documents of metadata and the set.
const FETCH_TIME: Duration = Duration::from_secs(10);
