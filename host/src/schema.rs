//! The JSON Schemas of tools: local, bounded, compiled once.
//!
//! Trusts no schema and no instance: both come from strangers. Invariant: the time to check an
//! instance is bounded before it is checked.

mod cost;
mod parameters;
mod pattern;
mod portable;

use jsonschema::PatternOptions;
use serde_json::{Map, Value};

use crate::characters::{Unfit, check_name, check_prose};
use crate::cores;
use crate::json;
use cost::{Cost, Unbounded, expanded};
pub use parameters::{identity_parameter, names_identity};
pub use portable::{Dialect, Portable, PortableOutput, WRAP, is_record, record_of};

/// A compiled JSON Schema (2020-12) with its text.
pub struct Schema {
    value: Value,
    validator: jsonschema::Validator,
    cost: Cost,
}

/// The reason why a schema is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is too large.
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It is not JSON, or nested too deeply.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// It refers to something outside the schema.
    #[error(
        "it refers to {0:?}; expected a JSON pointer to a place within the schema, such as \
         \"#/$defs/name\", without `%`"
    )]
    Reference(String),
    /// It has an `$id`, to which references would be relative.
    #[error("it has an `$id`, {0:?}, which is not supported; remove it")]
    Id(String),
    /// It contains itself in a way that could cost too much to evaluate.
    #[error(
        "it refers to itself through {0:?} for the same value, or too often within one level; let \
         each round go down into a property or an item, and less of them"
    )]
    Recursive(String),
    /// It could cost too much to evaluate, because its references multiply.
    #[error("with its references expanded it is too large to be evaluated")]
    TooCostly,
    /// It has a text that could deceive its reader.
    #[error("a text in it is not accepted")]
    Text(#[from] Unfit),
    /// It is written in another dialect.
    #[error("its `$schema` is {0:?}; expected JSON Schema 2020-12, stated once at the top")]
    Dialect(String),
    /// It is not a valid schema.
    #[error("it is not a valid JSON Schema: {0}")]
    Invalid(String),
    /// It admits arguments that it does not name.
    #[error(
        "it must be an object (\"type\": \"object\") that is closed \
         (\"additionalProperties\": false)"
    )]
    Open,
}

impl Schema {
    /// Compiles `text`.
    ///
    /// # Errors
    /// Fails if it is not a schema that this host evaluates.
    pub fn compile(text: &str) -> Result<Self, SchemaError> {
        if text.len() > MAX_BYTES {
            return Err(SchemaError::TooLarge);
        }
        let value = json::parse(text.as_bytes(), MAX_DEPTH)?;
        check_references(&value)?;
        check_dialect(&value)?;
        let cost = expanded(&value).map_err(|unbounded| match unbounded {
            Unbounded::Recursive(target) => SchemaError::Recursive(target),
            Unbounded::TooLarge => SchemaError::TooCostly,
            Unbounded::Dangling(target) => SchemaError::Reference(target),
        })?;
        check_texts(&value)?;
        // This engine is linear in the text, and the size of the expression is bounded.
        let patterns = PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::draft202012::options()
            .with_pattern_options(patterns)
            .build(&value)
            .map_err(|error| match pattern::unsupported_in(&value) {
                Some(why) => SchemaError::Invalid(why),
                None => SchemaError::Invalid(error.to_string()),
            })?;
        Ok(Self {
            value,
            validator,
            cost,
        })
    }

    /// Compiles the schema of a tool's arguments: a closed object, so that no member reaches a tool
    /// that its schema does not name.
    ///
    /// # Errors
    /// Fails if it is not such a schema.
    pub fn compile_closed(text: &str) -> Result<Self, SchemaError> {
        let schema = Self::compile(text)?;
        let closed = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|keyword| schema.value.get(*keyword) == Some(&Value::Bool(false)));
        let closed = closed && schema.value.get("patternProperties").is_none();
        let object = schema.value.get("type").and_then(Value::as_str) == Some("object");
        if closed && object {
            Ok(schema)
        } else {
            Err(SchemaError::Open)
        }
    }

    /// Returns the schema itself.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the most levels of a value that is checked, if the schema contains itself.
    pub fn levels(&self) -> Option<usize> {
        self.cost.levels()
    }

    /// Returns true if checking `instance` takes long enough to hold up others.
    pub fn is_costly(&self, instance: &Value) -> bool {
        self.cost.fits(instance) && (CHEAP + 1..=MAX_STEPS).contains(&self.cost.of(instance))
    }

    /// Checks `instance`.
    ///
    /// # Errors
    /// Fails with what is wrong and where, for the sender, without repeating values. Example:
    /// `/amount: value is not of type "integer"`.
    pub fn check(&self, instance: &Value) -> Result<(), String> {
        if let Some(levels) = self.levels().filter(|_| !self.cost.fits(instance)) {
            return Err(format!(
                "/: it is nested too deeply for this schema, which contains itself: it has more \
                 than {levels} levels"
            ));
        }
        let steps = self.cost.of(instance);
        if steps > MAX_STEPS {
            return Err("/: it is too large to be checked against the schema".to_owned());
        }
        if steps > CHEAP {
            // Other tasks go on while this one takes its time.
            return cores::block_in_place(|| self.evaluate(instance, steps));
        }
        self.evaluate(instance, steps)
    }

    fn evaluate(&self, instance: &Value, steps: usize) -> Result<(), String> {
        if steps > CHEAP {
            // All errors of a large value are larger still, so one is enough.
            return self
                .validator
                .validate(instance)
                .map_err(|error| told(&error));
        }
        let mut errors = self
            .validator
            .iter_errors(instance)
            .take(MAX_ERRORS)
            .map(|error| told(&error));
        match errors.next() {
            None => Ok(()),
            Some(first) => Err(errors.fold(first, |text, next| text + "; " + &next)),
        }
    }
}

