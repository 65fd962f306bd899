//! What the operator says about the services that tools may reach (`[services.NAME]`).

use http::{HeaderName, Uri};
use secrecy::SecretString;

use super::answer_headers::AnswerHeader;
use super::template::Template;
use crate::egress::AddressPolicy;
use crate::tokens::{Algorithm, ClientSettings, KeySource, TimeRule, TypeRule};

/// What the operator says about one service.
pub struct ServiceSettings {
    /// The name by which grants and tools refer to it.
    pub name: String,
    /// Base URL; no query, no trailing slash.
    pub url: Uri,
    /// Private addresses it may have.
    pub addresses: AddressPolicy,
    /// Whether it gets transaction tokens.
    pub in_trust_domain: bool,
    /// Aliases of the issuers whose subjects it knows.
    pub actor_issuers: Vec<String>,
    /// What tools may ask of it.
    pub allow: Vec<Template>,
    /// Whether its data is the same for all users: then templates need not bind the actor, and
    /// one connection carries requests of all of them.
    pub shared_data: bool,
    /// What `{actor.sub}` may stand for.
    pub subjects: Subjects,
    /// Headers of its answers that a tool may see besides the usual ones.
    pub answer_headers: Vec<AnswerHeader>,
    /// Which audit headers it gets.
    pub audit_headers: AuditHeaders,
    /// What becomes of a request to it when the call is cancelled.
    pub on_cancel: OnCancel,
    /// The host's own credential.
    pub auth: Auth,
    /// How a user's authority is obtained.
    pub exchange: Option<ExchangeSettings>,
}

/// What `{actor.sub}` may stand for at a service, beyond the users of one issuer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Whether the issuers of `actor_issuers` never give one subject, or one tenant, to two
    /// parties.
    pub one_space: bool,
    /// Whether service accounts may stand for it (RFC 9068 §5).
    pub service_accounts: bool,
}

/// What becomes of a request under way when the call is cancelled. One that only reads (GET, HEAD)
/// is always given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It goes on to its answer or its time limit, so that the journal says what it did.
    Finish,
    /// It is given up; what it did is unknown.
    Abort,
}

/// Which audit headers a service gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditHeaders {
    /// Actor, agent, mode and trace.
    Full,
    /// The trace only.
    Trace,
    /// No audit header.
    None,
}

/// The host's own credential for a service (`service_identity`).
#[derive(Default)]
pub enum Auth {
    /// The service wants none.
    #[default]
    None,
    /// An access token of the host (RFC 6749 §4.4).
    ClientCredentials {
        /// Who the host is at the authorization server.
        client: ClientSettings,
        /// Scopes to ask for.
        scopes: Vec<String>,
        /// Scopes that the answer may state besides.
        expect_scopes: Vec<String>,
        /// `audience` of the request, for servers that want one.
        audience: Option<String>,
    },
    /// A key from a secret file.
    Static {
        /// The header that carries it.
        header: HeaderName,
        /// Text before it, such as `Bearer `.
        prefix: String,
        /// The key.
        secret: SecretString,
    },
}

/// How a user's authority for one service is obtained (RFC 8693).
pub struct ExchangeSettings {
    /// Who the host is at the authorization server.
    pub client: ClientSettings,
    /// The dialect of the authorization server.
    pub profile: ExchangeProfile,
    /// `audience` of the request.
    pub audience: String,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Whether `actor_token` is sent, from client credentials.
    pub actor: bool,
    /// `audience` of the request for that token, for servers that want one.
    pub actor_audience: Option<String>,
    /// Aliases of the issuers whose users it serves.
    pub subject_issuers: Vec<String>,
    /// What must be issued.
    pub issued: IssuedSettings,
}

/// How an exchange is said on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeProfile {
    /// Token exchange (RFC 8693).
    Rfc8693,
    /// The on-behalf-of flow of Microsoft Entra ID: the grant of RFC 7523 §2.1 with
    /// `requested_token_use=on_behalf_of`. The target is in the scopes.
    EntraObo,
}

/// What an issued token must look like.
pub struct IssuedSettings {
    /// Exact `iss`.
    pub issuer: String,
    /// Its keys.
    pub keys: KeySource,
    /// Algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Exact and only `aud`.
    pub audience: String,
    /// `typ`.
    pub token_type: TypeRule,
    /// The claim that names the subject.
    pub subject_claim: String,
    /// Where it states the tenant, which must then be the caller's.
    pub tenant: Option<IssuedTenant>,
    /// The client for which it was issued, where it states one.
    pub client: String,
    /// Whether it may have `authorization_details` (RFC 9396 §9).
    pub details: bool,
    /// Scopes that it may have at most, as the token spells them.
    pub scopes: Vec<String>,
    /// The `sub` of its `act`, where it must have one.
    pub actor: Option<String>,
    /// The `iss` of its `act`, where that is not the token's own issuer.
    pub actor_issuer: Option<String>,
    /// Seconds that it may be valid for even beyond the caller's own token; without it, it must
    /// not outlive that.
    pub max_lifetime: Option<u64>,
    /// How long it may be valid in all.
    pub times: TimeRule,
}

/// Where an issued token states its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTenant {
    /// The claim.
    pub claim: String,
    /// Whether it must be there.
    pub required: bool,
}
