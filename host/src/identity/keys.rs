//! An issuer's public keys (RFC 7517): parsed strictly, fetched lazily, kept while good.
//!
//! Invariant: each key verifies exactly one algorithm. A set with a symmetric key, a private key
//! or two keys of one name is refused whole, and the last good set stays.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{Request, header};
use http_body_util::Full;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::egress::{AddressPolicy, Client, Tls};
use crate::json;
use crate::seams::Clock;

/// A signature algorithm that access tokens may use (RFC 7518 §3.1, RFC 8037). All are asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// Every algorithm, in the order of preference.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// The name of the `alg` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }
}

/// One public key with its one algorithm.
pub struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.key, self.algorithm.library()).unwrap_or(false)
    }
}

/// Where a key set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `jwks_uri`.
    Remote {
        /// Its address.
        url: http::Uri,
        /// Private addresses that it may have.
        addresses: AddressPolicy,
    },
    /// `jwks_file`.
    File(PathBuf),
}

enum Fetch {
    Remote { url: http::Uri, client: Client },
    File(PathBuf),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer does not publish such a key.
    #[error("the issuer publishes no key of that id, or several keys and the token names none")]
    Unknown,
    /// The set cannot be had.
    #[error("the issuer's key set is not available: {what}")]
    Unavailable {
        /// What went wrong.
        what: String,
    },
}

/// The keys of one issuer: the newest good set, fetched when first needed, refreshed in passing.
pub struct KeyRing {
    fetch: Arc<Fetch>,
    algorithms: Vec<Algorithm>,
    clock: Arc<dyn Clock>,
    current: Arc<ArcSwapOption<Loaded>>,
    // Holds when the last attempt was made; the lock makes fetches single-flight.
    attempt: Arc<Mutex<u64>>,
}

struct Loaded {
    keys: HashMap<String, Arc<Key>>,
    anonymous: Option<Arc<Key>>,
    at_ms: u64,
}

impl KeyRing {
    /// A ring that has fetched nothing yet.
    pub fn new(source: KeySource, algorithms: Vec<Algorithm>, tls: &Tls, clock: Arc<dyn Clock>) -> Self {
        let fetch = match source {
            KeySource::Remote { url, addresses } => Fetch::Remote { url, client: Client::new(tls, addresses) },
            KeySource::File(path) => Fetch::File(path),
        };
        Self { fetch: Arc::new(fetch), algorithms, clock, current: Arc::default(), attempt: Arc::new(Mutex::new(0)) }
    }

    /// The key of that id; without an id, the only key of the set.
    ///
    /// # Errors
    /// There is no such key, or no usable set.
    pub async fn find(&self, key_id: Option<&str>) -> Result<Arc<Key>, KeyError> {
        if let Some(loaded) = self.fresh()
            && let Some(key) = loaded.find(key_id)
        {
            return Ok(key);
        }
        let refreshed = self.refresh().await;
        match self.fresh() {
            Some(loaded) => loaded.find(key_id).ok_or(KeyError::Unknown),
            None => Err(refreshed.err().unwrap_or_else(|| KeyError::Unavailable { what: "it is too old".into() })),
        }
    }

    /// The current set, if it may still be used; asks for a newer one in passing.
    fn fresh(&self) -> Option<Arc<Loaded>> {
        let loaded = self.current.load_full()?;
        let age = self.clock.now_ms().saturating_sub(loaded.at_ms);
        if age > REFRESH_MS && self.may_try() {
            let ring = self.clone_for_refresh();
            tokio::spawn(async move { ring.refresh().await });
        }
        (age <= MAX_STALE_MS).then_some(loaded)
    }

    /// Whether nobody is fetching and the last attempt is long enough ago.
    fn may_try(&self) -> bool {
        let now = self.clock.now_ms();
        self.attempt.try_lock().is_ok_and(|last| now.saturating_sub(*last) >= COOLDOWN_MS)
    }

