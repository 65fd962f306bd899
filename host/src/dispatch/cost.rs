//! What it can cost to evaluate a schema, bounded before it is ever evaluated.
//!
//! References multiply: forty definitions that each refer twice to the next are 2⁴⁰ evaluations.
//! So references are expanded here once, on paper, and a schema that grows beyond
//! [`MAX_EXPANDED`] nodes, or refers to itself, is refused. What is left costs at most that
//! many steps for each value in the instance.

use std::collections::HashMap;

use serde_json::Value;

/// Why a schema could cost too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unbounded {
    /// It refers to itself, directly or through others.
    Recursive(String),
    /// Expanded, it is too large.
    TooLarge,
    /// It refers to something that is not there, or in a way that is not followed.
    Dangling(String),
}

/// The number of nodes of `schema` with every reference expanded.
pub(super) fn expanded(schema: &Value) -> Result<usize, Unbounded> {
    let mut walk = Walk { root: schema, known: HashMap::new() };
    walk.value(schema)
}

struct Walk<'s> {
    root: &'s Value,
    // `None` while it is being counted.
    known: HashMap<String, Option<usize>>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value) -> Result<usize, Unbounded> {
        let inside = match value {
            Value::Array(items) => self.sum(items.iter())?,
            Value::Object(members) => {
                let target = match members.get("$ref") {
                    Some(Value::String(target)) => self.reference(target)?,
                    _ => 0,
                };
                let inside = self.sum(members.values())?.saturating_add(target);
                // These evaluate everything beside them a second time, on every level.
                let again = members.contains_key("unevaluatedProperties") || members.contains_key("unevaluatedItems");
                if again { inside.saturating_mul(2) } else { inside }
            }
            _ => 0,
        };
        let total = inside.saturating_add(1);
        if total > MAX_EXPANDED { Err(Unbounded::TooLarge) } else { Ok(total) }
    }

    fn sum<'v>(&mut self, values: impl Iterator<Item = &'v Value>) -> Result<usize, Unbounded> {
        values.map(|value| self.value(value)).try_fold(0, |total: usize, next| Ok(total.saturating_add(next?)))
    }

    fn reference(&mut self, target: &str) -> Result<usize, Unbounded> {
        match self.known.get(target) {
            Some(Some(count)) => return Ok(*count),
            Some(None) => return Err(Unbounded::Recursive(target.to_owned())),
            None => {}
        }
        let pointer = target.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let root = self.root;
        let value = pointer.and_then(|pointer| root.pointer(pointer));
        let value = value.ok_or_else(|| Unbounded::Dangling(target.to_owned()))?;
        self.known.insert(target.to_owned(), None);
        let count = self.value(value)?;
        self.known.insert(target.to_owned(), Some(count));
        Ok(count)
    }
}

/// About ten times what the largest schema without references can have in 64 KiB.
const MAX_EXPANDED: usize = 20_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_that_multiply_are_refused_on_paper() {
        let mut definitions = serde_json::Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
        }
        definitions.insert("d40".into(), json!({"type": "string"}));
        assert_eq!(expanded(&json!({"$defs": definitions, "$ref": "#/$defs/d0"})), Err(Unbounded::TooLarge));
    }

    #[test]
    fn evaluations_that_double_on_every_level_are_refused_on_paper() {
        let mut schema = json!({"type": "object"});
        for _ in 0..20 {
            schema = json!({"anyOf": [schema], "unevaluatedProperties": false});
        }
        assert_eq!(expanded(&schema), Err(Unbounded::TooLarge));
        assert!(expanded(&json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false})).is_ok());
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_refused() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"anyOf": [{"items": {"$ref": "#"}}]}),
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        ] {
            assert!(matches!(expanded(&schema), Err(Unbounded::Recursive(_))), "{schema}");
        }
        assert!(matches!(expanded(&json!({"$ref": "#/$defs/none"})), Err(Unbounded::Dangling(_))));
        assert!(matches!(expanded(&json!({"$ref": "#anchor"})), Err(Unbounded::Dangling(_))));
        let shared = json!({"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}}});
        assert!(expanded(&shared).is_ok());
        assert!(expanded(&json!({"properties": {"$ref": {"type": "string"}}})).is_ok());
    }
}
