//! URIs of resources: what a component may name, and which of its resources a URI means.
//!
//! Trusts neither the component nor the client. Invariant: a URI means at most one resource of one
//! component, because each component has a namespace of its own.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The URIs that one component may use: those with its name as their scheme, and those of the
/// scheme `ui` with its name as their authority (MCP Apps).
///
/// Example: the component `orders` has `orders://terms` and `ui://orders/table.html`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(String);

/// A URI, or a family of them: one or more segments, each with at most one variable (RFC 6570 level
/// 1).
///
/// Example: `orders://orders/{id}/terms-{language}.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    scheme: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable {
        before: String,
        name: String,
        after: String,
    },
}

/// What a URI means, however it is escaped: its segments, decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecodedUri(Vec<Vec<u8>>);

/// The reason why a URI is not a resource's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// It is too long.
    #[error("it is longer than {MAX_URI} bytes")]
    Long,
    /// It has no scheme and `//`, or nothing after these.
    #[error("expected SCHEME://PATH, such as orders://terms")]
    Form,
    /// It has a query or a fragment.
    #[error("expected a URI without `?` and `#`")]
    Query,
    /// A segment is `.`, `..` or empty, or has a character that a URI does not have.
    #[error("the segment {0:?} is not valid")]
    Segment(String),
    /// A segment has more than one variable, or a malformed one.
    #[error(
        "the segment {0:?} is not valid: expected at most one variable in each segment, such as \
         {{id}}, of letters, digits and `_`"
    )]
    Variable(String),
    /// Two variables have one name.
    #[error("two variables are called {0:?}")]
    Twice(String),
    /// It is in no namespace, or in another component's.
    #[error("expected a URI that begins with {0}")]
    Foreign(Namespace),
}

impl Namespace {
    /// Returns the namespace of the component with this name. Names that differ in case alone, or
    /// in `_` and `-`, have one namespace.
    pub fn of(component: &str) -> Self {
        Self(component.to_ascii_lowercase().replace('_', "-"))
    }

    /// Returns true if the URI is within it.
    pub fn owns(&self, uri: &str) -> bool {
        let Some((scheme, rest)) = uri.split_once("://") else {
            return false;
        };
        let authority = rest.split('/').next().unwrap_or_default();
        (self.is_scheme() && scheme == self.0) || (scheme == UI && authority == self.0)
    }

    /// Returns true if its name can be a scheme of its own (RFC 3986 §3.1), and means nothing else.
    fn is_scheme(&self) -> bool {
        let begins = self.0.starts_with(|c: char| c.is_ascii_lowercase());
        begins && self.0 != UI && !KNOWN_SCHEMES.contains(&self.0.as_str())
    }
}

impl DecodedUri {
    /// Decodes a URI. An escaped `/` stays within its segment.
    pub fn of(uri: &str) -> Self {
        let segments = uri.split('/');
        let decoded = |segment: &str| percent_decode_str(segment).collect::<Vec<u8>>();
        Self(segments.map(decoded).collect())
    }
}

impl Pattern {
    /// Reads the URI of a definition in `namespace`.
    ///
    /// # Errors
    /// Fails if the URI is malformed or is in another namespace.
    pub fn parse(text: &str, namespace: &Namespace) -> Result<Self, UriError> {
        if text.len() > MAX_URI {
            return Err(UriError::Long);
        }
        if text.contains(['?', '#']) {
            return Err(UriError::Query);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Form)?;
        if rest.is_empty() {
            return Err(UriError::Form);
        }
        let segments = rest.split('/').map(Segment::parse);
        let segments: Vec<_> = segments.collect::<Result<_, _>>()?;
        let pattern = Self {
            text: text.to_owned(),
            scheme: scheme.to_owned(),
            segments,
        };
        // The authority of a URI must not be a variable: it says whose the URI is.
        let first = pattern.segments.first();
        let is_owned = match first {
            Some(Segment::Variable { .. }) if scheme == UI => false,
            _ => namespace.owns(text),
        };
        if !is_owned {
            return Err(UriError::Foreign(namespace.clone()));
        }
        let mut seen = Vec::new();
        for name in pattern.variables() {
            if seen.contains(&name) {
                return Err(UriError::Twice(name.to_owned()));
            }
            seen.push(name);
        }
        Ok(pattern)
    }

