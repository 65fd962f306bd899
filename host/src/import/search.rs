//! The names of members in the schemas of a description, at every level.
//!
//! Trusts nothing in a schema. Invariant: one search looks at each value once, so schemas that
//! refer to each other cost no more than they are long.

use std::collections::{HashSet, VecDeque};
use std::ptr;

use serde_json::Value;

use super::references::ApiReferences;

/// Looks for members by their names.
pub(super) struct MemberSearch<'d> {
    references: ApiReferences<'d>,
    seen: HashSet<*const Value>,
    /// The values that were looked at, and how many may be.
    looks: usize,
    most: usize,
}

/// A search that was given up, because there is too much to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsearchable;

impl<'d> MemberSearch<'d> {
    /// Begins a search that looks at no more than `most` values.
    pub(super) fn new(references: ApiReferences<'d>, most: usize) -> Self {
        Self {
            references,
            seen: HashSet::new(),
            looks: 0,
            most,
        }
    }

    /// Returns the first name that fits, of a member in `holder` or in what it refers to; members
    /// of members come later. `holder` is a schema, or a part of the description that has some: a
    /// parameter, a body. What an earlier call looked at is not looked at again.
    pub(super) fn first(
        &mut self,
        holder: &'d Value,
        mut fits: impl FnMut(&'d str) -> bool,
    ) -> Result<Option<&'d str>, Unsearchable> {
        let mut waiting = VecDeque::from([holder]);
        while let Some(place) = waiting.pop_front() {
            let parts = match place {
                Value::Array(items) => items.len(),
                Value::Object(keywords) => keywords.len(),
                _ => continue,
            };
            if !self.seen.insert(ptr::from_ref(place)) {
                continue;
            }
            self.look(parts + 1)?;
            if let Value::Array(items) = place {
                waiting.extend(items);
            }
            for (keyword, value) in place.as_object().into_iter().flatten() {
                match (keyword.as_str(), value) {
                    ("properties", Value::Object(members)) => {
                        self.look(members.len())?;
                        if let Some(name) = members.keys().find(|name| fits(name.as_str())) {
                            return Ok(Some(name.as_str()));
                        }
                        waiting.extend(members.values());
                    }
                    (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                        self.look(named.len())?;
                        waiting.extend(named.values());
                    }
                    ("$ref", Value::String(target)) => {
                        waiting.extend(self.references.at(target).ok());
                    }
                    (keyword, _) if DATA.contains(&keyword) || keyword.starts_with("x-") => {}
                    (_, value) => waiting.push_back(value),
                }
            }
        }
        Ok(None)
    }

    /// Counts what is looked at next.
    fn look(&mut self, values: usize) -> Result<(), Unsearchable> {
        self.looks = self.looks.saturating_add(values);
        if self.looks > self.most {
            return Err(Unsearchable);
        }
        Ok(())
    }

    /// Returns the number of values that were looked at.
    pub(super) fn looks(&self) -> usize {
        self.looks
    }
}

/// Keywords whose members have names that say nothing, and schemas.
const NAMED: [&str; 4] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
];
/// Keywords with values that are no schemas.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "examples"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ApiReferences, MemberSearch, Unsearchable};

    fn found(root: &Value, schema: &Value, most: usize) -> Result<Vec<String>, Unsearchable> {
        let mut names = Vec::new();
        let mut search = MemberSearch::new(ApiReferences::new(root), most);
        search.first(schema, |name| {
            names.push(name.to_owned());
            false
        })?;
        names.sort();
        Ok(names)
    }

    #[test]
    fn members_are_found_at_every_level_and_only_where_a_schema_has_them() {
        let root = json!({"schemas": {
            "tree": {"properties": {"leaf": {"items": {"$ref": "#/schemas/tree"}}}},
            "a b": {"properties": {"example": {"properties": {"inner": true}}}},
        }});
        for (schema, expected) in [
            (json!(true), &[][..]),
            (
                json!({"properties": {"a": {"properties": {"b": {}}}}}),
                &["a", "b"],
            ),
            (json!({"$ref": "#/schemas/tree"}), &["leaf"]),
            (json!({"$ref": "#/schemas/a%20b"}), &["example", "inner"]),
            (json!({"$ref": "#/none"}), &[]),
            (
                json!({"allOf": [{"not": {"properties": {"a": {}}}}]}),
                &["a"],
            ),
            (
                json!({"items": {"additionalProperties": {"properties": {"a": {}}}}}),
                &["a"],
            ),
            (
                json!({"patternProperties": {"^p": {"properties": {"a": {}}}}}),
                &["a"],
            ),
            (
                json!({"$defs": {"enum": {"properties": {"a": {}}}}}),
                &["a"],
            ),
            (
                json!({"content": {"application/json": {"schema": {"properties": {"a": {}}}}}}),
                &["a"],
            ),
            (
                json!({"default": {"properties": {"a": {}}}, "x-a": {"properties": {"a": {}}},
                    "enum": [{"properties": {"a": {}}}], "required": ["a"]}),
                &[],
            ),
        ] {
            let expected = expected.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(found(&root, &schema, 64), Ok(expected), "{schema}");
        }
    }

    #[test]
    fn schemas_that_multiply_are_looked_at_once_and_no_more_than_may_be() {
        let mut schemas: serde_json::Map<String, Value> = (0..40)
            .map(|level| {
                let next = json!({"$ref": format!("#/d{}", level + 1)});
                (format!("d{level}"), json!({"allOf": [next, next]}))
            })
            .collect();
        schemas.insert("d40".to_owned(), json!({"properties": {"a": {}}}));
        let root = Value::Object(schemas);
        let first = root.get("d0").unwrap_or(&root);
        assert_eq!(found(&root, first, 400), Ok(vec!["a".to_owned()]));
        assert_eq!(found(&root, first, 100), Err(Unsearchable));
        let many = (0..100).map(|number| (format!("m{number}"), json!(true)));
        let many = json!({"properties": many.collect::<Value>()});
        assert_eq!(found(&root, &many, 150).map(|names| names.len()), Ok(100));
        assert_eq!(found(&root, &many, 99), Err(Unsearchable));
    }
}
