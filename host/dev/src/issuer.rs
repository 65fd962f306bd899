//! An OAuth 2 authorization server for development: metadata (RFC 8414), keys (RFC 7517), a login
//! with a button for each user, a mint for named users, client credentials (RFC 6749, section 4.4),
//! token exchange (RFC 8693) and introspection (RFC 7662).
//!
//! It runs in the process of the demo or of a test, listens on loopback, and forgets everything
//! when dropped. Tests read its requests ([`Issuer::exchanges`]), make tokens that must be refused
//! ([`TokenSpec`]) and let it misbehave ([`Issuer::misbehave`]).
//!
//! Invariant: without a [`Misbehaviour`] it issues only what the specifications allow.

mod directory;
mod exchange;
mod introspection;
mod login;
mod mint;
mod misbehaviour;

pub use directory::{Client, User};
pub use exchange::Exchange;
pub use mint::{Signer, TokenSpec};
pub use misbehaviour::Misbehaviour;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::bearer::Trusted;
use crate::clock::fresh_id;
use crate::http::{Answer, Bound, Request, Server};
use crate::jws::{Algorithm, JwsError, Key, PublicKeys, unverified_claims};
use crate::newest::Newest;
use directory::Directory;
use login::Logins;

/// The settings of an issuer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on loopback; 0 lets the system choose.
    pub port: u16,
    /// One key of each; the first signs the tokens that clients request.
    pub algorithms: Vec<Algorithm>,
    /// The users whom tokens can name.
    pub users: Vec<User>,
    /// The clients that may use the token endpoint.
    pub clients: Vec<Client>,
}

impl Default for Settings {
    /// Chooses any port, ES256 and Ed25519 keys, the sample users, and the host as client
    /// `bailiwick`.
    fn default() -> Self {
        Self {
            port: 0,
            algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            users: User::samples(),
            clients: Client::samples(),
        }
    }
}

/// A running authorization server; stops when dropped.
pub struct Issuer {
    state: Arc<State>,
    _server: Server,
}

impl Issuer {
    /// Starts with the default settings.
    ///
    /// # Errors
    /// No port or no key.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// Starts.
    ///
    /// # Errors
    /// No port or no key.
    pub async fn start_with(settings: Settings) -> anyhow::Result<Self> {
        let bound = Bound::to(settings.port).await?;
        let state = Arc::new(State::new(bound.url(), settings)?);
        let service = Arc::clone(&state);
        let server = bound.serve(Arc::new(move |request| {
            let state = Arc::clone(&service);
            Box::pin(async move { state.answer(&request).await })
        }));
        Ok(Self {
            state,
            _server: server,
        })
    }

    /// Returns the issuer identifier, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// Returns the URL of its keys.
    pub fn jwks_uri(&self) -> String {
        format!("{}/jwks", self.state.url)
    }

    /// Returns what a service needs to accept its tokens.
    pub fn trusted(&self) -> Trusted {
        Trusted {
            issuer: self.url().to_owned(),
            keys: self.jwks_uri(),
        }
    }

