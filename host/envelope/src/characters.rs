//! Visible and invisible characters, by their properties in Unicode.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Returns true if `character` leaves no mark of its own, so that two texts look alike, or changes
/// how others look: control, format and separator characters, every character that a display may
/// ignore (`Default_Ignorable_Code_Point`: fillers, joiners, variation selectors, tags), and code
/// points without an agreed look: unassigned ones and those for private use.
pub fn is_unseen(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned,
    };
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(
        category,
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate | Unassigned
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || character == BRAILLE_BLANK
}

/// Returns true if `character` is a space that looks like the ordinary one, or like none.
pub fn is_odd_space(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    character != ' ' && category == GeneralCategory::SpaceSeparator
}

/// Returns true if `text` has only characters of ASCII that a keyboard has, as most texts do.
pub fn is_printable(text: &str) -> bool {
    // Without a way out, so that many bytes are compared at once.
    let printable = |byte: u8| matches!(byte, b' '..=b'~');
    text.bytes().fold(true, |all, byte| all & printable(byte))
}

/// Returns true if `text` can be a name: all of it is visible, its spaces are ordinary ones, and
/// none is at an end.
pub fn is_plain(text: &str) -> bool {
    let odd = |character| is_unseen(character) || is_odd_space(character);
    text.trim().len() == text.len() && (is_printable(text) || !text.chars().any(odd))
}

/// A pattern of no dots: by its category a symbol, but to the eye a gap.
const BRAILLE_BLANK: char = '\u{2800}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printable_has_nothing_odd_in_it() {
        for character in '\0'..=char::MAX {
            let odd = is_unseen(character) || is_odd_space(character);
            let printable = is_printable(character.encode_utf8(&mut [0; 4]));
            assert_eq!(printable, character.is_ascii() && !odd, "{character:?}");
        }
        assert!(is_printable("") && is_printable(&"a b".repeat(50)));
        assert!(!is_printable(&("a b".repeat(50) + "\n")));
    }

    #[test]
    fn what_leaves_no_mark_is_found_by_its_properties() {
        let unseen = [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{2800}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{ffff}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e0fff}',
            '\u{f0000}',
            '\u{10ffff}',
            '\u{378}',
        ];
        for character in unseen {
            assert!(is_unseen(character), "{}", character.escape_unicode());
        }
        for character in [
            'a', ' ', '~', 'é', '\u{301}', 'ي', 'א', '中', '한', '👪', '𝒜', '–', '\u{a0}',
            '\u{3000}',
        ] {
            assert!(!is_unseen(character), "{character}");
        }
    }

    #[test]
    fn a_name_has_nothing_unseen_and_no_space_at_an_end() {
        for name in [
            "alice",
            "Alice B. C.",
            "Ålice",
            "アリス",
            "علی",
            "auth0|5f7c",
            "",
        ] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            " alice",
            "alice ",
            "alice\u{a0}",
            "Alice\u{a0}B.",
            "Alice\u{3000}B.",
            "Alice\u{2009}B.",
            "\u{3000}alice",
            "ali\u{ad}ce",
            "alice\u{61c}",
            "می\u{200c}خواهم",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
