//! Verification of what an authorization server issued, before a byte of it is sent anywhere.
//!
//! Invariant: a token that names another subject, tenant, issuer, audience, client or actor, that
//! has wider scopes or `authorization_details`, that is bound to a key or is an ID token, that
//! outlives the caller's authority, or that is the caller's own token, is refused.

use bailiwick_envelope::{Actor, Agent};
use secrecy::ExposeSecret as _;

use super::exchange::{ACCESS_TOKEN, Acting};
use super::service::IssuedTenant;
use crate::downstream::DownstreamError;
use crate::tokens::{
    Claims, Granted, KeyError, KeyRing, TimeRule, TokenError, TypeRule, Unverified,
};

/// What the operator says an issued token must look like.
pub(super) struct IssuedRule {
    pub(super) issuer: String,
    pub(super) keys: KeyRing,
    pub(super) audience: String,
    pub(super) token_type: TypeRule,
    /// Whether the answer must state `issued_token_type` (RFC 8693 §2.2.1).
    pub(super) states_type: bool,
    pub(super) subject_claim: String,
    pub(super) tenant: Option<IssuedTenant>,
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    pub(super) details: bool,
    pub(super) actor: Option<String>,
    pub(super) actor_issuer: Option<String>,
    pub(super) max_lifetime: Option<u64>,
    pub(super) times: TimeRule,
}

/// What this call says it must look like.
pub(super) struct Expected<'c> {
    pub(super) actor: &'c Actor,
    pub(super) agent: &'c Agent,
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
    pub(super) async fn verify(
        &self,
        granted: &Granted,
        expected: &Expected<'_>,
    ) -> Result<u64, DownstreamError> {
        let token = granted.access_token.expose_secret();
        if token == expected.inbound {
            return Err(refuse("it is the caller's own token"));
        }
        self.check_type(granted)?;
        let claims = self.authentic(token).await?;
        claims.check_times(expected.now, &self.times)?;
        claims.check_plain_access()?;
        let expires_at = claims.expiry()?;
        let beyond = self
            .max_lifetime
            .map_or(0, |seconds| expected.now.saturating_add(seconds));
        if expires_at > expected.authority_until.max(beyond) {
            return Err(refuse(
                "it outlives the caller's own token (exchange.max_lifetime)",
            ));
        }
        if claims.audiences()? != [self.audience.as_str()] {
            return Err(refuse("it is for another audience, or for more than one"));
        }
        if claims.string(&self.subject_claim)? != expected.actor.sub {
            return Err(refuse("it names another subject"));
        }
        self.check_tenant(&claims, expected.actor)?;
        self.check_client(&claims)?;
        self.check_actor(&claims, expected)?;
        if !self.details && (granted.details || claims.has("authorization_details")) {
            return Err(refuse(
                "it has authorization_details (exchange.expect_authorization_details)",
            ));
        }
        check_scopes(&claims, granted, expected)?;
        Ok(expires_at.min(expected.authority_until))
    }

    /// RFC 8693 §2.2.1 requires the member; other dialects do not have it.
    fn check_type(&self, granted: &Granted) -> Result<(), DownstreamError> {
        match granted.issued_token_type.as_deref() {
            Some(ACCESS_TOKEN | JWT) => Ok(()),
            Some(_) => Err(refuse("it is not of the requested type")),
            None if self.states_type => Err(refuse("the answer does not state issued_token_type")),
            None => Ok(()),
        }
    }

    /// The claims of a token that the expected issuer signed, of the expected type.
    async fn authentic(&self, token: &str) -> Result<Claims, DownstreamError> {
        let unverified = Unverified::parse(token)?;
        if unverified.claimed_issuer()? != self.issuer {
            return Err(refuse("it is from another issuer"));
        }
        let key = self
            .keys
            .find(unverified.key_id())
            .await
            .map_err(|error| match error {
                KeyError::Unknown => refuse("it is signed with an unknown key"),
                KeyError::Unavailable { .. } => DownstreamError::Unavailable(
                    "the keys of the authorization server are not available".into(),
                ),
            })?;
        Ok(unverified.verify(&key, &self.token_type)?)
    }

    /// A user of two tenants must not get into the other one.
    fn check_tenant(&self, claims: &Claims, actor: &Actor) -> Result<(), DownstreamError> {
        let Some(rule) = &self.tenant else {
            return Ok(());
        };
        match claims.optional_string(&rule.claim)? {
            Some(tenant) if Some(tenant) != actor.tenant.as_deref() => Err(refuse(
                "it is for another tenant (exchange.expect_tenant_claim)",
            )),
            None if rule.required => {
                Err(refuse("it states no tenant (exchange.expect_tenant_claim)"))
            }
            _ => Ok(()),
        }
    }

    /// RFC 9068 §2.2: the client is the one that asked for the token, under whichever name.
    fn check_client(&self, claims: &Claims) -> Result<(), DownstreamError> {
        for name in ["client_id", "azp", "appid", "cid"] {
            if claims
                .optional_string(name)?
                .is_some_and(|client| client != self.client)
            {
                return Err(refuse(
                    "it was issued to another client (exchange.expect_client)",
                ));
            }
        }
        Ok(())
    }

    /// RFC 8693 §4.1: the outermost actor is the host. Those nested in it acted before, so they
    /// can only be agents of the caller.
    fn check_actor(&self, claims: &Claims, expected: &Expected<'_>) -> Result<(), DownstreamError> {
        let act = claims.optional_object("act")?;
        let Some(act) = act else {
            let wanted = expected.acting == Acting::HostForUser && self.actor.is_some();
            return if wanted {
                Err(refuse("it names no actor"))
            } else {
                Ok(())
            };
        };
        if expected.acting == Acting::UserAlone {
            return Err(refuse(
                "it names an actor, which a restricted token must not",
            ));
        }
        let sub = act.string("sub")?;
        if self.actor.as_deref().is_some_and(|actor| actor != sub) {
            return Err(refuse("it names another actor (exchange.expect_actor)"));
        }
        let issuer = act.optional_string("iss")?;
        if issuer
            .is_some_and(|issuer| issuer != self.actor_issuer.as_deref().unwrap_or(&self.issuer))
        {
            return Err(refuse(
                "its actor is of another issuer (exchange.expect_actor_issuer)",
            ));
        }
        let mut nested = act.optional_object("act")?;
        while let Some(prior) = nested {
            if !self.is_agent(
                prior.string("sub")?,
                prior.optional_string("iss")?,
                expected,
            ) {
                return Err(refuse(
                    "its `act` has an actor nested in it that the caller's token does not name",
                ));
            }
            nested = prior.optional_object("act")?;
        }
        Ok(())
    }

    /// Whether this is an agent of the caller, as the caller's own token says.
    fn is_agent(&self, sub: &str, issuer: Option<&str>, expected: &Expected<'_>) -> bool {
        let agent = expected.agent;
        let home = |issuer: &str| issuer == self.issuer || issuer == expected.actor.iss;
        let outer = (sub == agent.id || sub == agent.client_id) && issuer.is_none_or(home);
        let named = |prior: &bailiwick_envelope::PriorActor| {
            prior.sub == sub
                && issuer.is_none_or(|issuer| home(issuer) || prior.iss.as_deref() == Some(issuer))
        };
        outer || agent.prior.iter().any(named)
    }
}

