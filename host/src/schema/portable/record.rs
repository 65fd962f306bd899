//! Members with the names that every object of JavaScript has.
//!
//! The TypeScript SDK 1 reads an object with zod. If its version is one of 2025 (such as 3.25), an
//! object with a member `constructor` is "no record": one property of that name in one schema costs
//! the client all tools, and one member of a result that result. A member `__proto__` is dropped.
//!
//! Every version of the SDK checks results with an evaluator that finds members such as `toString`
//! in objects which have none.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Dialect, Portable};

impl Portable {
    /// Returns an input schema as clients of a revision get it. Before 2026-07-28, a property of
    /// [`UNREADABLE`] is a pattern that matches its name alone, which means the same.
    pub fn input_for(&self, dialect: Dialect) -> Arc<Map<String, Value>> {
        let is_moved = unreadable_properties(&self.members).next().is_some();
        if dialect == Dialect::Current || !is_moved {
            return Arc::clone(&self.members);
        }
        let moved = moved((*self.members).clone());
        Arc::new(moved.unwrap_or_else(|| Map::from_iter([("type".to_owned(), json!("object"))])))
    }
}

/// Returns the schema with patterns in place of such properties. Fails if the schema refers to one
/// of them, or has such a pattern.
fn moved(mut schema: Map<String, Value>) -> Option<Map<String, Value>> {
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    let moved: Vec<_> = UNREADABLE
        .iter()
        .filter_map(|name| Some((name, properties.remove(*name)?)))
        .collect();
    let patterns = schema.entry("patternProperties").or_insert(json!({}));
    let patterns = patterns.as_object_mut()?;
    for (name, property) in &moved {
        if patterns
            .insert(format!("^{name}$"), property.clone())
            .is_some()
        {
            return None;
        }
    }
    let text = Value::Object(schema.clone()).to_string();
    let refers = |name: &str, end| text.contains(&format!("\"#/properties/{name}{end}"));
    let mut names = moved.iter().map(|(name, _)| name);
    (!names.any(|name| refers(name, '"') || refers(name, '/'))).then_some(schema)
}

/// Returns the properties of a schema by which a client takes no object for a record.
pub(super) fn unreadable_properties(
    schema: &Map<String, Value>,
) -> impl Iterator<Item = &'static str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let has = move |name: &str| properties.is_some_and(|map| map.contains_key(name));
    UNREADABLE.iter().copied().filter(move |name| has(name))
}

/// Returns true if a schema has or asks for a property of [`UNREADABLE`].
pub(super) fn is_unreadable(schema: &Map<String, Value>) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    unreadable_properties(schema).next().is_some()
        || required.any(|name| UNREADABLE.contains(&name))
}

/// Returns true if every client reads the object as one.
pub fn is_record(members: &Map<String, Value>) -> bool {
    !UNREADABLE.iter().any(|name| members.contains_key(*name))
}

/// Returns the object without the members by which some client does not read it as one.
pub fn record_of(members: &Map<String, Value>) -> Map<String, Value> {
    let readable = members
        .iter()
        .filter(|(name, _)| !UNREADABLE.contains(&name.as_str()));
    readable
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Returns true if every object of JavaScript has a member of this name.
pub(super) fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name) || UNREADABLE.contains(&name)
}

/// Returns true if an object in `value`, at any depth, has such a member.
pub(super) fn has_inherited(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_inherited),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_inherited(name) || has_inherited(value)),
        _ => false,
    }
}

/// The members by which a client takes no object for a record, or which it drops.
const UNREADABLE: [&str; 2] = ["constructor", "__proto__"];
/// The other members of `Object.prototype` (ECMA-262 §20.1.3, §B.2.2).
const INHERITED: [&str; 10] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];
