//! Exchanges at a token endpoint that writes any bytes, and what the log says of them.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod bound;
mod entra;
mod keycloak;
mod misbehaviours;
mod wire;

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

use bailiwick_envelope::{Actor, ActorKind, Agent};
use rustls::RootCertStore;
use secrecy::SecretString;
use serde_json::{Value, json};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::delegation::dialect::ExchangeDialect;
use crate::delegation::settings::IssuedSettings;
use crate::egress::PeerTls;
use crate::egress::testing::{ScriptedServer, loopback};
use crate::identity::SubjectToken;
use crate::tokens::testing::{Hands, Issuer, signed};
use crate::tokens::{Algorithm, ClientProof, ClientSettings, KeySource, TimeRule, TypeRule};

const ISSUER: &str = "https://idp.example";
const SECRET: &str = "a-secret-of-the-host";
const NOW: u64 = 1_763_712_000;
/// The path of a token endpoint.
const PATH: &str = "/token";

/// The authorization server and the users who are exchanged for.
struct Scene {
    endpoint: Arc<ScriptedServer>,
    issuer: Arc<Issuer>,
    clock: Arc<Hands>,
}

impl Scene {
    async fn new() -> Self {
        let clock = Hands::at(NOW);
        let shared: Arc<dyn Clock> = clock.clone();
        let (issuer, _keys) = Issuer::start(&shared).await;
        issuer.publish(&[1]);
        Self {
            endpoint: ScriptedServer::start(PATH).await,
            issuer,
            clock,
        }
    }

    fn client(&self) -> ClientSettings {
        ClientSettings::new(
            self.endpoint.url.parse().expect("a URL"),
            loopback(),
            "bailiwick".into(),
            ClientProof::SecretBasic(SecretString::from(SECRET.to_owned())),
        )
    }

    /// Returns the settings of an exchange without an actor token.
    fn settings(&self) -> ExchangeSettings {
        ExchangeSettings {
            client: self.client(),
            dialect: ExchangeDialect::named("rfc8693").expect("a dialect"),
            parameters: Vec::new(),
            then: None,
            audience: "orders".into(),
            scopes: vec!["orders:read".into()],
            actor: false,
            actor_audience: None,
            subject_issuers: vec!["corp".into()],
            issued: IssuedSettings {
                issuer: ISSUER.into(),
                keys: KeySource::Remote {
                    url: self.issuer.url().parse().expect("a URL"),
                    addresses: loopback(),
                    tls: PeerTls::default(),
                },
                algorithms: Algorithm::ALL.to_vec(),
                audience: "orders".into(),
                token_type: TypeRule::Exactly("at+jwt".into()),
                subject_claim: "sub".into(),
                tenant: None,
                client: "bailiwick".into(),
                opaque: false,
                details: false,
                scopes: vec!["orders:read".into()],
                actor: None,
                actor_issuer: None,
                max_lifetime: None,
                times: TimeRule::default(),
            },
        }
    }

    fn exchange(&self, settings: ExchangeSettings) -> Exchange {
        self.exchange_beside(settings, None)
    }

    /// Returns the exchange of a service to which the host shows this certificate.
    fn exchange_beside(
        &self,
        settings: ExchangeSettings,
        certificate: Option<CertificateDigest>,
    ) -> Exchange {
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        let shared: Arc<dyn Clock> = self.clock.clone();
        Exchange::new(settings, certificate, &tls, &shared)
    }
}

/// A user, through an agent.
struct Who {
    actor: Actor,
    agent: Agent,
    token: SubjectToken,
}

impl Who {
    fn named(sub: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            actor: Actor {
                acr: None,
                auth_time: None,
                iss: text(ISSUER),
                sub: text(sub),
                tenant: None,
                kind: ActorKind::User,
            },
            agent: Agent {
                client_id: text("clerk"),
                id: text("clerk"),
                prior: Vec::new(),
                kind: text("mcp_agent"),
            },
            token: SubjectToken::of(&subject(sub)),
        }
    }

    fn asker(&self, acting: Acting) -> Asker<'_> {
        Asker {
            actor: &self.actor,
            agent: &self.agent,
            agent_issuer: None,
            issuer: "corp",
            token: &self.token,
            until: NOW + 600,
            scopes: &[],
            call_until: NOW + 300,
            acting,
        }
    }

    async fn obtain(&self, exchange: &Exchange) -> Result<Issued, DownstreamError> {
        let asker = self.asker(Acting::HostForUser);
        exchange.obtain(&asker, &Sent::default()).await
    }
}

/// Returns the token with which `sub` came to the host.
fn subject(sub: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "https://mcp.example/mcp", "sub": sub, "client_id": "clerk",
        "iat": NOW, "exp": NOW + 600
    });
    signed(1, &claims)
}

/// Returns a token for `sub` at the service.
fn issued(sub: &str) -> String {
    signed(1, &issued_claims(sub))
}

fn issued_claims(sub: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": "orders", "sub": sub, "client_id": "bailiwick",
        "scope": "orders:read", "iat": NOW, "exp": NOW + 300
    })
}

/// What is logged by this thread until it is dropped.
struct Log {
    said: Said,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

/// Listens to nothing, for as long as the tests run. While a process has one listener, a line that
/// a thread without it comes to first is off for all threads.
static OTHER_LISTENER: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

impl Log {
    fn listen() -> Self {
        LazyLock::force(&OTHER_LISTENER);
        let said = Said::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(said.clone())
            .finish();
        Self {
            said,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Returns what was logged since this was asked last.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *lock(&self.said.0))).into_owned()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Said {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
