//! Strict JSON, which has one meaning: no member occurs twice, and every member is known.
//!
//! RFC 8259 leaves open which of two members with one name counts; two readers that differ would
//! see two envelopes under one signature. So a document with a duplicate is refused as a whole.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The reasons for not reading a text.
#[derive(Debug)]
pub(crate) enum Unread {
    /// This member occurs twice in one object.
    Duplicate(String),
    /// The text is not JSON.
    Syntax(serde_json::Error),
}

/// Parses one JSON document in which no object has a member twice.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Unread> {
    let duplicate = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Unique(&duplicate)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match duplicate.into_inner() {
        Some(name) => Unread::Duplicate(name),
        None => Unread::Syntax(error),
    })
}

/// Returns the path of the first member that `seen` has and `known` lacks, or has with another
/// value.
pub(crate) fn first_difference(seen: &Value, known: &Value) -> Option<String> {
    match (seen, known) {
        (Value::Object(seen), Value::Object(known)) => seen.iter().find_map(|(name, value)| {
            let Some(expected) = known.get(name) else {
                return Some(name.clone());
            };
            first_difference(value, expected).map(|rest| join(name, &rest))
        }),
        (Value::Array(seen), Value::Array(known)) if seen.len() == known.len() => seen
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(index, (value, expected))| {
                first_difference(value, expected).map(|rest| join(&index.to_string(), &rest))
            }),
        _ => (seen != known).then(String::new),
    }
}

fn join(name: &str, rest: &str) -> String {
    if rest.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{rest}")
    }
}

/// Builds a value and leaves the name of a duplicate in the cell.
#[derive(Clone, Copy)]
struct Unique<'d>(&'d RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.0.replace(Some(name));
                return Err(A::Error::custom("a member occurs twice"));
            }
            let value = members.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn a_duplicate_is_found_wherever_it_is() {
        let cases = [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":{"b":1,"c":2,"b":3}}"#, "b"),
            (r#"[0,[{"x":null,"x":null}]]"#, "x"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
            (r#"{"":1,"":2}"#, ""),
        ];
        for (text, name) in cases {
            match parse(text.as_bytes()) {
                Err(Unread::Duplicate(found)) => assert_eq!(found, name, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_one_document_is_not_read() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "",
            "{",
            "{} {}",
            "nul",
            r#"{"a":1,}"#,
            "1e999",
            "\u{feff}{}",
            &deep,
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(Unread::Syntax(_))),
                "{text}"
            );
        }
        assert!(matches!(parse(b"\"\xff\""), Err(Unread::Syntax(_))));
    }

    #[test]
    fn a_document_is_read_as_serde_json_reads_it() {
        for text in [
            "null",
            "-3",
            "1.5",
            r#"{"a":[true,false,"x\n",{"b":18446744073709551615}]}"#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let known = serde_json::json!({"a": {"b": [1, {"c": 2}]}, "d": 3});
        let cases = [
            (serde_json::json!({"a": {"b": [1, {"c": 2}]}, "d": 3}), None),
            (
                serde_json::json!({"a": {"b": [1, {"c": 2, "x": 0}]}, "d": 3}),
                Some("a.b.1.x"),
            ),
            (serde_json::json!({"a": {"b": [1]}, "d": 3}), Some("a.b")),
            (serde_json::json!({"z": null}), Some("z")),
        ];
        for (seen, expected) in cases {
            assert_eq!(
                first_difference(&seen, &known).as_deref(),
                expected,
                "{seen}"
            );
        }
    }
}
