//! The verified pair of actor and agent.

use std::sync::Arc;

use bailiwick_envelope::{Actor, ActorKind, Agent, PriorActor};

use super::display::DisplayNames;
use super::issuer::{AgentRule, IssuerSettings, ServiceRule, TenantRule};
use super::scopes::ScopePrefix;
use crate::denials::Requester;
use crate::principal::{Principal, Tenant};
use crate::tokens::{Claims, TokenError, Verified};

/// The user who asks and the agent that executes, with what the token allows: the proof that
/// authentication happened.
///
/// Built only from verified claims. A principal is always the pair (issuer, subject), because two
/// issuers may use the same subject for different people.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Arc<Actor>,
    agent: Arc<Agent>,
    agent_issuer: Option<Arc<str>>,
    principal: Principal,
    tenant: Option<Tenant>,
    alias: Arc<str>,
    scopes: Vec<String>,
    scope_prefix: ScopePrefix,
    expires_at: u64,
    session: SessionBasis,
    display: Arc<DisplayNames>,
}

impl From<&Caller> for Principal {
    fn from(caller: &Caller) -> Self {
        caller.principal.clone()
    }
}

/// The claim or digest that identifies the session or authorization of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionBasis {
    /// The `sid` claim, as it is.
    SessionId(String),
    /// The `jti` claim; shown only as a keyed hash.
    TokenId(String),
    /// SHA-256 of the token; shown only as a keyed hash.
    TokenDigest([u8; 32]),
}

impl Caller {
    pub(super) fn new(
        token: &Verified,
        issuer: &IssuerSettings,
        token_digest: [u8; 32],
    ) -> Result<Self, TokenError> {
        let claims = token.claims();
        let client_id = issuer.client.client(claims)?.to_owned();
        let (sub, kind) = subject(claims, issuer, &client_id)?;
        let actor = Actor {
            kind,
            sub,
            iss: issuer.issuer.clone(),
            tenant: tenant(claims, issuer.tenant.as_ref())?,
            acr: claims.hint("acr")?.map(String::from),
            auth_time: claims.hint_of_time("auth_time"),
        };
        let (agent, agent_issuer) = agent(claims, &issuer.agent, client_id)?;
        Ok(Self {
            principal: Principal::from(&actor),
            display: Arc::new(DisplayNames::of(claims, &agent, &issuer.agents)),
            tenant: Tenant::of(&actor),
            actor: Arc::new(actor),
            agent: Arc::new(agent),
            agent_issuer: agent_issuer.map(Into::into),
            alias: issuer.alias.as_str().into(),
            scopes: issuer
                .scope_prefix
                .shorten(claims.granted(issuer.scope_claim.as_deref())?),
            scope_prefix: issuer.scope_prefix.clone(),
            expires_at: claims.expiry()?,
            session: session(claims, token_digest)?,
        })
    }

    /// Returns the caller of a token that its issuer lets end earlier than it states.
    pub(super) fn ending_by(self, end: Option<u64>) -> Self {
        Self {
            expires_at: end.map_or(self.expires_at, |end| self.expires_at.min(end)),
            ..self
        }
    }

    /// Returns the principal that initiated the request.
    pub fn actor(&self) -> &Arc<Actor> {
        &self.actor
    }

    /// Returns the tenant of the principal, if the token names one.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Returns the client that executes the request.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
    }

    /// Returns the issuer that the token states for the agent (`act.iss`, RFC 8693 §4.1). The
    /// token's own issuer vouches for both.
    pub fn agent_issuer(&self) -> Option<&Arc<str>> {
        self.agent_issuer.as_ref()
    }

    /// Returns who asks, for the operator's denials.
    pub fn asking(&self) -> Requester<'_> {
        Requester::of(&self.actor, &self.agent, self.agent_issuer.as_deref())
    }

    /// Returns the alias of the actor's issuer.
    pub fn issuer_alias(&self) -> &Arc<str> {
        &self.alias
    }

    /// Returns the token's scopes, sorted.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns true if the token has this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Returns true if the token has all of these scopes.
    pub fn has_scopes(&self, needed: &[String]) -> bool {
        needed.iter().all(|scope| self.scopes.contains(scope))
    }

    /// Returns scopes as the caller's client asks its issuer for them.
    pub fn spell(&self, scopes: &[String]) -> Vec<String> {
        self.scope_prefix.spell(scopes)
    }

    /// Returns the token's expiry, in seconds since 1970-01-01 UTC: the earlier one, if its issuer
    /// was asked about it and says otherwise.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns the names to show beside the identifiers. They are not identity: no decision may
    /// look at them.
    pub fn display(&self) -> &Arc<DisplayNames> {
        &self.display
    }

    /// Returns the basis of the session's identifier.
    pub fn session(&self) -> &SessionBasis {
        &self.session
    }
}

