//! What is kept of a server's answers, and whether a running server still answers so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bailiwick_dev::jws;
use bailiwick_tests::ensure_eq;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// The time of the vectors.
const THEN: u64 = 1_763_712_000;

/// The members whose values are compared, not only their kinds.
const EXACT: [&str; 4] = ["/status", "/content_type", "/error", "/active"];

/// Returns a token without its signature, and the caller that it names.
pub(super) fn token_of(what: &str, token: &str) -> Result<Value> {
    let claims = claims(token)?;
    let kind = if what.contains("service") {
        "service"
    } else {
        "user"
    };
    let client = text(&claims, "azp")?;
    let scope = text(&claims, "scope")?;
    let mut scopes: Vec<&str> = scope.split(' ').collect();
    scopes.sort_unstable();
    let caller = json!({
        "sub": claims.get("sub"), "kind": kind, "client": client, "agent": client, "tenant": null,
        "scopes": scopes, "shown": claims.get("preferred_username"),
    });
    let mut kept = unsigned(token)?;
    kept.insert("what".to_owned(), json!(what));
    kept.insert("caller".to_owned(), caller);
    Ok(Value::Object(kept))
}

/// Returns the `header` and the `claims` of a token, with times in the past.
pub(super) fn unsigned(token: &str) -> Result<Map<String, Value>> {
    let (header, _) = token.split_once('.').context("no header")?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    let claims = in_the_past(&claims(token)?)?;
    Ok(Map::from_iter([
        ("header".to_owned(), header),
        ("claims".to_owned(), claims),
    ]))
}

/// Returns claims as if they had been issued at the time of the vectors.
pub(super) fn in_the_past(claims: &Value) -> Result<Value> {
    let lifetime = seconds(claims, "exp")? - seconds(claims, "iat")?;
    let claims = claims.as_object().context("no claims")?.clone();
    let claims = claims.into_iter().map(|(name, value)| match &*name {
        "iat" | "auth_time" => (name, json!(THEN)),
        "exp" => (name, json!(THEN + lifetime)),
        _ => (name, value),
    });
    Ok(Value::Object(claims.collect()))
}

/// Returns a document with these addresses replaced, wherever they are.
pub(super) fn at_example(document: &Value, addresses: &[(&str, &str)]) -> Result<Value> {
    let text = addresses
        .iter()
        .fold(document.to_string(), |text, (from, to)| {
            text.replace(from, to)
        });
    Ok(serde_json::from_str(&text)?)
}

/// Checks that the server answers in the shape that a file of `host/vectors` keeps, or keeps its
/// answers there.
pub(super) fn agrees(file: &str, recorded: &Value) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/vectors");
    let path = path.join(file);
    if std::env::var_os("BAILIWICK_WRITE_VECTORS").is_some() {
        fs::write(&path, format!("{recorded:#}\n"))?;
    }
    let kept: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let (recorded, kept) = (shape(recorded), shape(&kept));
    let differs = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let differing = one
            .iter()
            .filter(|(path, kind)| other.get(*path) != Some(*kind));
        differing
            .map(|(path, kind)| format!("{path} {kind}"))
            .collect::<Vec<_>>()
    };
    let [new, gone] = [differs(&recorded, &kept), differs(&kept, &recorded)];
    ensure_eq(new, gone, &format!("the answers beside those of {file}"))
}

/// Returns every member by its path, with the kind of its value, or the value itself if it is one
/// of [`EXACT`]. Elements of lists share one path, since lists have no order here.
fn shape(value: &Value) -> BTreeMap<String, String> {
    let mut shape = BTreeMap::new();
    let mut left = vec![(String::new(), value)];
    while let Some((path, value)) = left.pop() {
        let kind = match value {
            Value::Object(members) => {
                left.extend(
                    members
                        .iter()
                        .map(|(name, value)| (format!("{path}/{name}"), value)),
                );
                "object"
            }
            Value::Array(elements) => {
                left.extend(elements.iter().map(|value| (format!("{path}/*"), value)));
                "list"
            }
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Bool(_) => "truth",
            Value::Null => "null",
        };
        let is_exact = EXACT.iter().any(|name| path.ends_with(name));
        let kind = if is_exact {
            value.to_string()
        } else {
            kind.to_owned()
        };
        shape.insert(path, kind);
    }
    shape
}

/// Returns the claims of a token, without a check.
pub(super) fn claims(token: &str) -> Result<Value> {
    let claims = jws::unverified_claims(token).context("no claims")?;
    Ok(Value::Object(claims))
}

/// Returns a member that is a text.
pub(super) fn text(value: &Value, name: &str) -> Result<String> {
    let text = value.get(name).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {name}"))?.to_owned())
}

fn seconds(value: &Value, name: &str) -> Result<u64> {
    let seconds = value.get(name).and_then(Value::as_u64);
    seconds.with_context(|| format!("no {name}"))
}
