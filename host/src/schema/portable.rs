//! Schemas as clients get them: in a form that every official client accepts.
//!
//! One definition that a client cannot read costs that client all tools. The input schema keeps its
//! meaning: only `true` and `false` are written as objects where clients expect objects. The output
//! schema is used by clients to check results, each with an evaluator of its own, so it keeps only
//! the keywords that all of them read alike.
//!
//! Invariant: the output form accepts every value that the schema accepts, and every `$ref` in it
//! has a target.

mod pattern;
mod record;
mod targets;
mod weaker;

use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use record::{is_record, record_of};
use targets::refers_nowhere;
use weaker::Weaker;

/// The revisions of MCP, by what their clients accept as an output schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// 2026-07-28: any schema of JSON Schema 2020-12.
    Current,
    /// Earlier: an object, read by many as draft-07.
    Legacy,
}

/// A schema as clients get it.
#[derive(Debug, Clone)]
pub struct Portable {
    /// Its members.
    pub members: Arc<Map<String, Value>>,
    /// The differences from the schema, one line each. Example: `/properties/id: clients do not get
    /// the pattern "…"`.
    pub notes: Vec<String>,
}

/// An output schema as clients get it.
#[derive(Debug, Clone)]
pub struct PortableOutput {
    /// The form for 2026-07-28.
    pub current: Portable,
    /// The form for earlier revisions.
    pub legacy: Portable,
    /// True if the legacy form describes an object whose one member, [`WRAP`], is the value.
    pub is_wrapped: bool,
}

impl Portable {
    /// Returns an input schema as clients get it. The TypeScript SDK 1.x refuses a list of tools
    /// if one property of one input schema is `true` or `false`.
    pub fn input(schema: &Value) -> Self {
        let mut notes = Notes::default();
        let members = match as_objects(schema, "", &mut notes) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        for name in record::unreadable_properties(&members) {
            notes.add(&within("/properties", name), AS_PATTERN);
        }
        Self {
            members: Arc::new(members),
            notes: notes.0,
        }
    }

    fn output(schema: &Value, dialect: Dialect, base: &'static str) -> Self {
        let (value, notes) = Weaker::of(schema, dialect, base);
        let mut members = match value {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if !base.is_empty() {
            members.remove("$schema");
            let wrap = json!({"type": "object", "properties": {WRAP: members}, "required": [WRAP]});
            members = wrap.as_object().cloned().unwrap_or_default();
        }
        Self {
            members: Arc::new(members),
            notes: notes.0,
        }
    }
}

impl PortableOutput {
    /// Returns an output schema as clients get it.
    ///
    /// Before 2026-07-28 an output schema must be an object. A schema that is not one describes
    /// there the member [`WRAP`] of an object, and so does the result, as the official SDKs'
    /// servers do (SEP-2106). So does one with a property such as `constructor` ([`is_record`]).
    pub fn of(schema: &Value) -> Self {
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        let is_wrapped = !is_object || schema.as_object().is_some_and(record::is_unreadable);
        let base = if is_wrapped { WRAPPED_BASE } else { "" };
        let mut forms = [
            (Portable::output(schema, Dialect::Current, ""), ""),
            (Portable::output(schema, Dialect::Legacy, base), base),
        ];
        for (form, base) in &mut forms {
            let whole = Value::Object((*form.members).clone());
            if refers_nowhere(&whole, &whole) {
                let least = if base.is_empty() && is_object {
                    json!({"type": "object"})
                } else if base.is_empty() {
                    json!({})
                } else {
                    json!({"type": "object", "properties": {WRAP: {}}, "required": [WRAP]})
                };
                form.members = Arc::new(least.as_object().cloned().unwrap_or_default());
                form.notes = vec![NOTHING_LEFT.to_owned()];
            }
        }
        let [(current, _), (mut legacy, _)] = forms;
        if is_wrapped {
            let why = if is_object { NO_RECORD } else { WRAPPED };
            legacy.notes.insert(0, why.to_owned());
        }
        Self {
            current,
            legacy,
            is_wrapped,
        }
    }

