//! What the operator says about one issuer (`[[issuers]]`).

use super::unverified::TypeRule;

/// How an issuer's tokens are read.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Exact `iss`.
    pub issuer: String,
    /// Short name; namespaces this issuer's subjects downstream.
    pub alias: String,
    /// The `typ` of its access tokens.
    pub token_type: TypeRule,
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

/// How a service account is told from a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceRule {
    /// The subject is the client itself (RFC 9068 §5).
    SubjectIsClient,
    /// A claim, which must then be in every token, begins with a text.
    ClaimBegins {
        /// The claim.
        claim: String,
        /// The text.
        prefix: String,
    },
}
