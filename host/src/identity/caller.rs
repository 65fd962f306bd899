//! The verified pair of actor and agent.

use std::sync::Arc;

use bailiwick_envelope::{Actor, ActorKind, Agent, PriorActor};

use super::issuer::{AgentRule, IssuerSettings, ServiceRule, TenantRule};
use crate::principal::Principal;
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
    principal: Principal,
    alias: Arc<str>,
    scopes: Vec<String>,
    expires_at: u64,
    session: SessionBasis,
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
        let client_id = client_id(claims)?;
        let sub = claims.string(&issuer.subject_claim)?.to_owned();
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
        let actor = Actor {
            kind,
            sub,
            iss: issuer.issuer.clone(),
            tenant: tenant(claims, issuer.tenant.as_ref())?,
            acr: claims.optional_string("acr")?.map(String::from),
            auth_time: claims.optional_time("auth_time")?,
        };
        Ok(Self {
            principal: Principal::from(&actor),
            actor: Arc::new(actor),
            agent: Arc::new(agent(claims, &issuer.agent, client_id)?),
            alias: issuer.alias.as_str().into(),
            scopes: claims.scopes(&issuer.scope_claim)?,
            expires_at: claims.expiry()?,
            session: session(claims, token_digest)?,
        })
    }

    /// Returns the principal that initiated the request.
    pub fn actor(&self) -> &Arc<Actor> {
        &self.actor
    }

    /// Returns the client that executes the request.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
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

    /// Returns the token's expiry, in seconds since 1970-01-01 UTC.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns the basis of the session's identifier.
    pub fn session(&self) -> &SessionBasis {
        &self.session
    }
}

/// Returns the authenticated client: `client_id` (RFC 9068 §2.2), else `azp`, else `appid` (Entra
/// ID 1.0).
fn client_id(claims: &Claims) -> Result<String, TokenError> {
    for name in ["client_id", "azp", "appid"] {
        if let Some(client) = claims.optional_string(name)? {
            return Ok(client.to_owned());
        }
    }
    Err(TokenError::Claim("client_id".into()))
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

fn agent(claims: &Claims, rule: &AgentRule, client_id: String) -> Result<Agent, TokenError> {
    let mut chain = actors(claims)?;
    let id = match rule {
        AgentRule::Claim(claim) => claims.string(claim)?.to_owned(),
        AgentRule::ActorOrClient if chain.is_empty() => client_id.clone(),
        AgentRule::ActorOrClient => chain.remove(0).sub,
    };
    Ok(Agent {
        kind: "mcp_agent".into(),
        id,
        client_id,
        prior: chain,
    })
}

/// Returns the `act` chain, outermost first (RFC 8693 §4.1). A chain that is too long is refused:
/// cutting it would hide an agent.
fn actors(claims: &Claims) -> Result<Vec<PriorActor>, TokenError> {
    let mut chain = Vec::new();
    let mut next = claims.optional_object("act")?;
    while let Some(actor) = next {
        if chain.len() == MAX_ACTORS {
            return Err(TokenError::Claim("act".into()));
        }
        let sub = actor.string("sub")?.to_owned();
        chain.push(PriorActor {
            sub,
            iss: actor.optional_string("iss")?.map(String::from),
        });
        next = actor.optional_object("act")?;
    }
    Ok(chain)
}

fn session(claims: &Claims, token_digest: [u8; 32]) -> Result<SessionBasis, TokenError> {
    if let Some(sid) = claims.optional_string("sid")? {
        return Ok(SessionBasis::SessionId(sid.to_owned()));
    }
    Ok(match claims.optional_string("jti")? {
        Some(jti) => SessionBasis::TokenId(jti.to_owned()),
        None => SessionBasis::TokenDigest(token_digest),
    })
}

const MAX_ACTORS: usize = 8;

#[cfg(test)]
mod tests;
