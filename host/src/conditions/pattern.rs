//! The requests that a rule is about: `METHOD /path/{}`, or `tools/call NAME` for a remote tool.
//!
//! Invariant: a request that a pattern is about has no second spelling. Segments are compared once
//! they are decoded, and also as some services read them: decoded again, without their case and
//! without their parameters (`refunds;a=b`, RFC 3986 §3.3). A slash at the end makes no difference.
//! The name of a remote tool goes out as it stands in `allow`, so it has one spelling.

use std::str::FromStr;

use percent_encoding::{percent_decode, percent_decode_str};

use crate::remote::{TOOLS_CALL, is_tool_name};

/// The requests that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPattern(Concerned);

/// The two kinds of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Concerned {
    /// Requests of HTTP.
    Paths {
        method: String,
        path: Vec<PatternSegment>,
    },
    /// Calls of the remote tool of this name.
    Tool(String),
}

/// A text that is no pattern of requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `METHOD /path`, with a method of GET, HEAD, POST, PUT, PATCH or DELETE, and in the \
     path plain text, {{}} for a segment or a part of one, and once {{**}} for several segments; \
     conditions see the query. A remote tool is `tools/call NAME`"
)]
pub struct NotARequestPattern;

/// A segment of a pattern or of a template. Texts are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternSegment {
    /// One segment: these texts in this order, with anything between them.
    One(Vec<String>),
    /// One segment or more; the last ends with this text.
    Rest(String),
}

impl FromStr for RequestPattern {
    type Err = NotARequestPattern;

    fn from_str(text: &str) -> Result<Self, NotARequestPattern> {
        let (method, path) = text.split_once(' ').ok_or(NotARequestPattern)?;
        if method == TOOLS_CALL && is_tool_name(path) {
            return Ok(Self(Concerned::Tool(path.to_owned())));
        }
        if !METHODS.contains(&method) || !path.starts_with('/') || path.contains("//") {
            return Err(NotARequestPattern);
        }
        let path: Option<Vec<_>> = segments(path).map(PatternSegment::read).collect();
        let path = path.ok_or(NotARequestPattern)?;
        if path.iter().filter(|one| one.is_rest()).count() > 1 {
            return Err(NotARequestPattern);
        }
        let method = method.to_owned();
        Ok(Self(Concerned::Paths { method, path }))
    }
}

impl RequestPattern {
    /// Returns true if it is about a request of this method, with a path as it is sent, or about
    /// the call of the remote tool that has this name as its path.
    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let (own_method, own_path) = match &self.0 {
            Concerned::Tool(name) => return method == TOOLS_CALL && name == path,
            Concerned::Paths { method, path } => (method, path),
        };
        let decoded = |segment: &str| percent_decode_str(segment).collect::<Vec<u8>>();
        let given: Vec<Vec<u8>> = segments(path).map(decoded).collect();
        own_method == method && fits(own_path, &given)
    }

    /// Returns true if it is about any request that a template allows.
    pub(super) fn may_match(&self, template: &str) -> bool {
        let (method, target) = template.split_once(' ').unwrap_or_default();
        let (own_method, own_path) = match &self.0 {
            Concerned::Tool(name) => return method == TOOLS_CALL && name == target,
            Concerned::Paths { method, path } => (method, path),
        };
        let path = target.split('?').next().unwrap_or_default();
        let given: Vec<_> = segments(path).map(PatternSegment::of_template).collect();
        own_method == method && meet(own_path, &given)
    }
}

impl PatternSegment {
    /// Reads a segment of a pattern. Returns `None` if it is malformed.
    fn read(text: &str) -> Option<Self> {
        let own = Self::of_template(text);
        let texts = match &own {
            Self::One(texts) => texts.as_slice(),
            Self::Rest(end) => std::slice::from_ref(end),
        };
        let plain = texts.iter().all(|text| text.bytes().all(is_plain));
        let mut between = texts.iter().skip(1).rev().skip(1);
        let apart = between.all(|text| !text.is_empty());
        // `{}` is the only placeholder of a pattern.
        let known = text.matches('{').count() == text.matches("{}").count() || own.is_rest();
        let named = !matches!(text, "" | "." | "..");
        (plain && apart && known && named).then_some(own)
    }

