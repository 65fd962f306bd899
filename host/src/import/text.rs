//! Texts of the document as a definition can have them.

use crate::characters::{Unfit, check_prose};

/// Returns a text with nothing that a definition refuses, and at most so many bytes.
pub(super) fn cleaned(text: &str, most: usize) -> String {
    // A line break becomes one byte of two, so this is enough; the rest may be very long.
    let text = beginning(text, 2 * most + 2);
    let mut text = shortened(&text.replace("\r\n", "\n"), most);
    let mut rounds = 0;
    // Each round takes a character away for good.
    while let Err(unfit) = check_prose(&text) {
        rounds += 1;
        if rounds > MAX_ROUNDS {
            text.retain(|character| matches!(character, '\n' | '\t' | ' '..='~'));
            break;
        }
        let (Unfit::Unseen(unfit) | Unfit::Misplaced(unfit) | Unfit::OddSpace(unfit)) = unfit
        else {
            return String::new();
        };
        text.retain(|character| character != unfit);
    }
    text.trim().to_owned()
}

/// Returns the beginning of a text, with a mark if there is more.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}{MORE}", beginning(text, most.saturating_sub(MORE.len())))
}

/// Returns a text of the document for a message.
pub(super) fn brief(text: &str) -> String {
    shortened(text, MAX_BRIEF)
}

/// Returns as many whole characters as fit into so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The most bytes of a description, and of a title.
pub(super) const MAX_TEXT: usize = 4096;
pub(super) const MAX_TITLE: usize = 256;
const MORE: &str = "…";
/// A text with more kinds of unseen characters than this keeps only ASCII.
const MAX_ROUNDS: usize = 16;
const MAX_BRIEF: usize = 256;

#[cfg(test)]
mod tests {
    use super::cleaned;
    use crate::characters::check_prose;

    #[test]
    fn a_text_of_unseen_characters_keeps_what_can_be_seen() {
        let tags: String = ('\u{e0020}'..'\u{e007f}').collect();
        assert_eq!(cleaned(&format!("a{tags}b é"), 1024), "ab");
        assert_eq!(cleaned("a\u{e0041}b é", 1024), "ab é");
        let long = "\r\n".repeat(1_000_000);
        assert_eq!(
            cleaned(&format!("a{long}"), 16),
            "a\n\n\n\n\n\n\n\n\n\n\n\n…"
        );
    }

    #[test]
    fn a_text_is_shortened_and_has_nothing_unseen() {
        for (text, expected) in [
            ("Finds\r\norders.\n", "Finds\norders."),
            ("a\u{202e}b\u{200b}c", "abc"),
            ("a\rb\u{0}", "ab"),
            ("été “x”", "été “x”"),
            (" \u{200b} ", ""),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaa…"),
            ("ééééééééé", "éééééé…"),
        ] {
            let found = cleaned(text, 16);
            assert_eq!(found, expected, "{text:?}");
            assert!(check_prose(&found).is_ok() && found.len() <= 16);
        }
    }
}
