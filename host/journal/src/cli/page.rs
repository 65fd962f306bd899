//! What a command says: lines of spans, in colour on a terminal.
//!
//! Invariant: what cannot be seen (control characters, and those that hide or reorder others) is
//! escaped, so that neither a component nor a token can speak to a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use bailiwick_envelope::characters::is_unseen;
use serde::Serialize;

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// A heading or a name.
    Strong,
    /// As it should be.
    Good,
    /// Look at this.
    Warning,
    /// As it should not be.
    Bad,
    /// Beside the point.
    Faint,
}

/// Where a command writes.
pub struct Page<'w> {
    out: &'w mut dyn Write,
    colour: bool,
}

impl<'w> Page<'w> {
    /// A page on `out`.
    pub fn new(out: &'w mut dyn Write, colour: bool) -> Self {
        Self { out, colour }
    }

    /// A line of pieces, each in its tone.
    pub fn say(&mut self, spans: &[(Tone, &str)]) -> io::Result<()> {
        let line: String = spans
            .iter()
            .map(|(tone, text)| self.paint(*tone, &visible(text)))
            .collect();
        writeln!(self.out, "{}", line.trim_end())
    }

    /// A plain line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.say(&[(Tone::Plain, text)])
    }

    /// Makes sure that what was said has arrived.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// A heading, apart from what is above it.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line("")?;
        self.say(&[(Tone::Strong, text)])
    }

    /// A name and what it stands for.
    pub fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.toned(name, Tone::Plain, value)
    }

    /// A name and what it stands for, in a tone.
    pub fn toned(&mut self, name: &str, tone: Tone, value: &str) -> io::Result<()> {
        self.say(&[(Tone::Faint, &format!("  {name:<12}")), (tone, value)])
    }

    /// Writes a value as JSON, the same one that the text shows.
    ///
    /// # Errors
    /// The writer fails, or the value has no JSON.
    pub fn value(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.json(&serde_json::to_string_pretty(value)?)
    }

    /// Writes JSON; characters that cannot be seen are escaped as JSON spells them.
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

    /// The writer itself, for raw bytes.
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

/// The text with everything that cannot be seen escaped.
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

/// Names as people list them: `a, b and c`.
pub fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// A number of things.
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
