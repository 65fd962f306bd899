//! The operator's settings for one issuer (`[[issuers]]`).

use crate::tokens::{TimeRule, TypeRule};

/// The rules for reading one issuer's tokens.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Exact `iss`.
    pub issuer: String,
    /// Short name; namespaces this issuer's subjects downstream.
    pub alias: String,
    /// The audience of its tokens, where it cannot be the resource itself.
    pub audience: Option<String>,
    /// The `typ` of its access tokens.
    pub token_type: TypeRule,
    /// The bounds on their lifetime and age.
    pub times: TimeRule,
    /// The claim that names the subject, unique and never reassigned within the issuer.
    pub subject_claim: String,
    /// The claim that holds the scopes.
    pub scope_claim: String,
    /// The source of the tenant, if the issuer has tenants.
    pub tenant: Option<TenantRule>,
    /// The source of the agent.
    pub agent: AgentRule,
    /// The rule that separates service accounts from users.
    pub service_when: ServiceRule,
}

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
