//! Prose: descriptions, titles and the texts of schemas, which people and models read.

use icu_properties::props::{
    BidiClass, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup,
    Ideographic, IndicSyllabicCategory, JoiningType, PrependedConcatenationMark,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::{Unfit, is_unseen};

/// Checks that everything in `text` is visible, or needed by the letters around it.
///
/// # Errors
/// Something in it hides, reorders or carries text unseen.
pub fn check_prose(text: &str) -> Result<(), Unfit> {
    if text
        .bytes()
        .all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~'))
    {
        return Ok(());
    }
    let right_to_left = text.chars().any(is_right_to_left);
    let mut before = Before::default();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let next = rest.clone().next();
        if is_unseen(character) && !before.admits(character, next, right_to_left) {
            let misplaced = has_a_place(character);
            return Err(if misplaced {
                Unfit::Misplaced(character)
            } else {
                Unfit::Unseen(character)
            });
        }
        if character == BLACK_FLAG {
            rest = past_region(rest);
        }
        before = before.then(character);
    }
    Ok(())
}

/// The text before a character.
#[derive(Clone, Copy, Default)]
struct Before {
    last: Option<char>,
    /// The last letter or sign, without the marks on it.
    base: Option<char>,
    /// Whether `base` is a pictograph, perhaps with a variation and a skin tone.
    pictograph: bool,
}

impl Before {
    fn then(self, character: char) -> Self {
        let visible = !is_unseen(character);
        let modifies = character == EMOJI_STYLE
            || CodePointSetData::new::<EmojiModifier>().contains(character);
        Self {
            last: Some(character),
            base: if visible && !is_mark(character) {
                Some(character)
            } else {
                self.base
            },
            pictograph: if modifies {
                self.pictograph
            } else {
                is_pictograph(character)
            },
        }
    }

    /// Returns whether an invisible character is needed here.
    fn admits(self, character: char, next: Option<char>, right_to_left: bool) -> bool {
        let seen = self.last.filter(|last| !is_unseen(*last));
        let script = seen.is_some() && self.base.is_some_and(joins);
        match character {
            '\n' | '\t' => true,
            '\r' => next == Some('\n'),
            ZWNJ | '\u{180b}'..='\u{180d}' | '\u{180f}' => script,
            ZWJ => script || (self.pictograph && next.is_some_and(is_pictograph)),
            TEXT_STYLE | EMOJI_STYLE => seen.is_some_and(|last| varies(last, next)),
            '\u{fe00}'..='\u{fe0d}' => seen.is_some_and(|last| !last.is_ascii()),
            '\u{e0100}'..='\u{e01ef}' => {
                seen.is_some_and(|last| CodePointSetData::new::<Ideographic>().contains(last))
            }
            LRM | RLM | ALM => {
                right_to_left && (seen.is_some() || self.last.is_none_or(char::is_whitespace))
            }
            // These are visible: they enclose the digits that follow.
            other => CodePointSetData::new::<PrependedConcatenationMark>().contains(other),
        }
    }
}

/// Returns whether prose may have the character somewhere.
fn has_a_place(character: char) -> bool {
    matches!(
        character,
        ZWNJ | ZWJ | LRM | RLM | ALM | '\r' | '\u{180b}'..='\u{180d}' | '\u{180f}'
    ) || matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Returns whether a letter's shape depends on its neighbours, as in Arabic, Mongolian and the
/// scripts of India.
fn joins(base: char) -> bool {
    let letter = GeneralCategoryGroup::Letter.contains(category(base));
    let joining = !matches!(
        CodePointMapData::<JoiningType>::new().get(base),
        JoiningType::NonJoining | JoiningType::Transparent
    );
    let indic =
        CodePointMapData::<IndicSyllabicCategory>::new().get(base) != IndicSyllabicCategory::Other;
    letter && (joining || indic || bidi(base) == BidiClass::ArabicLetter)
}

/// Returns whether a variation selector may follow. Digits, `#` and `*` have a style only at the
/// beginning of a keycap.
fn varies(last: char, next: Option<char>) -> bool {
    CodePointSetData::new::<Emoji>().contains(last) && (!last.is_ascii() || next == Some(KEYCAP))
}

fn is_pictograph(character: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(character)
}

fn is_mark(character: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(character))
}