    /// Returns the form for a revision.
    pub fn form(&self, dialect: Dialect) -> &Portable {
        match dialect {
            Dialect::Current => &self.current,
            Dialect::Legacy => &self.legacy,
        }
    }
}

/// The differences between a schema and the form that clients get: few and short, because a schema
/// can have thousands, each at a place of any length.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, place: &str, what: &str) {
        match self.0.len() {
            0..MAX_NOTES => {
                let more = place.chars().nth(MAX_PLACE).map_or("", |_| "…");
                let place: String = place.chars().take(MAX_PLACE).collect();
                self.0.push(format!("{place}{more}: {what}"));
            }
            MAX_NOTES => self.0.push("and others".to_owned()),
            _ => {}
        }
    }
}

/// Writes the sub-schemas `true` and `false` as `{}` and `{"not": {}}`, except where every client
/// reads them, as in `"additionalProperties": false`.
fn as_objects(schema: &Value, place: &str, notes: &mut Notes) -> Value {
    let members = match schema {
        Value::Bool(any) => {
            notes.add(place, &format!("clients get an object instead of `{any}`"));
            return object_of(*any);
        }
        Value::Object(members) => members,
        other => return other.clone(),
    };
    let inside = members.iter().map(|(keyword, value)| {
        let place = within(place, keyword);
        let value = match (position(keyword), value) {
            (Position::Map, Value::Object(named)) => named
                .iter()
                .map(|(name, value)| {
                    let place = within(place.as_str(), name);
                    (name.clone(), as_objects(value, &place, notes))
                })
                .collect(),
            (Position::List, Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, value)| as_objects(value, &within(&place, &index.to_string()), notes))
                .collect(),
            (Position::Schema, value) => as_objects(value, &place, notes),
            (Position::Rest, Value::Object(_)) => as_objects(value, &place, notes),
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    inside.collect()
}

fn object_of(any: bool) -> Value {
    if any { json!({}) } else { json!({"not": {}}) }
}

/// Returns the place of `name` in `place` as a JSON pointer (RFC 6901 §3). A place that is longer
/// than anyone is told gets no longer.
fn within(place: &str, name: &str) -> String {
    if place.len() > MAX_PLACE * 4 {
        return place.to_owned();
    }
    let name: String = name.chars().take(MAX_PLACE).collect();
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The kinds of values that keywords have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Schemas by name.
    Map,
    /// A list of schemas.
    List,
    /// A schema.
    Schema,
    /// A schema for what other keywords leave over. All clients read `true` and `false` there.
    Rest,
    /// No schema.
    Plain,
}

pub(super) fn position(keyword: &str) -> Position {
    match keyword {
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            Position::Map
        }
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Position::List,
        "items" | "contains" | "not" | "if" | "then" | "else" | "propertyNames" => Position::Schema,
        "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" => Position::Rest,
        _ => Position::Plain,
    }
}

/// The most differences that are told one by one.
const MAX_NOTES: usize = 32;
/// The most characters of a place that are told.
const MAX_PLACE: usize = 200;
/// The member that has the value of a result that is not an object, before 2026-07-28.
pub const WRAP: &str = "result";
const WRAPPED_BASE: &str = "/properties/result";
const WRAPPED: &str = "it is not an object (\"type\": \"object\"), so clients before 2026-07-28 get \
                       it, and each result, as the member `result` of an object";
const NO_RECORD: &str = "it has a property `constructor` or `__proto__`, so clients before \
                         2026-07-28 get it, and each result, as the member `result` of an object";
const AS_PATTERN: &str = "clients before 2026-07-28 get a pattern instead of this property";
const NOTHING_LEFT: &str = "it refers to a place that clients do not get, so they get none of it; \
                            move what is referred to below `$defs`";

#[cfg(test)]
mod tests;
