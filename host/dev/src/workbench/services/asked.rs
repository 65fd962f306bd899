//! The requests that a fake service answers, in the words of a host's `allow`.
//!
//! `{}` is any text, `{actor.sub}` the user who asks, `{**}` several segments of the path, `{*}`
//! several values of one key. A segment or a value may mix text and placeholders.

use std::fmt;

use crate::http::Request;

/// A request with placeholders: `METHOD /path?key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    text: String,
    method: String,
    path: Vec<String>,
    /// Whether a slash stands behind the last segment.
    slash: bool,
    query: Vec<(String, String)>,
}

impl Asked {
    /// Reads it.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let (method, target) = text.split_once(' ').ok_or("it has no method and path")?;
        if !METHODS.contains(&method) {
            return Err("the method is none of GET, HEAD, POST, PUT, PATCH and DELETE");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path
            .strip_prefix('/')
            .ok_or("the path does not begin with /")?;
        let (path, slash) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        let segments = path.split('/').filter(|_| slash || !path.is_empty());
        let path: Vec<String> = segments.map(str::to_owned).collect();
        if path.iter().filter(|one| one.starts_with(REST)).count() > 1 {
            return Err("{**} is there more than once");
        }
        for segment in &path {
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err("a segment of the path is empty, . or ..");
            }
            match segment.strip_prefix(REST) {
                Some(end) if end.contains('{') => return Err("only text may follow {**}"),
                Some(_) => {}
                None => check(segment, &["", "actor.sub", "actor.tenant"])?,
            }
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|_| !query.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or("the query is not key=value")?;
            if value != REPEATED {
                check(value, &["", "actor.sub", "actor.tenant", "actor.iss"])?;
            }
            if key.is_empty() || pairs.iter().any(|(known, _)| known == key) {
                return Err("a key of the query is empty or there twice");
            }
            if !key.bytes().all(is_plain) {
                return Err("a key of the query has other characters than A-Za-z0-9 and -._~:@[]");
            }
            pairs.push((key.to_owned(), value.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            method: method.to_owned(),
            path,
            slash,
            query: pairs,
        })
    }

    /// Returns true if a request is of this form. A query value of `{}` may be left out.
    pub(super) fn covers(&self, request: &Request, user: Option<&str>) -> bool {
        self.method == request.method.as_str()
            && self.slash == (request.path.len() > 1 && request.path.ends_with('/'))
            && self.covers_path(&request.segments(), user)
            && self.covers_query(&request.query(), user)
    }

    fn covers_path(&self, given: &[String], user: Option<&str>) -> bool {
        let fits = |(own, given): (&str, &String)| fits(own, given, user);
        let own = self.path.iter().map(String::as_str);
        let Some(at) = self.path.iter().position(|one| one.starts_with(REST)) else {
            return self.path.len() == given.len() && own.zip(given).all(fits);
        };
        let Some(more) = given.len().checked_sub(self.path.len()) else {
            return false;
        };
        let rest = std::iter::repeat_n(REST, more);
        let before = own.clone().take(at);
        before.chain(rest).chain(own.skip(at)).zip(given).all(fits)
    }

    fn covers_query(&self, given: &[(String, String)], user: Option<&str>) -> bool {
        let known = |key: &String| self.query.iter().find(|(own, _)| own == key);
        let all_known = given.iter().all(|(key, value)| {
            known(key).is_some_and(|(_, own)| own == REPEATED || fits(own, value, user))
        });
        all_known
            && self.query.iter().all(|(own, value)| {
                let times = given.iter().filter(|(key, _)| key == own).count();
                times == 1 || value == REPEATED || (times == 0 && value == FREE)
            })
    }

    /// Returns the template of a host's `allow` that lets every request with this method and these
    /// query keys through to the service, which says more about it than the host would.
    pub(super) fn widened(&self) -> String {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(key, value)| {
                let value = if value.contains("{actor.") || value == REPEATED {
                    value
                } else {
                    FREE
                };
                format!("{key}={value}")
            })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = if self.path.is_empty() { "" } else { REST };
        let slash = if self.slash { "/" } else { "" };
        format!("{} /{path}{slash}{mark}{}", self.method, query.join("&"))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Returns true if a host's template can have this byte in a key.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@[]".contains(&byte)
}

/// Checks the placeholders of a segment or value.
fn check(mut text: &str, known: &[&str]) -> Result<(), &'static str> {
    while let Some((_, rest)) = text.split_once('{') {
        let (name, after) = rest.split_once('}').ok_or("a { has no }")?;
        if !known.contains(&name) {
            return Err(
                "a placeholder is none of {}, {actor.sub} and {actor.tenant}, nor {**} before text",
            );
        }
        if after.starts_with('{') {
            return Err("two placeholders have no text between them");
        }
        text = after;
    }
    Ok(())
}

