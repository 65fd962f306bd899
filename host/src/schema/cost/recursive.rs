//! The cost of a schema that contains itself, for values of a bounded depth.
//!
//! A value of depth 10 cannot lead an evaluator more than ten levels down, so the schema is
//! expanded on paper to that many levels, and what lies deeper is never evaluated.
//!
//! Invariant: every round of a recursion goes at least one level down in the value. A schema with
//! any other round would be evaluated for ever, and is refused. What is not known to hold no
//! schema is counted as if all of it were evaluated for the value itself.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::portable::{Position, position};
use super::{Cost, MAX_DEPTH, Unbounded, again, patterns, target_in};
use crate::json;

/// Returns the cost of `schema` for values of as many levels as can be afforded.
///
/// # Errors
/// Fails if that is less than [`MIN_LEVELS`], or if a round of the recursion stays at one value.
pub(super) fn bounded(schema: &Value, recursive: Unbounded) -> Result<Cost, Unbounded> {
    let mut best = None;
    for levels in 1..=MAX_LEVELS {
        let mut walk = Walk {
            root: schema,
            known: HashMap::new(),
            depth: 0,
        };
        match walk.schema(schema, levels) {
            Ok(cost) => {
                best = Some(Cost {
                    levels: Some(levels),
                    ..cost
                });
            }
            Err(Unbounded::TooLarge) => break,
            Err(other) => return Err(other),
        }
    }
    best.filter(|cost| cost.levels >= Some(MIN_LEVELS))
        .ok_or(recursive)
}

struct Walk<'s> {
    root: &'s Value,
    // `None` while it is being counted.
    known: HashMap<(String, usize), Option<Cost>>,
    depth: usize,
}

impl Walk<'_> {
    /// Returns the cost of a schema for a value that has so many levels, itself included.
    fn schema(&mut self, schema: &Value, levels: usize) -> Result<Cost, Unbounded> {
        if levels == 0 {
            return Ok(Cost::default());
        }
        match schema {
            Value::Object(members) => self.inside(|walk| walk.members(members, levels)),
            other => self.anything(other, levels),
        }
    }

    /// Returns the cost of something that may hold schemas for the value itself: the value of a
    /// keyword that is not known here.
    fn anything(&mut self, value: &Value, levels: usize) -> Result<Cost, Unbounded> {
        self.inside(|walk| match value {
            Value::Array(items) => items.iter().try_fold(Cost::default(), |total, item| {
                Ok(total.and(walk.anything(item, levels)?))
            }),
            Value::Object(members) => {
                let own = Cost {
                    patterns: patterns(members),
                    ..Cost::default()
                };
                let inside = members.iter().try_fold(own, |total, (name, value)| {
                    let cost = match value {
                        Value::String(target) if name == "$ref" => {
                            walk.reference(target, levels)?
                        }
                        _ => walk.anything(value, levels)?,
                    };
                    Ok(total.and(cost))
                })?;
                Ok(again(members, inside))
            }
            _ => Ok(Cost::default()),
        })
    }

    /// Counts something with its parts. The walk itself must not run out of stack.
    fn inside(
        &mut self,
        count: impl FnOnce(&mut Self) -> Result<Cost, Unbounded>,
    ) -> Result<Cost, Unbounded> {
        if self.depth >= MAX_DEPTH {
            return Err(Unbounded::TooLarge);
        }
        self.depth += 1;
        let inside = count(self)?;
        self.depth -= 1;
        inside.and_itself()
    }

    fn members(&mut self, members: &Map<String, Value>, levels: usize) -> Result<Cost, Unbounded> {
        let own = Cost {
            patterns: patterns(members),
            ..Cost::default()
        };
        let inside = members.iter().try_fold(own, |total, (keyword, value)| {
            Ok(total.and(self.keyword(keyword, value, levels)?))
        })?;
        Ok(again(members, inside))
    }

    fn keyword(&mut self, name: &str, value: &Value, levels: usize) -> Result<Cost, Unbounded> {
        let inner = if descends(name) { levels - 1 } else { levels };
        match (position(name), value) {
            // What is defined is evaluated where it is referred to.
            (Position::Map, _) if matches!(name, "$defs" | "definitions") => Ok(Cost::default()),
            (Position::Map, Value::Object(named)) => self.sum(named.values(), inner),
            (Position::List, Value::Array(items)) => self.sum(items.iter(), inner),
            (Position::Schema | Position::Rest, _) => self.schema(value, inner),
            (_, Value::String(target)) if name == "$ref" => self.reference(target, levels),
            _ if HOLD_NO_SCHEMA.contains(&name) => Ok(Cost {
                nodes: json::values(value),
                ..Cost::default()
            }),
            _ => self.anything(value, levels),
        }
    }

    fn sum<'v>(
        &mut self,
        mut schemas: impl Iterator<Item = &'v Value>,
        levels: usize,
    ) -> Result<Cost, Unbounded> {
        // Each is looked for, even in a value that has nothing for it.
        schemas.try_fold(Cost::default(), |total, schema| {
            let cost = self.schema(schema, levels)?;
            let nodes = cost.nodes.max(1);
            Ok(total.and(Cost { nodes, ..cost }))
        })
    }

    fn reference(&mut self, target: &str, levels: usize) -> Result<Cost, Unbounded> {
        let key = (target.to_owned(), levels);
        match self.known.get(&key) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(Unbounded::Recursive(target.to_owned())),
            None => {}
        }
        let schema = target_in(self.root, target)?;
        self.known.insert(key.clone(), None);
        let cost = self.schema(schema, levels)?;
        self.known.insert(key, Some(cost));
        Ok(cost)
    }
}

