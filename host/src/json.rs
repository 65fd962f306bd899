//! JSON from outside: parsed once, bounded in depth, duplicate members refused.
//!
//! Two parsers that pick different duplicates would see different users (RFC 8259 §4 leaves the
//! choice open): `{"sub": "alice", "sub": "bob"}` is alice to one and bob to the other. So a
//! duplicate is an error at every level.
//!
//! Invariant: text from outside becomes a [`Value`] only here, and its members are read only with
//! [`member`].

mod digest;
pub mod member;
mod meta;
pub mod numbers;
#[cfg(test)]
mod reading;

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub use digest::digest;
pub use meta::{MetaRule, is_reserved};

/// Parses one JSON text that uses at most `depth` levels of arrays and objects.
///
/// # Errors
/// Says what is wrong and where; never quotes the input.
pub fn parse(bytes: &[u8], depth: usize) -> Result<Value, JsonError> {
    parse_up_to(bytes, depth, MAX_NODES)
}

/// Does the same with at most `values` values, for a document that its own reader chose.
///
/// # Errors
/// Says what is wrong and where; never quotes the input.
pub fn parse_up_to(bytes: &[u8], depth: usize, values: usize) -> Result<Value, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let nodes = Cell::new(values);
    let value = Strict {
        depth,
        nodes: &nodes,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value))
    .map_err(|error| JsonError::from(&error))?;
    Ok(value)
}

/// A text that is not accepted as JSON.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("not acceptable JSON at line {line}, column {column}: {kind}")]
pub struct JsonError {
    line: usize,
    column: usize,
    kind: &'static str,
}

impl From<&serde_json::Error> for JsonError {
    fn from(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let kind = if text.starts_with(DUPLICATE) {
            DUPLICATE
        } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
            TOO_DEEP
        } else if text.starts_with(TOO_MANY) {
            TOO_MANY
        } else if text.starts_with("number out of range") {
            OUT_OF_RANGE
        } else if error.is_eof() {
            "it ends too early"
        } else {
            "syntax error"
        };
        Self {
            line: error.line(),
            column: error.column(),
            kind,
        }
    }
}

const DUPLICATE: &str = "duplicate member";
const TOO_DEEP: &str = "nested too deeply";
const TOO_MANY: &str = "too many values";
const OUT_OF_RANGE: &str = "a number is out of range";

#[derive(Clone, Copy)]
struct Strict<'n> {
    depth: usize,
    /// The values that may still come.
    nodes: &'n Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom(TOO_DEEP))?;
        Ok(Self { depth, ..self })
    }

    /// Counts a value against those that are left. A small text can mean many values, each of which
    /// takes far more memory than its text.
    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        let left = self.nodes.get().checked_sub(1);
        self.nodes.set(left.ok_or_else(|| E::custom(TOO_MANY))?);
        Ok(())
    }
}

const MAX_NODES: usize = 100_000;

/// Counts the values: this one and all within it.
pub fn values(value: &Value) -> usize {
    let within = match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(members) => members.values().map(values).sum(),
        _ => 0,
    };
    within + 1
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_stands() {
        let text = br#" {"a":[1,-2,3.5,true,null,"x"],"b":{}} "#;
        let expected: Value = serde_json::from_slice(text).unwrap_or_default();
        assert_eq!(parse(text, 3), Ok(expected));
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for (text, kind) in [
            (r#"{"sub":"a","sub":"b"}"#, DUPLICATE),
            (r#"{"sub":"a","\u0073ub":"b"}"#, DUPLICATE),
            (r#"{"a":[{"x":1,"x":1}]}"#, DUPLICATE),
            ("[[[[1]]]]", TOO_DEEP),
            (r#"{"a":1"#, "it ends too early"),
            ("1 2", "syntax error"),
            ("{'a':1}", "syntax error"),
            ("\u{feff}{}", "syntax error"),
            ("1e999", OUT_OF_RANGE),
        ] {
            assert_eq!(
                parse(text.as_bytes(), 3).map_err(|error| error.kind),
                Err(kind),
                "{text}"
            );
        }
    }

    #[test]
    fn the_number_of_values_is_bounded_however_small_they_are() {
        let many = format!("[{}0]", "0,".repeat(MAX_NODES));
        assert_eq!(
            parse(many.as_bytes(), 32).map_err(|error| error.kind),
            Err(TOO_MANY)
        );
    }

    #[test]
    fn depth_is_bounded_however_deep_the_text_is() {
        let deep = "[".repeat(100_000);
        assert_eq!(
            parse(deep.as_bytes(), 32).map_err(|error| error.kind),
            Err(TOO_DEEP)
        );
    }
}
