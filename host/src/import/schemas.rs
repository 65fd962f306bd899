//! Schemas of the document as JSON Schema 2020-12, with references to `$defs`.
//!
//! Only keywords that are known are copied, each with the type that it must have: no examples, no
//! defaults, no extensions. Invariant: every reference in what is written has its definition, and
//! the number of values is bounded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::left_out::LeftOut;
use super::names::plain_name;
use super::references::ApiReferences;
use super::text::cleaned;
use crate::schema::Schema;

/// The side of a request for which schemas are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaSide {
    /// The arguments: without read-only members.
    Request,
    /// The answer: without write-only members.
    Answer,
}

/// Writes the schemas of one definition.
pub(super) struct ApiSchemas<'d> {
    references: ApiReferences<'d>,
    side: SchemaSide,
    /// Members of objects that are not written.
    left_out: BTreeSet<String>,
    /// Whether titles and descriptions are written.
    described: bool,
    /// The definitions by the references to them.
    names: BTreeMap<&'d str, String>,
    /// The names of definitions.
    taken: BTreeSet<String>,
    waiting: Vec<&'d str>,
    definitions: Map<String, Value>,
    /// The values that may still be written.
    left: usize,
}

impl<'d> ApiSchemas<'d> {
    pub(super) fn new(references: ApiReferences<'d>, side: SchemaSide, described: bool) -> Self {
        Self {
            references,
            side,
            left_out: BTreeSet::new(),
            described,
            names: BTreeMap::new(),
            taken: BTreeSet::new(),
            waiting: Vec::new(),
            definitions: Map::new(),
            left: MAX_VALUES,
        }
    }

    /// Leaves members of these names out of every object.
    pub(super) fn leave_out(&mut self, names: &BTreeSet<String>) {
        self.left_out.clone_from(names);
    }

    /// Returns a schema, and keeps the definitions that it refers to.
    pub(super) fn written(&mut self, schema: &'d Value) -> Result<Value, LeftOut> {
        let written = self.schema(schema)?;
        while let Some(reference) = self.waiting.pop() {
            let definition = self.schema(self.references.at(reference)?)?;
            if let Some(name) = self.names.get(reference) {
                self.definitions.insert(name.clone(), definition);
            }
        }
        Ok(written)
    }

    /// Gives a schema the definitions that it refers to.
    pub(super) fn define(self, schema: &mut Value) {
        if let (Value::Object(members), false) = (schema, self.definitions.is_empty()) {
            members.insert("$defs".to_owned(), self.definitions.into());
        }
    }

    /// Returns what was spent on what was written: one for each value, and more for long texts.
    pub(super) fn spent(&self) -> usize {
        MAX_VALUES - self.left
    }

    /// Takes the cost of a part off what may still be written.
    fn spend(&mut self, values: usize, bytes: usize) -> Result<(), LeftOut> {
        let left = self.left.checked_sub(values + bytes / BYTES_OF_ONE);
        let too_large = || LeftOut::Definition("its schema is too large".to_owned());
        self.left = left.ok_or_else(too_large)?;
        Ok(())
    }

    fn schema(&mut self, schema: &'d Value) -> Result<Value, LeftOut> {
        self.spend(1, 0)?;
        let members = match schema {
            Value::Bool(any) => return Ok(Value::Bool(*any)),
            Value::Object(members) => members,
            _ => return Err(LeftOut::Malformed("schema")),
        };
        let mut written = Map::new();
        for (keyword, value) in members {
            if let Some(value) = self.keyword(keyword, value, members)? {
                written.insert(keyword_of(keyword).to_owned(), value);
            }
        }
        exclusive_bounds(members, &mut written);
        if let Some(required) = written.get_mut("required") {
            self.without_hidden(members, required);
        }
        Ok(nullable(members, written))
    }

    /// Returns the value of a keyword; `None` if it is not written.
    fn keyword(
        &mut self,
        keyword: &str,
        value: &'d Value,
        members: &'d Map<String, Value>,
    ) -> Result<Option<Value>, LeftOut> {
        Ok(match (keyword, value) {
            ("$ref", Value::String(reference)) => {
                self.spend(0, reference.len())?;
                Some(self.reference(reference))
            }
            ("type", _) => known_types(value),
            ("title" | "description", Value::String(text)) if self.described => {
                Some(cleaned(text, MAX_TEXT).into()).filter(|text| *text != "")
            }
            ("format" | "contentMediaType" | "contentEncoding", Value::String(text)) => {
                Some(cleaned(text, MAX_TEXT).into())
            }
            ("pattern", Value::String(pattern)) => {
                self.spend(OF_PATTERN, pattern.len())?;
                is_usable(pattern).then(|| value.clone())
            }
            ("enum", Value::Array(values)) if !values.is_empty() => self.copied(value)?,
            ("const", _) => self.copied(value)?,
            ("required", Value::Array(names)) if names.iter().all(Value::is_string) => {
                self.copied(value)?
            }
            ("dependentRequired", Value::Object(_)) => self.copied(value)?,
            ("uniqueItems", Value::Bool(_)) => Some(value.clone()),
            (name, Value::Number(_)) if COUNTS.contains(&name) => {
                value.as_u64().is_some().then(|| value.clone())
            }
            (name, Value::Number(_)) if BOUNDS.contains(&name) => Some(value.clone()),
            ("multipleOf", Value::Number(number)) => {
                let positive = number.as_f64().is_some_and(|number| number > 0.0);
                positive.then(|| value.clone())
            }
            (name, Value::Object(named)) if MAPS.contains(&name) => {
                Some(self.named(name, named, members)?)
            }
            (name, Value::Array(list)) if LISTS.contains(&name) && !list.is_empty() => {
                let list: Result<Vec<_>, _> = list.iter().map(|part| self.schema(part)).collect();
                Some(Value::Array(list?))
            }
            (name, Value::Object(_) | Value::Bool(_)) if SCHEMAS.contains(&name) => {
                Some(self.schema(value)?)
            }
            _ => None,
        })
    }

