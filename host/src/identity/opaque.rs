//! Tokens about which the issuer is asked (RFC 7662): opaque ones, and JWTs that may have been
//! revoked since they were signed.
//!
//! Invariant: an issuer's answer admits a caller for at most [`super::cache`]'s minute, never
//! beyond the token's expiry, and only if it meets what a JWT must meet. It is asked about a token
//! that it does not let in once a minute.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cache::VerifiedTokens;
use super::caller::Caller;
use super::{AdmitError, Identity, Trusted};
use crate::fair::{FairMap, Owned};
use crate::principal::Principal;
use crate::seams::Clock;
use crate::tokens::{AskedAbout, Claims, Introspection, TokenDigest, TokenStanding, Verified};

/// The means of asking one issuer, and when to ask.
pub struct Questions {
    /// The issuer's endpoint.
    pub endpoint: Introspection,
    /// True if tokens that are no JWTs are this issuer's.
    pub opaque: bool,
    /// True if each JWT is asked about, at most every minute.
    pub check: bool,
}

/// The opaque tokens that were admitted.
pub(super) struct OpaqueTokens {
    /// The callers of the last minute.
    fresh: VerifiedTokens,
    /// The tokens that were admitted once. Asking about them again is no stranger's question.
    known: Arc<Mutex<FairMap<TokenDigest, ()>>>,
}

impl Default for OpaqueTokens {
    fn default() -> Self {
        Self {
            fresh: VerifiedTokens::default(),
            known: Arc::new(Mutex::new(FairMap::new(MAX_KNOWN))),
        }
    }
}

impl Identity {
    /// Lets the host ask `issuer` about its tokens.
    #[must_use]
    pub fn asking(mut self, issuer: &str, questions: Questions) -> Self {
        let trusted = self.issuers.iter_mut();
        if let Some(trusted) = trusted
            .into_iter()
            .find(|trusted| trusted.settings.issuer == issuer)
        {
            trusted.questions = Some(questions);
        }
        self
    }

    /// Makes no stranger of a token that `earlier` admitted and that the same issuer is asked
    /// about. No answer is kept: each token is asked about again.
    #[must_use]
    pub fn knowing(mut self, earlier: &Self) -> Self {
        let issuer = |identity: &Self| Some(identity.opaque_issuer()?.settings.issuer.clone());
        if issuer(&self).is_some() && issuer(&self) == issuer(earlier) {
            self.opaque.known = Arc::clone(&earlier.opaque.known);
        }
        self
    }

    fn opaque_issuer(&self) -> Option<&Trusted> {
        self.issuers.iter().find(|trusted| trusted.admits_opaque())
    }

    /// Returns the issuer of tokens that are no JWTs, if `token` is none.
    pub(super) fn issuer_of_opaque(&self, token: &str) -> Option<(&Trusted, &Introspection)> {
        if is_jwt(token) {
            return None;
        }
        let trusted = self.opaque_issuer()?;
        Some((trusted, &trusted.questions.as_ref()?.endpoint))
    }

    /// Returns the caller whom an opaque token names, according to its issuer now or a moment ago.
    pub(super) async fn named_by_issuer(
        &self,
        (trusted, endpoint): (&Trusted, &Introspection),
        token: &str,
        digest: TokenDigest,
    ) -> Result<Arc<Caller>, AdmitError> {
        let opaque = &self.opaque;
        let now = self.clock.now_ms();
        if let Some(caller) = opaque.fresh.find(&digest, now, |_| Some(NO_KEYS)) {
            return Ok(caller);
        }
        let about = AskedAbout {
            token,
            digest,
            standing: opaque.standing(&digest),
        };
        let expectations = self.expectations(trusted);
        let judged = endpoint.ask(about, |claims| {
            let verified = expectations.answered(claims, self.clock.as_ref())?;
            Caller::new(&verified, &trusted.settings, digest)
        });
        let caller = Arc::new(judged.await??);
        let now = self.clock.now_ms();
        opaque.fresh.insert(digest, &caller, NO_KEYS, now);
        opaque.admitted(digest, &caller, now);
        Ok(caller)
    }
}

impl Trusted {
    /// Returns true if opaque tokens are this issuer's. Whether it answers is known only when one
    /// comes.
    pub(super) fn admits_opaque(&self) -> bool {
        self.questions
            .as_ref()
            .is_some_and(|questions| questions.opaque)
    }

    /// Asks the issuer whether it still stands by a verified JWT, if the operator wants that.
    /// Returns the end that its answer states.
    pub(super) async fn confirm(
        &self,
        verified: &Verified,
        about: AskedAbout<'_>,
        clock: &dyn Clock,
    ) -> Result<Option<u64>, AdmitError> {
        let Some(questions) = self.questions.as_ref().filter(|questions| questions.check) else {
            return Ok(None);
        };
        // The time of the answer, because it may have taken a while.
        let judge = |answer: Arc<Claims>| verified.confirm(&answer, clock.now());
        Ok(questions.endpoint.ask(about, judge).await??)
    }
}

impl OpaqueTokens {
    /// Forgets the callers who are `unwanted`.
    pub(super) fn forget(&self, unwanted: impl Fn(&Caller) -> bool) {
        self.fresh.forget(unwanted);
    }

    fn standing(&self, digest: &TokenDigest) -> TokenStanding {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(digest).is_some() {
            TokenStanding::Known
        } else {
            TokenStanding::Stranger
        }
    }

    fn admitted(&self, digest: TokenDigest, caller: &Caller, now_ms: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let owned = Owned {
            owner: Principal::from(caller),
            until: caller.expires_at().saturating_mul(1000),
            value: (),
        };
        known.insert(digest, owned, now_ms);
    }
}

/// Returns true if the text claims to be a signed JWT: three parts, the first of which is an
/// object. Such a token is verified as one or refused, whatever an issuer would say about it.
fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.splitn(4, '.').collect();
    let [header, _, _] = parts.as_slice() else {
        return false;
    };
    let decoded = URL_SAFE_NO_PAD.decode(header.trim_end_matches('='));
    decoded.is_ok_and(|header| header.trim_ascii_start().starts_with(b"{"))
}

/// The version of the key set of tokens that no key verified.
const NO_KEYS: [u8; 32] = [0; 32];
const MAX_KNOWN: usize = 20_000;
