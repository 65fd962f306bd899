//! The characters that a text may have: one table by Unicode property, two policies.
//!
//! The table is the envelope's, so a name that is admitted can also be sealed. Names (subjects,
//! tenants, clients, scopes, parameters) have no invisible characters. Prose may have those that
//! languages and emoji need, where they need them: joiners between letters that join, variation
//! selectors after what they vary, direction marks in right-to-left text.
//!
//! Invariant: a text that a policy accepts cannot reorder, hide or smuggle text. For example,
//! `b\u{200b}ob`, which looks like `bob`, is not a name.

mod prose;

use icu_properties::props::{BidiControl, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use bailiwick_envelope::characters::is_odd_space;
pub use bailiwick_envelope::characters::is_unseen;
pub use prose::check_prose;

/// A text that is not accepted. Names the character by its number, since it cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// An invisible character.
    #[error("it has U+{:04X}, {}", u32::from(*.0), what(*.0))]
    Unseen(char),
    /// An invisible character in a place where prose has no use for it.
    #[error("it has U+{:04X}, {}, where nothing needs it", u32::from(*.0), what(*.0))]
    Misplaced(char),
    /// Two names that differ in these look alike.
    #[error("it begins or ends with a space")]
    Space,
    /// A space that looks like the ordinary one.
    #[error("it has U+{:04X}, a space that is not the ordinary one", u32::from(*.0))]
    OddSpace(char),
}

/// Checks that `text` can be a name.
///
/// # Errors
/// It could be mistaken for another one.
pub fn check_name(text: &str) -> Result<(), Unfit> {
    match text
        .chars()
        .find(|character| is_unseen(*character) || is_odd_space(*character))
    {
        Some(space) if is_odd_space(space) => Err(Unfit::OddSpace(space)),
        Some(unseen) => Err(Unfit::Unseen(unseen)),
        None if text.trim().len() < text.len() => Err(Unfit::Space),
        None => Ok(()),
    }
}

/// Returns the beginning of `text`, with U+FFFD for each invisible character.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(MAX_PRINTED)
        .map(|character| {
            if is_unseen(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// Describes what an invisible character does.
fn what(character: char) -> &'static str {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        Control => "a control character",
        LineSeparator | ParagraphSeparator => "a line break that many programs do not show",
        PrivateUse => "which has no agreed meaning",
        Unassigned => "which is not a character",
        _ if CodePointSetData::new::<BidiControl>().contains(character) => {
            "which changes the direction of text"
        }
        _ if matches!(character, '\u{e0000}'..='\u{e007f}') => "a tag, which hides a letter",
        _ => "which cannot be seen",
    }
}

const MAX_PRINTED: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name_here_is_a_name_in_an_envelope() {
        for character in '\0'..=char::MAX {
            for text in [
                format!("a{character}b"),
                format!("{character}a"),
                format!("a{character}"),
            ] {
                let sealed = bailiwick_envelope::characters::is_plain(&text);
                assert_eq!(check_name(&text).is_ok(), sealed, "{text:?}");
            }
        }
    }

    #[test]
    fn the_reason_names_the_character_by_its_number() {
        for (text, why) in [
            (
                "a\u{202e}b",
                "it has U+202E, which changes the direction of text",
            ),
            ("a\u{0}b", "it has U+0000, a control character"),
            ("a\u{e0041}b", "it has U+E0041, a tag, which hides a letter"),
            ("a\u{ad}b", "it has U+00AD, which cannot be seen"),
            ("a\u{e000}b", "it has U+E000, which has no agreed meaning"),
            ("a ", "it begins or ends with a space"),
            (
                "a\u{a0}b",
                "it has U+00A0, a space that is not the ordinary one",
            ),
        ] {
            assert_eq!(
                check_name(text).map_err(|unfit| unfit.to_string()),
                Err(why.to_owned()),
                "{text:?}"
            );
        }
    }
}