    /// Returns its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Variable { name, .. } => Some(name.as_str()),
        })
    }

    /// Returns true if it is a family of URIs.
    pub fn is_family(&self) -> bool {
        self.variables().next().is_some()
    }

    /// Returns the values of its variables, decoded, if `uri` is the URI or one of the family. No
    /// value is empty, `.` or `..`, or has a control character.
    pub fn matched(&self, uri: &str) -> Option<Map<String, Value>> {
        if uri.len() > MAX_URI {
            return None;
        }
        let rest = uri.strip_prefix(&self.scheme)?.strip_prefix("://")?;
        let mut values = Map::new();
        let mut given = rest.split('/');
        for segment in &self.segments {
            match (segment, given.next()?) {
                (Segment::Literal(literal), given) if literal == given => {}
                (
                    Segment::Variable {
                        before,
                        name,
                        after,
                    },
                    given,
                ) => {
                    let value = given.strip_prefix(before.as_str())?;
                    let value = value.strip_suffix(after.as_str())?;
                    values.insert(name.clone(), decoded(value)?.into());
                }
                (Segment::Literal(_), _) => return None,
            }
        }
        given.next().is_none().then_some(values)
    }

    /// Returns true if a URI could be one of both families.
    pub fn overlaps(&self, other: &Self) -> bool {
        let segments = self.segments.iter().zip(&other.segments);
        self.scheme == other.scheme
            && self.segments.len() == other.segments.len()
            && segments.into_iter().all(|(one, two)| one.overlaps(two))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, UriError> {
        let wrong = || UriError::Segment(text.to_owned());
        let is_literal = |text: &str| text.bytes().all(is_path_byte) && decodes(text);
        let Some((before, rest)) = text.split_once('{') else {
            return match text {
                "" | "." | ".." => Err(wrong()),
                _ if is_literal(text) => Ok(Self::Literal(text.to_owned())),
                _ => Err(wrong()),
            };
        };
        let malformed = || UriError::Variable(text.to_owned());
        let (name, after) = rest.split_once('}').ok_or_else(malformed)?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_name) || after.contains('{') {
            return Err(malformed());
        }
        if !is_literal(before) || !is_literal(after) {
            return Err(wrong());
        }
        Ok(Self::Variable {
            before: before.to_owned(),
            name: name.to_owned(),
            after: after.to_owned(),
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (before, after) = self.ends();
        let (other_before, other_after) = other.ends();
        match (self, other) {
            (Self::Literal(one), Self::Literal(two)) => one == two,
            (Self::Literal(text), Self::Variable { .. }) => {
                text.starts_with(other_before) && text.ends_with(other_after)
            }
            (Self::Variable { .. }, Self::Literal(text)) => {
                text.starts_with(before) && text.ends_with(after)
            }
            // A value may be as long as it needs to be to fit both.
            (Self::Variable { .. }, Self::Variable { .. }) => {
                (before.starts_with(other_before) || other_before.starts_with(before))
                    && (after.ends_with(other_after) || other_after.ends_with(after))
            }
        }
    }

    fn ends(&self) -> (&str, &str) {
        match self {
            Self::Literal(text) => (text, text),
            Self::Variable { before, after, .. } => (before, after),
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0;
        if self.is_scheme() {
            write!(formatter, "{name}:// or {UI}://{name}/")
        } else {
            write!(formatter, "{UI}://{name}/")
        }
    }
}

/// Returns the value of a variable, if a component may get it.
fn decoded(text: &str) -> Option<String> {
    if text.is_empty() || !text.bytes().all(is_path_byte) || !has_whole_escapes(text) {
        return None;
    }
    let value = percent_decode_str(text).decode_utf8().ok()?;
    let is_sound = !matches!(&*value, "." | "..") && !value.contains(char::is_control);
    is_sound.then(|| value.into_owned())
}

/// Returns true if a literal has no malformed escape.
fn decodes(text: &str) -> bool {
    has_whole_escapes(text) && percent_decode_str(text).decode_utf8().is_ok()
}

fn has_whole_escapes(text: &str) -> bool {
    let is_whole = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.split('%').skip(1).all(is_whole)
}

/// Returns true for a byte of `pchar` (RFC 3986 §3.3).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte)
}

/// The scheme of MCP Apps.
const UI: &str = "ui";
/// Schemes that clients open by themselves, or that mean something else.
const KNOWN_SCHEMES: &[&str] = &[
    "about",
    "blob",
    "data",
    "file",
    "ftp",
    "http",
    "https",
    "javascript",
    "mailto",
    "tel",
    "urn",
    "vbscript",
    "ws",
    "wss",
];
/// The longest URI, in bytes.
pub const MAX_URI: usize = 2048;

#[cfg(test)]
mod tests;
