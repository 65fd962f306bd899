//! The transaction token vectors.

use bailiwick_envelope::{MAX_TOKEN_BYTES, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sample::{NOW, claims, envelope_key, minting, only, token_key};
use crate::text;

/// Every outcome that a transaction token can have.
pub(crate) const REASONS: [&str; 15] = [
    "valid",
    "too-large",
    "malformed",
    "duplicate-member",
    "header",
    "type",
    "algorithm",
    "unknown-key",
    "signature",
    "audience",
    "service",
    "expired",
    "not-yet-valid",
    "lifetime",
    "claim",
];

pub(crate) fn vectors() -> Vec<(&'static str, Value)> {
    let token = minted(&token_key());
    let mut vectors = vec![("valid", valid(&token))];
    vectors.extend(contexts(&token));
    vectors.extend(texts(&token));
    vectors.extend(headers(&token));
    vectors.extend(payloads(&token));
    vectors.push(("type-reissued", reissued()));
    vectors
}

/// Returns a token of the host's own issuer, given for a transaction token.
fn reissued() -> Value {
    let about = "A user's access token that the host issued, with its key in the set.";
    let mut vector = vector("type", about, NOW, &crate::reissued::token());
    vector["jwks"] = only(&crate::reissued::reissue_key()).to_jwks();
    vector
}

/// Returns a token of the sample, signed with this key.
pub(crate) fn minted(key: &SigningKey) -> String {
    let envelope = claims().sign(&envelope_key()).unwrap();
    envelope
        .narrow("orders_api")
        .unwrap()
        .mint(&minting(), key)
        .unwrap()
        .as_str()
        .to_owned()
}

fn vector(expect: &str, about: &str, now: u64, input: &str) -> Value {
    json!({"kind": "transaction", "about": about, "jwks": only(&token_key()).to_jwks(), "trust_domain": "example",
        "service": "orders_api", "now": now, "input": input, "expect": expect})
}

fn valid(token: &str) -> Value {
    let mut vector = vector(
        "valid",
        "Narrowed to one service, on behalf of the user.",
        NOW,
        token,
    );
    vector["seed_hex"] = json!("02".repeat(32));
    vector["header"] = part(token, 0);
    vector["payload"] = part(token, 1);
    vector
}

fn contexts(token: &str) -> Vec<(&'static str, Value)> {
    let with = |name: &str, value: &str, expect: &str, about: &str| {
        let mut vector = vector(expect, about, NOW, token);
        vector[name] = json!(value);
        vector
    };
    vec![
        (
            "audience",
            with(
                "trust_domain",
                "other.example",
                "audience",
                "Another trust domain.",
            ),
        ),
        (
            "service",
            with(
                "service",
                "billing_api",
                "service",
                "Another service of the same domain.",
            ),
        ),
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
                "Made 61 seconds in the future.",
                NOW - 61,
                token,
            ),
        ),
        (
            "unknown-key",
            vector(
                "unknown-key",
                "Signed with a key that is not in the set.",
                NOW,
                &minted(&crate::foreign_key()),
            ),
        ),
    ]
}

fn texts(token: &str) -> Vec<(&'static str, Value)> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (_, other) = minted(&crate::foreign_key())
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let cases = [
        (
            "too-large",
            "too-large",
            "Longer than any token.",
            format!("{token}{}", "A".repeat(MAX_TOKEN_BYTES)),
        ),
        ("malformed", "malformed", "Two parts.", signed.to_owned()),
        (
            "malformed-base64",
            "malformed",
            "The header is not base64url.",
            format!("+{token}"),
        ),
        (
            "malformed-four-parts",
            "signature",
            "A fourth part.",
            format!("{token}.AA"),
        ),
        (
            "signature",
            "signature",
            "The signature of another key.",
            format!("{signed}.{other}"),
        ),
        (
            "signature-empty",
            "signature",
            "An empty signature.",
            format!("{signed}."),
        ),
        (
            "signature-short",
            "signature",
            "The last character is missing.",
            format!("{signed}.{}", &signature[..signature.len() - 1]),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, expect, about, input)| (name, vector(expect, about, NOW, &input)))
        .collect()
}