/// Returns the place and the fault, without the value.
fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let place = if place.is_empty() {
        "/".to_owned()
    } else {
        place
    };
    format!("{place}: {}", error.masked())
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Schema({})", self.value)
    }
}

fn check_references(value: &Value) -> Result<(), SchemaError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check_references),
        Value::Object(members) => {
            members
                .iter()
                .try_for_each(|(name, value)| match (name.as_str(), value) {
                    ("$ref", Value::String(target)) if !target.starts_with('#') => {
                        Err(SchemaError::Reference(target.clone()))
                    }
                    ("$dynamicRef", _) => Err(SchemaError::Reference("$dynamicRef".to_owned())),
                    // A property may be named `$id`: then its value is a schema, not a string.
                    ("$id", Value::String(name)) => Err(SchemaError::Id(name.clone())),
                    _ => check_references(value),
                })
        }
        _ => Ok(()),
    }
}

/// Checks the dialect. It may stand only at the top: further in, another dialect would give
/// keywords another meaning there.
fn check_dialect(schema: &Value) -> Result<(), SchemaError> {
    if let Some(dialect) = schema.get("$schema")
        && dialect
            .as_str()
            .is_none_or(|uri| uri.trim_end_matches('#') != DIALECT)
    {
        let named = dialect
            .as_str()
            .map_or_else(|| dialect.to_string(), String::from);
        return Err(SchemaError::Dialect(named));
    }
    inner(schema).try_for_each(no_dialect)
}

fn no_dialect(value: &Value) -> Result<(), SchemaError> {
    match value.get("$schema") {
        Some(Value::String(dialect)) => Err(SchemaError::Dialect(dialect.clone())),
        _ => inner(value).try_for_each(no_dialect),
    }
}

fn inner(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().into_iter().flatten();
    items.chain(value.as_object().into_iter().flat_map(Map::values))
}

/// Checks the texts in `value`: members have names, and everything else is prose.
///
/// # Errors
/// Fails if one of them could deceive its reader.
pub(crate) fn check_texts(value: &Value) -> Result<(), Unfit> {
    match value {
        Value::String(text) => check_prose(text),
        Value::Array(items) => items.iter().try_for_each(check_texts),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(name, value)| check_name(name).and_then(|()| check_texts(value))),
        _ => Ok(()),
    }
}

/// The steps of a cheap check, which is made at once.
const CHEAP: usize = 100_000;
/// The steps of the longest check, a second or two at worst. Anything longer is refused.
const MAX_STEPS: usize = 50_000_000;
/// The size of one compiled regular expression.
const MAX_PATTERN_BYTES: usize = 512 << 10;
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_ERRORS: usize = 4;

#[cfg(test)]
mod attacks;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_local_closed_object_schemas_describe_arguments() {
        let deep = format!("{}1{}", r#"{"not":"#.repeat(40), "}".repeat(40));
        for (text, why) in [
            (r#"{"type":"object"}"#, "closed"),
            (r#"{"type":"object","additionalProperties":true}"#, "closed"),
            (
                r#"{"type":"string","additionalProperties":false}"#,
                "object",
            ),
            ("true", "object"),
            (
                r#"{"type":"object","additionalProperties":false,"properties":{"a":{"$ref":"https://x/y"}}}"#,
                "refers",
            ),
            (
                r#"{"type":"object","additionalProperties":false,"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#,
                "refers",
            ),
            (
                r##"{"type":"object","additionalProperties":false,"properties":{"a":{"$ref":"#a"}}}"##,
                "expected a JSON pointer",
            ),
            (
                r#"{"$id":"https://x/y","type":"object"}"#,
                "`$id`, \"https://x/y\", which is not supported; remove it",
            ),
            (r#"{"type":7,"additionalProperties":false}"#, "not a valid"),
            (
                r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"object"}"#,
                "is \"http://json-schema.org/draft-04/schema#\"; expected JSON Schema 2020-12",
            ),
            (
                r#"{"$schema":7,"type":"object"}"#,
                "is \"7\"; expected JSON Schema 2020-12",
            ),
            (r#"{"type":"object","type":"object"}"#, "duplicate"),
            (deep.as_str(), "deep"),
        ] {
            let error = Schema::compile_closed(text)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_refusal_names_the_place_and_not_the_value() {
        let schema = Schema::compile_closed(
            r#"{"type":"object","additionalProperties":false,"required":["id"],"properties":{"id":{"type":"integer"}}}"#,
        );
        let Ok(schema) = schema else {
            return assert!(schema.is_ok());
        };
        assert_eq!(schema.check(&json!({"id": 7})), Ok(()));
        let error = schema
            .check(&json!({"id": "secret-value"}))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains("/id") && !error.contains("secret-value"),
            "{error}"
        );
        assert!(schema.check(&json!({"id": 7, "user_id": "bob"})).is_err());
        assert!(schema.check(&json!({})).is_err());
    }
}
