//! What the operator says about one issuer (`[[issuers]]`).

use crate::tokens::{TimeRule, TypeRule};

/// How an issuer's tokens are read.
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
    /// How long they may be valid.
    pub times: TimeRule,
    /// The claim that names the subject, unique and never reassigned within the issuer.
    pub subject_claim: String,
    /// The claim that holds the scopes.
    pub scope_claim: String,
    /// Where the tenant comes from.
    pub tenant: Option<TenantRule>,
    /// Where the agent comes from.
    pub agent: AgentRule,
    /// How a service account is told from a user.
    pub service_when: ServiceRule,
}

/// Where an actor's tenant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRule {
    /// A claim, which must then be in every token.
    Claim(String),
    /// One tenant for the whole issuer.
    Fixed(String),
}

/// Where the agent's identifier comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentRule {
    /// The outermost `act.sub` (RFC 8693 §4.1), else the client.
    ActorOrClient,
    /// A claim, which must then be in every token.
    Claim(String),
}

/// How a claim fits a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextRule {
    /// It is the text.
    Equals(String),
    /// It begins with it.
    Begins(String),
    /// It ends with it.
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

/// How a service account is told from a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceRule {
    /// The subject is the client itself (RFC 9068 §5).
    SubjectIsClient,
    /// A claim, which must then be in every token, fits a text.
    Claim {
        /// The claim.
        claim: String,
        /// How it fits.
        fits: TextRule,
    },
}
