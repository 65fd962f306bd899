//! The line of a record: one line of JSON.
//!
//! Invariant: a line has no line break, no control character and no invisible one (they are
//! escaped), and is never longer than [`MAX_LINE`], whatever text came from outside.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;

use bailiwick_envelope::characters::{is_printable, is_unseen};
use serde::{Deserialize, Serialize};
use serde_json::ser::Formatter;

use super::change;
use super::open::Turn;
use super::record::Record;
#[cfg(test)]
use super::time::rfc3339;

/// The longest line, in bytes, without its line break.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// More than the longest beginning of a line, with its number and its time.
const MAX_PLACE: usize = 96;

/// A record's line without its number and its time, which it gets when it is written: a JSON object
/// of the other members.
#[derive(Debug)]
pub(super) struct Rendered {
    line: Vec<u8>,
    /// What the record opens or closes.
    turn: Option<Turn>,
    /// The change of the denials that it is about, or 0.
    change: u64,
}

impl Record {
    /// Renders the part of the record's line that does not depend on its place.
    pub(super) fn render(&self) -> io::Result<Rendered> {
        let mut line = Members::of(self, false).render()?;
        if line.len() > MAX_LINE - MAX_PLACE {
            let mut shorter = self.clone();
            shorter.shorten();
            line = Members::of(&shorter, true).render()?;
        }
        Ok(Rendered {
            line,
            turn: Turn::of(self),
            change: change::of(self),
        })
    }

    /// Returns the line of this record, without its line break.
    #[cfg(test)]
    pub(super) fn line(&self, seq: u64, now_ms: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.render()?.write(seq, &rfc3339(now_ms), &mut line);
        Ok(line)
    }
}

impl Rendered {
    /// Writes the line, without its line break, to the end of `lines`.
    pub(super) fn write(&self, seq: u64, time: &str, lines: &mut Vec<u8>) {
        for part in ["{\"seq\":", &seq.to_string(), ",\"time\":\"", time, "\","] {
            lines.extend_from_slice(part.as_bytes());
        }
        // Without its opening brace: the place has one.
        lines.extend_from_slice(self.line.get(1..).unwrap_or_default());
    }

    /// Returns what the record opens or closes, if anything.
    pub(super) fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// Returns the change of the denials that the record is about, or 0.
    pub(super) fn change(&self) -> u64 {
        self.change
    }
}

/// The members of a line after its place, in order.
#[derive(Serialize)]
struct Members<'r> {
    #[serde(flatten)]
    record: &'r Record,
    /// True if members were left out because the line would be too long.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    left_out: bool,
}

impl<'r> Members<'r> {
    fn of(record: &'r Record, left_out: bool) -> Self {
        Self { record, left_out }
    }

    fn render(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(512);
        self.serialize(&mut serde_json::Serializer::with_formatter(
            &mut bytes, Visible,
        ))?;
        Ok(bytes)
    }
}

/// The members of a line that every reader needs. Unknown events and members are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Frame<'l> {
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) time: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) event: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) call: Option<Borrowed<'l>>,
    /// Checked for its shape; no version writes it yet.
    #[serde(default, rename = "commitments")]
    _commitments: Option<Commitments>,
}

/// A text of a line, borrowed from it unless it is spelled with escapes.
#[derive(Debug, Deserialize)]
pub(super) struct Borrowed<'l>(#[serde(borrow)] Cow<'l, str>);

impl Deref for Borrowed<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Commitments to personal fields, which a line may have in place of the fields themselves.
type Commitments = BTreeMap<Personal, Commitment>;

/// A field that is personal data, or can be linked to a person.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Personal {
    ActorSub,
    ActorIss,
    Tenant,
    AgentId,
    ClientId,
    SessionId,
    TraceId,
}

/// `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Commitment {
    _digest: String,
}

impl TryFrom<String> for Commitment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digest = text.strip_prefix("sha256:").unwrap_or_default();
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() == 64 && digest.bytes().all(is_digit) {
            Ok(Self { _digest: text })
        } else {
            Err("expected `sha256:` and 64 lower-case hexadecimal digits")
        }
    }
}

/// Compact JSON in which every invisible character is escaped.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_printable(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        for (at, unseen) in fragment
            .char_indices()
            .filter(|(_, character)| is_unseen(*character))
        {
            writer.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
            for unit in unseen.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + unseen.len_utf8();
        }
        writer.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests;
