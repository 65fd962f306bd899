//! The members of an object in a query: a key for each, so all of them must be known.

use std::collections::BTreeMap;

use serde_json::Value;

use super::references::ApiReferences;
use super::shape::{ValueShape, shape};

/// The members of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ApiMembers {
    /// The kinds of their values, by their names; if there are more than [`MAX_MEMBERS`], not all.
    pub(super) shapes: BTreeMap<String, ValueShape>,
    /// Those that an object must have.
    pub(super) required: Vec<String>,
}

impl ApiMembers {
    /// Returns the members that a schema knows, in any of its parts.
    pub(super) fn of(schema: Option<&Value>, references: ApiReferences<'_>) -> Self {
        let mut members = Self::default();
        let mut looks = MAX_LOOKS;
        if let Some(schema) = schema {
            members.add(schema, references, MAX_STEPS, &mut looks);
        }
        members
    }

    /// Adds the members of a schema, of at most `steps` levels and `looks` parts.
    fn add(
        &mut self,
        schema: &Value,
        references: ApiReferences<'_>,
        steps: usize,
        looks: &mut usize,
    ) {
        let bounds = (steps.checked_sub(1), looks.checked_sub(1));
        let (Ok(schema), (Some(steps), Some(left))) = (references.followed(schema), bounds) else {
            return;
        };
        *looks = left;
        let properties = schema.get("properties").and_then(Value::as_object);
        // Parts that have the same members cost no more than one of them.
        for (name, value) in properties.into_iter().flatten().take(MAX_MEMBERS + 1) {
            if self.shapes.len() > MAX_MEMBERS {
                return;
            }
            let known = self.shapes.entry(name.clone());
            known.or_insert_with(|| shape(Some(value), references));
        }
        let required = schema.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        let required = required.take(MAX_MEMBERS);
        self.required.extend(required.map(str::to_owned));
        for keyword in ["allOf", "oneOf", "anyOf"] {
            let parts = schema.get(keyword).and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                self.add(part, references, steps, looks);
            }
        }
    }
}

/// The most members of an object in a query.
pub(super) const MAX_MEMBERS: usize = 256;
/// The levels of schemas that are looked at.
const MAX_STEPS: usize = 4;
/// The schemas that are looked at in all: parts that refer to each other multiply.
const MAX_LOOKS: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiMembers, ApiReferences, ValueShape};

    #[test]
    fn members_are_found_in_every_part_of_a_schema() {
        let root = json!({
            "range": {"properties": {"gt": {"type": "integer"}}, "required": ["gt"]},
            "self": {"anyOf": [{"$ref": "#/self"}, {"properties": {"a": {}}}]},
        });
        for (schema, expected) in [
            (
                json!({"properties": {"a": {"type": "array"}, "b": {"type": "object"}}}),
                &[("a", ValueShape::List), ("b", ValueShape::Object)][..],
            ),
            (
                json!({"anyOf": [{"$ref": "#/range"}, {"type": "integer"}]}),
                &[("gt", ValueShape::Scalar)],
            ),
            (
                json!({"allOf": [{"$ref": "#/range"}, {"properties": {"lt": {}}}]}),
                &[("gt", ValueShape::Scalar), ("lt", ValueShape::Open)],
            ),
            (json!({"$ref": "#/self"}), &[("a", ValueShape::Open)]),
            (json!({"type": "object", "additionalProperties": {}}), &[]),
            (json!({"$ref": "#/none"}), &[]),
        ] {
            let found = ApiMembers::of(Some(&schema), ApiReferences::new(&root));
            let expected = expected
                .iter()
                .map(|(name, shape)| ((*name).to_owned(), *shape));
            assert_eq!(found.shapes, expected.collect(), "{schema}");
        }
        let many = json!({"self": {"anyOf": vec![json!({"$ref": "#/self"}); 1_000]}});
        let found = ApiMembers::of(many.get("self"), ApiReferences::new(&many));
        assert_eq!(found, ApiMembers::default());
        let range = ApiMembers::of(root.get("range"), ApiReferences::new(&root));
        assert_eq!(range.required, ["gt"]);
    }
}
