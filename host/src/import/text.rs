//! Texts of the document as a definition can have them.

use crate::characters::{Unfit, check_prose};

/// Returns a text with nothing that a definition refuses, and at most so many bytes.
pub(super) fn cleaned(text: &str, most: usize) -> String {
    let mut text = shortened(&text.replace("\r\n", "\n"), most);
    // Each round takes a character away for good.
    while let Err(unfit) = check_prose(&text) {
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
    let mut end = most.saturating_sub(MORE.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MORE}", text.get(..end).unwrap_or_default())
}

/// The most bytes of a description, and of a title.
pub(super) const MAX_TEXT: usize = 4096;
pub(super) const MAX_TITLE: usize = 256;
const MORE: &str = "…";

#[cfg(test)]
mod tests {
    use super::cleaned;
    use crate::characters::check_prose;

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