/// Returns true if a value is of the form of a pattern.
fn fits(pattern: &str, value: &str, user: Option<&str>) -> bool {
    let Some((text, rest)) = pattern.split_once('{') else {
        return pattern == value;
    };
    let Some((value, (name, after))) = value.strip_prefix(text).zip(rest.split_once('}')) else {
        return false;
    };
    if let ("actor.sub", Some(user)) = (name, user) {
        let rest = value.strip_prefix(user);
        return rest.is_some_and(|rest| fits(after, rest, Some(user)));
    }
    (1..=value.len())
        .filter_map(|length| value.get(length..))
        .any(|rest| fits(after, rest, user))
}

/// The methods of a host's templates.
pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const FREE: &str = "{}";
/// Any number of values of one key.
pub(super) const REPEATED: &str = "{*}";
const REST: &str = "{**}";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn request(target: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: http::Method::GET,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: http::HeaderMap::new(),
            body: hyper::body::Bytes::new(),
        }
    }

    #[test]
    fn a_request_with_placeholders_covers_what_fits_them() {
        for (asked, covered, other) in [
            ("GET /", "/", "/orders"),
            ("GET /orders/A-1", "/orders/A-1", "/orders/A-2"),
            ("GET /orders/{}", "/orders/a%20b", "/orders/a/b"),
            ("GET /orders/{}", "/orders/é", "/orders"),
            ("GET /orders/{}:close", "/orders/7:close", "/orders/:close"),
            ("GET /a b/{}", "/a%20b/c", "/ab/c"),
            ("GET /{**}", "/a/b/c", "/"),
            ("GET /v2/{**}/tags", "/v2/a/b/tags", "/v2/tags"),
            ("GET /v2/{**}:stop", "/v2/a/b:stop", "/v2/a/:stop"),
            ("GET /of/{actor.sub}", "/of/alice", "/of/bob"),
            ("GET /of/u-{actor.sub}-{}", "/of/u-alice-1", "/of/u-al-1"),
            ("GET /o?status={}", "/o?status=new", "/o?state=new"),
            ("GET /o?status={}", "/o", "/o?status=a&status=b"),
            ("GET /o?status=new", "/o?status=new", "/o"),
            ("GET /o?tag={*}", "/o?tag=a&tag=b", "/o?tags=a"),
            ("GET /o?f[a]={}", "/o?f%5Ba%5D=b", "/o?f%5Bb%5D=b"),
            ("GET /o/", "/o/", "/o"),
            ("GET /o", "/o", "/o/"),
            ("GET /o?of={actor.sub}&n={}", "/o?n=1&of=alice", "/o?n=1"),
        ] {
            let read = Asked::read(asked).unwrap();
            assert!(read.covers(&request(covered), Some("alice")), "{asked}");
            assert!(!read.covers(&request(other), Some("alice")), "{asked}");
            let posted = Asked::read(&asked.replace("GET", "POST")).unwrap();
            assert!(!posted.covers(&request(covered), Some("alice")), "{asked}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_with_the_reason() {
        for (text, why) in [
            ("/orders", "no method"),
            ("get /orders", "none of GET"),
            ("GET orders", "begin with /"),
            ("GET //a", "empty"),
            ("GET //", "empty"),
            ("GET /a?b={*}&b={}", "twice"),
            ("GET /{*}", "placeholder"),
            ("GET /a/..", ".."),
            ("GET /{id}", "placeholder"),
            ("GET /{**}/{**}", "more than once"),
            ("GET /{**}{}", "only text"),
            ("GET /a{**}", "placeholder"),
            ("GET /{actor.iss}", "placeholder"),
            ("GET /{}{}", "between"),
            ("GET /{", "no }"),
            ("GET /a?b", "key=value"),
            ("GET /a?b=1&b=2", "twice"),
            ("GET /a?b%20=1", "characters"),
        ] {
            let error = Asked::read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_host_lets_more_through_than_is_answered() {
        for (asked, wide) in [
            ("GET /orders/A-1", "GET /{**}"),
            ("GET /?a=1", "GET /?a={}"),
            ("GET /o/?a={*}", "GET /{**}/?a={*}"),
            ("POST /o?a=1&b={actor.sub}", "POST /{**}?a={}&b={actor.sub}"),
        ] {
            assert_eq!(Asked::read(asked).unwrap().widened(), wide);
        }
    }
}
