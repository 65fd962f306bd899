//! The envelope vectors.

use bailiwick_envelope::{MAX_JSON_BYTES, SIGNATURE_CONTEXT, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sample::{CREATED_AT, EXPIRES_AT, NOW, claims, envelope_key, only};
use crate::text;

/// Every outcome that an envelope can have.
pub(crate) const REASONS: [&str; 11] = [
    "valid",
    "too-large",
    "malformed",
    "duplicate-member",
    "unknown-member",
    "claim",
    "unknown-key",
    "signature",
    "expired",
    "not-yet-valid",
    "lifetime",
];

pub(crate) fn vectors() -> Vec<(&'static str, Value)> {
    let signed = claims().sign(&envelope_key()).unwrap();
    let json = signed.json();
    let mut vectors = vec![("valid", valid(json))];
    vectors.extend(times(json));
    vectors.extend(texts(json));
    vectors.extend(signatures(json));
    vectors.extend(crate::shapes::resigned());
    vectors.extend(crate::shapes::others());
    vectors
}

pub(crate) fn vector(expect: &str, about: &str, now: u64, input: &str) -> Value {
    json!({"kind": "envelope", "about": about, "jwks": only(&envelope_key()).to_jwks(), "now": now, "input": input, "expect": expect})
}

fn valid(json: &str) -> Value {
    let mut vector = vector(
        "valid",
        "All optional members, two services with different modes.",
        NOW,
        json,
    );
    let mut unsigned: Value = serde_json::from_str(json).unwrap();
    unsigned["meta"]
        .as_object_mut()
        .unwrap()
        .remove("signature");
    vector["seed_hex"] = json!("01".repeat(32));
    vector["signature_context"] = json!(String::from_utf8_lossy(SIGNATURE_CONTEXT));
    vector["canonical"] = json!(serde_json_canonicalizer::to_string(&unsigned).unwrap());
    vector
}

fn times(json: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "expired",
            vector(
                "expired",
                "The second of `expires_at` is too late.",
                EXPIRES_AT,
                json,
            ),
        ),
        (
            "valid-last-second",
            vector(
                "valid",
                "One second before `expires_at`.",
                EXPIRES_AT - 1,
                json,
            ),
        ),
        (
            "not-yet-valid",
            vector(
                "not-yet-valid",
                "Made 61 seconds in the future.",
                CREATED_AT - 61,
                json,
            ),
        ),
        (
            "valid-skew",
            vector(
                "valid",
                "Made 60 seconds in the future.",
                CREATED_AT - 60,
                json,
            ),
        ),
    ]
}

