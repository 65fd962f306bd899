//! Token introspection (RFC 7662): what an issuer says about a token that the host cannot verify by
//! itself, or that may have been revoked since it was signed.
//!
//! Invariant: no token is kept, only its SHA-256 while the issuer is asked. Everyone who presents
//! one token waits for one question. Tokens that were never active share one allowance, so noise
//! does not become load on the issuer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::Claims;
use super::endpoint::{ClientSettings, EndpointError, TokenEndpoint};
use crate::egress::Tls;
use crate::fair::{FairMap, Owned};
use crate::flight::Flight;
use crate::principal::Principal;
use crate::seams::Clock;

/// What an issuer says about its tokens.
pub struct Introspection {
    issuer: String,
    endpoint: TokenEndpoint,
    clock: Arc<dyn Clock>,
    asking: Mutex<HashMap<TokenDigest, Arc<Flight<Introspected>>>>,
    /// The tokens that were not active when the issuer was asked last.
    inactive: Mutex<FairMap<TokenDigest, u64>>,
    strangers: Mutex<Allowance>,
}

/// SHA-256 of a token.
pub(crate) type TokenDigest = [u8; 32];

/// The claims of an active token, or `None`.
type Introspected = Result<Option<Arc<Claims>>, IntrospectionError>;

/// The reasons for not knowing what a token means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionError {
    /// There is no usable answer.
    #[error(
        "{issuer} cannot be asked about its tokens, so those that must be asked about are not \
         admitted (introspection): {why}"
    )]
    Unanswered {
        /// The issuer.
        issuer: String,
        /// The cause.
        why: EndpointError,
    },
    /// Too many tokens came that were never seen before.
    #[error(
        "more unknown tokens came than {issuer} is asked about, so this one was not asked about"
    )]
    TooMany {
        /// The issuer.
        issuer: String,
    },
}

/// What is known about a token before the issuer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenStanding {
    /// The issuer signed it, or said before that it is active.
    Known,
    /// Anyone may have made it up.
    Stranger,
}

/// The number of questions about strangers, as the time at which the last of them is due.
#[derive(Default)]
struct Allowance {
    due_ms: u64,
}

impl Introspection {
    /// Lets the host ask `issuer` at an endpoint where it is the client `client`.
    pub fn new(issuer: String, client: ClientSettings, tls: &Tls, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            endpoint: TokenEndpoint::new(client, tls),
            clock,
            asking: Mutex::default(),
            inactive: Mutex::new(FairMap::new(MAX_INACTIVE)),
            strangers: Mutex::default(),
        }
    }

    /// Asks the issuer about a token. `None` means that the token is not active.
    ///
    /// # Errors
    /// Fails if the issuer does not say, or may not be asked now.
    pub(crate) async fn ask(
        &self,
        token: &str,
        digest: TokenDigest,
        standing: TokenStanding,
    ) -> Result<Option<Arc<Claims>>, IntrospectionError> {
        if self.was_inactive(&digest) {
            return Ok(None);
        }
        let flight = self.flight(digest, standing)?;
        let under_way = UnderWay { of: self, digest };
        let asked = flight.join(|_| true, || self.question(token)).await;
        drop(under_way);
        if asked == Ok(None) {
            self.remember_inactive(digest);
        }
        asked
    }

    /// Joins the question about this token that is under way, or begins one if that is allowed.
    fn flight(
        &self,
        digest: TokenDigest,
        standing: TokenStanding,
    ) -> Result<Arc<Flight<Introspected>>, IntrospectionError> {
        let mut asking = lock(&self.asking);
        if let Some(flight) = asking.get(&digest) {
            return Ok(Arc::clone(flight));
        }
        let now = self.clock.now_ms();
        if standing == TokenStanding::Stranger && !lock(&self.strangers).take(now) {
            let issuer = self.issuer.clone();
            return Err(IntrospectionError::TooMany { issuer });
        }
        let flight = Arc::new(Flight::new(Arc::clone(&self.clock)));
        asking.insert(digest, Arc::clone(&flight));
        Ok(flight)
    }

    async fn question(&self, token: &str) -> Introspected {
        match self.endpoint.introspect(token).await {
            Ok(members) => Ok(members.map(|members| Arc::new(Claims::verified(members)))),
            Err(why) => {
                let issuer = self.issuer.clone();
                Err(IntrospectionError::Unanswered { issuer, why })
            }
        }
    }

    fn was_inactive(&self, digest: &TokenDigest) -> bool {
        let now = self.clock.now_ms();
        let until = lock(&self.inactive).get(digest).copied();
        until.is_some_and(|until| now < until)
    }

    fn remember_inactive(&self, digest: TokenDigest) {
        let now = self.clock.now_ms();
        let until = now.saturating_add(INACTIVE_MS);
        let owned = Owned {
            owner: Principal::new(&self.issuer, ""),
            until,
            value: until,
        };
        lock(&self.inactive).insert(digest, owned, now);
    }
}

/// Takes a question off the list when it ends, even if whoever asked is gone.
struct UnderWay<'i> {
    of: &'i Introspection,
    digest: TokenDigest,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.of.asking).remove(&self.digest);
    }
}

impl Allowance {
    fn take(&mut self, now_ms: u64) -> bool {
        // A clock that was set back must not close the door until it catches up.
        let lead = self.due_ms.saturating_sub(now_ms);
        if lead > 2 * BURST_MS {
            self.due_ms = now_ms;
        } else if lead >= BURST_MS {
            return false;
        }
        self.due_ms = self.due_ms.max(now_ms).saturating_add(INTERVAL_MS);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// Twenty strangers a second, after a burst of 200 (a start at which everyone is a stranger).
const INTERVAL_MS: u64 = 50;
const BURST_MS: u64 = 200 * INTERVAL_MS;
const INACTIVE_MS: u64 = 60_000;
const MAX_INACTIVE: usize = 20_000;

#[cfg(test)]
mod tests;