/// Returns true if a keyword's schemas are for what lies within the value.
fn descends(keyword: &str) -> bool {
    matches!(
        keyword,
        "properties"
            | "patternProperties"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "items"
            | "prefixItems"
            | "unevaluatedItems"
            | "contains"
    )
}

/// The keywords of JSON Schema 2020-12 whose values are never evaluated as schemas. Any other one
/// may be: the evaluator knows keywords of earlier drafts too, such as `dependencies`.
const HOLD_NO_SCHEMA: &[&str] = &[
    "$comment",
    "$schema",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];
/// The fewest levels that make a recursive schema worth having.
const MIN_LEVELS: usize = 4;
/// The levels of the deepest value that is ever parsed.
const MAX_LEVELS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::expanded;
    use super::*;

    fn levels(schema: &Value) -> Result<Option<usize>, Unbounded> {
        expanded(schema).map(|cost| cost.levels)
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!({}), |inside, _| json!({"children": [inside]}))
    }

    #[test]
    fn usual_recursive_types_have_room_for_usual_values() {
        let tree = json!({"type": "object", "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}}});
        assert!(
            matches!(levels(&tree), Ok(Some(20..))),
            "{:?}",
            levels(&tree)
        );
        let list = json!({"$ref": "#/$defs/node", "$defs": {"node": {"properties": {
            "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}}}});
        assert!(
            matches!(levels(&list), Ok(Some(20..))),
            "{:?}",
            levels(&list)
        );
        let json = json!({"anyOf": [{"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#"}},
            {"type": "object", "additionalProperties": {"$ref": "#"}}]});
        assert!(
            matches!(levels(&json), Ok(Some(8..))),
            "{:?}",
            levels(&json)
        );
        let mutual = json!({"$defs": {
            "a": {"properties": {"b": {"$ref": "#/$defs/b"}}},
            "b": {"properties": {"a": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"});
        assert!(
            matches!(levels(&mutual), Ok(Some(20..))),
            "{:?}",
            levels(&mutual)
        );
    }

    #[test]
    fn a_round_that_stays_at_one_value_is_refused() {
        for schema in [
            json!({"properties": {"a": {"$ref": "#"}}, "anyOf": [{"$ref": "#"}]}),
            json!({"properties": {"a": {"$ref": "#/properties/a"}}}),
            json!({"propertyNames": {"$ref": "#"}}),
            json!({"dependentSchemas": {"a": {"$ref": "#"}}}),
            json!({"properties": {"items": {"not": {"$ref": "#/properties/items"}}}}),
            json!({"if": {"$ref": "#"}, "items": {"$ref": "#"}}),
            json!({"dependencies": {"a": {"$ref": "#"}}, "items": {"$ref": "#"}}),
            json!({"dependencies": {"items": {"$ref": "#"}}, "items": {"$ref": "#"}}),
            json!({"contentSchema": {"$ref": "#"}, "items": {"$ref": "#"}}),
            json!({"x-more": [{"$ref": "#"}], "items": {"$ref": "#"}}),
        ] {
            assert!(
                matches!(levels(&schema), Err(Unbounded::Recursive(_))),
                "{schema}: {:?}",
                levels(&schema)
            );
        }
    }

    #[test]
    fn a_recursion_that_multiplies_is_refused_or_has_few_levels() {
        let branches = |count: usize| {
            let branch = json!({"items": {"$ref": "#"}, "properties": {"a": {"$ref": "#"}}});
            json!({"allOf": vec![branch; count]})
        };
        assert!(matches!(levels(&branches(1)), Ok(Some(8..))));
        // Keywords of earlier drafts multiply too, beside a recursion that nothing uses.
        let named = |at: usize, next: usize| {
            let next = json!({"$ref": format!("#/$defs/d{next}")});
            (
                format!("d{at}"),
                json!({"dependencies": {"a": next, "b": next}}),
            )
        };
        let mut defs: Map<String, Value> = (0..40).map(|at| named(at, at + 1)).collect();
        defs.insert("d40".into(), json!({}));
        defs.insert(
            "A".into(),
            json!({"properties": {"x": {"$ref": "#/$defs/A"}}}),
        );
        let hidden = json!({"$defs": defs, "dependencies": {"a": {"$ref": "#/$defs/d0"}}});
        assert!(levels(&hidden).is_err(), "{:?}", levels(&hidden));
        let mut chain: Map<String, Value> = (0..200)
            .map(|at| {
                let next = json!({"$ref": format!("#/$defs/c{}", at + 1)});
                (format!("c{at}"), json!({"dependencies": {"a": next}}))
            })
            .collect();
        chain.insert("c200".into(), json!({}));
        chain.insert(
            "A".into(),
            json!({"properties": {"x": {"$ref": "#/$defs/A"}}}),
        );
        let deep = json!({"$defs": chain, "dependencies": {"a": {"$ref": "#/$defs/c0"}}});
        assert!(levels(&deep).is_err(), "{:?}", levels(&deep));
        assert!(matches!(
            levels(&branches(30)),
            Err(Unbounded::Recursive(_))
        ));
    }

    #[test]
    fn a_value_is_evaluated_to_the_depth_that_is_bounded_and_no_further() {
        let tree = json!({"type": "object", "additionalProperties": false, "properties": {
            "children": {"type": "array", "items": {"$ref": "#"}}}});
        let cost = expanded(&tree).unwrap_or_default();
        let most = cost.levels.unwrap_or_default() / 2 - 1;
        assert!(cost.fits(&nested(most)), "{most}");
        assert!(!cost.fits(&nested(most + 2)), "{most}");
    }
}
