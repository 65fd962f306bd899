//! An issuer on the loopback whose keys, answers and clock a test sets.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use rustls::RootCertStore;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::signing::tests as keys_in_files;
use super::{
    Algorithm, ClientProof, ClientSettings, Introspection, KeyRing, KeySettings, KeySource,
    LocalIssuer, SigningPair,
};
use crate::egress::testing::{Wants, acceptor, loopback};
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

/// The issuer: its answers, their timing, and a count of requests.
pub(crate) struct Issuer {
    url: String,
    last: Mutex<String>,
    answer: Mutex<(&'static str, String)>,
    held: watch::Sender<bool>,
    asked: AtomicUsize,
    pub(crate) came: Notify,
}

impl Issuer {
    /// Returns an issuer that publishes nothing yet, and the ring of its keys.
    pub(crate) async fn start(clock: &Arc<dyn Clock>) -> (Arc<Self>, KeyRing) {
        let (issuer, listener) = Self::listen("http").await;
        let serving = Arc::clone(&issuer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        let source = KeySource::Remote {
            url: issuer.url.parse().expect("a URL"),
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
        let (issuer, listener) = Self::listen("https").await;
        let serving = Arc::clone(&issuer);
        let acceptor = acceptor(Wants::Certificate, &[]);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, acceptor) = (Arc::clone(&serving), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serving.serve(stream).await;
                    }
                });
            }
        });
        issuer
    }

    async fn listen(scheme: &str) -> (Arc<Self>, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let issuer = Self {
            url: format!("{scheme}://{address}/jwks"),
            last: Mutex::default(),
            answer: Mutex::new(("503 Service Unavailable", String::new())),
            held: watch::Sender::new(false),
            asked: AtomicUsize::new(0),
            came: Notify::new(),
        };
        (Arc::new(issuer), listener)
    }

    async fn serve(self: Arc<Self>, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut request = Vec::new();
        while !is_whole(&request) {
            match stream.read_buf(&mut request).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            String::from_utf8_lossy(&request).into_owned();
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
        let _closed = stream.shutdown().await;
    }

    /// Returns the address of its answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Publishes the keys of these seeds, and no others.
    pub(crate) fn publish(&self, seeds: &[u8]) {
        let keys: Vec<Value> = seeds.iter().map(|seed| jwk(*seed)).collect();
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) =
            ("200 OK", json!({ "keys": keys }).to_string());
    }

    /// Returns the last request, whole.
    pub(crate) fn last_request(&self) -> String {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the means of asking this issuer about its tokens.
    pub(crate) fn introspection(&self, clock: &Arc<dyn Clock>) -> Introspection {
        let client = ClientSettings::new(
            self.url.parse().expect("a URL"),
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
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.1.clone()
    }

    /// Answers with this status line (and headers after it) and body.
    pub(crate) fn answer(&self, status: &'static str, body: &str) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_owned());
    }

    pub(crate) fn fail(&self) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) =
            ("500 Internal Server Error", String::new());
    }

    /// Holds back all answers, or releases them.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Returns true if a request has all of its head, and of its body as much as the head says.
pub(crate) fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

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