/// RFC 8693 §2.2.1: the answer's `scope` may be left out only where it is what was asked for. A
/// restricted user's token must have its scopes stated. The answer may spell scopes as they were
/// asked for, the token as the service knows them.
fn check_scopes(
    claims: &Claims,
    granted: &Granted,
    expected: &Expected<'_>,
) -> Result<(), DownstreamError> {
    let mut issued = claims.scopes("scope")?;
    issued.extend(claims.scopes("scp")?);
    let answered = granted.scope.as_deref().unwrap_or_default();
    let asked = |scope: &String| expected.asked.contains(scope) || expected.scopes.contains(scope);
    if issued.iter().any(|scope| !expected.scopes.contains(scope)) || !answered.iter().all(asked) {
        return Err(refuse(
            "it has scopes that were not asked for (exchange.expect_scopes)",
        ));
    }
    let lacking = |wanted: &[String], given: &[String]| -> Vec<String> {
        wanted
            .iter()
            .filter(|scope| !given.contains(scope))
            .cloned()
            .collect()
    };
    let missing = if claims.has("scope") || claims.has("scp") {
        lacking(expected.scopes, &issued)
    } else if granted.scope.is_some() && answered.iter().any(|scope| expected.asked.contains(scope))
    {
        lacking(expected.asked, answered)
    } else if granted.scope.is_some() {
        lacking(expected.scopes, answered)
    } else if expected.acting == Acting::UserAlone {
        return Err(refuse(
            "neither it nor the answer states scopes, which a restricted token must",
        ));
    } else {
        Vec::new()
    };
    if missing.is_empty() {
        Ok(())
    } else {
        Err(DownstreamError::ScopeDenied(missing))
    }
}

fn refuse(why: &str) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("the issued token is not acceptable: {why}"))
}

/// What the front door would not accept is not sent either.
impl From<TokenError> for DownstreamError {
    fn from(why: TokenError) -> Self {
        refuse(&why.to_string())
    }
}

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
