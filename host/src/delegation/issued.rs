//! Verification of what an authorization server issued, before a byte of it is sent anywhere.
//!
//! Invariant: a token that names another subject, issuer, audience or actor, that has wider
//! scopes, that outlives the caller's authority, or that is the caller's own token, is refused.

use bailiwick_envelope::Actor;
use secrecy::ExposeSecret as _;

use super::error::DownstreamError;
use super::exchange::{ACCESS_TOKEN, Acting};
use super::granted::Granted;
use crate::identity::{Claims, KeyError, KeyRing, TimeRule, TokenError, TypeRule, Unverified};

/// What the operator says an issued token must look like.
pub(super) struct IssuedRule {
    pub(super) issuer: String,
    pub(super) keys: KeyRing,
    pub(super) audience: String,
    pub(super) token_type: TypeRule,
    pub(super) subject_claim: String,
    pub(super) scopes: Vec<String>,
    pub(super) actor: Option<String>,
    pub(super) max_lifetime: Option<u64>,
}

/// What this call says it must look like.
pub(super) struct Expected<'c> {
    pub(super) actor: &'c Actor,
    pub(super) authority_until: u64,
    /// Scopes as they were asked for.
    pub(super) asked: &'c [String],
    /// Scopes as the token spells them.
    pub(super) scopes: &'c [String],
    pub(super) acting: Acting,
    pub(super) inbound: &'c str,
    pub(super) now: u64,
}

impl IssuedRule {
    /// Verifies the issued token in full; returns until when it may be used, seconds since
    /// 1970-01-01 UTC: never longer than the caller's own token.
    ///
    /// # Errors
    /// It must not be sent.
    pub(super) async fn verify(&self, granted: &Granted, expected: &Expected<'_>) -> Result<u64, DownstreamError> {
        let token = granted.access_token.expose_secret();
        if token == expected.inbound {
            return Err(refuse("it is the caller's own token"));
        }
        if granted.issued_token_type.as_deref().is_some_and(|issued| issued != ACCESS_TOKEN && issued != JWT) {
            return Err(refuse("it is not of the requested type"));
        }
        let unverified = Unverified::parse(token).map_err(|e| unacceptable(&e))?;
        if unverified.claimed_issuer().map_err(|e| unacceptable(&e))? != self.issuer {
            return Err(refuse("it is from another issuer"));
        }
        let key = self.keys.find(unverified.key_id()).await.map_err(|error| match error {
            KeyError::Unknown => refuse("it is signed with an unknown key"),
            KeyError::Unavailable { .. } => {
                DownstreamError::Unavailable("the keys of the authorization server are not available".into())
            }
        })?;
        let claims = unverified.verify(&key, &self.token_type).map_err(|e| unacceptable(&e))?;
        claims.check_times(expected.now, &TimeRule::default()).map_err(|e| unacceptable(&e))?;
        let expires_at = claims.expiry().map_err(|e| unacceptable(&e))?;
        let beyond = self.max_lifetime.map_or(0, |seconds| expected.now.saturating_add(seconds));
        if expires_at > expected.authority_until.max(beyond) {
            return Err(refuse("it outlives the caller's own token (exchange.max_lifetime)"));
        }
        if claims.audiences().map_err(|e| unacceptable(&e))? != [self.audience.as_str()] {
            return Err(refuse("it is for another audience, or for more than one"));
        }
        if claims.string(&self.subject_claim).map_err(|e| unacceptable(&e))? != expected.actor.sub {
            return Err(refuse("it names another subject"));
        }
        check_actor(&claims, self.actor.as_deref(), expected.acting)?;
        check_scopes(&claims, granted, expected)?;
        Ok(expires_at.min(expected.authority_until))
    }
}

fn check_actor(claims: &Claims, expected: Option<&str>, acting: Acting) -> Result<(), DownstreamError> {
    let act = claims.optional_object("act").map_err(|e| unacceptable(&e))?;
    match (acting, expected, act) {
        (Acting::UserAlone, _, Some(_)) => Err(refuse("it names an actor, which a restricted token must not")),
        (Acting::HostForUser, Some(_), None) => Err(refuse("it names no actor")),
        (Acting::HostForUser, Some(actor), Some(act)) if act.string("sub").map_err(|e| unacceptable(&e))? != actor => {
            Err(refuse("it names another actor (exchange.expect_actor)"))
        }
        _ => Ok(()),
    }
}

/// RFC 8693 §2.2.1: the answer's `scope` may be left out only where it is what was asked for. The
/// answer may spell scopes as they were asked for, the token as the service knows them.
fn check_scopes(claims: &Claims, granted: &Granted, expected: &Expected<'_>) -> Result<(), DownstreamError> {
    let mut issued = claims.scopes("scope").map_err(|e| unacceptable(&e))?;
    issued.extend(claims.scopes("scp").map_err(|e| unacceptable(&e))?);
    let answered = granted.scope.as_deref().unwrap_or_default();
    let asked = |scope: &String| expected.asked.contains(scope) || expected.scopes.contains(scope);
    if issued.iter().any(|scope| !expected.scopes.contains(scope)) || !answered.iter().all(asked) {
        return Err(refuse("it has scopes that were not asked for (exchange.expect_scopes)"));
    }
    let lacking = |wanted: &[String], given: &[String]| -> Vec<String> {
        wanted.iter().filter(|scope| !given.contains(scope)).cloned().collect()
    };
    let missing = if claims.has("scope") || claims.has("scp") {
        lacking(expected.scopes, &issued)
    } else if granted.scope.is_some() && answered.iter().any(|scope| expected.asked.contains(scope)) {
        lacking(expected.asked, answered)
    } else if granted.scope.is_some() {
        lacking(expected.scopes, answered)
    } else {
        Vec::new()
    };
    if missing.is_empty() { Ok(()) } else { Err(DownstreamError::ScopeDenied(missing)) }
}

fn refuse(why: &str) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("the issued token is not acceptable: {why}"))
}

fn unacceptable(error: &TokenError) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("the issued token is not acceptable: {error}"))
}

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