fn is_right_to_left(character: char) -> bool {
    matches!(
        bidi(character),
        BidiClass::RightToLeft | BidiClass::ArabicLetter
    ) && GeneralCategoryGroup::Letter.contains(category(character))
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

fn bidi(character: char) -> BidiClass {
    CodePointMapData::<BidiClass>::new().get(character)
}

/// Returns the text after the tags of a regional flag (UTS #51 ED-14): three to six small letters
/// or digits and the end tag. Without such tags, returns the text unchanged.
fn past_region(text: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let tags = text
        .clone()
        .take_while(|tag| matches!(tag, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}'))
        .count();
    let mut rest = text.clone();
    if (3..=6).contains(&tags) && rest.nth(tags) == Some(END_OF_TAGS) {
        rest
    } else {
        text
    }
}

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const LRM: char = '\u{200e}';
const RLM: char = '\u{200f}';
const ALM: char = '\u{61c}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const END_OF_TAGS: char = '\u{e007f}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_languages_and_emoji_need_passes() {
        for text in [
            "Finds orders.\n\tBy number – or “name”.\r\nNo more.",
            "سفارش\u{200c}ها را می\u{200c}یابد",
            "جزء\u{200c}ها، آینده\u{200c}ای، ه\u{200d}",
            "क\u{94d}\u{200d}ष और क\u{94d}\u{200c}ष",
            "ക\u{d4d}\u{200d}",
            "\u{200f}מספר הזמנה (API\u{200e})!\u{200f} טוב",
            "السعر \u{61c}5",
            "\u{0600}١٢",
            "family 👨\u{200d}👩\u{200d}👧\u{200d}👦, 👩🏽\u{200d}🚀, ❤\u{fe0f}\u{200d}🔥, 🏳\u{fe0f}\u{200d}🌈, 1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} and 🏴 and 🏴\u{200d}☠\u{fe0f}",
            "葛\u{e0100}飾, ∩\u{fe00}, ☎\u{fe0e}",
            "ᠠ\u{180b}",
        ] {
            assert_eq!(check_prose(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_hides_or_reorders_is_refused_by_name() {
        for (text, unfit) in [
            ("a\u{202e}b", Unfit::Unseen('\u{202e}')),
            ("א\u{2067}b", Unfit::Unseen('\u{2067}')),
            ("a\u{1b}[2J", Unfit::Unseen('\u{1b}')),
            ("a\u{0}", Unfit::Unseen('\0')),
            ("a\rb", Unfit::Misplaced('\r')),
            ("a\u{ad}b", Unfit::Unseen('\u{ad}')),
            ("a\u{200b}b", Unfit::Unseen('\u{200b}')),
            ("a\u{3164}b", Unfit::Unseen('\u{3164}')),
            ("a\u{feff}b", Unfit::Unseen('\u{feff}')),
            ("a\u{e000}b", Unfit::Unseen('\u{e000}')),
            ("a\u{200c}b", Unfit::Misplaced('\u{200c}')),
            ("a\u{301}\u{200d}b", Unfit::Misplaced('\u{200d}')),
            ("می\u{200c}\u{200c}خواهم", Unfit::Misplaced('\u{200c}')),
            ("a\u{200f}b", Unfit::Misplaced('\u{200f}')),
            ("א\u{200f}\u{200e}b", Unfit::Misplaced('\u{200e}')),
            ("a\u{fe0f}", Unfit::Misplaced('\u{fe0f}')),
            ("7\u{fe0f}", Unfit::Misplaced('\u{fe0f}')),
            ("😀\u{fe0f}\u{fe01}\u{fe02}", Unfit::Misplaced('\u{fe01}')),
            ("😀\u{e0100}", Unfit::Misplaced('\u{e0100}')),
            ("😀\u{200d}a", Unfit::Misplaced('\u{200d}')),
            ("a\u{e0041}\u{e0042}", Unfit::Misplaced('\u{e0041}')),
            (
                "😀\u{e0067}\u{e0062}\u{e0065}\u{e007f}",
                Unfit::Misplaced('\u{e0067}'),
            ),
            (
                "🏴\u{e0049}\u{e0067}\u{e006e}\u{e006f}\u{e007f}",
                Unfit::Misplaced('\u{e0049}'),
            ),
            (
                "🏴\u{e0067}\u{e0062}\u{e0065}",
                Unfit::Misplaced('\u{e0067}'),
            ),
        ] {
            assert_eq!(check_prose(text), Err(unfit), "{text:?}");
        }
    }
}