    /// Returns a segment of a template, in which every placeholder stands for anything.
    fn of_template(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        if let Some(end) = text.strip_prefix("{**}") {
            return Self::Rest(end.to_owned());
        }
        let mut texts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            texts.push(before.to_owned());
            rest = after.split_once('}').map_or(after, |(_, after)| after);
        }
        texts.push(rest.to_owned());
        Self::One(texts)
    }

    fn is_rest(&self) -> bool {
        matches!(self, Self::Rest(_))
    }

    /// Returns what is true of its last segment, or of the only one.
    fn last(&self) -> Vec<&str> {
        match self {
            Self::One(texts) => texts.iter().map(String::as_str).collect(),
            Self::Rest(end) => vec!["", end],
        }
    }
}

/// Returns true if a path has these segments.
fn fits(own: &[PatternSegment], given: &[Vec<u8>]) -> bool {
    let like = |own: &PatternSegment, given: &Vec<u8>| may_read_as(given, &own.last());
    let Some(at) = own.iter().position(PatternSegment::is_rest) else {
        return own.len() == given.len() && own.iter().zip(given).all(|(own, one)| like(own, one));
    };
    // From its last segment on, the rest is as long as what stands there in the pattern.
    let (before, from) = own.split_at(at);
    let Some(end) = given.len().checked_sub(from.len()).filter(|end| *end >= at) else {
        return false;
    };
    let (head, tail) = given.split_at(end);
    before.iter().zip(head).all(|(own, one)| like(own, one))
        && from.iter().zip(tail).all(|(own, one)| like(own, one))
}

/// Returns true if some path may have both the segments of a pattern and those of a template. In
/// doubt it may: then a rule is named that is never applied, and none is missed.
fn meet(own: &[PatternSegment], given: &[PatternSegment]) -> bool {
    let ([one, own_rest @ ..], [other, given_rest @ ..]) = (own, given) else {
        return own.is_empty() && given.is_empty();
    };
    (may_be_one(&one.last(), &other.last()) && meet(own_rest, given_rest))
        || (one.is_rest() && meet(own, given_rest))
        || (other.is_rest() && meet(own_rest, given))
}

/// Returns true if one segment may have both of these lists of texts, with anything between them.
fn may_be_one(one: &[&str], other: &[&str]) -> bool {
    match (one, other) {
        ([whole], texts) | (texts, [whole]) => has_texts(whole.as_bytes(), texts),
        ([begin, .., end], [other_begin, .., other_end]) => {
            let begins = begin.starts_with(other_begin) || other_begin.starts_with(begin);
            begins && (end.ends_with(other_end) || other_end.ends_with(end))
        }
        _ => false,
    }
}

/// Returns true if a service may read a decoded segment as one that has these texts, which are in
/// lower case.
pub fn may_read_as(segment: &[u8], texts: &[&str]) -> bool {
    let plain = segment.to_ascii_lowercase();
    has_texts(&plain, texts) || has_texts(&bare(plain), texts)
}

/// Returns a segment decoded again, without its case and its parameters.
fn bare(mut segment: Vec<u8>) -> Vec<u8> {
    for _ in 0..MORE_DECODINGS {
        segment = percent_decode(&segment).collect();
    }
    let end = segment.iter().position(|byte| *byte == b';');
    segment.truncate(end.unwrap_or(segment.len()));
    segment.to_ascii_lowercase()
}

/// Returns true if a segment is the only text, or has all of them in this order, the first at its
/// beginning and the last at its end.
fn has_texts(segment: &[u8], texts: &[&str]) -> bool {
    let [first, between @ .., last] = texts else {
        return texts.iter().all(|text| segment == text.as_bytes());
    };
    let rest = segment.strip_prefix(first.as_bytes());
    let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_bytes())) else {
        return false;
    };
    for text in between {
        let Some(at) = memchr::memmem::find(rest, text.as_bytes()) else {
            return false;
        };
        rest = rest.get(at + text.len()..).unwrap_or_default();
    }
    true
}

/// Returns the segments of a path, without a slash at its end; none of `/`.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,;".contains(&byte)
}

