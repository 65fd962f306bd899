//! Texts and JSON of a component, without what a terminal would act on.

use serde_json::Value;

use crate::json;

/// Returns the value of a JSON text, or else the text as it is, without control characters.
pub(super) fn shown(text: &str) -> Value {
    let mut value = parse(text).unwrap_or_else(|_| text.into());
    make_plain(&mut value);
    value
}

/// Makes every text in a value plain.
fn make_plain(value: &mut Value) {
    match value {
        Value::String(text) => *text = plain(text),
        Value::Array(items) => items.iter_mut().for_each(make_plain),
        Value::Object(members) => {
            let taken = std::mem::take(members).into_iter();
            *members = taken
                .map(|(name, mut value)| {
                    make_plain(&mut value);
                    (plain(&name), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces control characters, because terminal sequences have no place in text that people and
/// models read.
pub(super) fn plain(text: &str) -> String {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars()
        .map(|c| if control(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Reads a JSON text of a component.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    json::parse(text.as_bytes(), MAX_DEPTH).map_err(|error| error.to_string())
}

const MAX_DEPTH: usize = 64;