    /// Returns the URL at which clients request tokens.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.state.url)
    }

    /// Returns its public keys as a JWK set.
    pub fn jwks(&self) -> Value {
        self.state.jwks()
    }

    /// Makes a token, even one that no issuer should make.
    ///
    /// # Errors
    /// The spec names a key that this issuer does not have.
    pub fn token(&self, spec: &TokenSpec) -> Result<String, JwsError> {
        self.state.mint(spec)
    }

    /// Makes a token with the same meaning that no one but this issuer can read.
    ///
    /// # Errors
    /// The spec names a key that this issuer does not have.
    pub fn opaque(&self, spec: &TokenSpec) -> Result<String, JwsError> {
        let claims = unverified_claims(&self.state.mint(spec)?).ok_or(JwsError::Format)?;
        let token = format!("opaque-{}", fresh_id().map_err(|_| JwsError::Crypto)?);
        self.state.lock().opaque.insert(token.clone(), claims);
        Ok(token)
    }

    /// Gives tokens for a resource (RFC 8707) with these scopes from now on, to whoever logs in.
    pub fn offer(&self, resource: &str, scopes: &[&str]) {
        self.state.logins.offer(resource, scopes);
    }

    /// Lets everyone, also a client for itself, request these scopes at an audience from now on,
    /// beside their own.
    pub fn open(&self, audience: &str, scopes: &[String]) {
        self.state.directory.open(audience, scopes);
    }

    /// Revokes a token of any form: introspection says that it is not active.
    pub fn revoke(&self, token: &str) {
        self.state.lock().revoked.insert(token.to_owned());
    }

    /// Returns the token exchanges so far, with the request and the issued token; at most the
    /// newest 10 000.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state.lock().exchanges.all()
    }

    /// Returns `METHOD /path` of the requests so far, of a long path the beginning; at most the
    /// newest 10 000.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().requests.all()
    }

    /// Makes every later token exchange go wrong in one way; `None` ends it.
    pub fn misbehave(&self, misbehaviour: impl Into<Option<Misbehaviour>>) {
        self.state.lock().misbehaviour = misbehaviour.into();
    }

    /// Adds a key, which from now on signs the tokens that clients request.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn rotate(&self, algorithm: Algorithm) -> Result<(), JwsError> {
        let mut log = self.state.lock();
        let kid = format!("key-{}", log.keys.len() + 1);
        log.keys.insert(0, Arc::new(Key::generate(kid, algorithm)?));
        Ok(())
    }

    /// Withdraws every key but the newest.
    pub fn withdraw_old_keys(&self) {
        self.state.lock().keys.truncate(1);
    }
}

struct State {
    url: String,
    directory: Directory,
    logins: Logins,
    inner: Mutex<Inner>,
}

/// The state that changes while the issuer runs.
struct Inner {
    keys: Vec<Arc<Key>>,
    misbehaviour: Option<Misbehaviour>,
    exchanges: Newest<Exchange>,
    /// The claims of tokens that are no JWTs.
    opaque: BTreeMap<String, Map<String, Value>>,
    revoked: BTreeSet<String>,
    requests: Newest<String>,
}

impl State {
    fn new(url: String, settings: Settings) -> Result<Self, JwsError> {
        let keys = settings
            .algorithms
            .iter()
            .enumerate()
            .map(|(index, algorithm)| {
                Key::generate(format!("key-{}", index + 1), *algorithm).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            url,
            directory: Directory::new(settings.users, settings.clients),
            logins: Logins::new(),
            inner: Mutex::new(Inner {
                keys,
                misbehaviour: None,
                exchanges: Newest::new(),
                opaque: BTreeMap::new(),
                revoked: BTreeSet::new(),
                requests: Newest::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jwks(&self) -> Value {
        let inner = self.lock();
        let keys: Vec<Value> = inner.keys.iter().map(|key| key.public_jwk()).collect();
        json!({ "keys": keys })
    }

    fn public_keys(&self) -> Result<PublicKeys, JwsError> {
        PublicKeys::from_jwks(&self.jwks())
    }

    async fn answer(&self, request: &Request) -> Answer {
        let path = request.path.get(..LONGEST).unwrap_or(&request.path);
        let line = format!("{} {path}", request.method);
        self.lock().requests.push(line);
        let answer = match login::answer(self, request).await {
            Some(answer) => answer,
            None => self.answer_programs(request),
        };
        login::shared(request, answer)
    }

    /// Answers requests that no browser sends.
    fn answer_programs(&self, request: &Request) -> Answer {
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/jwks") => Answer::json(StatusCode::OK, &self.jwks()),
            (&Method::POST, "/token") => exchange::token(self, request),
            (&Method::POST, "/introspect") => introspection::introspect(self, request),
            (&Method::POST, "/mint") => mint::page(self, request),
            _ => Answer::new(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
        }
    }
}

/// The bytes of a path that are kept.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