    fn reference(&mut self, reference: &'d str) -> Value {
        let name = if let Some(name) = self.names.get(reference) {
            name.clone()
        } else {
            let name = self.free_name(reference);
            self.names.insert(reference, name.clone());
            self.taken.insert(name.clone());
            self.waiting.push(reference);
            name
        };
        format!("#/$defs/{name}").into()
    }

    /// Returns a name for a definition that no other has.
    fn free_name(&self, reference: &str) -> String {
        let last = reference.rsplit('/').next().unwrap_or_default();
        let mut plain = plain_name(last);
        plain.truncate(MAX_NAME);
        if plain.is_empty() {
            plain.push_str("schema");
        }
        let numbers = self.taken.len() + 1..;
        let numbered = numbers.map(|number| format!("{plain}_{number}"));
        let mut names = std::iter::once(plain.clone()).chain(numbered);
        names
            .find(|name| !self.taken.contains(name))
            .unwrap_or(plain)
    }

    /// Returns schemas by name, without the members that this side does not have.
    fn named(
        &mut self,
        keyword: &str,
        named: &'d Map<String, Value>,
        holder: &'d Map<String, Value>,
    ) -> Result<Value, LeftOut> {
        let mut written = Map::new();
        for (name, schema) in named {
            let of_pattern = if keyword == "patternProperties" {
                OF_PATTERN
            } else {
                0
            };
            self.spend(of_pattern, name.len())?;
            let hidden = keyword == "properties" && self.hides(holder, name);
            let unusable = keyword == "patternProperties" && !is_usable(name);
            if !hidden && !unusable {
                written.insert(name.clone(), self.schema(schema)?);
            }
        }
        Ok(Value::Object(written))
    }

    /// Takes the members that this side does not have off a list of required ones.
    fn without_hidden(&self, holder: &'d Map<String, Value>, required: &mut Value) {
        if let Value::Array(names) = required {
            names.retain(|name| !name.as_str().is_some_and(|name| self.hides(holder, name)));
        }
    }

    /// Returns true if a member of an object is not on this side.
    fn hides(&self, holder: &'d Map<String, Value>, name: &str) -> bool {
        if self.left_out.contains(name) {
            return true;
        }
        let property = holder.get("properties").and_then(|named| named.get(name));
        let Some(property) = property else {
            return false;
        };
        let mark = match self.side {
            SchemaSide::Request => "readOnly",
            SchemaSide::Answer => "writeOnly",
        };
        let marked = |schema: &Value| schema.get(mark) == Some(&Value::Bool(true));
        marked(property) || self.references.followed(property).is_ok_and(marked)
    }

    /// Returns a value that is not a schema.
    fn copied(&mut self, value: &Value) -> Result<Option<Value>, LeftOut> {
        self.spend(crate::json::values(value), text_bytes(value))?;
        Ok(Some(value.clone()))
    }
}

/// Returns the bytes of all texts in a value.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + text_bytes(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Returns the keyword as it is written: the value that fits two parts of a choice is for the
/// service to judge, since many documents do not keep their parts apart.
fn keyword_of(keyword: &str) -> &str {
    match keyword {
        "oneOf" => "anyOf",
        other => other,
    }
}

/// Writes OpenAPI 3.0's bounds, which say by a boolean whether they are exclusive.
fn exclusive_bounds(members: &Map<String, Value>, written: &mut Map<String, Value>) {
    for (exclusive, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if members.get(exclusive) == Some(&Value::Bool(true))
            && let Some(value) = written.remove(bound)
        {
            written.insert(exclusive.to_owned(), value);
        }
    }
}

/// Adds `null`, if OpenAPI 3.0's `nullable` says so.
fn nullable(members: &Map<String, Value>, mut written: Map<String, Value>) -> Value {
    if members.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(written);
    }
    if ["$ref", "allOf", "anyOf", "const"]
        .iter()
        .any(|keyword| written.contains_key(*keyword))
    {
        return json!({"anyOf": [written, {"type": "null"}]});
    }
    if let Some(Value::String(name)) = written.get("type") {
        let types = json!([name, "null"]);
        written.insert("type".to_owned(), types);
    }
    if let Some(Value::Array(values)) = written.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(written)
}

/// Returns the types that JSON has.
fn known_types(value: &Value) -> Option<Value> {
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::String(_) => known(value).then(|| value.clone()),
        Value::Array(names) if !names.is_empty() => names.iter().all(known).then(|| value.clone()),
        _ => None,
    }
}

/// Returns true if the host can evaluate a pattern.
fn is_usable(pattern: &str) -> bool {
    Schema::compile(&json!({"pattern": pattern}).to_string()).is_ok()
}

const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "string", "integer",
];
const COUNTS: [&str; 8] = [
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
];
const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const MAPS: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMAS: [&str; 9] = [
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "items",
    "contains",
    "not",
    "if",
    "then",
    "else",
];
/// About as many as a definition can have in its 64 KiB.
const MAX_VALUES: usize = 20_000;
/// So many bytes of texts cost as much as a value, and a pattern, which is compiled, as so many.
const BYTES_OF_ONE: usize = 32;
const OF_PATTERN: usize = 100;
const MAX_TEXT: usize = 1024;
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests;
