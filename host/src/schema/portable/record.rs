//! Objects that a client takes for something else.
//!
//! The TypeScript SDK 1 reads an object with zod. If its version is one of 2025 (such as 3.25), an
//! object with a member `constructor` is "no record": one property of that name in one schema costs
//! the client all tools, and one member of a result that result.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Dialect, Portable};

impl Portable {
    /// Returns an input schema as clients of a revision get it. Before 2026-07-28, the property
    /// `constructor` is a pattern that matches its name alone, which means the same.
    pub fn input_for(&self, dialect: Dialect) -> Arc<Map<String, Value>> {
        if dialect == Dialect::Current || !has_property(&self.members) {
            return Arc::clone(&self.members);
        }
        let moved = moved((*self.members).clone());
        Arc::new(moved.unwrap_or_else(|| Map::from_iter([("type".to_owned(), json!("object"))])))
    }
}

/// Returns the schema with the pattern in place of the property. Fails if the schema refers to the
/// property, or has such a pattern.
fn moved(mut schema: Map<String, Value>) -> Option<Map<String, Value>> {
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    let property = properties.remove(MEMBER)?;
    let patterns = schema.entry("patternProperties").or_insert(json!({}));
    let replaced = patterns
        .as_object_mut()?
        .insert(PATTERN.to_owned(), property);
    let schema = Value::Object(schema);
    let text = schema.to_string();
    let refers = ["\"", "/"].map(|end| text.contains(&format!("{REFERENCE}{end}")));
    if replaced.is_some() || refers.contains(&true) {
        return None;
    }
    match schema {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Returns true if a schema has the property.
pub(super) fn has_property(schema: &Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !is_record(properties))
}

/// Returns true if every client reads the object as one.
pub fn is_record(members: &Map<String, Value>) -> bool {
    !members.contains_key(MEMBER)
}

const MEMBER: &str = "constructor";
const PATTERN: &str = "^constructor$";
const REFERENCE: &str = "\"#/properties/constructor";
