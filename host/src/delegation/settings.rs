//! The operator's settings for the services that tools may reach (`[services.NAME]`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderMap, HeaderName, Uri};

use super::answer_headers::AnswerHeader;
use super::constant_headers::ConstantHeaders;
use super::dialect::ExchangeDialect;
use super::static_key::StaticAuth;
use super::template::Template;
use crate::egress::{AddressPolicy, CertificateDigest, Deadlines, PeerTls};
use crate::remote::RemoteRevision;
use crate::tokens::{Algorithm, ClientSettings, KeySource, LocalIssuer, TimeRule, TypeRule};

/// The settings of one service.
pub struct ServiceSettings {
    /// The name by which grants and tools refer to it.
    pub name: String,
    /// Base URL, or the endpoint of a remote MCP server; no query.
    pub url: Uri,
    /// The remote MCP server that it is, if it is one. Then `allow` names remote tools alone.
    pub remote: Option<RemoteSettings>,
    /// Private addresses that the service may have.
    pub addresses: AddressPolicy,
    /// Whom the host believes to be the service, and what it proves itself with there.
    pub tls: PeerTls,
    /// True if the service gets transaction tokens.
    pub in_trust_domain: bool,
    /// Aliases of the issuers whose subjects it knows.
    pub actor_issuers: Vec<String>,
    /// The requests that tools may make.
    pub allow: Vec<Template>,
    /// True if its data is the same for all users: then templates need not bind the actor, and one
    /// connection carries requests of all of them.
    pub shared_data: bool,
    /// True if the service cannot tell users apart and all of them use the whole account: then
    /// templates need not bind the actor.
    pub one_account: bool,
    /// The subjects that `{actor.sub}` may stand for.
    pub subjects: Subjects,
    /// Headers that it gets with every request.
    pub headers: ConstantHeaders,
    /// Headers of its answers that a tool may see besides the usual ones.
    pub answer_headers: Vec<AnswerHeader>,
    /// The audit headers that it gets.
    pub audit_headers: AuditHeaders,
    /// The treatment of a request when its call is cancelled.
    pub on_cancel: OnCancel,
    /// The header in which it gets a key for each change (`POST`, `PATCH`).
    pub idempotency: Option<HeaderName>,
    /// The time that a request to it may take.
    pub deadlines: Deadlines,
    /// The most requests to it at the same time.
    pub concurrency: usize,
    /// Whether the operator's policy point decides about requests to it.
    pub policy_point: UnderPolicy,
    /// The host's own credential.
    pub auth: Auth,
    /// The exchange that obtains a user's authority.
    pub exchange: Option<ExchangeSettings>,
    /// The tokens that the host issues for a user in place of an exchange. A service never has
    /// both.
    pub reissue: Option<ReissueSettings>,
}

/// The settings of a remote MCP server (`kind = "mcp"`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSettings {
    /// The revision of MCP that it speaks with the host.
    pub revision: RemoteRevision,
    /// The pin of each tool that `allow` names.
    pub definitions: BTreeMap<String, String>,
    /// The time for which a look at its definitions is good, for the principal who looked.
    pub look_lasts: Duration,
}

/// Whether a service is under the operator's policy point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnderPolicy {
    /// It is, if there is one.
    IfAny,
    /// The operator exempts it.
    Exempt,
}

impl ServiceSettings {
    /// Returns true if under `service_identity` the service tells users apart by their keys, or
    /// need not.
    pub fn is_told_apart_or_one(&self) -> bool {
        let by_key = matches!(&self.auth, Auth::Static(auth) if auth.is_by_user());
        by_key || self.shared_data || self.one_account
    }

    /// Returns SHA-256 of the certificate that the host shows to the service, if it shows one. It
    /// shows none over plain http.
    pub(super) fn certificate(&self) -> Option<CertificateDigest> {
        let is_shown = self.url.scheme() == Some(&Scheme::HTTPS);
        self.tls.thumbprint().filter(|_| is_shown)
    }

    /// Returns the first of a tool's headers that the host sets for this service.
    pub(super) fn own_header<'h>(&self, given: &'h HeaderMap) -> Option<&'h HeaderName> {
        let is_own =
            |name: &&HeaderName| self.idempotency.as_ref() == Some(*name) || self.headers.has(name);
        given.keys().find(is_own)
    }

    /// Returns the host as a client of authorization servers, for this service.
    pub fn clients(&mut self) -> impl Iterator<Item = &mut ClientSettings> {
        let own = self.auth.client();
        let users = self.exchange.iter_mut().flat_map(|exchange| {
            let ExchangeSettings { client, then, .. } = exchange;
            std::iter::once(client).chain(then)
        });
        own.into_iter().chain(users)
    }
}

