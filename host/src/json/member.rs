//! Members of JSON that came from outside, read as their type or refused.
//!
//! An absent member often means "as requested" or "no restriction", so a member of another type
//! must never count as absent: `"scope": ["admin"]` is not a missing `scope`. `null` is a value
//! too.
//!
//! Invariant: `None` means that the member is absent. Everything that decides by JSON from outside
//! reads it here; `json/reading.rs` looks for code that does not.

use std::fmt;

use serde_json::{Map, Value};

/// A member that is present but has another type than its specification gives it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` is {found}, not {expected}")]
pub struct IllTyped {
    member: String,
    expected: &'static str,
    found: JsonType,
}

impl IllTyped {
    /// Returns the member's name.
    pub fn member(&self) -> &str {
        &self.member
    }
}

/// The type of a JSON value. Shows nothing of the value itself, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonType {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// Returns the string `name`, if the member is there.
///
/// # Errors
/// It is not a string.
pub fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, IllTyped> {
    read(object, name, "a string", Value::as_str)
}

/// Returns the whole number `name` that is not negative, if the member is there.
///
/// # Errors
/// It is not such a number. `5.0` is not one either.
pub fn whole(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, IllTyped> {
    read(object, name, "a whole number of 0 or more", Value::as_u64)
}

/// Returns the whole number `name`, which may be negative, if the member is there.
///
/// # Errors
/// It is not such a number. `-5.0` is not one either.
pub fn integer(object: &Map<String, Value>, name: &str) -> Result<Option<i64>, IllTyped> {
    read(object, name, "a whole number", Value::as_i64)
}

/// Returns the number `name`, if the member is there. A number beyond a double's range is none.
///
/// # Errors
/// It is not a number.
pub fn number(object: &Map<String, Value>, name: &str) -> Result<Option<f64>, IllTyped> {
    read(object, name, "a number", Value::as_f64)
}

/// Returns the boolean `name`, if the member is there.
///
/// # Errors
/// It is not a boolean. `"true"` and `1` are not.
pub fn flag(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, IllTyped> {
    read(object, name, "a boolean", Value::as_bool)
}

/// Returns true if the member is there and `null`. Only a reader whose specification lets `null`
/// stand for nothing may ask.
pub fn is_null(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(Value::is_null)
}

/// Returns the array `name`, if the member is there.
///
/// # Errors
/// It is not an array.
pub fn array<'v>(
    object: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<&'v [Value]>, IllTyped> {
    read(object, name, "an array", |value| {
        value.as_array().map(Vec::as_slice)
    })
}

/// Returns the strings of the array `name`, if the member is there.
///
/// # Errors
/// It is not an array, or one of its items is not a string.
pub fn texts<'v>(
    object: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<Vec<&'v str>>, IllTyped> {
    read(object, name, "an array of strings", |value| {
        value.as_array()?.iter().map(Value::as_str).collect()
    })
}

/// Returns the object `name`, if the member is there.
///
/// # Errors
/// It is not an object.
pub fn object<'v>(
    object: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<&'v Map<String, Value>>, IllTyped> {
    read(object, name, "an object", Value::as_object)
}

/// Returns the members of a whole document.
///
/// # Errors
/// It is not an object. The error calls it `what`.
pub fn members<'v>(document: &'v Value, what: &str) -> Result<&'v Map<String, Value>, IllTyped> {
    document
        .as_object()
        .ok_or_else(|| ill_typed(what, "an object", document))
}

fn read<'v, T>(
    object: &'v Map<String, Value>,
    name: &str,
    expected: &'static str,
    typed: impl FnOnce(&'v Value) -> Option<T>,
) -> Result<Option<T>, IllTyped> {
    let Some(value) = object.get(name) else {
        return Ok(None);
    };
    typed(value)
        .map(Some)
        .ok_or_else(|| ill_typed(name, expected, value))
}

fn ill_typed(member: &str, expected: &'static str, value: &Value) -> IllTyped {
    IllTyped {
        member: member.to_owned(),
        expected,
        found: JsonType::of(value),
    }
}

impl JsonType {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number of another kind",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every way to read the member `m`, and the one of `values` that it accepts.
    #[test]
    fn a_member_of_another_type_is_not_absent() {
        type Reader = fn(&Map<String, Value>) -> Result<bool, IllTyped>;
        let readers: &[(&str, Reader)] = &[
            ("text", |of| text(of, "m").map(|found| found.is_some())),
            ("whole", |of| whole(of, "m").map(|found| found.is_some())),
            ("texts", |of| texts(of, "m").map(|found| found.is_some())),
            ("object", |of| object(of, "m").map(|found| found.is_some())),
        ];
        let values = [
            ("text", json!("a")),
            ("whole", json!(7)),
            ("texts", json!(["a", "b"])),
            ("object", json!({"a": 1})),
            ("", json!(null)),
            ("", json!(true)),
            ("", json!(-1)),
            ("", json!(1.5)),
            ("", json!(["a", 7])),
        ];
        for (name, reader) in readers {
            assert_eq!(reader(&Map::new()), Ok(false), "{name} of nothing");
            for (kind, value) in &values {
                let object: Map<_, _> = [("m".to_owned(), value.clone())].into_iter().collect();
                let read = reader(&object);
                assert_eq!(read.is_ok(), kind == name, "{name} of {value}: {read:?}");
                assert_ne!(read, Ok(false), "{name} of {value}");
            }
        }
    }

    #[test]
    fn the_error_names_the_member_and_its_type_and_never_its_value() {
        let object: Map<_, _> = [("scope".to_owned(), json!(["secret"]))]
            .into_iter()
            .collect();
        let error = text(&object, "scope").map_err(|error| error.to_string());
        assert_eq!(error, Err("`scope` is an array, not a string".to_owned()));
        let list = array(&object, "scope").map(|items| items.map(<[Value]>::len));
        assert_eq!(list, Ok(Some(1)));
        assert!(
            members(&json!([]), "the answer").is_err_and(|error| error.member() == "the answer")
        );
    }
}
