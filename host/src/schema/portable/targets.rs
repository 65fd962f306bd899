//! The targets of references in the form that clients get.

use serde_json::Value;

use super::{Position, position};

/// Returns true if a `$ref` in `schema`, which is in the form of clients, has no target in `root`
/// that clients read as a schema too.
pub(super) fn refers_nowhere(schema: &Value, root: &Value) -> bool {
    let inside = |value| refers_nowhere(value, root);
    let mut members = schema.as_object().into_iter().flatten();
    members.any(|(keyword, value)| match position(keyword) {
        Position::Map => value
            .as_object()
            .into_iter()
            .flatten()
            .any(|(_, value)| inside(value)),
        Position::List => value.as_array().into_iter().flatten().any(inside),
        Position::Schema | Position::Rest => inside(value),
        Position::Plain if keyword == "$ref" => {
            !value.as_str().is_some_and(|target| leads(target, root))
        }
        Position::Plain => false,
    })
}

/// Returns true if `target` leads from `root` to one of its sub-schemas, by names that all clients
/// read alike.
fn leads(target: &str, root: &Value) -> bool {
    let Some(pointer) = target.strip_prefix('#') else {
        return false;
    };
    if pointer.contains(['#', '\\', '"']) {
        return false;
    }
    let mut schema = Some(root);
    let mut steps = pointer.split('/').skip(1);
    while let (Some(here), Some(keyword)) = (schema, steps.next()) {
        let inside = here.get(keyword);
        schema = match position(keyword) {
            Position::Map => steps.next().and_then(|name| {
                let name = name.replace("~1", "/").replace("~0", "~");
                // A part of the clients' libraries passes over this name.
                inside?.get(&name).filter(|_| name != "__proto__")
            }),
            Position::List => {
                let index = steps.next().and_then(|index| index.parse::<usize>().ok());
                index.and_then(|index| inside?.get(index))
            }
            Position::Schema | Position::Rest => inside,
            Position::Plain => None,
        };
    }
    schema.is_some()
}
