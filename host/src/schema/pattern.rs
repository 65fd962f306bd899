//! The cost of matching a regular expression, from its text.
//!
//! The engine takes time in proportion to the length of the text and to the size of the expression
//! *after* its repetitions are written out: `([a-z]{50}){50}` is 2,500 steps a byte.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// Returns the number of single-character steps of `pattern` with its counted repetitions written
/// out.
pub(super) fn steps(pattern: &str) -> usize {
    let mut rest = pattern.chars().peekable();
    let mut outer = Vec::new();
    let mut group = PatternGroup::default();
    while let Some(c) = rest.next() {
        match c {
            '(' => outer.push(std::mem::take(&mut group)),
            ')' => {
                let inner = group.total().saturating_add(1);
                group = outer.pop().unwrap_or_default();
                group.push(inner);
            }
            '[' => {
                skip(&mut rest, ']');
                group.push(CLASS);
            }
            '\\' => group.push(escaped(&mut rest)),
            '{' => {
                let counts: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
                rest.next();
                let most = counts
                    .split(',')
                    .filter_map(|count| count.parse().ok())
                    .max();
                group.repeat(most.unwrap_or(1));
            }
            _ => group.push(1),
        }
    }
    // A group that is not closed is not valid either, but that is for the engine to report.
    outer.into_iter().fold(group.total(), |total, group| {
        total.saturating_add(group.total())
    })
}

/// Returns the reason why a pattern somewhere in a schema cannot be used, if the engine lacks what
/// the pattern asks for. The engine's own message only says that it is no expression.
pub(super) fn unsupported_in(schema: &Value) -> Option<String> {
    match schema {
        Value::Array(items) => items.iter().find_map(unsupported_in),
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::String(pattern) if name == "pattern" => unsupported(pattern),
            _ => unsupported_in(value),
        }),
        _ => None,
    }
}

fn unsupported(pattern: &str) -> Option<String> {
    let look = ["(?=", "(?!", "(?<=", "(?<!"];
    let what = if look.iter().any(|begin| pattern.contains(begin)) {
        "lookaround (such as `(?!`)"
    } else if is_back_reference(pattern) {
        "a back reference (such as `\\1`)"
    } else {
        return None;
    };
    Some(format!(
        "the pattern {pattern:?} has {what}, which is not supported, because its cost has no bound"
    ))
}

fn is_back_reference(pattern: &str) -> bool {
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        let escaped = if c == '\\' { rest.next() } else { None };
        if escaped.is_some_and(|c| matches!(c, '1'..='9' | 'k')) {
            return true;
        }
    }
    false
}

/// Returns the steps of an escape, of which the backslash has been read.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> usize {
    if !rest.next().is_some_and(|c| matches!(c, 'p' | 'P')) {
        return 1;
    }
    if rest.next_if_eq(&'{').is_some() {
        skip(rest, '}');
    }
    UNICODE_CLASS
}

/// Skips everything up to and including `end`, unless that is escaped.
fn skip(rest: &mut Peekable<Chars<'_>>, end: char) {
    while let Some(c) = rest.next() {
        if c == end {
            return;
        }
        if c == '\\' {
            rest.next();
        }
    }
}

#[derive(Default)]
struct PatternGroup {
    before: usize,
    last: usize,
}

impl PatternGroup {
    fn push(&mut self, steps: usize) {
        self.before = self.total();
        self.last = steps;
    }

    fn repeat(&mut self, most: usize) {
        self.last = self.last.max(1).saturating_mul(most.max(1));
    }

    fn total(&self) -> usize {
        self.before.saturating_add(self.last)
    }
}

/// The steps of a class, which can take several bytes of UTF-8.
const CLASS: usize = 4;
const UNICODE_CLASS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_count_as_often_as_they_are_written_out() {
        for (pattern, expected) in [
            ("", 0..=0),
            ("^abc$", 5..=5),
            ("a{50}", 50..=50),
            ("a{1,50}", 50..=50),
            ("a{50,}", 50..=50),
            ("(a{50}){50}", 2_500..=2_600),
            ("((a{9}b){9}c){9}", 700..=1_000),
            ("[a-z]{10}", 40..=50),
            ("[^\\]a-z]{10}", 40..=50),
            ("\\p{L}{10}", 1_000..=2_000),
            ("a{99999999999999999999}", 1..=1),
            (
                "a{18446744073709551615}{18446744073709551615}",
                usize::MAX..=usize::MAX,
            ),
            ("((((", 0..=4),
            ("))))", 0..=8),
            ("[", 4..=4),
            ("\\", 1..=1),
        ] {
            let found = steps(pattern);
            assert!(expected.contains(&found), "{pattern}: {found}");
        }
    }

    #[test]
    fn a_pattern_that_the_engine_cannot_have_is_named_with_what_it_asks_for() {
        for (pattern, told) in [
            ("^(?!-)", Some("lookaround")),
            ("(?<=a)b", Some("lookaround")),
            (r"(a)\1", Some("a back reference")),
            (r"(?<n>a)\k<n>", Some("a back reference")),
            (r"a\\1", None),
            (r"\d(?:a)", None),
            ("[", None),
        ] {
            let schema =
                serde_json::json!({"properties": {"a": {"anyOf": [{"pattern": pattern}]}}});
            let found = unsupported_in(&schema);
            assert_eq!(found.is_some(), told.is_some(), "{pattern}: {found:?}");
            let found = found.unwrap_or_default();
            assert!(told.is_none_or(|told| found.contains(told)), "{found}");
            let text = schema.to_string();
            let refused = crate::schema::Schema::compile(&text)
                .err()
                .map(|error| error.to_string());
            assert!(
                told.is_none_or(|told| refused.is_some_and(|why| why.contains(told))),
                "{text}"
            );
        }
    }
}
