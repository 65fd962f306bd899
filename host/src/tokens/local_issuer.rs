//! The host as the issuer of access tokens for services that can only read an ordinary JWT: its
//! name, its keys, and the documents by which services find them.
//!
//! Trusts the operator's key files. Hands on signed tokens, and knows nothing of whom they name.
//!
//! Invariant: a token of this issuer has the type `at+jwt` (RFC 9068 §2.1), and an issuer and a key
//! that nothing else has. A transaction token has none of the three, so neither is accepted for the
//! other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::signing::{NotSigned, SigningPair};

/// The host as an issuer, with the keys that it publishes.
pub struct LocalIssuer {
    name: String,
    key: SigningPair,
    /// The identifiers of all keys, that of the key which signs first.
    ids: Vec<String>,
    /// The key set (RFC 7517 §5): the key that signs, and the others that are published.
    keys: Value,
    /// The path of the issuer's URL, without a slash at its end.
    path: String,
}

/// A name that the host's own issuer cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalIssuerError {
    /// It is no URL with a host, or has parts that an issuer's must not have (RFC 8414 §2).
    #[error("expected an https URL without user, query or fragment")]
    Url,
    /// Services compare it exactly, so it has one spelling.
    #[error("it is not in canonical form, or ends in a slash")]
    Spelling,
    /// Its path is where MCP clients look for the server at which they log in.
    #[error("expected a URL with a path of its own, such as https://mcp.example.com/reissue")]
    Path,
    /// Plain http is for the machine itself.
    #[error("it must be https (http only on loopback)")]
    Scheme,
}

impl LocalIssuer {
    /// Makes an issuer that signs with `key`. Publishes the `others` too: its predecessors, whose
    /// tokens are still about, and its successor, before it signs.
    ///
    /// # Errors
    /// Fails if no issuer can have this name.
    pub(crate) fn new(
        name: &str,
        key: SigningPair,
        others: &[SigningPair],
    ) -> Result<Self, LocalIssuerError> {
        let url = check_name(name)?;
        let (mut ids, mut published) = (vec![key.kid()], vec![key.to_jwk()]);
        for other in others {
            let id = other.kid();
            if !ids.contains(&id) {
                ids.push(id);
                published.push(other.to_jwk());
            }
        }
        Ok(Self {
            name: name.to_owned(),
            ids,
            key,
            keys: json!({ "keys": published }),
            path: url.path().to_owned(),
        })
    }

    /// Returns the `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of its URL.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the algorithm that it signs with.
    pub fn algorithm(&self) -> &'static str {
        self.key.algorithm()
    }

    /// Returns the identifiers of all keys that it publishes.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// Signs an access token with these claims.
    ///
    /// # Errors
    /// Fails if the key does not sign, which it does once it has been read.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<SecretString, NotSigned> {
        let header = json!({"typ": TOKEN_TYPE, "alg": self.algorithm(), "kid": self.ids.first()});
        let claims = serde_json::to_vec(claims).map_err(|_| NotSigned)?;
        let claims = Zeroizing::new(claims);
        let mut token = Zeroizing::new(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(&*claims)
        ));
        let signature = self.key.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(SecretString::from(token.as_str()))
    }

    /// Returns the document that the issuer publishes at `path`: its metadata, at the places of RFC
    /// 8414 §3.1 and of `OpenID` Connect Discovery 1.0 §4, and its key set.
    pub fn document(&self, path: &str) -> Option<Value> {
        let below = path.strip_prefix(&self.path);
        if below == Some(OPENID) || path.strip_prefix(OAUTH) == Some(self.path.as_str()) {
            Some(self.metadata())
        } else if below == Some(KEYS) {
            Some(self.keys.clone())
        } else {
            None
        }
    }

    /// Returns the metadata. There is no place to log in and none to get a token, so no client
    /// mistakes this issuer for one that it could ask.
    fn metadata(&self) -> Value {
        json!({
            "issuer": self.name,
            "jwks_uri": format!("{}{KEYS}", self.name),
            "response_types_supported": [],
            "grant_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm()],
        })
    }
}

