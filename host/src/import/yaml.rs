//! YAML 1.2 as the values that JSON has, by the core schema (YAML 1.2.2 §10.3).
//!
//! Trusts nothing in it. Invariant: depth, the number of values and all that aliases stand for are
//! bounded while they are read. A key is the text that is written, once in its mapping, and no
//! mapping is merged into another.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use serde_json::{Map, Number, Value};

/// A text that is not accepted as YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not acceptable YAML at line {line}, column {column}: {kind}")]
pub struct YamlError {
    line: usize,
    column: usize,
    kind: &'static str,
}

/// Reads a text that is one YAML document of at most `values` values, which uses at most `depth`
/// levels of lists and mappings.
///
/// # Errors
/// Says what is wrong and where; never quotes the input.
pub(super) fn parse(bytes: &[u8], depth: usize, values: usize) -> Result<Value, YamlError> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))?;
    let mut reader = YamlReader {
        events: Parser::new_from_str(text),
        at: (1, 1),
        values,
        copies: MAX_COPIES,
        anchors: BTreeMap::new(),
    };
    reader.document(depth)
}

struct YamlReader<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// The line and column of the last event.
    at: (usize, usize),
    /// The values that may still come.
    values: usize,
    /// What anchors and aliases may still stand for.
    copies: usize,
    /// What aliases stand for. An anchor is none within itself.
    anchors: BTreeMap<usize, Value>,
}

impl<'t> YamlReader<'t> {
    fn document(&mut self, depth: usize) -> Result<Value, YamlError> {
        let value = loop {
            match self.event()? {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                Event::StreamEnd => return Err(self.refused(EMPTY)),
                event => break self.value(event, depth)?,
            }
        };
        match (self.event()?, self.event()?) {
            (Event::DocumentEnd, Event::StreamEnd) => Ok(value),
            _ => Err(self.refused(SEVERAL)),
        }
    }

    fn event(&mut self) -> Result<Event<'t>, YamlError> {
        let place = |marker: &Marker| (marker.line(), marker.col() + 1);
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.at = place(&span.start);
                Ok(event)
            }
            Some(Err(error)) => {
                self.at = place(error.marker());
                Err(self.refused(SYNTAX))
            }
            None => Err(self.refused(SYNTAX)),
        }
    }

    fn refused(&self, kind: &'static str) -> YamlError {
        let (line, column) = self.at;
        YamlError { line, column, kind }
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<Value, YamlError> {
        let left = self.values.checked_sub(1);
        self.values = left.ok_or_else(|| self.refused(TOO_MANY))?;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(text, style, tag.as_deref())?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq")?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            Event::Alias(anchor) => return self.copy(anchor, depth),
            _ => return Err(self.refused(SYNTAX)),
        };
        if anchor != NO_ANCHOR {
            self.pay(&value)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let depth = self.deeper(depth)?;
        let mut items = Vec::new();
        loop {
            match self.event()? {
                Event::SequenceEnd => return Ok(Value::Array(items)),
                event => items.push(self.value(event, depth)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let depth = self.deeper(depth)?;
        let mut members = Map::new();
        loop {
            let name = match self.event()? {
                Event::MappingEnd => return Ok(Value::Object(members)),
                Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
                    return Err(self.refused(MERGED));
                }
                Event::Scalar(text, _, NO_ANCHOR, None) => text.into_owned(),
                _ => return Err(self.refused(KEY)),
            };
            if members.contains_key(&name) {
                return Err(self.refused(DUPLICATE));
            }
            let event = self.event()?;
            let value = self.value(event, depth)?;
            members.insert(name, value);
        }
    }

    /// Returns what an alias stands for.
    fn copy(&mut self, anchor: usize, depth: usize) -> Result<Value, YamlError> {
        let value = self.anchors.get(&anchor).cloned();
        let value = value.ok_or_else(|| self.refused(CIRCLE))?;
        if levels(&value) > depth {
            return Err(self.refused(TOO_DEEP));
        }
        self.pay(&value)?;
        Ok(value)
    }

    /// Takes what a copy of a value needs off what is left.
    fn pay(&mut self, value: &Value) -> Result<(), YamlError> {
        let left = self.copies.checked_sub(weight(value));
        self.copies = left.ok_or_else(|| self.refused(ALIASES))?;
        Ok(())
    }

    fn deeper(&self, depth: usize) -> Result<usize, YamlError> {
        depth.checked_sub(1).ok_or_else(|| self.refused(TOO_DEEP))
    }

    fn scalar(
        &self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
    ) -> Result<Value, YamlError> {
        if tag.is_some() || style != ScalarStyle::Plain {
            self.check_tag(tag, "str")?;
            return Ok(Value::String(text.into_owned()));
        }
        plain(text).ok_or_else(|| self.refused(NO_NUMBER))
    }

    /// Refuses a tag other than the one that says what a value is anyway.
    fn check_tag(&self, tag: Option<&Tag>, own: &str) -> Result<(), YamlError> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != own => Err(self.refused(TAG)),
            _ => Ok(()),
        }
    }
}

