//! What kind of value a schema describes, as far as its place in a request depends on it.

use std::cell::Cell;

use serde_json::Value;

use super::references::ApiReferences;

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueShape {
    Scalar,
    List,
    Object,
    /// It depends on the value.
    Open,
}

/// Returns the kind of the values of a schema.
pub(super) fn shape(schema: Option<&Value>, references: ApiReferences<'_>) -> ValueShape {
    shape_within(schema, references, MAX_STEPS, &Cell::new(MAX_LOOKS))
}

/// Looks at a schema, of at most `steps` levels and `looks` parts.
fn shape_within(
    schema: Option<&Value>,
    references: ApiReferences<'_>,
    steps: usize,
    looks: &Cell<usize>,
) -> ValueShape {
    let followed = schema.map(|schema| references.followed(schema));
    let bounds = (steps.checked_sub(1), looks.get().checked_sub(1));
    let (Some(Ok(schema)), (Some(steps), Some(left))) = (followed, bounds) else {
        return ValueShape::Open;
    };
    looks.set(left);
    if let Some(named) = by_type(schema) {
        return named;
    }
    if schema.get("properties").is_some() {
        return ValueShape::Object;
    }
    if schema.get("items").is_some() {
        return ValueShape::List;
    }
    let is_plain = |value: &Value| !value.is_array() && !value.is_object();
    if let Some(Value::Array(values)) = schema.get("enum")
        && values.iter().all(is_plain)
    {
        return ValueShape::Scalar;
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array);
        let shapes = parts.into_iter().flatten();
        let mut shapes = shapes.map(|part| shape_within(Some(part), references, steps, looks));
        let known = |shape: &ValueShape| *shape != ValueShape::Open;
        let found = if keyword == "allOf" {
            shapes.find(known)
        } else {
            let first = shapes.next();
            first.filter(|first| shapes.all(|other| other == *first))
        };
        if let Some(found) = found {
            return found;
        }
    }
    ValueShape::Open
}

/// Returns the kind that the types name, if they name one.
fn by_type(schema: &Value) -> Option<ValueShape> {
    let kind = |name: &str| match name {
        "array" => ValueShape::List,
        "object" => ValueShape::Object,
        _ => ValueShape::Scalar,
    };
    match schema.get("type")? {
        Value::String(name) => Some(kind(name)),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            let mut kinds = names.filter(|name| *name != "null").map(kind);
            let first = kinds.next()?;
            let same = kinds.all(|other| other == first);
            Some(if same { first } else { ValueShape::Open })
        }
        _ => None,
    }
}

/// The levels of schemas that are looked at.
const MAX_STEPS: usize = 8;
/// The schemas that are looked at in all: parts that refer to each other multiply.
const MAX_LOOKS: usize = 512;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiReferences, ValueShape, shape};

    #[test]
    fn a_shape_is_found_through_references_and_parts() {
        let root = json!({"list": {"type": "array"}, "self": {"allOf": [{"$ref": "#/self"}]}});
        for (schema, expected) in [
            (json!({"type": "string"}), ValueShape::Scalar),
            (json!({"type": ["null", "integer"]}), ValueShape::Scalar),
            (json!({"type": ["string", "array"]}), ValueShape::Open),
            (json!({"$ref": "#/list"}), ValueShape::List),
            (
                json!({"allOf": [{"description": "x"}, {"$ref": "#/list"}]}),
                ValueShape::List,
            ),
            (
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
                ValueShape::Scalar,
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"$ref": "#/list"}]}),
                ValueShape::Open,
            ),
            (json!({"properties": {}}), ValueShape::Object),
            (json!({"items": {}}), ValueShape::List),
            (json!({"enum": ["a", 1, null]}), ValueShape::Scalar),
            (json!({"enum": ["a", []]}), ValueShape::Open),
            (json!({"$ref": "#/self"}), ValueShape::Open),
            (json!({"$ref": "#/none"}), ValueShape::Open),
            (json!({}), ValueShape::Open),
        ] {
            let found = shape(Some(&schema), ApiReferences::new(&root));
            assert_eq!(found, expected, "{schema}");
        }
        assert_eq!(shape(None, ApiReferences::new(&root)), ValueShape::Open);
        let many = json!({"self": {"allOf": vec![json!({"$ref": "#/self"}); 1_000]}});
        let found = shape(many.get("self"), ApiReferences::new(&many));
        assert_eq!(found, ValueShape::Open);
    }
}
