//! A caller's token, read from any bytes.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a second reader that fails has found something"
)]

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use http::header::AUTHORIZATION;
use rustls::RootCertStore;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::{Caller, Identity, IssuerSettings, Presented};
use crate::egress::Tls;
use crate::owned::Trust;
use crate::seams::Clock;
use crate::surfaces::Fate;
use crate::tokens::{Algorithm, KeyFile, KeyRing, KeySettings, KeySource};

/// The front door, with one issuer, whose keys are in a file.
pub struct Entrance {
    identity: Identity,
    runtime: Runtime,
    key: SigningKey,
}

/// A clock that stands.
struct StandingClock;

impl Clock for StandingClock {
    fn now_ms(&self) -> u64 {
        NOW * 1000
    }
}

impl Entrance {
    /// Opens the entrance. The folder gets the file of keys: its own, and these.
    pub fn open(folder: &Path, more: &[Value]) -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "key-1", "x": x});
        let path = folder.join("jwks.json");
        let keys = [&[jwk], more].concat();
        std::fs::write(&path, json!({ "keys": keys }).to_string()).expect("a file of keys");
        let settings = KeySettings {
            issuer: ISSUER.into(),
            source: KeySource::File(KeyFile {
                path,
                trust: Trust::default(),
            }),
            algorithms: Algorithm::ALL.to_vec(),
        };
        let clock: Arc<dyn Clock> = Arc::new(StandingClock);
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        let keys = KeyRing::new(settings, &tls, Arc::clone(&clock));
        Self {
            identity: Identity::new(
                vec![(IssuerSettings::usual(ISSUER, "corp"), keys)],
                RESOURCE.into(),
                clock,
            ),
            runtime: Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            key,
        }
    }

    /// Returns a token with these bytes as header and as claims, signed by the issuer.
    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = signed.join(".");
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a good token with these claims.
    pub fn token_with(&self, claims: &[u8]) -> String {
        self.signed(HEADER.as_bytes(), claims)
    }

    /// Presents a good token but for its header. If it opens, any reader finds in the header that
    /// it is an access token, and the algorithm of the key.
    pub fn header(&self, header: &[u8]) -> Fate {
        let claims = json!({"iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "app",
            "exp": NOW + 60});
        let token = self.signed(header, claims.to_string().as_bytes());
        if self.caller(token.as_bytes()).is_none() {
            return Fate::Refused;
        }
        let stated: Value = serde_json::from_slice(header).expect("JSON");
        let text = |name| stated.get(name).and_then(Value::as_str);
        assert!(matches!(text("alg"), Some("EdDSA" | "Ed25519")));
        let typ = text("typ").map(str::to_ascii_lowercase);
        let typ = typ
            .as_deref()
            .map(|typ| typ.trim_start_matches("application/"));
        assert_eq!(typ, Some("at+jwt"));
        assert!(
            ["crit", "b64", "zip", "enc"]
                .iter()
                .all(|name| stated.get(name).is_none())
        );
        Fate::Accepted
    }

    /// Presents a token that is none of the issuer's, or is its `own`. Only the latter may open.
    pub fn token(&self, token: &[u8], own: &[String]) -> Fate {
        let caller = self.caller(token);
        let known = own.iter().any(|own| own.as_bytes() == token);
        assert!(
            caller.is_none() || known,
            "{}",
            String::from_utf8_lossy(token)
        );
        fate(caller.is_some())
    }

    /// Presents a token whose claims are these bytes. A caller who is admitted is the one that any
    /// reader finds in them.
    pub fn claims(&self, claims: &[u8]) -> Fate {
        let caller = self.caller(self.token_with(claims).as_bytes());
        let Some(caller) = caller else {
            return Fate::Refused;
        };
        let stated: Value = serde_json::from_slice(claims).expect("JSON");
        let text = |name| stated.get(name).and_then(Value::as_str);
        let number = |name| stated.get(name).and_then(Value::as_f64);
        assert_eq!(text("iss"), Some(ISSUER));
        assert_eq!(text("sub"), Some(caller.actor().sub.as_str()));
        let audiences = stated.get("aud").expect("an audience");
        let is_ours = |audience: &Value| audience.as_str() == Some(RESOURCE);
        let listed = audiences.as_array();
        assert!(is_ours(audiences) || listed.is_some_and(|all| all.iter().any(is_ours)));
        let now = 1_763_712_000.0;
        assert!(number("exp").is_some_and(|end| end > now && end <= now + 366.0 * 86_400.0));
        let absent = |name| stated.get(name).is_none_or(Value::is_null);
        assert!(absent("nbf") || number("nbf").is_some_and(|start| start <= now + 30.0));
        assert!(absent("cnf"), "a token that needs a proof");
        let named = ["client_id", "azp", "appid", "cid"];
        let client = named.iter().find_map(|name| text(name));
        assert_eq!(client, Some(caller.agent().client_id.as_str()));
        let granted = |scope: &String| {
            ["scope", "scp"].iter().any(|name| match stated.get(*name) {
                Some(Value::String(text)) => text.split(' ').any(|one| one == scope),
                Some(Value::Array(list)) => list.iter().any(|one| one == scope.as_str()),
                _ => false,
            })
        };
        assert!(caller.scopes().iter().all(granted), "{:?}", caller.scopes());
        Fate::Accepted
    }

    fn caller(&self, token: &[u8]) -> Option<Arc<Caller>> {
        let value = [b"Bearer ", token].concat();
        let mut head = http::Request::post(RESOURCE).body(()).expect("a request");
        let value = http::HeaderValue::from_bytes(&value).ok()?;
        head.headers_mut().insert(AUTHORIZATION, value);
        let presented = Presented::take(&mut head.into_parts().0).ok()?;
        let admitted = self.runtime.block_on(self.identity.admit(presented));
        admitted.ok().map(|(caller, _token)| caller)
    }
}

fn fate(accepted: bool) -> Fate {
    if accepted {
        Fate::Accepted
    } else {
        Fate::Refused
    }
}

const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"key-1"}"#;
const ISSUER: &str = "https://idp.example";
const RESOURCE: &str = "https://mcp.example/mcp";
const NOW: u64 = 1_763_712_000;
