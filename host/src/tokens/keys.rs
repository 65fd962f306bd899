//! An issuer's public keys: fetched at the start, kept while good, renewed when they are needed.
//!
//! Invariant: each key verifies exactly one algorithm. A key that cannot be used costs its issuer
//! no other key. A set that is refused changes nothing: the last good one stays, for a time. A set
//! without a usable key is believed, so it replaces the last one, but no one is admitted by it. No
//! token is judged by a set older than two renewals, unless the issuer was asked just now and did
//! not answer.

mod key;
mod set;
mod source;
#[cfg(any(test, fuzzing))]
pub(in crate::tokens) mod surfaces;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::egress::Tls;
use crate::flight::{Flight, Landed};
use crate::seams::Clock;
use set::KeySet;
use source::{Fetch, ReadSet};

pub use key::Algorithm;
pub(super) use key::Key;
pub(crate) use source::certificate_endpoint;
pub use source::{KeyFile, KeySource};

/// An issuer's keys: whose they are, where they come from, and for which algorithms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// The exact issuer, named in every message.
    pub issuer: String,
    /// The source of the set.
    pub source: KeySource,
    /// The algorithms that the issuer may use.
    pub algorithms: Vec<Algorithm>,
}

/// The names that a token gives its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tokens) struct KeyName<'t> {
    /// `kid`: an opaque name, never a path or an address.
    pub(in crate::tokens) id: Option<&'t str>,
    /// `x5t#S256` and `x5t` (RFC 7515 §4.1.7): the thumbprints of the key's certificate. A set may
    /// state either.
    pub(in crate::tokens) thumbprints: [Option<&'t str>; 2],
    /// `alg`. An issuer may use one name for several keys of different algorithms.
    pub(in crate::tokens) algorithm: &'t str,
}

/// Returns the keys of a set that are not used, each with the reason.
///
/// # Errors
/// Fails if the whole set is refused, or if none of its keys can be used.
pub fn left_out(set: &[u8], algorithms: &[Algorithm]) -> Result<Vec<String>, String> {
    let set = set::parse(set, algorithms)?;
    set.check().map(|()| set.left_out().to_vec())
}

/// The reasons for having no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The issuer does not publish such a key.
    #[error(
        "{issuer} publishes no usable key of that name; a new key is looked for every 30 seconds"
    )]
    Unknown {
        /// The issuer.
        issuer: String,
    },
    /// The token names no key, and there are several.
    #[error("the token names no key (`kid`, `x5t`), and {issuer} publishes several or none")]
    Unnamed {
        /// The issuer.
        issuer: String,
    },
    /// There is no usable set.
    #[error("the key set of {issuer} is not available, so its tokens are not admitted: {what}")]
    Unavailable {
        /// The issuer.
        issuer: String,
        /// The last failure.
        what: String,
    },
}