/// How often proxies and services decode a segment that is decoded.
const MORE_DECODINGS: usize = 2;
/// The methods that a tool may use.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> RequestPattern {
        let nothing = RequestPattern(Concerned::Tool(String::new()));
        text.parse().unwrap_or(nothing)
    }

    #[test]
    fn a_pattern_is_about_parts_of_segments_and_several_of_them() {
        for (text, path, expected) in [
            ("GET /v1/{}:cancel", "/v1/op-7:cancel", true),
            ("GET /v1/{}:cancel", "/v1/op-7%3ACancel", true),
            ("GET /v1/{}:cancel", "/v1/op-7:delete", false),
            ("GET /v1/{}:cancel", "/v1/a/b:cancel", false),
            ("GET /files/{}.json", "/files/a.JSON", true),
            ("GET /diff/{}...{}", "/diff/a...b", true),
            ("GET /diff/{}...{}", "/diff/a..b", false),
            ("GET /a{}b{}c", "/axbyc", true),
            ("GET /a{}b{}c", "/aXc", false),
            ("GET /{**}:cancel", "/a/b:cancel", true),
            ("GET /{**}:cancel", "/b%3acancel", true),
            ("GET /{**}:cancel", "/a:cancel/b", false),
            ("GET /v1/{}:cancel", "/v1/op:cancel%3Ba=b", true),
            ("GET /v1/{}:cancel", "/v1/op%3Ba:cancel", true),
            ("GET /refunds", "/Refunds%3Ba=b", true),
            ("GET /refunds", "/%2572efunds%253B", true),
            ("GET /refunds", "/refund%3Bs", false),
            ("GET /refunds", "/refunds/", true),
            ("GET /refunds/", "/refunds", true),
            ("GET /refunds/{}", "/refunds/", false),
            ("GET /{**}:cancel", "/a/b:cancel/", true),
            ("GET /a;b", "/a%3Bb", true),
            ("GET /v2/{**}/manifests/{}", "/v2/a/b/manifests/1", true),
            ("GET /v2/{**}/manifests/{}", "/v2/manifests/1", false),
            ("GET /v2/{**}/manifests/{}", "/v2/a/manifests/b/1", false),
        ] {
            assert_eq!(
                pattern(text).matches("GET", path),
                expected,
                "{text} {path}"
            );
        }
    }

    #[test]
    fn a_pattern_meets_every_template_that_allows_one_of_its_requests() {
        for (text, template, expected) in [
            ("GET /v1/{}:cancel", "GET /v1/{}:cancel", true),
            ("GET /v1/{}:cancel", "GET /v1/{}", true),
            ("GET /v1/{}:cancel", "GET /v1/{}:delete", false),
            ("GET /v1/{}:cancel", "GET /v1/user-{actor.sub}", true),
            ("GET /v1/op:cancel", "GET /v1/{}:cancel", true),
            ("GET /v1/op:delete", "GET /v1/{}:cancel", false),
            ("GET /v1/{**}:cancel", "GET /v1/a/{}:cancel", true),
            ("GET /v1/{**}:cancel", "GET /v1/a/b", false),
            ("GET /{}/b/c", "GET /{**}/c", true),
            ("GET /{}/b/d", "GET /{**}/c", false),
            ("GET /{**}/c", "GET /a/{**}", true),
            ("GET /{**}/c", "GET /a/{**}:x", false),
            ("GET /a", "GET /{**}/a", false),
            ("GET /a/{}", "GET /a/{}/?b={*}", true),
            ("GET /a/{}/", "GET /a/{}", true),
            ("GET /a/{}", "GET /a/", false),
        ] {
            assert_eq!(
                pattern(text).may_match(template),
                expected,
                "{text} {template}"
            );
        }
    }

    #[test]
    fn a_pattern_is_about_one_remote_tool_by_its_exact_name() {
        for (text, method, name, expected) in [
            ("tools/call refund", "tools/call", "refund", true),
            ("tools/call refund", "tools/call", "Refund", false),
            ("tools/call refund", "tools/call", "refund/all", false),
            ("tools/call refund", "POST", "refund", false),
            ("POST /refund", "tools/call", "refund", false),
            ("tools/call a/b", "tools/call", "a/b", true),
        ] {
            let pattern = pattern(text);
            assert_eq!(pattern.matches(method, name), expected, "{text} {name}");
            let template = format!("{method} {name}");
            assert_eq!(pattern.may_match(&template), expected, "{text} {template}");
        }
    }

    #[test]
    fn what_no_template_could_say_is_no_pattern() {
        for text in [
            "GET /{}{}",
            "GET /{id}",
            "GET /{actor.sub}",
            "GET /{",
            "GET /}",
            "GET /{}}",
            "GET /a{**}",
            "GET /{**}{}",
            "GET /{**}/{**}",
            "GET /a b",
            "GET /%2e",
            "GET /..",
            "tools/call",
            "tools/call ",
            "tools/call {}",
            "tools/call a b",
            "tools/list a",
            "GET //",
            "GET /a//",
        ] {
            assert!(text.parse::<RequestPattern>().is_err(), "{text}");
        }
        for text in [
            "GET /",
            "GET /{**}:x/{}",
            "GET /a{}b/{}",
            "GET /.{}",
            "tools/call a.b",
            "GET /a/",
        ] {
            assert!(text.parse::<RequestPattern>().is_ok(), "{text}");
        }
    }
}
