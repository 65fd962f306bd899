//! The part on the network: issuers with their keys, the clock beside theirs, services, and tokens
//! of the host's own.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::chain;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use hyper::body::Bytes;

use super::Checkup;
use crate::config::{Config, Issuer};
use crate::delegation::{Auth, ExchangeSettings, ServiceSettings};
use crate::egress::{self, AddressPolicy, Client, EgressError, Reply, Tls, shown};
use crate::seams::{ChunkedRandom, Clock, Random as _, SystemClock};
use crate::tokens::{
    Asking, ClientCredentials, ClientProof, ClientSettings, EndpointError, KeyRing, KeySource,
    TokenEndpoint, certificate_endpoint, http_date,
};

/// Asks everything on the network that a host with this configuration would ask.
pub async fn online(config: &Config) -> Vec<Checkup> {
    let tls = match egress::tls() {
        Ok(tls) => tls,
        Err(error) => {
            let remedy = "install the system's root certificates (ca-certificates)";
            return vec![Checkup::bad("TLS", chain(error.as_ref()), remedy)];
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut found = Vec::new();
    for issuer in &config.issuers {
        found.push(keys(issuer, &tls, &clock).await);
        found.extend(time(issuer, &tls, clock.as_ref()).await);
        found.extend(introspection(issuer, &tls, &clock).await);
    }
    for service in &config.services {
        let about = format!("service {}", service.name);
        let tls_of = tls.of(&service.tls);
        found.push(reach(&about, &service.url, &tls_of, &service.addresses).await);
        found.extend(tokens(service, &tls, &clock).await);
    }
    if let Some(point) = &config.policy_point {
        let tls_of = tls.of(&point.tls);
        found.push(reach("policy point", &point.endpoint, &tls_of, &point.addresses).await);
        let about = ("policy_point.auth", REFUSES_ALL);
        found.extend(own_token(about, &point.auth, (&tls, &clock)).await);
    }
    found
}

/// Gets an issuer's keys as the host does.
async fn keys(issuer: &Issuer, tls: &Tls, clock: &Arc<dyn Clock>) -> Checkup {
    let about = format!("issuer {}", issuer.settings.issuer);
    let ring = KeyRing::new(issuer.key_settings(), tls, Arc::clone(clock));
    match ring.ask().await {
        Ok(()) => {
            let found = format!("its keys can be used (from {})", issuer.keys);
            Checkup::good(&about, found)
        }
        Err(error) => Checkup::bad(&about, chain(&error), key_remedy(&issuer.keys)),
    }
}

fn key_remedy(source: &KeySource) -> String {
    match source {
        KeySource::File(file) => format!("mend {}", file.path.display()),
        KeySource::Remote { url, .. } => {
            format!(
                "see that {} answers this machine with a key set, or mend jwks_uri; for an authority \
                 of your own, set roots_file",
                shown(url)
            )
        }
        KeySource::Discovered { .. } => {
            "see that the issuer's metadata answers this machine and names exactly this issuer; for \
             an address within a private network, set private_addresses, and for an authority of \
             your own roots_file"
                .to_owned()
        }
    }
}

/// Compares the clock with that of an issuer on the network, if it says the time.
async fn time(issuer: &Issuer, tls: &Tls, clock: &dyn Clock) -> Option<Checkup> {
    let (url, addresses, peer): (Uri, _, _) = match &issuer.keys {
        KeySource::Discovered {
            issuer,
            addresses,
            tls,
        } => (issuer.parse().ok()?, addresses, tls),
        KeySource::Remote {
            url,
            addresses,
            tls,
        } => (url.clone(), addresses, tls),
        KeySource::File(_) => return None,
    };
    let tls = tls.of(peer);
    let answer = ask(&tls, addresses, Method::HEAD, url).await.ok()?;
    let theirs = date(&answer.headers)?;
    let ahead = i128::from(clock.now()) - i128::from(theirs);
    let skew = issuer.settings.times.skew.max(TOLERATED);
    let found = match ahead {
        0.. => format!("{ahead} s ahead of {}", issuer.settings.issuer),
        _ => format!("{} s behind {}", -ahead, issuer.settings.issuer),
    };
    if ahead.unsigned_abs() <= u128::from(skew) {
        return Some(Checkup::good("clock", found));
    }
    let remedy = "set the clock of this machine by NTP: tokens would be expired, or not valid yet";
    Some(Checkup::bad("clock", found, remedy))
}

/// Returns the time that an answer states, in seconds since 1970-01-01 UTC.
pub(super) fn date(headers: &HeaderMap) -> Option<u64> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// Asks an issuer that is asked about tokens about one that it cannot know.
pub(super) async fn introspection(
    issuer: &Issuer,
    tls: &Tls,
    clock: &Arc<dyn Clock>,
) -> Option<Checkup> {
    let settings = issuer.introspection.as_ref()?;
    let about = format!("introspection of {}", issuer.settings.issuer);
    let endpoint = TokenEndpoint::new(settings.client.clone(), tls, clock);
    let asked = endpoint.shown();
    Some(match endpoint.introspect(&made_up()).await {
        Ok(None) => Checkup::good(
            &about,
            format!("{asked} answers that a made-up token is not active"),
        ),
        Ok(Some(_)) => Checkup::bad(
            &about,
            format!("{asked} answers that a made-up token is active"),
            "believe nothing that it says: set introspection.endpoint to the issuer's endpoint of \
             RFC 7662",
        ),
        Err(error) => Checkup::bad(
            &about,
            format!(
                "tokens to be asked about are not admitted; asked {asked}: {}",
                chain(&error)
            ),
            introspection_remedy(&error),
        ),
    })
}

fn introspection_remedy(error: &EndpointError) -> &'static str {
    match error {
        EndpointError::Refused("invalid_client" | "unauthorized_client" | "access_denied")
        | EndpointError::ClientPaused(_)
        | EndpointError::RefusedWithoutCode(401 | 403) => {
            "compare introspection.client_id and the secret, key or certificate with those at the \
             issuer, and allow the client to ask about tokens"
        }
        EndpointError::Unreachable | EndpointError::TimedOut => {
            "see that this machine can reach introspection.endpoint; for an address within a \
             private network, set introspection.private_addresses, and for an authority of your \
             own introspection.roots_file"
        }
        EndpointError::Unavailable => "see the issuer's log",
        _ => "set introspection.endpoint to the issuer's endpoint of RFC 7662",
    }
}

/// Returns a text that no issuer knows as a token.
fn made_up() -> String {
    let mut bytes = [0; 32];
    ChunkedRandom.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Asks a service, or the policy point, for nothing, without a credential. Any answer shows that it
/// is there.
async fn reach(about: &str, url: &Uri, tls: &Tls, addresses: &AddressPolicy) -> Checkup {
    let asked = shown(url);
    match ask(tls, addresses, Method::HEAD, url.clone()).await {
        Ok(answer) => {
            let found = format!("{asked} answers ({})", answer.status.as_u16());
            Checkup::good(about, found)
        }
        Err(error) => {
            let remedy = match &error {
                EgressError::Blocked(_) => {
                    "name its addresses in private_addresses, or use its public address"
                }
                _ => "see that this machine can reach it, and trusts its certificate (roots_file)",
            };
            let found = format!("{asked} does not answer: {}", error.with_causes());
            Checkup::bad(about, found, remedy)
        }
    }
}

/// Obtains the tokens of the host's own that the service needs.
pub(super) async fn tokens(
    service: &ServiceSettings,
    tls: &Tls,
    clock: &Arc<dyn Clock>,
) -> Vec<Checkup> {
    let about = format!("services.{}.auth", service.name);
    let own = own_token((&about, CALLS_FAIL), &service.auth, (tls, clock)).await;
    let mut found = Vec::from_iter(own);
    if let Some(exchange) = &service.exchange {
        let asking = Asking {
            audience: exchange.actor_audience.clone(),
            ..Asking::default()
        };
        let about = format!("services.{}.exchange", service.name);
        let obtained = obtain(&exchange.client, asking, (tls, clock)).await;
        found.push(match obtained {
            Ok(()) => {
                let found = format!("{} knows the host's client", at(&exchange.client));
                Checkup::good(&about, found)
            }
            // Such a client may exchange tokens all the same.
            Err(EndpointError::Refused(code)) if !exchange.actor && code != "invalid_client" => {
                let also = match code {
                    // Keycloak's word for both.
                    "unauthorized_client" => ": no token for the host itself, or a wrong secret",
                    _ => "",
                };
                let found = format!("{} answers ({code}{also})", at(&exchange.client));
                Checkup::good(&about, found)
            }
            Err(error) => {
                let refusal = refused((&about, CALLS_FAIL), &exchange.client, &error);
                match alias(exchange, &error, tls).await {
                    Some(remedy) => Checkup {
                        remedy: Some(remedy),
                        ..refusal
                    },
                    None => refusal,
                }
            }
        });
    }
    found
}

/// Returns the remedy for an exchange that is asked at another address than clients that show a
/// certificate are to use (RFC 8705 §5): the endpoint refused the host, and the issuer's metadata
/// names that address.
async fn alias(exchange: &ExchangeSettings, error: &EndpointError, tls: &Tls) -> Option<String> {
    let client = &exchange.client;
    // The issuer of issued tokens is the last server that is asked.
    if !refuses_certificate(client, error) || exchange.then.is_some() {
        return None;
    }
    let asking = Client::new(&tls.of(&client.tls), client.addresses.clone());
    let named = certificate_endpoint(&asking, &exchange.issued.issuer).await?;
    let (is_other, named) = (named != client.token_endpoint, shown(&named));
    let remedy = format!(
        "set token_endpoint to {named}, where the authorization server's metadata \
         (mtls_endpoint_aliases) wants clients that show a certificate"
    );
    is_other.then_some(remedy)
}

/// Returns true if an authorization server refuses a client that is its certificate.
fn refuses_certificate(client: &ClientSettings, error: &EndpointError) -> bool {
    matches!(client.proof, ClientProof::Certificate(_))
        && matches!(
            error,
            EndpointError::Refused("invalid_client") | EndpointError::ClientPaused(_)
        )
}

/// Obtains the host's own token, if that is its credential there. `fails` says what fails without
/// one.
pub(super) async fn own_token(
    (about, fails): (&str, &str),
    auth: &Auth,
    (tls, clock): (&Tls, &Arc<dyn Clock>),
) -> Option<Checkup> {
    let Auth::ClientCredentials {
        client,
        scopes,
        expect_scopes,
        audience,
    } = auth
    else {
        return None;
    };
    let asking = Asking {
        scopes: scopes.clone(),
        expected: expect_scopes.clone(),
        audience: audience.clone(),
    };
    let obtained = obtain(client, asking, (tls, clock)).await;
    Some(match obtained {
        Ok(()) => {
            let found = format!("{} issues the host's own token", at(client));
            Checkup::good(about, found)
        }
        Err(error) => refused((about, fails), client, &error),
    })
}

async fn obtain(
    client: &ClientSettings,
    asking: Asking,
    (tls, clock): (&Tls, &Arc<dyn Clock>),
) -> Result<(), EndpointError> {
    let endpoint = TokenEndpoint::new(client.clone(), tls, clock);
    let own = ClientCredentials::new(endpoint, asking, Arc::clone(clock));
    own.token().await.map(drop)
}

fn at(client: &ClientSettings) -> String {
    shown(&client.token_endpoint)
}

fn refused(
    (about, fails): (&str, &str),
    client: &ClientSettings,
    error: &EndpointError,
) -> Checkup {
    let remedy = match error {
        error if refuses_certificate(client, error) => {
            "compare client_id and the certificate with those at the authorization server; if its \
             metadata has mtls_endpoint_aliases, set token_endpoint to the address that stands there"
        }
        EndpointError::Refused("invalid_client") | EndpointError::ClientPaused(_) => {
            "compare client_id and the secret, key or certificate with those at the authorization \
             server"
        }
        EndpointError::Refused("unauthorized_client") => {
            "compare client_id and the secret with those at the authorization server, and allow \
             the client this grant there"
        }
        EndpointError::Unreachable | EndpointError::TimedOut => {
            "see that this machine can reach token_endpoint; for an address within a private \
             network, set private_addresses, and for an authority of your own roots_file"
        }
        EndpointError::Refused(_) | EndpointError::ScopeDenied(_) => {
            "allow the client at the authorization server this grant, audience and scopes"
        }
        _ => "see the authorization server's log",
    };
    let found = format!("{fails}; asked {}: {}", at(client), chain(error));
    Checkup::bad(about, found, remedy)
}

async fn ask(
    tls: &Tls,
    addresses: &AddressPolicy,
    method: Method,
    url: Uri,
) -> Result<Reply, EgressError> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = method;
    *request.uri_mut() = url;
    Client::new(tls, addresses.clone())
        .send(request, TIME, MAX_ANSWER)
        .await
}

/// What fails without a token for a service.
const CALLS_FAIL: &str = "calls of its tools that need a token fail";
/// What fails without one for the policy point.
const REFUSES_ALL: &str = "every request that it decides about is refused";
const TIME: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 1 << 20;
/// The date in an answer is rounded, and the answer takes its time.
const TOLERATED: u64 = 15;
