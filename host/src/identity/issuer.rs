//! The operator's settings for one issuer (`[[issuers]]`).

use std::sync::Arc;

use super::display::AgentNames;
use super::scopes::ScopePrefix;
use crate::tokens::{Claims, TimeRule, TokenError, TypeRule, client_id};

/// The rules for reading one issuer's tokens.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Exact `iss`.
    pub issuer: String,
    /// Short name; namespaces this issuer's subjects downstream.
    pub alias: String,
    /// The audience of its tokens.
    pub audience: AudienceRule,
    /// The `typ` of its access tokens.
    pub token_type: TypeRule,
    /// The bounds on their lifetime and age.
    pub times: TimeRule,
    /// The claim that names the subject, unique and never reassigned within the issuer.
    pub subject_claim: String,
    /// The claim that holds the scopes, if it is neither `scope` nor `scp`.
    pub scope_claim: Option<String>,
    /// The text that the issuer wants before each scope.
    pub scope_prefix: ScopePrefix,
    /// The client, and which clients are allowed.
    pub client: ClientRule,
    /// The source of the tenant, if the issuer has tenants.
    pub tenant: Option<TenantRule>,
    /// The source of the agent.
    pub agent: AgentRule,
    /// The rule that separates service accounts from users.
    pub service_when: ServiceRule,
    /// Names of agents to show.
    pub agents: Arc<AgentNames>,
}

impl IssuerSettings {
    /// Returns the settings of an issuer whose access tokens are as RFC 9068 has them.
    pub fn usual(issuer: &str, alias: &str) -> Self {
        Self {
            issuer: issuer.into(),
            alias: alias.into(),
            audience: AudienceRule::default(),
            token_type: TypeRule::Exactly("at+jwt".into()),
            times: TimeRule::default(),
            subject_claim: "sub".into(),
            scope_claim: None,
            scope_prefix: ScopePrefix::default(),
            client: ClientRule::default(),
            tenant: None,
            agent: AgentRule::ActorOrClient,
            service_when: ServiceRule::SubjectIsClient,
            agents: Arc::default(),
        }
    }
}

/// The audience of an issuer's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AudienceRule {
    /// The claim that states it, if that is not `aud`.
    pub claim: Option<String>,
    /// The audiences, one of which a token must have. Without any, it is the resource itself.
    pub names: Vec<String>,
}

/// The client of an issuer's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientRule {
    /// The claim that names it, if that is none of `client_id`, `azp`, `appid` and `cid`.
    pub claim: Option<String>,
    /// The clients that may present tokens, or `None` for all clients of the issuer.
    pub allowed: Option<Vec<ClientPattern>>,
    /// True if a token without subject may be the client's own, where `sub` or the rule of
    /// [`ServiceRule::Claim`] says so.
    pub without_subject: bool,
}

/// One client that is allowed, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPattern {
    /// The client of exactly this name.
    Name(String),
    /// Each client whose identifier is the URL of a metadata document at this origin, such as
    /// `https://agents.example`.
    Origin(String),
}

impl ClientRule {
    /// Returns the authenticated client: that of the operator's claim, else `client_id` (RFC 9068
    /// §2.2), else `azp`, else `appid` (Entra ID 1.0, AD FS), else `cid` (Okta).
    pub(super) fn client<'c>(&self, claims: &'c Claims) -> Result<&'c str, TokenError> {
        let names = match &self.claim {
            Some(claim) => vec![claim.as_str()],
            None => CLIENT_CLAIMS.to_vec(),
        };
        for name in &names {
            if let Some(client) = claims.client(name)? {
                return self.admit(client);
            }
        }
        let first = names.first().copied().unwrap_or_default();
        Err(TokenError::Claim(first.to_owned()))
    }

    fn admit<'c>(&self, client: &'c str) -> Result<&'c str, TokenError> {
        let fits = |pattern: &ClientPattern| match pattern {
            ClientPattern::Name(name) => name == client,
            ClientPattern::Origin(origin) => client_id::origin(client).as_ref() == Some(origin),
        };
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(fits) => Err(TokenError::Client),
            _ => Ok(client),
        }
    }
}

/// The claims that name a client, in the order in which they count.
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "appid", "cid"];

/// The source of an actor's tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRule {
    /// A claim, which every token must then have.
    Claim(String),
    /// One tenant for the whole issuer.
    Fixed(String),
}

/// The source of the agent's identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentRule {
    /// The outermost `act.sub` (RFC 8693 §4.1), else the client.
    ActorOrClient,
    /// A claim, which every token must then have.
    Claim(String),
}

/// The comparison of a claim with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextRule {
    /// The claim equals the text.
    Equals(String),
    /// The claim begins with the text.
    Begins(String),
    /// The claim ends with the text.
    Ends(String),
}

impl TextRule {
    pub(super) fn admits(&self, claim: &str) -> bool {
        match self {
            Self::Equals(text) => claim == text,
            Self::Begins(text) => claim.starts_with(text),
            Self::Ends(text) => claim.ends_with(text),
        }
    }
}

/// The rule that separates service accounts from users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceRule {
    /// The subject is the client itself (RFC 9068 §5).
    SubjectIsClient,
    /// A claim, which every token must then have, matches a text.
    Claim {
        /// The name of the claim.
        claim: String,
        /// The comparison that it must pass.
        fits: TextRule,
    },
}