/// Returns the value of a plain scalar (YAML 1.2.2 §10.3.2); `None` if it is a number that JSON
/// does not have.
fn plain(text: Cow<'_, str>) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    Some(match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ if matches!(unsigned, ".inf" | ".Inf" | ".INF") => return None,
        _ => match in_base(&text) {
            Some((digits, base)) => Value::Number(u64::from_str_radix(digits, base).ok()?.into()),
            None if is_decimal(unsigned) => Value::Number(decimal(&text)?),
            None => Value::String(text.into_owned()),
        },
    })
}

/// Returns the digits of a number in another base, and that base.
fn in_base(text: &str) -> Option<(&str, u32)> {
    let hexadecimal = text.strip_prefix("0x").map(|digits| (digits, 16));
    let octal = || text.strip_prefix("0o").map(|digits| (digits, 8));
    let (digits, base) = hexadecimal.or_else(octal)?;
    let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    all.then_some((digits, base))
}

fn is_decimal(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (base, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((base, exponent)) => (base, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = base.split_once('.').unwrap_or((base, ""));
    let is_exponent = |text: &str| {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        !unsigned.is_empty() && digits(unsigned)
    };
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(is_exponent)
}

fn decimal(text: &str) -> Option<Number> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    match text.parse::<i64>() {
        Ok(number) => Some(number.into()),
        Err(_) => Number::from_f64(text.parse().ok()?),
    }
}

/// Returns the levels of lists and mappings in a value.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Returns about as many bytes as a value takes in memory.
fn weight(value: &Value) -> usize {
    let within = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| name.len() + weight(value);
            members.iter().map(member).sum()
        }
        _ => 0,
    };
    within + VALUE
}

fn not_text(bytes: &[u8], end: usize) -> YamlError {
    let before = bytes.get(..end).unwrap_or_default();
    let mut lines = before.rsplit(|byte| *byte == b'\n');
    YamlError {
        column: lines.next().unwrap_or_default().len() + 1,
        line: lines.count() + 1,
        kind: "not UTF-8",
    }
}

const SYNTAX: &str = "syntax error";
const EMPTY: &str = "it is empty";
const SEVERAL: &str = "something follows the document";
const TOO_DEEP: &str = "nested too deeply";
const TOO_MANY: &str = "too many values";
const ALIASES: &str = "its aliases stand for too much";
const CIRCLE: &str = "an alias within what it stands for";
const KEY: &str = "a key that is not a plain or quoted text";
const DUPLICATE: &str = "duplicate member";
const MERGED: &str = "a merged key (<<), which YAML 1.2 does not have";
const TAG: &str = "a tag other than !!str, !!seq and !!map";
const NO_NUMBER: &str = "a number that JSON does not have";

/// The anchor of what has none.
const NO_ANCHOR: usize = 0;
/// The bytes that all anchors and aliases together may stand for.
const MAX_COPIES: usize = 16 << 20;
/// About the bytes of a value beside its text.
const VALUE: usize = 32;

#[cfg(test)]
mod tests;
