//! The output of a command: lines of spans, in colour on a terminal.
//!
//! Invariant: invisible characters (control characters, and those that hide or reorder others) are
//! escaped, so that neither a component nor a token can control a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use bailiwick_envelope::characters::is_unseen;
use serde::Serialize;

/// The tone of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading or a name.
    Strong,
    /// Good news.
    Good,
    /// Something to look at.
    Warning,
    /// Bad news.
    Bad,
    /// A side remark.
    Faint,
}

/// The output of one command.
pub struct Page<'w> {
    out: &'w mut dyn Write,
    colour: bool,
}

impl<'w> Page<'w> {
    /// Makes a page on `out`.
    pub fn new(out: &'w mut dyn Write, colour: bool) -> Self {
        Self { out, colour }
    }

    /// Writes a line of pieces, each in its tone.
    pub fn say(&mut self, spans: &[(Tone, &str)]) -> io::Result<()> {
        let line: String = spans
            .iter()
            .map(|(tone, text)| self.paint(*tone, &visible(text)))
            .collect();
        writeln!(self.out, "{}", line.trim_end())
    }

    /// Writes a plain line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.say(&[(Tone::Plain, text)])
    }

    /// Makes sure that the text has arrived.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a heading, with space above it.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line("")?;
        self.say(&[(Tone::Strong, text)])
    }

    /// Writes a name and its value.
    pub fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.toned(name, Tone::Plain, value)
    }

    /// Writes a name and its value, in a tone.
    pub fn toned(&mut self, name: &str, tone: Tone, value: &str) -> io::Result<()> {
        self.say(&[(Tone::Faint, &format!("  {name:<12}")), (tone, value)])
    }

    /// Writes a value as JSON, the same one that the text shows.
    ///
    /// # Errors
    /// Fails if the writer does, or if the value has no JSON.
    pub fn value(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.json(&serde_json::to_string_pretty(value)?)
    }

    /// Writes JSON, with invisible characters escaped as JSON spells them.
    pub fn json(&mut self, text: &str) -> io::Result<()> {
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
    pub fn writer(&mut self) -> &mut dyn Write {
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

/// Returns the text with every invisible character escaped.
pub fn visible(text: &str) -> String {
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

/// Joins names as people list them: `a, b and c`.
pub fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Returns a number of things, such as `1 record` or `3 records`.
pub fn counted(count: usize, one: &str) -> String {
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