/// The keys of one issuer: the newest good set.
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    settings: KeySettings,
    fetch: Fetch,
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
    pub fn new(settings: KeySettings, tls: &Tls, clock: Arc<dyn Clock>) -> Self {
        let fetch = Fetch::new(settings.source.clone(), tls);
        let looks = Flight::new(Arc::clone(&clock));
        Self(Arc::new(Ring {
            settings,
            fetch,
            clock,
            current: ArcSwapOption::empty(),
            looks,
        }))
    }

    /// Returns the key of this name; without a name, the only key of the set.
    ///
    /// # Errors
    /// Fails if there is no such key or no usable set.
    pub(super) async fn find(&self, name: &KeyName<'_>) -> Result<Arc<Key>, KeyError> {
        let ring = &self.0;
        // A set without a usable key is none: it may be a moment of the issuer's restart.
        let looked = match ring.usable().filter(|loaded| !loaded.set.is_empty()) {
            None => self.look(|ring, last| ring.since(last) < RETRY_MS).await,
            Some(loaded) => match loaded.set.find(name) {
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
            Some(loaded) => {
                let usable = loaded.set.check();
                usable.map_err(|what| ring.useless(&what))?;
                loaded.set.find(name).ok_or_else(|| ring.missing(name))
            }
            None => Err(looked
                .err()
                .unwrap_or_else(|| ring.unavailable("it is too old"))),
        }
    }

    /// Asks the issuer for its set now.
    ///
    /// # Errors
    /// Fails if there is no usable set.
    pub async fn ask(&self) -> Result<(), KeyError> {
        self.look(|_, _| false).await
    }

    /// Returns true if the issuer may use the algorithm of this name.
    pub(super) fn allows(&self, algorithm: &str) -> bool {
        let mut allowed = self.0.settings.algorithms.iter();
        allowed.any(|allowed| allowed.is_named(algorithm))
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

    /// Returns true if a token of this issuer could be verified: a key can be used, or the issuer
    /// published one when it was asked last.
    pub fn is_available(&self) -> bool {
        let published = |last: Landed<Fetched>| last.answer.is_ok();
        self.0.has_key() || self.0.looks.last().is_some_and(published)
    }

    /// Asks the issuer in the background, unless it was asked within the last half minute. So
    /// anyone may cause this, as often as they like.
    pub fn look_in_background(&self) {
        let recent = |ring: &Ring, last: &Landed<Fetched>| ring.since(last) < COOLDOWN_MS;
        let ring = &self.0;
        if ring.looks.is_under_way() || ring.looks.last().is_some_and(|last| recent(ring, &last)) {
            return;
        }
        let ring = self.clone();
        tokio::spawn(async move { ring.look(recent).await });
    }

    /// Returns true if these are the keys of this issuer, from this source and for these
    /// algorithms.
    pub fn are_of(&self, settings: &KeySettings) -> bool {
        self.0.settings == *settings
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
        let looked = looked.await;
        looked.unwrap_or_else(|_| Err(self.0.unavailable("the fetch failed")))
    }
}

impl Ring {
    /// Returns the last good set, while it may be used at all.
    fn usable(&self) -> Option<Arc<LoadedSet>> {
        self.current
            .load_full()
            .filter(|loaded| self.clock.now_ms().abs_diff(loaded.at_ms) <= MAX_STALE_MS)
    }

    /// Returns true if the last good set has a key that can be used.
    fn has_key(&self) -> bool {
        self.usable().is_some_and(|loaded| !loaded.set.is_empty())
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

    fn missing(&self, name: &KeyName<'_>) -> KeyError {
        let issuer = self.settings.issuer.clone();
        let [sha256, sha1] = name.thumbprints;
        if name.id.or(sha256).or(sha1).is_some() {
            KeyError::Unknown { issuer }
        } else {
            KeyError::Unnamed { issuer }
        }
    }

    /// Returns the error of a set that was read, and of which no key can be used.
    fn useless(&self, what: &str) -> KeyError {
        let asked = match self.settings.source {
            KeySource::File(_) => "",
            KeySource::Discovered { .. } | KeySource::Remote { .. } => "asked ",
        };
        self.unavailable(&format!("{asked}{}: {what}", self.settings.source))
    }

    fn unavailable(&self, what: &str) -> KeyError {
        KeyError::Unavailable {
            issuer: self.settings.issuer.clone(),
            what: what.to_owned(),
        }
    }

    /// Fetches the set once.
    async fn fetch(&self) -> Fetched {
        let at_ms = self.clock.now_ms();
        let read = tokio::time::timeout(FETCH_TIME, self.fetch.read()).await;
        let read = read
            .unwrap_or_else(|_| Err(format!("asked {}: it took too long", self.settings.source)));
        match read.and_then(|read| self.parse(&read)) {
            Ok(set) => {
                self.report(&set);
                let checked = set.check().map_err(|what| self.useless(&what));
                self.current.store(Some(Arc::new(LoadedSet { set, at_ms })));
                checked
            }
            Err(what) => {
                self.warn(&what);
                Err(self.unavailable(&what))
            }
        }
    }

    /// Reads a set. An error names where it is from.
    fn parse(&self, ReadSet { bytes, from }: &ReadSet) -> Result<KeySet, String> {
        set::parse(bytes, &self.settings.algorithms).map_err(|why| format!("{from}: {why}"))
    }

    /// Logs the keys of a new set that are not used. Once for each set, not at each renewal.
    fn report(&self, set: &KeySet) {
        let current = self.current.load();
        let known = |loaded: &LoadedSet| loaded.set.version() == set.version();
        if current.as_deref().is_some_and(known) {
            return;
        }
        let issuer = self.settings.issuer.as_str();
        for key in set.left_out() {
            tracing::warn!(
                issuer,
                "a key is not used, so its tokens are refused: {key}"
            );
        }
        if set.is_empty() {
            tracing::error!(
                issuer,
                from = %self.settings.source,
                "an issuer publishes no key that can be used; none of its tokens is admitted"
            );
        }
    }

    /// Logs that the set could not be renewed, and what follows from it.
    fn warn(&self, what: &str) {
        let (issuer, from) = (self.settings.issuer.as_str(), &self.settings.source);
        if self.has_key() {
            tracing::warn!(
                issuer, %from, cause = what,
                "an issuer's key set was not renewed; the last good set serves for up to 24 hours"
            );
        } else {
            tracing::warn!(
                issuer, %from, cause = what,
                "an issuer's key set is not available; its tokens are not admitted until it is"
            );
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