    fn clone_for_refresh(&self) -> Self {
        Self {
            fetch: Arc::clone(&self.fetch),
            algorithms: self.algorithms.clone(),
            clock: Arc::clone(&self.clock),
            current: Arc::clone(&self.current),
            attempt: Arc::clone(&self.attempt),
        }
    }

    /// Fetches the set unless somebody just did.
    async fn refresh(&self) -> Result<(), KeyError> {
        let mut attempt = self.attempt.lock().await;
        let now = self.clock.now_ms();
        if *attempt != 0 && now.saturating_sub(*attempt) < COOLDOWN_MS {
            return Err(KeyError::Unavailable { what: "the last attempt failed a moment ago".into() });
        }
        let result = self.fetch().await.and_then(|bytes| parse(&bytes, &self.algorithms, now));
        let pause = if result.is_ok() || self.current.load().is_some() { 0 } else { COOLDOWN_MS - RETRY_MS };
        *attempt = now.saturating_sub(pause);
        match result {
            Ok(loaded) => {
                self.current.store(Some(Arc::new(loaded)));
                Ok(())
            }
            Err(what) => {
                tracing::warn!(cause = %what, "an issuer's key set was not renewed; the last good one stays");
                Err(KeyError::Unavailable { what })
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<u8>, String> {
        match self.fetch.as_ref() {
            Fetch::File(path) => tokio::fs::read(path).await.map_err(|error| error.to_string()),
            Fetch::Remote { client, url } => {
                let request = Request::get(url.clone())
                    .header(header::ACCEPT, "application/json, application/jwk-set+json")
                    .body(Full::default())
                    .map_err(|error| error.to_string())?;
                let answer = client.send(request, FETCH_TIME, MAX_SET_BYTES).await.map_err(|error| describe(&error))?;
                if answer.status == http::StatusCode::OK {
                    Ok(answer.body.to_vec())
                } else {
                    Err(format!("it answered {}", answer.status))
                }
            }
        }
    }
}

fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

impl Loaded {
    fn find(&self, key_id: Option<&str>) -> Option<Arc<Key>> {
        match key_id {
            Some(id) => self.keys.get(id).cloned(),
            None => self.anonymous.clone(),
        }
    }
}

fn parse(bytes: &[u8], algorithms: &[Algorithm], now_ms: u64) -> Result<Loaded, String> {
    let set = json::parse(bytes, 8).map_err(|error| error.to_string())?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no `keys` array")?;
    if keys.len() > MAX_KEYS {
        return Err(format!("it has more than {MAX_KEYS} keys"));
    }
    let mut found = HashMap::new();
    let mut all = Vec::new();
    for jwk in keys {
        let jwk = jwk.as_object().ok_or("a key is not an object")?;
        let Some(key) = parse_key(jwk, algorithms)? else { continue };
        let key = Arc::new(key);
        all.push(Arc::clone(&key));
        if let Some(id) = jwk.get("kid") {
            let id = id.as_str().ok_or("a `kid` is not a string")?;
            if found.insert(id.to_owned(), key).is_some() {
                return Err(format!("two keys are named {id:?}"));
            }
        }
    }
    let anonymous = if all.len() == 1 { all.pop() } else { None };
    Ok(Loaded { keys: found, anonymous, at_ms: now_ms })
}

/// `None`: a key for another use or of a kind that is not used here.
fn parse_key(jwk: &Map<String, Value>, algorithms: &[Algorithm]) -> Result<Option<Key>, String> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") == Some("oct") || jwk.contains_key("d") || jwk.contains_key("k") {
        return Err("it publishes a symmetric or private key; replace that key at the issuer at once".into());
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let component = |name: &'static str| text(name).ok_or(format!("a key has no `{name}`"));
    let (default, key) = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            (Algorithm::Es256, DecodingKey::from_ec_components(component("x")?, component("y")?))
        }
        (Some("OKP"), Some("Ed25519")) => (Algorithm::EdDsa, DecodingKey::from_ed_components(component("x")?)),
        (Some("RSA"), _) => {
            let modulus = component("n")?;
            if !(MIN_MODULUS..=MAX_MODULUS).contains(&modulus.len()) {
                return Err("an RSA key is not of 2048 to 4096 bits".into());
            }
            (Algorithm::Rs256, DecodingKey::from_rsa_components(modulus, component("e")?))
        }
        _ => return Ok(None),
    };
    let algorithm = match text("alg") {
        None => default,
        Some(name) => match Algorithm::named(name) {
            Some(named) if named == default => named,
            Some(Algorithm::Ps256) if default == Algorithm::Rs256 => Algorithm::Ps256,
            _ => return Ok(None),
        },
    };
    if !algorithms.contains(&algorithm) {
        return Ok(None);
    }
    let key = key.map_err(|error| format!("a key is malformed: {error}"))?;
    Ok(Some(Key { algorithm, key }))
}

