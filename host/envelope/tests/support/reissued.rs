//! Vectors of the host's own access tokens, for services that can only read an ordinary JWT (RFC
//! 9068). The host signs them with another key, as another issuer; no code of this crate reads
//! them. [`verdict`] is the check of an ordinary library.

use bailiwick_envelope::{PublicKeys, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sample::{NOW, only, token_key};
use crate::text;
use crate::tokens::minted;

/// Every outcome that such a token can have.
pub(crate) const REASONS: [&str; 9] = [
    "valid",
    "type",
    "algorithm",
    "unknown-key",
    "signature",
    "issuer",
    "audience",
    "expired",
    "not-yet-valid",
];

const ISSUER: &str = "https://mcp.example/reissue";
const AUDIENCE: &str = "https://legacy.example";

pub(crate) fn vectors() -> Vec<(&'static str, Value)> {
    let token = token();
    let mut vectors = vec![("valid", valid(&token))];
    vectors.extend(others(&token));
    vectors.extend(contexts(&token));
    vectors
}

/// Returns the key that signs these tokens and nothing else.
pub(crate) fn reissue_key() -> SigningKey {
    SigningKey::from_seed(&[5; 32])
}

/// Returns a token as the host makes it.
pub(crate) fn token() -> String {
    sign(&reissue_key(), &header(&reissue_key()), &claims())
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key.kid()})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user_123", "aud": AUDIENCE, "client_id": "bailiwick",
        "scope": "orders:read", "jti": "0198f6a2-reissue", "iat": NOW, "nbf": NOW,
        "exp": NOW + 60, "tenant": "acme",
    })
}

fn vector(expect: &str, about: &str, now: u64, input: &str) -> Value {
    json!({"kind": "reissued", "about": about, "jwks": only(&reissue_key()).to_jwks(),
        "issuer": ISSUER, "audience": AUDIENCE, "now": now, "input": input, "expect": expect})
}

fn valid(token: &str) -> Value {
    let mut vector = vector("valid", "For one service, in the user's name.", NOW, token);
    vector["seed_hex"] = json!("05".repeat(32));
    vector["header"] = header(&reissue_key());
    vector["payload"] = claims();
    vector
}

/// Returns tokens that are something else, or of someone else.
fn others(token: &str) -> Vec<(&'static str, Value)> {
    let own = header(&reissue_key());
    let with = |name: &str, value: &str| {
        let mut claims = claims();
        claims[name] = json!(value);
        sign(&reissue_key(), &own, &claims)
    };
    let mut unsigned = own.clone();
    unsigned["alg"] = json!("none");
    let (signed, _) = token.rsplit_once('.').unwrap();
    let other = sign(&crate::foreign_key(), &own, &claims());
    let (_, other) = other.rsplit_once('.').unwrap();
    let mut transaction = vector(
        "type",
        "A transaction token, with its key in the set.",
        NOW,
        &minted(&token_key()),
    );
    transaction["jwks"] = only(&token_key()).to_jwks();
    vec![
        ("type-transaction", transaction),
        (
            "algorithm",
            vector(
                "algorithm",
                "No algorithm.",
                NOW,
                &sign(&reissue_key(), &unsigned, &claims()),
            ),
        ),
        (
            "unknown-key",
            vector(
                "unknown-key",
                "Signed with the key of transaction tokens.",
                NOW,
                &sign(&token_key(), &header(&token_key()), &claims()),
            ),
        ),
        (
            "signature",
            vector(
                "signature",
                "The signature of another key.",
                NOW,
                &format!("{signed}.{other}"),
            ),
        ),
        (
            "issuer",
            vector(
                "issuer",
                "The issuer of transaction tokens.",
                NOW,
                &with("iss", "https://mcp.example"),
            ),
        ),
        (
            "audience",
            vector(
                "audience",
                "For another service.",
                NOW,
                &with("aud", "https://other.example"),
            ),
        ),
    ]
}

fn contexts(token: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "expired",
            vector(
                "expired",
                "The second of `exp` is too late.",
                NOW + 60,
                token,
            ),
        ),
        (
            "not-yet-valid",
            vector(
                "not-yet-valid",
                "Valid 61 seconds in the future.",
                NOW - 61,
                token,
            ),
        ),
    ]
}

/// Returns what a verifier makes of a vector.
pub(crate) fn verdict(vector: &Value, keys: &PublicKeys, now: u64) -> &'static str {
    let token = vector["input"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let part = |index: usize| -> Value {
        let part = signed.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    let Some(key) = keys.get(header["kid"].as_str().unwrap()) else {
        return "unknown-key";
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let is = |found: &Value, expected: &str| found.as_str() == Some(expected);
    [
        (is(&header["typ"], "at+jwt"), "type"),
        (is(&header["alg"], "EdDSA"), "algorithm"),
        (key.verify(signed.as_bytes(), &signature), "signature"),
        (claims["iss"] == vector["issuer"], "issuer"),
        (claims["aud"] == vector["audience"], "audience"),
        (
            claims["nbf"].as_u64().is_none_or(|nbf| nbf <= now + 60),
            "not-yet-valid",
        ),
        (
            claims["exp"].as_u64().is_some_and(|exp| now < exp),
            "expired",
        ),
    ]
    .into_iter()
    .find_map(|(holds, reason)| (!holds).then_some(reason))
    .unwrap_or("valid")
}

fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(text(header)),
        URL_SAFE_NO_PAD.encode(text(claims))
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
