//! An issuer on the loopback, whose keys, answers and time a test sets.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use rustls::RootCertStore;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use super::{AdmitError, AgentRule, BearerToken, Caller, Identity, IssuerSettings, ServiceRule};
use crate::egress::{AddressPolicy, Tls};
use crate::seams::Clock;
use crate::tokens::{Algorithm, KeyRing, KeySource, TimeRule, TypeRule};

pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const RESOURCE: &str = "https://mcp.example/mcp";
/// When every test begins, seconds.
pub(super) const START: u64 = 1_763_712_000;

/// A clock that a test moves.
pub(super) struct Hands(AtomicU64);

impl Hands {
    pub(super) fn forward(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The issuer: what it answers, when, and how often it was asked.
pub(super) struct Issuer {
    answer: Mutex<(&'static str, String)>,
    held: watch::Sender<bool>,
    asked: AtomicUsize,
    pub(super) came: Notify,
}

impl Issuer {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let answer = Mutex::new(("503 Service Unavailable", String::new()));
        let issuer = Self {
            answer,
            held: watch::Sender::new(false),
            asked: AtomicUsize::new(0),
            came: Notify::new(),
        };
        let issuer = Arc::new(issuer);
        let serving = Arc::clone(&issuer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        (issuer, url)
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_buf(&mut request).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.came.notify_one();
        let mut held = self.held.subscribe();
        if held.wait_for(|held| !held).await.is_err() {
            return;
        }
        let (status, body) = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _written = stream.write_all((head + &body).as_bytes()).await;
    }

    /// Publishes the keys of these seeds, and no others.
    pub(super) fn publish(&self, seeds: &[u8]) {
        let keys: Vec<Value> = seeds.iter().map(|seed| jwk(*seed)).collect();
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) =
            ("200 OK", json!({ "keys": keys }).to_string());
    }

    pub(super) fn fail(&self) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) =
            ("500 Internal Server Error", String::new());
    }

    /// Lets requests come and no answers go, or lets them go.
    pub(super) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A host's identity, its one issuer and its clock.
pub(super) struct Scene {
    pub(super) identity: Arc<Identity>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) clock: Arc<Hands>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(TimeRule::default()).await
    }

    pub(super) async fn with(times: TimeRule) -> Self {
        let (issuer, url) = Issuer::start().await;
        let clock = Arc::new(Hands(AtomicU64::new(START * 1000)));
        let loopback = AddressPolicy::new(vec!["127.0.0.0/8".parse().expect("a range")]);
        let source = KeySource::Remote {
            url: url.parse().expect("a URL"),
            addresses: loopback,
        };
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        let shared: Arc<dyn Clock> = clock.clone();
        let keys = KeyRing::new(source, Algorithm::ALL.to_vec(), &tls, Arc::clone(&shared));
        let settings = IssuerSettings {
            issuer: ISSUER.into(),
            alias: "corp".into(),
            audience: None,
            token_type: TypeRule::Exactly("at+jwt".into()),
            times,
            subject_claim: "sub".into(),
            scope_claim: "scope".into(),
            tenant: None,
            agent: AgentRule::ActorOrClient,
            service_when: ServiceRule::SubjectIsClient,
        };
        let identity = Arc::new(Identity::new(
            vec![(settings, keys)],
            RESOURCE.into(),
            shared,
        ));
        Self {
            identity,
            issuer,
            clock,
        }
    }

    pub(super) async fn admit(&self, token: &str) -> Result<Arc<Caller>, AdmitError> {
        let mut headers = http::HeaderMap::new();
        headers.insert(
            http::header::AUTHORIZATION,
            format!("Bearer {token}").parse().expect("a header"),
        );
        let bearer = BearerToken::take(&mut headers).expect("a bearer token");
        self.identity.admit(bearer).await.map(|(caller, _)| caller)
    }

    /// Admits all of `tokens` at once.
    pub(super) async fn admit_all(
        &self,
        tokens: Vec<String>,
    ) -> Vec<Result<Arc<Caller>, AdmitError>> {
        futures_util::future::join_all(tokens.iter().map(|token| self.admit(token))).await
    }

    /// A good token of `sub`, valid for an hour from now, signed with the key of `seed`.
    pub(super) fn token(&self, seed: u8, sub: &str) -> String {
        signed(seed, &self.claims(sub))
    }

    pub(super) fn claims(&self, sub: &str) -> Value {
        let now = self.clock.now();
        json!({"iss": ISSUER, "aud": RESOURCE, "sub": sub, "client_id": "app", "iat": now, "exp": now + 3600})
    }
}

pub(super) fn signed(seed: u8, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": format!("key-{seed}")});
    let text = format!("{}.{}", part(&header), part(claims));
    let signature = SigningKey::from_bytes(&[seed; 32])
        .sign(text.as_bytes())
        .to_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn jwk(seed: u8) -> Value {
    let public = SigningKey::from_bytes(&[seed; 32])
        .verifying_key()
        .to_bytes();
    json!({"kty": "OKP", "crv": "Ed25519", "kid": format!("key-{seed}"), "x": URL_SAFE_NO_PAD.encode(public)})
}
