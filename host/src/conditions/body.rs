//! A request's body and query as conditions see them: in one way, or not at all.
//!
//! A tool could send a body that the host reads in one way and the service in another, such as
//! `{"amount": 1, "Amount": 5000}`, of which a service that ignores case takes the last. So names
//! that differ in case alone are as bad as the same name twice.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::json;

/// Reads a body by its type: JSON, or a form, whose values are texts.
///
/// # Errors
/// Says why it cannot be read, without any of it.
pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    let content_type = content_type.ok_or("the request states no Content-Type")?;
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_known = |parameter: &str| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim_matches('"');
            name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")
        })
    };
    if !parts.all(is_known) {
        return Err("its Content-Type has another parameter than charset=utf-8".into());
    }
    match kind.as_str() {
        "application/x-www-form-urlencoded" => {
            let fields = fields(body);
            fields.ok_or_else(|| {
                "the form names a key twice, has too many of them, or is not UTF-8".into()
            })
        }
        "application/json" => of_json(body),
        _ if kind.starts_with("application/") && kind.ends_with("+json") => of_json(body),
        _ => Err("the body is neither JSON nor a form".into()),
    }
}

fn of_json(body: &[u8]) -> Result<Value, String> {
    let value = json::parse(body, MAX_DEPTH).map_err(|error| error.to_string())?;
    if has_twins(&value) {
        return Err("the body has two members whose names differ in case alone".into());
    }
    Ok(value)
}

/// Reads the fields of a form or a query, names as they are, brackets too. Returns `None` if a name
/// occurs twice, also as `name` and `name[...]` or as PHP would spell it, if there are more than
/// [`MAX_FIELDS`], or anything is not UTF-8.
pub(super) fn fields(text: &[u8]) -> Option<Value> {
    // A separator that only some services know.
    if text.contains(&b';') {
        return None;
    }
    std::str::from_utf8(text).ok()?;
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        // What was not UTF-8 once it was decoded.
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return None;
        }
        if fields.insert(name.into_owned(), json!(value)).is_some() {
            return None;
        }
        if fields.len() > MAX_FIELDS {
            return None;
        }
    }
    let names: BTreeSet<_> = fields.keys().map(|name| field(name)).collect();
    // Many services make one value of `amount=1&amount[]=5000`.
    let mut bases = fields.keys().filter_map(|name| name.split_once('['));
    let is_plain =
        names.len() == fields.len() && !bases.any(|(base, _)| names.contains(&field(base)));
    is_plain.then_some(Value::Object(fields))
}

/// Returns a field's name as `$_POST` of PHP has it, without its case: `a.b`, ` a b` and `a_b` are
/// one.
fn field(name: &str) -> String {
    let name = name.trim_start_matches(' ').split('\0').next();
    folded(name.unwrap_or_default()).replace([' ', '.'], "_")
}

/// Returns true if any object has two members whose names differ in case alone.
fn has_twins(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut names = BTreeSet::new();
            let twins = members.keys().any(|name| !names.insert(folded(name)));
            twins || members.values().any(has_twins)
        }
        Value::Array(items) => items.iter().any(has_twins),
        _ => false,
    }
}

/// Returns a name without its case. Upper case comes first, because `ſ` and `s` have the same one,
/// and some services read the one as the other.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// The most levels of a body in JSON.
const MAX_DEPTH: usize = 64;
/// The most fields of a form. Each takes far more memory than its text, and PHP passes over more.
const MAX_FIELDS: usize = 1_000;
