//! The output of a command: lines of spans, in colour on a terminal.
//!
//! Invariant: invisible characters (control characters, and those that hide or reorder others) are
//! escaped, so neither a component nor a token can control a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use bailiwick::characters::is_unseen;

/// The meaning of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading or a name.
    Strong,
    /// Something is right.
    Good,
    /// Something deserves a look.
    Warning,
    /// Something is wrong.
    Bad,
    /// A detail.
    Faint,
}

/// The output of a command.
pub(crate) struct Page<'w> {
    out: &'w mut dyn Write,
    colour: bool,
}

impl<'w> Page<'w> {
    pub(crate) fn new(out: &'w mut dyn Write, colour: bool) -> Self {
        Self { out, colour }
    }

    /// Writes a line of pieces, each in its tone.
    pub(crate) fn say(&mut self, spans: &[(Tone, &str)]) -> io::Result<()> {
        let line: String = spans
            .iter()
            .map(|(tone, text)| self.paint(*tone, &visible(text)))
            .collect();
        writeln!(self.out, "{}", line.trim_end())
    }

    /// Writes a plain line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.say(&[(Tone::Plain, text)])
    }

    /// Makes sure that the output has arrived.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a heading, below an empty line unless it is the first.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line("")?;
        self.say(&[(Tone::Strong, text)])
    }

    /// Writes a name and its value.
    pub(crate) fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.toned(name, Tone::Plain, value)
    }

    /// Writes a name and its value, in a tone.
    pub(crate) fn toned(&mut self, name: &str, tone: Tone, value: &str) -> io::Result<()> {
        self.say(&[(Tone::Faint, &format!("  {name:<12}")), (tone, value)])
    }

    /// Writes JSON unchanged, except that invisible characters are escaped as JSON spells them.
    pub(crate) fn json(&mut self, text: &str) -> io::Result<()> {
        let mut line = String::with_capacity(text.len());
        for character in text.chars() {
            if is_unseen(character) && character != '\n' {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            } else {
                line.push(character);
            }
        }
        writeln!(self.out, "{line}")
    }

    /// Returns the writer itself, for raw bytes.
    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        self.out
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
        };
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Escapes everything in the text that is invisible.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Joins names as people do: `a, b and c`.
pub(crate) fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Returns a number with its noun: `1 tool`, `2 tools`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn said(colour: bool) -> String {
        let mut bytes = Vec::new();
        let mut page = Page::new(&mut bytes, colour);
        page.say(&[
            (Tone::Good, "done"),
            (Tone::Plain, " a\x1b[31mb\u{202e}c\n"),
        ])
        .unwrap();
        page.field("name", "value").unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_from_outside_cannot_speak_to_a_terminal() {
        assert_eq!(
            said(false),
            "done a\\u{1b}[31mb\\u{202e}c\\u{a}\n  name        value\n"
        );
    }

    #[test]
    fn colour_is_only_what_the_page_itself_adds() {
        let said = said(true);
        assert!(
            said.starts_with("\x1b[32mdone\x1b[0m a\\u{1b}[31mb"),
            "{said:?}"
        );
    }

    #[test]
    fn json_stays_json() {
        let mut bytes = Vec::new();
        Page::new(&mut bytes, true)
            .json("{\n\"a\":\"\u{7f}\u{202e}\u{ad}\u{e0041}é\"}")
            .unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\n\"a\":\"\\u007f\\u202e\\u00ad\\udb40\\udc41é\"}\n"
        );
    }

    #[test]
    fn names_are_listed_as_people_do() {
        for (names, told) in [
            (&[][..], ""),
            (&["a"], "a"),
            (&["a", "b"], "a and b"),
            (&["a", "b", "c"], "a, b and c"),
        ] {
            assert_eq!(listed(names, "and"), told);
        }
    }
}