/// A vector's name, what is expected of it, what it is about, and its input.
type Case = (&'static str, &'static str, &'static str, String);

/// Replaces a text that must be there.
fn edit(json: &str, from: &str, to: &str) -> String {
    assert!(json.contains(from), "{from}");
    json.replacen(from, to, 1)
}

/// Documents that are no envelope.
fn malformed(json: &str) -> Vec<Case> {
    let edit = |from: &str, to: &str| edit(json, from, to);
    vec![
        (
            "malformed",
            "malformed",
            "Cut off.",
            json[..json.len() - 1].to_owned(),
        ),
        (
            "malformed-missing",
            "malformed",
            "No `actor.iss`.",
            edit(r#""iss":"https://idp.example","sub""#, r#""sub""#),
        ),
        (
            "malformed-float",
            "malformed",
            "A time that is not an integer.",
            edit("1763712000", "1763712000.0"),
        ),
        (
            "malformed-mode",
            "malformed",
            "`delegation.mode` is not what `modes` implies.",
            edit(r#""mode":"per_service""#, r#""mode":"on_behalf_of""#),
        ),
        (
            "malformed-mode-hidden",
            "malformed",
            "`delegation.mode` hides that the modes differ.",
            edit(r#""mode":"per_service""#, r#""mode":"service_identity""#),
        ),
        (
            "malformed-mode-of-a-service",
            "malformed",
            "`per_service` is no mode of one service.",
            edit(
                r#""orders_api":"on_behalf_of""#,
                r#""orders_api":"per_service""#,
            ),
        ),
        (
            "malformed-mode-word",
            "malformed",
            "A mode that does not exist.",
            edit(
                r#""orders_api":"on_behalf_of""#,
                r#""orders_api":"as_anyone""#,
            ),
        ),
        (
            "malformed-kind",
            "malformed",
            "A kind of call that does not exist.",
            edit(r#""kind":"tool""#, r#""kind":"shell""#),
        ),
        (
            "malformed-kind-missing",
            "malformed",
            "No `call.kind`.",
            edit(r#""kind":"tool","#, ""),
        ),
        (
            "malformed-tool",
            "malformed",
            "`call.tool`, as in version 0.1, instead of kind and name.",
            edit(r#""kind":"tool","name""#, r#""tool""#),
        ),
    ]
}

/// Documents with members that an envelope does not have, or has once.
fn members(json: &str) -> Vec<Case> {
    let edit = |from: &str, to: &str| edit(json, from, to);
    vec![
        (
            "duplicate-member",
            "duplicate-member",
            "`actor.sub` twice.",
            edit(r#""sub":"#, r#""sub":"user_124","sub":"#),
        ),
        (
            "duplicate-member-escaped",
            "duplicate-member",
            "`actor.sub` twice, once escaped.",
            edit(r#""sub":"#, r#""s\u0075b":"user_124","sub":"#),
        ),
        (
            "unknown-member",
            "unknown-member",
            "A member that no envelope has.",
            edit(r#""actor":{"#, r#""actor":{"admin":true,"#),
        ),
        (
            "unknown-member-allowed",
            "unknown-member",
            "`delegation.allowed`, as in version 0.1.",
            edit(
                r#""delegation":{"#,
                r#""delegation":{"allowed":["orders_api"],"#,
            ),
        ),
        (
            "unknown-member-confidence",
            "unknown-member",
            "`authorization.confidence`, as in version 0.1.",
            edit(
                r#""authorization":{"#,
                r#""authorization":{"confidence":"verified","#,
            ),
        ),
        (
            "unknown-member-empty",
            "unknown-member",
            "An optional list is empty instead of left out.",
            edit(r#"[{"iss":"https://idp.example","sub":"planner"}]"#, "[]"),
        ),
        (
            "unknown-member-null",
            "unknown-member",
            "An optional member is null.",
            edit(r#""tenant":"acme""#, r#""tenant":null"#),
        ),
    ]
}

/// Envelopes that were changed after they were signed.
fn changed(json: &str) -> Vec<Case> {
    let edit = |from: &str, to: &str| edit(json, from, to);
    vec![
        (
            "signature-claim",
            "signature",
            "A claim was changed.",
            edit("user_123", "user_124"),
        ),
        (
            "signature-scope",
            "signature",
            "A scope was added.",
            edit(r#"["orders:read","#, r#"["admin","orders:read","#),
        ),
        (
            "signature-kind",
            "signature",
            "The kind of the call was changed.",
            edit(r#""kind":"tool""#, r#""kind":"prompt""#),
        ),
        (
            "signature-service",
            "signature",
            "A service was added.",
            edit(
                r#""modes":{"#,
                r#""modes":{"admin_api":"service_identity","#,
            ),
        ),
        (
            "signature-time",
            "signature",
            "The expiry was moved.",
            edit("1763712300", "1763712299"),
        ),
    ]
}

fn texts(json: &str) -> Vec<(&'static str, Value)> {
    let edit = |from: &str, to: &str| edit(json, from, to);
    let large = edit("{", &format!("{{{}", " ".repeat(MAX_JSON_BYTES)));
    let cases = [malformed(json), members(json), changed(json)].concat();
    let mut vectors: Vec<_> = cases
        .into_iter()
        .map(|(name, expect, about, input)| (name, vector(expect, about, NOW, &input)))
        .collect();
    vectors.push((
        "valid-spaced",
        vector(
            "valid",
            "White space does not count.",
            NOW,
            &edit(r#"{"actor":"#, "{ \"actor\":\n "),
        ),
    ));
    let mut too_large = vector("too-large", "Padded with spaces.", NOW, &large);
    too_large["input"] = json!(large);
    vectors.push(("too-large", too_large));
    vectors
}

fn signatures(json: &str) -> Vec<(&'static str, Value)> {
    let with = |signature: Value| {
        let mut document: Value = serde_json::from_str(json).unwrap();
        document["meta"]["signature"] = signature;
        text(&document)
    };
    let document: Value = serde_json::from_str(json).unwrap();
    let good = document["meta"]["signature"].as_str().unwrap();
    let mut missing = document.clone();
    missing["meta"].as_object_mut().unwrap().remove("signature");
    let bare = with(json!(sign_raw(&missing, &envelope_key(), b"")));
    vec![
        (
            "signature-missing",
            vector("signature", "No signature.", NOW, &text(&missing)),
        ),
        (
            "signature-empty",
            vector("signature", "An empty signature.", NOW, &with(json!(""))),
        ),
        (
            "signature-short",
            vector(
                "signature",
                "The last character is missing.",
                NOW,
                &with(json!(good[..good.len() - 1])),
            ),
        ),
        (
            "signature-padded",
            vector(
                "signature",
                "Base64 with padding.",
                NOW,
                &with(json!(format!("{good}=="))),
            ),
        ),
        (
            "signature-context",
            vector("signature", "Signed without the context.", NOW, &bare),
        ),
        (
            "signature-other-key",
            vector(
                "signature",
                "Another key's signature under this key's name.",
                NOW,
                &with(json!(sign_raw(
                    &missing,
                    &crate::foreign_key(),
                    SIGNATURE_CONTEXT
                ))),
            ),
        ),
        (
            "unknown-key",
            vector(
                "unknown-key",
                "Signed with a key that is not in the set.",
                NOW,
                claims().sign(&crate::foreign_key()).unwrap().json(),
            ),
        ),
    ]
}

pub(crate) fn sign_raw(document: &Value, key: &SigningKey, context: &[u8]) -> String {
    let message = [
        context,
        &serde_json_canonicalizer::to_vec(document).unwrap(),
    ]
    .concat();
    URL_SAFE_NO_PAD.encode(key.sign(&message))
}
