//! Token introspection (RFC 7662): what an issuer says about a token that the host cannot verify by
//! itself, or that may have been revoked since it was signed.
//!
//! Invariant: no token is kept, only its SHA-256. Everyone who presents one token waits for one
//! question, and a refused token causes no other for a while. Tokens that were never admitted share
//! one allowance, so noise does not become load on the issuer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::Claims;
use super::endpoint::{ClientSettings, EndpointError, TokenEndpoint};
use super::error::TokenError;
use crate::egress::Tls;
use crate::fair::{FairMap, Owned};
use crate::flight::{Flight, Landed};
use crate::principal::Principal;
use crate::seams::Clock;

/// What an issuer says about its tokens.
pub struct Introspection {
    issuer: String,
    endpoint: TokenEndpoint,
    clock: Arc<dyn Clock>,
    asking: Mutex<HashMap<TokenDigest, OpenQuestion>>,
    /// The tokens that were refused when the issuer was asked last.
    refused: Mutex<FairMap<TokenDigest, Remembered>>,
    strangers: Mutex<Allowance>,
}

/// SHA-256 of a token.
pub(crate) type TokenDigest = [u8; 32];

/// The claims of an active token, or `None`.
type Introspected = Result<Option<Arc<Claims>>, IntrospectionError>;

/// The refusal of a token: what is wrong with it according to its issuer, or why that is not known.
type KnownRefusal = Result<TokenError, IntrospectionError>;

/// A refusal that is repeated, for a time, to everyone who presents the token.
struct Remembered {
    refused: KnownRefusal,
    at_ms: u64,
    lasts_ms: u64,
}

/// The reasons for not knowing what a token means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionError {
    /// There is no usable answer.
    #[error(
        "{issuer} cannot be asked about its tokens, so those that must be asked about are not \
         admitted (introspection); asked {endpoint}: {why}"
    )]
    Unanswered {
        /// The issuer.
        issuer: String,
        /// The address that was asked.
        endpoint: String,
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

/// A token about which its issuer is asked.
#[derive(Clone, Copy)]
pub(crate) struct AskedAbout<'t> {
    pub(crate) token: &'t str,
    pub(crate) digest: TokenDigest,
    pub(crate) standing: TokenStanding,
}