// A set is renewed in passing once it is a minute old, so a withdrawn key is refused soon after;
// a set that could not be renewed for a day is no longer believed. An unknown key id asks the
// issuer at most once in COOLDOWN; before there is any set, an attempt is made every second.
const REFRESH_MS: u64 = 60_000;
const MAX_STALE_MS: u64 = 24 * 60 * 60 * 1000;
const COOLDOWN_MS: u64 = 30_000;
const RETRY_MS: u64 = 1_000;
const FETCH_TIME: Duration = Duration::from_secs(5);
const MAX_SET_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// Characters of base64url of a 2048-bit and of a 4096-bit modulus.
const MIN_MODULUS: usize = 342;
const MAX_MODULUS: usize = 683;

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

    fn outcome(keys: &str) -> Result<usize, String> {
        let set = format!(r#"{{"keys":[{keys}]}}"#);
        parse(set.as_bytes(), &Algorithm::ALL, 0).map(|loaded| loaded.keys.len())
    }

    #[test]
    fn a_set_is_read_whole_or_refused_whole() {
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a"}}"#)), Ok(1));
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a"}},{{"kty":"RSA","use":"enc","kid":"b"}}"#)), Ok(1));
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a","alg":"RS256"}}"#)), Ok(0), "an alg of another family");
        assert_eq!(outcome(r#"{"kty":"new","kid":"a"}"#), Ok(0), "an unknown kind is passed over");
        for (keys, why) in [
            (format!(r#"{{{EC},"kid":"a"}},{{{EC},"kid":"a"}}"#), "two keys are named"),
            (format!(r#"{{{EC},"kid":"a"}},{{"kty":"oct","k":"AAAA","kid":"b"}}"#), "symmetric or private"),
            (format!(r#"{{{EC},"kid":"a","d":"AAAA"}}"#), "symmetric or private"),
            (format!(r#"{{{EC},"kid":7}}"#), "not a string"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"small"}"#.into(), "2048"),
            (format!(r#"{{{EC},"kid":"a","kid":"b"}}"#), "duplicate"),
            ("7".into(), "not an object"),
        ] {
            assert!(outcome(&keys).is_err_and(|error| error.contains(why)), "{keys} should say {why}");
        }
    }

    #[test]
    fn a_token_without_a_key_id_is_only_for_a_set_of_one() {
        let one = parse(format!(r#"{{"keys":[{{{EC}}}]}}"#).as_bytes(), &Algorithm::ALL, 0);
        assert!(one.is_ok_and(|loaded| loaded.find(None).is_some()));
        let two = parse(format!(r#"{{"keys":[{{{EC}}},{{{EC},"kid":"b"}}]}}"#).as_bytes(), &Algorithm::ALL, 0);
        assert!(two.is_ok_and(|loaded| loaded.find(None).is_none()));
    }
}