fn headers(token: &str) -> Vec<(&'static str, Value)> {
    let with = |name: &str, value: Value| {
        let mut header = part(token, 0);
        header[name] = value;
        sign(&text(&header), &text(&part(token, 1)))
    };
    let twice = text(&part(token, 0)).replacen('{', r#"{"kid":"x","#, 1);
    let cases = [
        (
            "type",
            "type",
            "An access token's type.",
            with("typ", json!("at+jwt")),
        ),
        (
            "algorithm",
            "algorithm",
            "No algorithm.",
            with("alg", json!("none")),
        ),
        (
            "algorithm-hmac",
            "algorithm",
            "A symmetric algorithm.",
            with("alg", json!("HS256")),
        ),
        (
            "header",
            "header",
            "A header that brings its own key.",
            with("jwk", token_key().public().to_jwk()),
        ),
        (
            "header-crit",
            "header",
            "A critical extension.",
            with("crit", json!(["b64"])),
        ),
        (
            "duplicate-member",
            "duplicate-member",
            "`kid` twice.",
            sign(&twice, &text(&part(token, 1))),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, expect, about, input)| (name, vector(expect, about, NOW, &input)))
        .collect()
}

/// `tctx` as version 0.1 had it.
fn context_of_version_0_1() -> Value {
    json!({
        "actor_type": "user", "actor_iss": "https://idp.example",
        "confidence": "verified",
        "delegation": {"mode": "on_behalf_of", "services": ["orders_api"]},
        "tool": {"name": "get_order_status", "component_digest": "sha256:00"},
        "arguments": "hmac-sha256:00",
    })
}

fn payloads(token: &str) -> Vec<(&'static str, Value)> {
    let with = |pointer: &str, value: Value| {
        let mut payload = part(token, 1);
        *payload.pointer_mut(pointer).unwrap() = value;
        sign(&text(&part(token, 0)), &text(&payload))
    };
    let cases = [
        (
            "lifetime",
            "lifetime",
            "Valid for 61 seconds.",
            with("/exp", json!(NOW + 61)),
        ),
        (
            "lifetime-negative",
            "lifetime",
            "Ends before it begins.",
            with("/exp", json!(NOW - 1)),
        ),
        (
            "audience-list",
            "malformed",
            "More than one audience.",
            with("/aud", json!(["example", "other"])),
        ),
        (
            "service-two",
            "service",
            "Not narrowed to one service.",
            with(
                "/tctx/delegation/services",
                json!(["orders_api", "billing_api"]),
            ),
        ),
        (
            "service-none",
            "service",
            "Narrowed to no service.",
            with("/tctx/delegation/services", json!([])),
        ),
        (
            "claim-alias",
            "claim",
            "A subject without its issuer's alias.",
            with("/sub", json!("user_123")),
        ),
        (
            "claim-empty",
            "claim",
            "An empty agent.",
            with("/act/sub", json!("")),
        ),
        (
            "claim-scope",
            "claim",
            "An empty scope between two.",
            with("/scope", json!("orders:read  admin")),
        ),
        (
            "claim-name",
            "claim",
            "The name of what is called has a line break.",
            with("/tctx/call/name", json!("get\norder")),
        ),
        (
            "malformed-kind",
            "malformed",
            "A kind of call that does not exist.",
            with("/tctx/call/kind", json!("shell")),
        ),
        (
            "malformed-mode",
            "malformed",
            "`per_service` is no mode of one service.",
            with("/tctx/delegation/mode", json!("per_service")),
        ),
        (
            "malformed-tool",
            "malformed",
            "`tctx.tool`, as in version 0.1, instead of `tctx.call`.",
            with("/tctx", context_of_version_0_1()),
        ),
        (
            "malformed-exp",
            "malformed",
            "A time that is text.",
            with("/exp", json!("1763712070")),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, expect, about, input)| (name, vector(expect, about, NOW, &input)))
        .collect()
}

fn sign(header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(token_key().sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
