//! A configured downstream API (`[services.NAME]`) and everything needed to reach it.

use http::{HeaderName, Uri};
use secrecy::SecretString;

use super::answer_headers::AnswerHeader;

use super::exchange::Exchange;
use super::template::Template;
use crate::egress::{AddressPolicy, Client, Tls};
use crate::tokens::{
    Algorithm, Asking, ClientCredentials, ClientSettings, KeyRing, KeySource, TimeRule,
    TokenEndpoint, TypeRule,
};

/// What the operator says about one service.
pub struct ServiceSettings {
    /// Name.
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

/// What becomes of a request under way when nobody waits for the call any more. One that only
/// reads (GET, HEAD) is always given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It goes on to its answer or its time limit, so that the journal tells what it did.
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
    /// None.
    None,
}

/// The host's own credential for a service (`service_identity`).
pub enum Auth {
    /// None.
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

/// A service that is ready to be called.
pub struct Service {
    pub(super) settings: Described,
    pub(super) client: Client,
    pub(super) own: OwnCredential,
    pub(super) exchange: Option<Exchange>,
}

/// The part of the settings that describes requests.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) url: Uri,
    pub(super) in_trust_domain: bool,
    pub(super) actor_issuers: Vec<String>,
    pub(super) allow: Vec<Template>,
    pub(super) shared_data: bool,
    pub(super) service_accounts: bool,
    pub(super) answer_headers: Vec<AnswerHeader>,
    pub(super) audit_headers: AuditHeaders,
    pub(super) on_cancel: OnCancel,
}

/// The host's own credential, ready for use.
pub(super) enum OwnCredential {
    None,
    Static {
        header: HeaderName,
        value: SecretString,
        prefix: usize,
    },
    ClientCredentials(ClientCredentials),
}

impl Service {
    /// Joins the settings with the clients that carry them out.
    pub fn new(
        settings: ServiceSettings,
        tls: &Tls,
        clock: &std::sync::Arc<dyn crate::seams::Clock>,
    ) -> Self {
        let endpoint = |client: ClientSettings| TokenEndpoint::new(client, tls);
        let own = match settings.auth {
            Auth::None => OwnCredential::None,
            Auth::Static {
                header,
                prefix,
                secret,
            } => OwnCredential::Static {
                header,
                value: prefixed(&prefix, &secret),
                prefix: prefix.len(),
            },
            Auth::ClientCredentials {
                client,
                scopes,
                expect_scopes,
                audience,
            } => {
                let asking = Asking {
                    scopes,
                    expected: expect_scopes,
                    audience,
                };
                OwnCredential::ClientCredentials(ClientCredentials::new(
                    endpoint(client),
                    asking,
                    clock.clone(),
                ))
            }
        };
        let exchange = settings.exchange.map(|exchange| {
            let endpoint = endpoint(exchange.client);
            let asking = Asking {
                audience: exchange.actor_audience,
                ..Asking::default()
            };
            let actor = exchange
                .actor
                .then(|| ClientCredentials::new(endpoint.clone(), asking, clock.clone()));
            let issued = exchange.issued;
            let keys = KeyRing::new(issued.keys, issued.algorithms, tls, clock.clone());
            Exchange {
                endpoint,
                profile: exchange.profile,
                audience: exchange.audience,
                scopes: exchange.scopes,
                actor,
                subject_issuers: exchange.subject_issuers,
                issued: super::issued::IssuedRule {
                    issuer: issued.issuer,
                    keys,
                    audience: issued.audience,
                    token_type: issued.token_type,
                    states_type: exchange.profile == ExchangeProfile::Rfc8693,
                    subject_claim: issued.subject_claim,
                    tenant: issued.tenant,
                    client: issued.client,
                    scopes: issued.scopes,
                    details: issued.details,
                    actor: issued.actor,
                    actor_issuer: issued.actor_issuer,
                    max_lifetime: issued.max_lifetime,
                    times: issued.times,
                },
                clock: clock.clone(),
            }
        });
        Self {
            client: Client::new(tls, settings.addresses),
            settings: Described {
                name: settings.name,
                url: settings.url,
                in_trust_domain: settings.in_trust_domain,
                actor_issuers: settings.actor_issuers,
                allow: settings.allow,
                shared_data: settings.shared_data,
                service_accounts: settings.subjects.service_accounts,
                answer_headers: settings.answer_headers,
                audit_headers: settings.audit_headers,
                on_cancel: settings.on_cancel,
            },
            own,
            exchange,
        }
    }
}

fn prefixed(prefix: &str, secret: &SecretString) -> SecretString {
    use secrecy::ExposeSecret as _;
    SecretString::from(format!("{prefix}{}", secret.expose_secret()))
}
