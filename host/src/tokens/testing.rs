//! An issuer on the loopback whose keys, answers and clock a test sets.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use rustls::RootCertStore;
use serde_json::{Value, json};

use super::signing::tests as keys_in_files;
use super::{
    Algorithm, ClientProof, ClientSettings, Introspection, KeyRing, KeySettings, KeySource,
    LocalIssuer, SigningPair,
};
use crate::egress::testing::{ScriptedServer, Wants, acceptor, loopback};
use crate::egress::{PeerTls, Tls};
use crate::seams::Clock;

/// A clock that a test moves.
pub(crate) struct Hands(AtomicU64);

impl Hands {
    /// Returns a clock that stands at `seconds` since 1970-01-01 UTC.
    pub(crate) fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds * 1000)))
    }

    pub(crate) fn forward(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn back(&self, ms: u64) {
        self.0.fetch_sub(ms, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The issuer: its answers, their timing, and its requests.
pub(crate) struct Issuer {
    server: Arc<ScriptedServer>,
    /// The body of the present answer.
    published: Mutex<String>,
}

impl Issuer {
    /// Returns an issuer that publishes nothing yet, and the ring of its keys.
    pub(crate) async fn start(clock: &Arc<dyn Clock>) -> (Arc<Self>, KeyRing) {
        let issuer = Self::at(ScriptedServer::start(PATH).await);
        let source = KeySource::Remote {
            url: issuer.url().parse().expect("a URL"),
            addresses: loopback(),
            tls: PeerTls::default(),
        };
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        let settings = KeySettings {
            issuer: "https://idp.example".to_owned(),
            source,
            algorithms: Algorithm::ALL.to_vec(),
        };
        let keys = KeyRing::new(settings, &tls, Arc::clone(clock));
        (issuer, keys)
    }

    /// Returns an issuer that answers over TLS, and only clients with a certificate.
    pub(crate) async fn start_for_certificates() -> Arc<Self> {
        let acceptor = acceptor(Wants::Certificate, &[]);
        Self::at(ScriptedServer::start_over_tls(PATH, acceptor).await)
    }

    fn at(server: Arc<ScriptedServer>) -> Arc<Self> {
        server.says("503 Service Unavailable", "");
        let published = Mutex::default();
        Arc::new(Self { server, published })
    }

    /// Returns the address of its answers.
    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// Publishes the keys of these seeds, and no others.
    pub(crate) fn publish(&self, seeds: &[u8]) {
        let keys: Vec<Value> = seeds.iter().map(|seed| jwk(*seed)).collect();
        self.answer("200 OK", &json!({ "keys": keys }).to_string());
    }

    /// Returns the last request, whole.
    pub(crate) fn last_request(&self) -> String {
        self.server.requests().pop().unwrap_or_default()
    }

    /// Returns the means of asking this issuer about its tokens.
    pub(crate) fn introspection(&self, clock: &Arc<dyn Clock>) -> Introspection {
        let client = ClientSettings::new(
            self.url().parse().expect("a URL"),
            loopback(),
            "host".into(),
            ClientProof::SecretBasic("s3cret".to_owned().into()),
        );
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        Introspection::new(
            "https://idp.example".into(),
            client,
            &tls,
            Arc::clone(clock),
        )
    }

    /// Returns the body of the present answer.
    pub(crate) fn published(&self) -> String {
        self.body().clone()
    }

    /// Answers with this status line (and headers after it) and body.
    pub(crate) fn answer(&self, status: &str, body: &str) {
        body.clone_into(&mut self.body());
        self.server.says(status, body);
    }

    pub(crate) fn fail(&self) {
        self.answer("500 Internal Server Error", "");
    }

    /// Holds back all answers, or releases them.
    pub(crate) fn hold(&self, held: bool) {
        self.server.hold(held);
    }

    /// Returns as soon as a request came that no one has waited for.
    pub(crate) async fn came(&self) {
        self.server.came.notified().await;
    }

    pub(crate) fn asked(&self) -> usize {
        self.server.asked()
    }

    fn body(&self) -> MutexGuard<'_, String> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path of the issuer's answers.
const PATH: &str = "/jwks";

/// Returns the host as an issuer of this name, which signs with the Ed25519 key of `seed`.
pub(crate) fn local_issuer(name: &str, seed: u8) -> LocalIssuer {
    let pem = keys_in_files::pem("PRIVATE KEY", &keys_in_files::ed25519(seed));
    let pair = SigningPair::from_pem(pem.as_bytes()).expect("a key");
    LocalIssuer::new(name, pair, &[]).expect("an issuer")
}

/// Returns an access token with these claims, signed with the key of `seed`.
pub(crate) fn signed(seed: u8, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": format!("key-{seed}")});
    signed_with(seed, &header, claims)
}

/// Returns a token with this header and these claims, signed with the key of `seed`.
pub(crate) fn signed_with(seed: u8, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = SigningKey::from_bytes(&[seed; 32])
        .sign(text.as_bytes())
        .to_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn jwk(seed: u8) -> Value {
    let public = SigningKey::from_bytes(&[seed; 32])
        .verifying_key()
        .to_bytes();
    json!({
        "kty": "OKP", "crv": "Ed25519", "kid": format!("key-{seed}"),
        "x5t": format!("print-{seed}"), "x5t#S256": format!("print256-{seed}"),
        "x": URL_SAFE_NO_PAD.encode(public)
    })
}
