//! Cursors of `resources/list`. The first page has the resources that components define; each
//! further one has members of one family, as its component lists them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The place where a page begins. It proves nothing: a page shows what its caller may see, whoever
/// made the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::transport) struct Cursor {
    /// The URI of the family.
    pub(in crate::transport) family: String,
    /// The component's own cursor, unless it is the first page of the family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::transport) own: Option<String>,
}

impl Cursor {
    /// Returns the first page of a family.
    pub(in crate::transport) fn first(family: &str) -> Self {
        Self {
            family: family.to_owned(),
            own: None,
        }
    }

    /// Returns its text.
    pub(in crate::transport) fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads its text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let json = (text.len() <= MAX_CURSOR).then(|| URL_SAFE_NO_PAD.decode(text).ok());
        serde_json::from_slice(&json.flatten()?).ok()
    }
}

const MAX_CURSOR: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        for own in [None, Some("a\u{0}\"".to_owned())] {
            let cursor = Cursor {
                family: "orders://orders/{id}".into(),
                own,
            };
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        let other = URL_SAFE_NO_PAD.encode(r#"{"family":"a","user":"b"}"#);
        for wrong in ["", "=", "e30", &other, &"A".repeat(MAX_CURSOR + 1)] {
            assert_eq!(Cursor::read(wrong), None, "{wrong}");
        }
    }
}
