//! `$ref` inside the file: followed by JSON pointer, so often and no more.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::left_out::LeftOut;
use super::text::brief;

/// Follows the references of one document.
#[derive(Clone, Copy)]
pub(super) struct ApiReferences<'d> {
    root: &'d Value,
}

impl<'d> ApiReferences<'d> {
    pub(super) fn new(root: &'d Value) -> Self {
        Self { root }
    }

    /// Returns the value that is meant: itself, or where its references lead.
    pub(super) fn followed(self, value: &'d Value) -> Result<&'d Value, LeftOut> {
        let mut value = value;
        for _ in 0..MAX_STEPS {
            match self.next(value) {
                Some(next) => value = next?,
                None => return Ok(value),
            }
        }
        Err(LeftOut::Circle)
    }

    /// Returns where the reference of a value leads; `None` if it has none.
    pub(super) fn next(self, value: &'d Value) -> Option<Result<&'d Value, LeftOut>> {
        target(value).map(|target| self.at(target))
    }

    /// Returns the place that a reference names.
    pub(super) fn at(self, target: &str) -> Result<&'d Value, LeftOut> {
        let refused = || LeftOut::Reference(brief(target));
        if target.len() > MAX_BYTES {
            return Err(refused());
        }
        let pointer = target.strip_prefix('#').ok_or_else(refused)?;
        let pointer = percent_decode_str(pointer).decode_utf8();
        let pointer = pointer.map_err(|_| refused())?;
        self.root.pointer(&pointer).ok_or_else(refused)
    }
}

/// Returns the reference of a value that is one.
fn target(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// The longest chain of references to references.
pub(super) const MAX_STEPS: usize = 16;
/// The longest reference: many schemas can have the same, and each is followed.
const MAX_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiReferences, LeftOut};

    #[test]
    fn references_lead_to_places_in_the_file_and_nowhere_else() {
        let root = json!({
            "components": {"schemas": {"A b": {"type": "string"}}},
            "paths": {"/a": {"get": 1}},
            "found": {"$ref": "#/components/schemas/A%20b"},
            "chain": {"$ref": "#/found"},
            "path": {"$ref": "#/paths/~1a"},
            "circle": {"$ref": "#/circle"},
            "nowhere": {"$ref": "#/none"},
            "other": {"$ref": "other.yaml#/a"},
            "web": {"$ref": "https://example.com/a"},
            "file": {"$ref": "file:///etc/passwd"},
        });
        let references = ApiReferences::new(&root);
        for (name, expected) in [
            ("found", Ok("/components/schemas/A b")),
            ("chain", Ok("/components/schemas/A b")),
            ("path", Ok("/paths/~1a")),
            ("circle", Err(LeftOut::Circle)),
            ("nowhere", Err(LeftOut::Reference("#/none".to_owned()))),
            ("other", Err(LeftOut::Reference("other.yaml#/a".to_owned()))),
            (
                "web",
                Err(LeftOut::Reference("https://example.com/a".to_owned())),
            ),
            (
                "file",
                Err(LeftOut::Reference("file:///etc/passwd".to_owned())),
            ),
        ] {
            let found = references.followed(root.get(name).unwrap_or(&root));
            let expected = expected.map(|place| root.pointer(place).unwrap_or(&root));
            assert_eq!(found, expected, "{name}");
        }
    }
}