/// Checks that an issuer can have this name.
fn check_name(name: &str) -> Result<Url, LocalIssuerError> {
    let url = Url::parse(name).map_err(|_| LocalIssuerError::Url)?;
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() || !plain || !bare {
        return Err(LocalIssuerError::Url);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(LocalIssuerError::Scheme);
    }
    if matches!(url.path(), "" | "/") || url.path().starts_with(WELL_KNOWN) {
        return Err(LocalIssuerError::Path);
    }
    if url.as_str() != name || name.ends_with('/') {
        return Err(LocalIssuerError::Spelling);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The `typ` of an access token (RFC 9068 §2.1).
const TOKEN_TYPE: &str = "at+jwt";
const WELL_KNOWN: &str = "/.well-known";
/// The places of the documents: below the issuer's URL, or with its path at the end.
const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const KEYS: &str = "/jwks.json";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::tokens::signing::tests::{ed25519, p256, pem};

    const NAME: &str = "https://mcp.example/reissue";

    fn pair(der: &[u8]) -> SigningPair {
        SigningPair::from_pem(pem("PRIVATE KEY", der).as_bytes()).unwrap()
    }

    #[test]
    fn an_issuer_has_one_spelling_and_a_path_of_its_own() {
        let named = |name: &str| LocalIssuer::new(name, pair(&ed25519(1)), &[]).map(drop);
        for name in [
            NAME,
            "https://tokens.example/a/b",
            "http://127.0.0.1:8080/reissue",
            "http://localhost/reissue",
        ] {
            assert_eq!(named(name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("", LocalIssuerError::Url),
            ("/reissue", LocalIssuerError::Url),
            ("urn:example:reissue", LocalIssuerError::Url),
            ("https://a@mcp.example/reissue", LocalIssuerError::Url),
            ("https://mcp.example/reissue?a=b", LocalIssuerError::Url),
            ("https://mcp.example/reissue#a", LocalIssuerError::Url),
            ("http://mcp.example/reissue", LocalIssuerError::Scheme),
            ("https://mcp.example", LocalIssuerError::Path),
            ("https://mcp.example/", LocalIssuerError::Path),
            ("https://mcp.example/.well-known", LocalIssuerError::Path),
            ("https://mcp.example/reissue/", LocalIssuerError::Spelling),
            ("https://MCP.example/reissue", LocalIssuerError::Spelling),
            (
                "https://mcp.example:443/reissue",
                LocalIssuerError::Spelling,
            ),
            (
                "https://mcp.example/a/../reissue",
                LocalIssuerError::Spelling,
            ),
        ] {
            assert_eq!(named(name), Err(why), "{name}");
        }
    }

    #[test]
    fn its_documents_are_at_the_places_where_libraries_look_and_at_no_other() {
        let others = [pair(&ed25519(2)), pair(&ed25519(1)), pair(&p256())];
        let issuer = LocalIssuer::new(NAME, pair(&ed25519(1)), &others).unwrap();
        let jwks = "/reissue/jwks.json";
        for path in [
            "/reissue/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/reissue",
        ] {
            let metadata = issuer.document(path).unwrap();
            assert_eq!(metadata["issuer"], NAME, "{path}");
            assert_eq!(metadata["jwks_uri"], format!("https://mcp.example{jwks}"));
            for absent in ["authorization_endpoint", "token_endpoint"] {
                assert!(metadata.get(absent).is_none(), "{absent}");
            }
        }
        let keys = issuer.document(jwks).unwrap();
        assert_eq!(keys["keys"].as_array().map(Vec::len), Some(3), "each once");
        assert_eq!(keys["keys"][0]["kid"], pair(&ed25519(1)).kid());
        assert_eq!(issuer.key_ids().count(), 3);
        for other in [
            "/reissue",
            "/jwks.json",
            "/.well-known/jwks.json",
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/reissue/x",
            "/.well-known/oauth-authorization-server/mcp",
            "/mcp/jwks.json",
        ] {
            assert_eq!(issuer.document(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_names_its_type_its_algorithm_and_its_key() {
        for (der, algorithm) in [(ed25519(1), "EdDSA"), (p256(), "ES256")] {
            let issuer = LocalIssuer::new(NAME, pair(&der), &[]).unwrap();
            let token = issuer.sign(&json!({"iss": NAME})).unwrap();
            let token = token.expose_secret();
            let part = |index| URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap());
            let read = |index| serde_json::from_slice::<Value>(&part(index).unwrap()).unwrap();
            let kid = pair(&der).kid();
            let expected = json!({"typ": "at+jwt", "alg": algorithm, "kid": kid});
            assert_eq!((read(0), read(1)), (expected, json!({"iss": NAME})));
        }
    }
}
