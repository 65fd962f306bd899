//! What a service does with one request, as the table says it, and what must come of it.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp::Answer;
use bailiwick_tests::brotli;
use bailiwick_tests::recorder::{Reaction, Then, value};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::became;

/// A row of the table, and what a test puts into it.
#[derive(Clone, Default)]
pub(super) struct Case {
    pub(super) members: Map<String, Value>,
    /// A text of this answer and no other.
    pub(super) mark: String,
    /// An address that nobody may dial.
    pub(super) elsewhere: String,
    /// The token with which the caller comes.
    pub(super) subject: String,
}

impl Case {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    pub(super) fn name(&self) -> &str {
        self.text("name").unwrap_or("a good answer after it")
    }

    pub(super) fn then(&self) -> Then {
        match self.text("then") {
            Some("close") => Then::Close,
            Some("reset") => Then::Reset,
            Some("silence") => Then::Silence,
            Some("again") => Then::Again,
            Some("drip") => Then::Drip,
            _ => Then::Next,
        }
    }

    /// Returns the good answer that another caller must get after this one.
    pub(super) fn twin(&self, subject: String) -> Self {
        let expected = [("gets", "200".to_owned()), ("sees", "MARK".to_owned())];
        let members = expected.map(|(name, text)| (name.to_owned(), Value::from(text)));
        Self {
            members: Map::from_iter(members),
            mark: format!("after-{}", self.mark),
            elsewhere: self.elsewhere.clone(),
            subject,
        }
    }

    /// Returns what the service does with a request.
    pub(super) fn reaction(&self, request: &str) -> Reaction {
        let filled = |text: &str| self.filled(text, request);
        let bytes = if let Some(raw) = self.text("raw") {
            filled(raw).into_bytes()
        } else {
            let status = self.text("status").unwrap_or("200 OK");
            let coding = self.text("coding").unwrap_or_default();
            let headers = filled(self.text("headers").unwrap_or_default());
            let body = filled(self.text("body").unwrap_or(r#"{"id":"MARK"}"#));
            let (coded, body) = match (self.text("base64"), coding) {
                (Some(coded), _) => (String::new(), self.decoded(coded)),
                (None, "br") => ("Content-Encoding: br\r\n".to_owned(), brotli(&body)),
                (None, _) => (String::new(), body.into_bytes()),
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\n{headers}{coded}Content-Length: {length}\r\n\r\n");
            [head.into_bytes(), body].concat()
        };
        Reaction {
            bytes,
            then: self.then(),
        }
    }

    /// Decodes a body, which comes as often as the row says.
    fn decoded(&self, text: &str) -> Vec<u8> {
        let times = self.members.get("times").and_then(Value::as_u64);
        let times = usize::try_from(times.unwrap_or(1)).unwrap_or(1);
        STANDARD.decode(text).unwrap_or_default().repeat(times)
    }

    fn filled(&self, text: &str, request: &str) -> String {
        let many = self.members.get("many").and_then(Value::as_array);
        let many = many.map_or(String::new(), |many| {
            let part = many.first().and_then(Value::as_str).unwrap_or_default();
            let times = many.get(1).and_then(Value::as_u64).unwrap_or_default();
            part.repeat(usize::try_from(times).unwrap_or_default())
        });
        text.replace("ELSEWHERE", &self.elsewhere)
            .replace("MARK", &self.mark)
            .replace("ECHO", &self.echo(request).unwrap_or_default())
            .replace("MANY", &many)
    }

    /// Returns a credential that came with the request or the call, as a service may write it.
    fn echo(&self, request: &str) -> Option<String> {
        let echo = self.members.get("echo").and_then(Value::as_array)?;
        let secret = match echo.first()?.as_str()? {
            "subject" => &self.subject,
            "transaction" => value(request, "txn-token")?,
            _ => value(request, "authorization")?.strip_prefix("Bearer ")?,
        };
        let each = |escape: fn(u8) -> String| -> String { secret.bytes().map(escape).collect() };
        Some(match echo.get(1)?.as_str()? {
            "half" => secret.get(..secret.len() / 2)?.to_owned(),
            "base64" => STANDARD.encode(secret),
            "base64url" => URL_SAFE_NO_PAD.encode(secret),
            "lines" => in_lines(&STANDARD.encode(secret)),
            "percent" => each(|byte| format!("%{byte:02X}")),
            "json" => each(|byte| format!("\\u{byte:04x}")),
            "html" => each(|byte| format!("&#x{byte:x};")),
            _ => secret.to_owned(),
        })
    }

    /// Checks what the tool got, and that it saw nothing that it may not see.
    pub(super) fn judge(&self, answer: &Answer) -> Result<()> {
        let name = self.name();
        let became = became(answer).with_context(|| format!("{name}: {}", answer.raw))?;
        let is_expected = match (self.text("refused"), self.text("gets")) {
            (Some(error), None) => became.starts_with(error),
            (None, Some(status)) => became == status,
            _ => false,
        };
        ensure!(is_expected, "{name}: the tool got {became}");
        let told = self.text("told").unwrap_or_default();
        ensure!(became.contains(told), "{name}: {told:?} is not in {became}");
        if let Some(seen) = self.text("sees") {
            let seen = seen.replace("MARK", &self.mark);
            ensure!(
                answer.raw.contains(&seen),
                "{name}: no {seen}: {}",
                answer.raw
            );
        }
        ensure!(!answer.raw.contains("canary"), "{name}: {}", answer.raw);
        let signature = self.subject.rsplit('.').next().context("a signature")?;
        ensure!(!answer.raw.contains(signature), "{name}: {}", answer.raw);
        Ok(())
    }
}

/// Breaks base64 into lines, as mail does (RFC 2045 §6.8).
fn in_lines(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines = characters.chunks(76).map(String::from_iter);
    lines.collect::<Vec<_>>().join("\r\n")
}

/// What follows an answer that has no end.
pub(super) const SLOW: [Then; 3] = [Then::Silence, Then::Again, Then::Drip];