/// Returns the subject, and whether it is a user or a service account.
///
/// Some issuers write no `subject_claim` into the token that a client gets for itself. If the
/// operator says so, such a token is the client's: a service account with the client's name.
fn subject(
    claims: &Claims,
    issuer: &IssuerSettings,
    client_id: &str,
) -> Result<(String, ActorKind), TokenError> {
    if issuer.client.without_subject && !claims.has(&issuer.subject_claim) {
        if !is_clients_own(claims, &issuer.service_when, client_id)? {
            return Err(TokenError::Claim(issuer.subject_claim.clone()));
        }
        return Ok((client_id.to_owned(), ActorKind::Service));
    }
    let sub = named(claims, &issuer.subject_claim, client_id)?.to_owned();
    let service = match &issuer.service_when {
        ServiceRule::SubjectIsClient => sub == client_id,
        ServiceRule::Claim { claim, fits } => {
            sub == client_id || fits.admits(claims.string(claim)?)
        }
    };
    let kind = if service {
        ActorKind::Service
    } else {
        ActorKind::User
    };
    Ok((sub, kind))
}

/// Returns true if a token without `subject_claim` states that its client got it for itself.
///
/// A subject that is missing states nothing: AD FS, for example, writes no `sub` into users' tokens
/// either, so all users would be the client's service account.
fn is_clients_own(
    claims: &Claims,
    rule: &ServiceRule,
    client_id: &str,
) -> Result<bool, TokenError> {
    match (claims.client("sub")?, rule) {
        (Some(sub), _) => Ok(sub == client_id),
        (None, ServiceRule::Claim { claim, fits }) => Ok(fits.admits(claims.string(claim)?)),
        (None, ServiceRule::SubjectIsClient) => Ok(false),
    }
}

/// Returns the claim `name`: a name, or the client's own identifier, which may be a longer URL.
fn named<'c>(claims: &'c Claims, name: &str, client_id: &str) -> Result<&'c str, TokenError> {
    match claims.string(name) {
        Ok(text) => Ok(text),
        Err(malformed) => match claims.client(name) {
            Ok(Some(client)) if client == client_id => Ok(client),
            _ => Err(malformed),
        },
    }
}

fn tenant(claims: &Claims, rule: Option<&TenantRule>) -> Result<Option<String>, TokenError> {
    match rule {
        None => Ok(None),
        Some(TenantRule::Fixed(tenant)) => Ok(Some(tenant.clone())),
        Some(TenantRule::Claim(claim)) => {
            claims.string(claim).map(|tenant| Some(tenant.to_owned()))
        }
    }
}

/// Returns the agent, and the issuer that the token states for it.
fn agent(
    claims: &Claims,
    rule: &AgentRule,
    client_id: String,
) -> Result<(Agent, Option<String>), TokenError> {
    let mut chain = actors(claims, &client_id)?;
    let (id, issuer) = match rule {
        AgentRule::Claim(claim) => (claims.string(claim)?.to_owned(), None),
        AgentRule::ActorOrClient if chain.is_empty() => (client_id.clone(), None),
        AgentRule::ActorOrClient => {
            let PriorActor { sub, iss } = chain.remove(0);
            (sub, iss)
        }
    };
    let agent = Agent {
        kind: "mcp_agent".into(),
        id,
        client_id,
        prior: chain,
    };
    Ok((agent, issuer))
}

/// Returns the `act` chain, outermost first (RFC 8693 §4.1). A chain that is too long is refused:
/// cutting it would hide an agent. A name has at most 256 bytes, as in any claim.
fn actors(claims: &Claims, client_id: &str) -> Result<Vec<PriorActor>, TokenError> {
    let mut chain = Vec::new();
    let mut next = claims.actor()?;
    while let Some(actor) = next {
        if chain.len() == MAX_ACTORS {
            return Err(TokenError::Claim("act".into()));
        }
        let sub = named(&actor, "sub", client_id)?.to_owned();
        chain.push(PriorActor {
            sub,
            iss: actor.optional_string("iss")?.map(String::from),
        });
        next = actor.actor()?;
    }
    Ok(chain)
}

fn session(claims: &Claims, token_digest: [u8; 32]) -> Result<SessionBasis, TokenError> {
    Ok(match (claims.hint("sid")?, claims.hint("jti")?) {
        (Some(sid), _) => SessionBasis::SessionId(sid.to_owned()),
        (None, Some(jti)) => SessionBasis::TokenId(jti.to_owned()),
        (None, None) => SessionBasis::TokenDigest(token_digest),
    })
}

/// The most actors in a chain.
pub(crate) const MAX_ACTORS: usize = 8;

#[cfg(test)]
mod tests;
