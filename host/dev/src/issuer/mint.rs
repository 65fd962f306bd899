//! Makes tokens: from a spec that can say anything (for tests), or for people by `POST /mint`.
//!
//! Invariant: the page answers only programs on this machine, and no web page (`login::cors`).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::State;
use crate::clock::{fresh_id, now};
use crate::http::{Answer, Request};
use crate::jws::{Algorithm, JwsError, Key, encode, signing_input};

/// The life of a token unless the spec says otherwise, in seconds.
const LIFETIME: i64 = 600;

/// The key that signs a token.
#[derive(Clone, Debug, Default)]
pub enum Signer {
    /// The issuer's first key.
    #[default]
    Issuer,
    /// The issuer's key of this algorithm.
    Key(Algorithm),
    /// A key that is not published, under the name of the issuer's first key.
    Stranger,
    /// None: `alg` is `none` and the signature is empty.
    Nobody,
    /// HMAC-SHA-256 with the issuer's public key as the secret (algorithm confusion).
    PublicKeyAsSecret,
}

/// The contents of a token. Starts as a good RFC 9068 access token; everything can be replaced.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    repeated: Map<String, Value>,
    /// The claims that are `null`.
    nulls: Vec<String>,
    lifetime: i64,
    signer: Signer,
    embedded_key: bool,
}

impl TokenSpec {
    /// Starts a token about a subject, by client `clerk`, without scopes or audience.
    pub fn of(sub: &str) -> Self {
        Self {
            header: Map::from_iter([("typ".to_owned(), json!("at+jwt"))]),
            claims: Map::from_iter([
                ("sub".to_owned(), json!(sub)),
                ("client_id".to_owned(), json!("clerk")),
            ]),
            repeated: Map::new(),
            nulls: Vec::new(),
            lifetime: LIFETIME,
            signer: Signer::Issuer,
            embedded_key: false,
        }
    }

    /// Sets the OAuth client, which is the agent unless an `act` says otherwise.
    #[must_use]
    pub fn client(self, id: &str) -> Self {
        self.claim("client_id", id)
    }

    /// Sets the audience.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets the scopes.
    #[must_use]
    pub fn scopes(self, scopes: &[&str]) -> Self {
        self.claim("scope", scopes.join(" "))
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(self, tenant: &str) -> Self {
        self.claim("tenant", tenant)
    }

    /// Sets the outermost actor (RFC 8693, section 4.1).
    #[must_use]
    pub fn acting(self, sub: &str) -> Self {
        self.claim("act", json!({ "sub": sub }))
    }

    /// Sets the seconds from now to `exp`; negative for an expired token.
    #[must_use]
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Sets the `typ` in the header.
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        self.header("typ", typ)
    }

    /// Sets any claim, of any type.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves out a claim, even one that every token has.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        self.claim(name, Value::Null)
    }

    /// Writes a claim once more at the end of the JSON text, whatever is there already.
    #[must_use]
    pub fn repeat(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.repeated.insert(name.to_owned(), value.into());
        self
    }

    /// Puts the signer's public key into the header (RFC 7515 §4.1.3).
    #[must_use]
    pub fn embedding_the_key(mut self) -> Self {
        self.embedded_key = true;
        self
    }

    /// Writes a claim as `null`.
    #[must_use]
    pub fn null(mut self, name: &str) -> Self {
        self.nulls.push(name.to_owned());
        self
    }

    /// Sets any member of the header; null leaves it out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the signer.
    #[must_use]
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }
}

