//! What a tool tries to reach, the one request that may come of it, and the bytes that are neither.

use anyhow::{Result, ensure};
use bailiwick_tests::Recorder;
use bailiwick_tests::recorder::value;
use serde_json::{Value, json};

/// A place of a request into which a tool can put a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The free segment of the path.
    Segment,
    /// The second half of a segment of two pieces.
    HalfOfSegment,
    /// A segment in place of a literal one.
    Literal,
    /// One segment more than the template has.
    Further,
    /// The only segment.
    Alone,
    /// The value in the query.
    Query,
    /// A key in the query.
    Key,
    /// The value of a header that tools may set.
    Header,
    /// The service.
    Service,
    /// The method.
    Method,
}

impl Place {
    pub(super) const ALL: [Self; 10] = [
        Self::Segment,
        Self::HalfOfSegment,
        Self::Literal,
        Self::Further,
        Self::Alone,
        Self::Query,
        Self::Key,
        Self::Header,
        Self::Service,
        Self::Method,
    ];
}

/// One request that a tool tries to make.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) arguments: Value,
    /// The request that the service may get for it: its first line, and what the tool set.
    meant: Option<String>,
    /// A name that a refusal must repeat.
    named: Option<String>,
}

impl Attempt {
    /// Puts a text into a place of a request.
    pub(super) fn with(place: Place, text: &str) -> Self {
        let half = format!("a|{text}");
        let (arguments, meant) = match place {
            Place::Segment => (
                json!({"path": ["orders", text]}),
                Some(line(&format!("/orders/{}", encoded(text)), "")),
            ),
            Place::HalfOfSegment => (
                json!({"path": ["files", half]}),
                Some(line(&format!("/files/a{}", encoded(text)), "")),
            ),
            Place::Literal => (json!({"path": [text, "7"]}), None),
            Place::Further => (json!({"path": ["orders", text, "x"]}), None),
            Place::Alone => (json!({"path": [text]}), None),
            Place::Query => (
                json!({"path": ["search"], "query": [["q", text]]}),
                Some(line(&format!("/search?q={}", encoded(text)), "")),
            ),
            Place::Key => (
                json!({"path": ["search"], "query": [["q", "7"], [text, "7"]]}),
                None,
            ),
            Place::Header => (
                json!({"path": ["orders", "7"], "headers": [["accept", text]]}),
                Some(line("/orders/7", text)),
            ),
            Place::Service => (json!({"path": ["orders", "7"], "service": text}), None),
            Place::Method => (json!({"path": ["orders", "7"], "method": text}), None),
        };
        Self::of(arguments, meant)
    }

    /// Sets a header.
    pub(super) fn header(name: &str, is_free: bool) -> Self {
        let arguments = json!({"path": ["orders", "7"], "headers": [[name, "x"]]});
        let accepted = if name.eq_ignore_ascii_case("accept") {
            "x"
        } else {
            ""
        };
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Self {
            named: (!is_free && plain).then(|| name.to_owned()),
            ..Self::of(arguments, is_free.then(|| line("/orders/7", accepted)))
        }
    }

    fn of(mut arguments: Value, meant: Option<String>) -> Self {
        if let Some(members) = arguments.as_object_mut() {
            for (name, usual) in [("service", "orders_api"), ("method", "GET")] {
                members.entry(name).or_insert_with(|| usual.into());
            }
        }
        Self {
            arguments,
            meant,
            named: None,
        }
    }

    /// Checks what became of an attempt that reached no service. `None` is a call that was refused
    /// before the tool ran.
    pub(super) fn judge(&self, became: Option<&str>) -> Result<()> {
        let Some(became) = became else {
            return Ok(());
        };
        let is_refusal = REFUSALS.iter().any(|error| became.starts_with(error));
        ensure!(is_refusal, "{}: {became}", self.arguments);
        if let Some(name) = &self.named {
            let said = became.to_lowercase().contains(&name.to_lowercase());
            ensure!(said, "{name} is not named: {became}");
        }
        Ok(())
    }
}

/// Returns how many bytes reached the service beyond the requests that were `passed`.
pub(super) fn wrong(service: &Recorder, passed: &[Attempt]) -> Result<usize> {
    let heard = service.heard();
    // A request that passed although none was meant is found below, as one of nobody.
    let meant = passed.iter().filter_map(|attempt| attempt.meant.as_deref());
    let mut meant: Vec<&str> = meant.collect();
    let mut wrong = 0;
    for request in &heard.requests {
        let first = request.split("\r\n").next().unwrap_or_default();
        let came = format!("{first}\n{}", value(request, "accept").unwrap_or_default());
        let at = meant.iter().position(|meant| **meant == came);
        match at.filter(|_| is_whole(request, &service.address().to_string())) {
            Some(at) => {
                meant.swap_remove(at);
            }
            None => wrong += request.len(),
        }
    }
    ensure!(meant.is_empty(), "requests that never came: {meant:?}");
    let whole: usize = heard.requests.iter().map(String::len).sum();
    Ok(wrong + heard.bytes.abs_diff(whole))
}

/// Returns whether a request has the service's own host, no header twice, and none that belongs to
/// a connection or names another target.
fn is_whole(request: &str, host: &str) -> bool {
    let lines = request
        .split("\r\n")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<String> = lines
        .map(|line| {
            line.split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        })
        .collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() == names.len()
        && value(request, "host") == Some(host)
        && !names.iter().any(|name| FOREIGN.contains(&name.as_str()))
}

/// Returns the first line of a request, and the value of `accept`.
fn line(target: &str, accept: &str) -> String {
    format!("GET {target} HTTP/1.1\n{accept}")
}

/// Encodes everything but what no reader takes for anything else (RFC 3986 §2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    each.collect()
}

/// The errors of a request that did not leave.
const REFUSALS: [&str; 3] = ["InvalidRequest", "NotGranted", "UnknownService"];

/// Headers of the connection (RFC 9110 §7.6.1) and of other targets.
const FOREIGN: [&str; 12] = [
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
];