/// What is known about a token before the issuer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenStanding {
    /// The issuer signed it, or it was admitted before.
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
            endpoint: TokenEndpoint::new(client, tls, &clock),
            clock,
            asking: Mutex::default(),
            refused: Mutex::new(FairMap::new(MAX_REFUSED)),
            strangers: Mutex::default(),
        }
    }

    /// Asks the issuer about a token, and has the claims of an active one judged. The inner error
    /// refuses the token: it is not active, or `judge` does not accept what the issuer says.
    ///
    /// A refusal is remembered before the question ends, so a client that repeats a bad token
    /// neither asks the issuer again nor uses up the strangers' allowance.
    ///
    /// # Errors
    /// Fails if the issuer does not say, or may not be asked now.
    pub(crate) async fn ask<T>(
        &self,
        about: AskedAbout<'_>,
        judge: impl FnOnce(Arc<Claims>) -> Result<T, TokenError>,
    ) -> Result<Result<T, TokenError>, IntrospectionError> {
        let under_way = match self.under_way(about) {
            Ok(under_way) => under_way,
            Err(refused) => return refused.map(Err),
        };
        let flight = &under_way.flight;
        // Whoever comes after the answer, while another still holds the question, believes it only
        // for a moment.
        let recent = |last: &Landed<_>| self.clock.now_ms().abs_diff(last.at_ms) < RETRY_MS;
        let asked = flight.join(recent, || self.question(about.token)).await;
        let judged = asked.map(|claims| claims.ok_or(TokenError::Inactive).and_then(judge));
        match &judged {
            Ok(Ok(_)) => {}
            Ok(Err(why)) => self.remember(about.digest, Ok(why.clone())),
            Err(why) => self.remember(about.digest, Err(why.clone())),
        }
        judged
    }

    /// Joins the question about this token that is under way, or begins one if that is needed and
    /// allowed.
    fn under_way(&self, about: AskedAbout<'_>) -> Result<UnderWay<'_>, KnownRefusal> {
        let mut asking = lock(&self.asking);
        // Under the lock, because a question that ends is remembered before it is taken off.
        if let Some(refused) = self.remembered(&about.digest) {
            return Err(refused);
        }
        if !asking.contains_key(&about.digest) {
            self.allow(about.standing).map_err(Err)?;
        }
        let question = asking.entry(about.digest).or_insert_with(|| OpenQuestion {
            flight: Arc::new(Flight::new(Arc::clone(&self.clock))),
            callers: 0,
        });
        question.callers += 1;
        Ok(UnderWay {
            of: self,
            digest: about.digest,
            flight: Arc::clone(&question.flight),
        })
    }

    /// Counts a question about a token of this standing.
    ///
    /// # Errors
    /// Fails if strangers have used up their allowance, and the token is one of them.
    fn allow(&self, standing: TokenStanding) -> Result<(), IntrospectionError> {
        let is_stranger = standing == TokenStanding::Stranger;
        if is_stranger && !lock(&self.strangers).take(self.clock.now_ms()) {
            let issuer = self.issuer.clone();
            return Err(IntrospectionError::TooMany { issuer });
        }
        Ok(())
    }

    async fn question(&self, token: &str) -> Introspected {
        match self.endpoint.introspect(token).await {
            Ok(members) => Ok(members.map(|members| Arc::new(Claims::verified(members)))),
            Err(why) => {
                let (issuer, endpoint) = (self.issuer.clone(), self.endpoint.shown());
                Err(IntrospectionError::Unanswered {
                    issuer,
                    endpoint,
                    why,
                })
            }
        }
    }

    /// Returns the refusal of a token that the issuer need not be asked about again yet.
    fn remembered(&self, digest: &TokenDigest) -> Option<KnownRefusal> {
        let now = self.clock.now_ms();
        let refused = lock(&self.refused);
        let last = refused.get(digest)?;
        // A clock that was set back must not make a refusal last.
        (now.abs_diff(last.at_ms) < last.lasts_ms).then(|| last.refused.clone())
    }

    fn remember(&self, digest: TokenDigest, refused: KnownRefusal) {
        let at_ms = self.clock.now_ms();
        let lasts_ms = match refused {
            // Time mends this soon, and the message must stay true.
            Ok(TokenError::NotYet) | Err(_) => RETRY_MS,
            Ok(_) => REFUSED_MS,
        };
        let owned = Owned {
            owner: Principal::new(&self.issuer, ""),
            until: at_ms.saturating_add(lasts_ms),
            value: Remembered {
                refused,
                at_ms,
                lasts_ms,
            },
        };
        lock(&self.refused).insert(digest, owned, at_ms);
    }
}

/// A question, and the number of those who have a part in it.
struct OpenQuestion {
    flight: Arc<Flight<Introspected>>,
    callers: usize,
}

/// One caller's part in a question. The last of them takes the question off the list, even if
/// whoever asked is gone.
struct UnderWay<'i> {
    of: &'i Introspection,
    digest: TokenDigest,
    flight: Arc<Flight<Introspected>>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        // Counted under the lock. The holders of the flight could not be: two that end at once
        // would each see the other, and neither would take the question off.
        if let Entry::Occupied(mut question) = lock(&self.of.asking).entry(self.digest) {
            question.get_mut().callers -= 1;
            if question.get().callers == 0 {
                question.remove();
            }
        }
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
// A refused token is asked about again after a minute. A question without an answer is repeated
// after a second: for this token alone, because one odd token must not keep others out.
const REFUSED_MS: u64 = 60_000;
const RETRY_MS: u64 = 1_000;
const MAX_REFUSED: usize = 20_000;

#[cfg(test)]
mod tests;