impl State {
    /// Makes the token.
    pub(super) fn mint(&self, spec: &TokenSpec) -> Result<String, JwsError> {
        let mut header = Map::new();
        let mut claims = self.standard_claims(spec.lifetime)?;
        claims.extend(spec.claims.clone());
        claims.retain(|_, value| !value.is_null());
        let nulls = spec.nulls.iter().cloned();
        claims.extend(nulls.map(|name| (name, Value::Null)));
        let key = self.key(&spec.signer)?;
        let algorithm = match spec.signer {
            Signer::Nobody => "none",
            Signer::PublicKeyAsSecret => "HS256",
            _ => key.algorithm().as_str(),
        };
        header.insert("alg".to_owned(), json!(algorithm));
        header.insert("kid".to_owned(), json!(key.kid()));
        if spec.embedded_key {
            header.insert("jwk".to_owned(), key.public_jwk());
        }
        header.extend(spec.header.clone());
        header.retain(|_, value| !value.is_null());
        let input = signing_input(&header, &written(claims, &spec.repeated));
        match spec.signer {
            Signer::Nobody => Ok(format!("{input}.")),
            Signer::PublicKeyAsSecret => keyed_hash(&key, &input),
            _ => key.sign_input(&input),
        }
    }

    fn standard_claims(&self, lifetime: i64) -> Result<Map<String, Value>, JwsError> {
        let issued = now();
        Ok(Map::from_iter([
            ("iss".to_owned(), json!(self.url)),
            ("iat".to_owned(), json!(issued)),
            (
                "exp".to_owned(),
                json!(issued.saturating_add_signed(lifetime)),
            ),
            (
                "jti".to_owned(),
                json!(fresh_id().map_err(|_| JwsError::Crypto)?),
            ),
        ]))
    }

    fn key(&self, signer: &Signer) -> Result<std::sync::Arc<Key>, JwsError> {
        let inner = self.lock();
        let first = inner.keys.first().ok_or(JwsError::UnknownKey)?;
        match signer {
            Signer::Key(algorithm) => inner
                .keys
                .iter()
                .find(|key| key.algorithm() == *algorithm)
                .cloned()
                .ok_or(JwsError::UnknownKey),
            Signer::Stranger => {
                Key::generate(first.kid(), first.algorithm()).map(std::sync::Arc::new)
            }
            _ => Ok(std::sync::Arc::clone(first)),
        }
    }
}

/// Returns claims as JSON text, with some of them once more at its end.
fn written(claims: Map<String, Value>, repeated: &Map<String, Value>) -> String {
    let mut text = Value::Object(claims).to_string();
    text.pop();
    for (name, value) in repeated {
        text.extend([",", &json!(name).to_string(), ":", &value.to_string()]);
    }
    text.push('}');
    text
}

fn keyed_hash(key: &Key, input: &str) -> Result<String, JwsError> {
    use hmac::{KeyInit as _, Mac as _};
    let secret = key.public_jwk().to_string();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| JwsError::Crypto)?;
    mac.update(input.as_bytes());
    Ok(format!("{input}.{}", encode(mac.finalize().into_bytes())))
}

/// Answers `POST /mint` with `user`, `scope`, `audience` and `as`: a token for trying things by
/// hand. The audience is by default the only resource that is offered, the scope all that it has;
/// with `as=text` the answer is the token alone.
pub(super) fn page(state: &State, request: &Request) -> Answer {
    let refuse = |why: &str| Answer::json(StatusCode::BAD_REQUEST, &json!({"error": why}));
    let form = request.form();
    let field = |name: &str| {
        form.iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    };
    let Some(user) = field("user").and_then(|sub| state.directory.user(sub)) else {
        return refuse("no such user");
    };
    let offered = state.logins.resource(field("audience"));
    let (audience, scopes) = match (field("audience"), offered) {
        (_, Some((resource, scopes))) => (resource, scopes),
        (Some(audience), None) => (audience.to_owned(), Vec::new()),
        (None, None) => return refuse("no audience"),
    };
    let scope = match field("scope") {
        Some(scope) => scope.to_owned(),
        None => scopes.join(" "),
    };
    let mut spec = TokenSpec::of(&user.sub)
        .audience(&audience)
        .claim("scope", scope);
    if let Some(tenant) = &user.tenant {
        spec = spec.tenant(tenant);
    }
    match state.mint(&spec) {
        Ok(token) if field("as") == Some("text") => {
            Answer::new(StatusCode::OK, "text/plain", token).with("cache-control", "no-store")
        }
        Ok(token) => Answer::json(
            StatusCode::OK,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}),
        )
        .with("cache-control", "no-store"),
        Err(error) => refuse(&error.to_string()),
    }
}
