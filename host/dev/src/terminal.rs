//! Text of strangers on a terminal, which takes some characters as orders: tools choose their
//! descriptions and answers, and servers their errors.
//!
//! Invariant: what a stranger chose is printed only through here.

use std::fmt::Write as _;

use bailiwick_envelope::characters::is_unseen;
use serde_json::Value;

/// Returns text with its invisible characters made visible. Ends of lines and tabs stay.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) && !['\n', '\t'].contains(&character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns JSON for people, with invisible characters as JSON spells them: it means the same.
pub(crate) fn json(value: &Value) -> String {
    let mut shown = String::new();
    for character in format!("{value:#}").chars() {
        if is_unseen(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _always_room = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn text_gives_no_orders_to_a_terminal() {
        for (text, expected) in [
            ("a\n\tb é ✓", "a\n\tb é ✓"),
            ("\u{1b}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"),
            ("\u{9b}2J\r\u{202e}", "\\u{9b}2J\\u{d}\\u{202e}"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn json_means_the_same_in_visible_characters() {
        let value = json!({"a": "é\u{1b}[\u{9b}\u{202e}\u{e0041}\n", "b": [1, 2]});
        let text = json(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(!text.chars().any(|c| is_unseen(c) && c != '\n'), "{text:?}");
        assert!(text.contains("é\\u001b[\\u009b\\u202e\\udb40\\udc41\\n"));
    }
}