/// The subjects that `{actor.sub}` may stand for at a service, beyond the users of one issuer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Subjects {
    /// True if the issuers of `actor_issuers` never give one subject, or one tenant, to two
    /// parties.
    pub one_space: bool,
    /// True if service accounts may stand for it (RFC 9068 §5).
    pub service_accounts: bool,
}

/// The treatment of a request under way when its call is cancelled. One that only reads (GET, HEAD)
/// is always given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It runs on to its answer or its time limit, so that the journal records what it did.
    Finish,
    /// It is given up, and its effect stays unknown.
    Abort,
}

/// The audit headers that a service gets.
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
    /// The service needs none.
    #[default]
    None,
    /// An access token of the host (RFC 6749 §4.4).
    ClientCredentials {
        /// The host as a client of the authorization server.
        client: ClientSettings,
        /// Scopes to request.
        scopes: Vec<String>,
        /// Further scopes that the answer may state.
        expect_scopes: Vec<String>,
        /// The `audience` of the request, for servers that need one.
        audience: Option<String>,
    },
    /// A key from a secret file.
    Static(StaticAuth),
}

impl Auth {
    /// Returns the host as a client of an authorization server, if it gets its credential there.
    pub fn client(&mut self) -> Option<&mut ClientSettings> {
        match self {
            Self::ClientCredentials { client, .. } => Some(client),
            Self::None | Self::Static(_) => None,
        }
    }

    /// Returns the header of a key, if that is what the credential is.
    pub fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Static(auth) => auth.header(),
            Self::None | Self::ClientCredentials { .. } => None,
        }
    }

    /// Returns the parameter of the query that carries a key, if that is what the credential is.
    pub fn query(&self) -> Option<&str> {
        match self {
            Self::Static(auth) => auth.query(),
            Self::None | Self::ClientCredentials { .. } => None,
        }
    }
}

/// The exchange that obtains a user's authority for one service (RFC 8693).
pub struct ExchangeSettings {
    /// The host as a client of the authorization server.
    pub client: ClientSettings,
    /// The dialect of the authorization server.
    pub dialect: ExchangeDialect,
    /// The values that the dialect leaves to the operator, by name.
    pub parameters: Vec<(String, String)>,
    /// The host as a client of the second authorization server, for a dialect that asks two.
    pub then: Option<ClientSettings>,
    /// `audience` of the request.
    pub audience: String,
    /// Scopes to request.
    pub scopes: Vec<String>,
    /// True if `actor_token` is sent, from client credentials.
    pub actor: bool,
    /// The `audience` of the request for that token, for servers that need one.
    pub actor_audience: Option<String>,
    /// Aliases of the issuers whose users it serves.
    pub subject_issuers: Vec<String>,
    /// The expectations of the issued token.
    pub issued: IssuedSettings,
}

/// The tokens that the host itself issues for one service (`restricted_user`).
#[derive(Clone)]
pub struct ReissueSettings {
    /// The host as their issuer.
    pub issuer: Arc<LocalIssuer>,
    /// The alias of the one issuer whose users it names: to a service, a subject under its name is
    /// one user.
    pub subject_issuer: String,
    /// The `client_id`: the host, as the service knows it.
    pub client_id: String,
    /// The one `aud`.
    pub audience: String,
    /// The widest scopes.
    pub scopes: Vec<String>,
    /// The longest validity, in seconds: at most a minute.
    pub lifetime: u64,
}

/// The expectations of an issued token.
pub struct IssuedSettings {
    /// Its exact `iss`.
    pub issuer: String,
    /// Its keys.
    pub keys: KeySource,
    /// The algorithms that may sign it.
    pub algorithms: Vec<Algorithm>,
    /// Its exact and only `aud`.
    pub audience: String,
    /// Its `typ`.
    pub token_type: TypeRule,
    /// The claim that names the subject.
    pub subject_claim: String,
    /// The claim that states the tenant, which must then be the caller's.
    pub tenant: Option<IssuedTenant>,
    /// The client for which it was issued, if it states one.
    pub client: String,
    /// True if it is not a JWT, so that only the answer says what it is.
    pub opaque: bool,
    /// True if it may have `authorization_details` (RFC 9396 §9).
    pub details: bool,
    /// The widest scopes that it may have, as the token spells them.
    pub scopes: Vec<String>,
    /// The `sub` of its `act`, if it must have one. Otherwise an `act` must name [`Self::client`].
    pub actor: Option<String>,
    /// The `iss` of its `act`, if that is not the token's own issuer.
    pub actor_issuer: Option<String>,
    /// The seconds that it may be valid for, even beyond the caller's own token. Without this
    /// value, it must not outlive that token.
    pub max_lifetime: Option<u64>,
    /// The bounds on its validity.
    pub times: TimeRule,
}

/// The claim in which an issued token states its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTenant {
    /// The name of the claim.
    pub claim: String,
    /// True if the claim must be there.
    pub required: bool,
}
