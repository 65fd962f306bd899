//! What tools asked services and what came back, written as a file of services.
//!
//! Invariant: no header is written. What a request's headers may hold as a credential, and whatever
//! looks like a token, is left out of paths and bodies, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use http::HeaderMap;
use toml::Value;

use super::asked::Asked;
use super::fake::shown;
use super::file::{Authority, FakeService};
use crate::http::{Answer, Request};

/// The file that grows with each request that has another answer than before.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Mutex<Recording>>);

struct Recording {
    file: PathBuf,
    services: BTreeMap<String, Recorded>,
}

/// One service's part.
#[derive(Default)]
struct Recorded {
    head: String,
    /// The answer to each user, by request.
    answers: BTreeMap<String, BTreeMap<Option<String>, String>>,
    /// How many requests a file of services cannot have.
    left_out: usize,
}

impl Recorder {
    /// Makes the file, which only its owner can read.
    ///
    /// # Errors
    /// There is one, or it cannot be made.
    pub(crate) fn create(file: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(file);
        made.and_then(|mut made| made.write_all(HEAD.as_bytes()))
            .with_context(|| {
                format!(
                    "--record {} cannot be written; it must be a new file",
                    file.display()
                )
            })?;
        Ok(Self(Arc::new(Mutex::new(Recording {
            file: file.to_owned(),
            services: BTreeMap::new(),
        }))))
    }

    /// Adds what a service answered to a user.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn add(
        &self,
        service: &FakeService,
        request: &Request,
        user: Option<&str>,
        answer: &Answer,
    ) -> anyhow::Result<()> {
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_service = recording.services.entry(service.name.clone()).or_default();
        of_service.head = head(service);
        let secrets = Secrets::of(&request.headers);
        let line = secrets.hide(&shown(request));
        let written = written(answer, &secrets).filter(|_| Asked::read(&line).is_ok());
        match written {
            Some(written) => {
                let users = of_service.answers.entry(line).or_default();
                users.insert(user.map(str::to_owned), written);
            }
            None => of_service.left_out += 1,
        }
        let text = recording.text();
        fs::write(&recording.file, text).with_context(|| recording.file.display().to_string())
    }
}

impl Recording {
    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        // Writing to a string does not fail.
        for (name, service) in &self.services {
            let _always = write!(text, "\n[services.{name}]\n{}", service.head);
            if service.left_out > 0 {
                let _always = writeln!(
                    text,
                    "# left out: {} requests that redirect or that no text can have",
                    service.left_out
                );
            }
            for (request, users) in &service.answers {
                let mut by_answer: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for (user, answer) in users {
                    let known = by_answer.entry(answer).or_default();
                    known.extend(user.as_deref());
                }
                for (answer, users) in by_answer {
                    let request = quoted(request);
                    let _always =
                        write!(text, "\n[[services.{name}.answers]]\nrequest = {request}\n");
                    if !users.is_empty() {
                        let users = Value::from(users);
                        let _always = writeln!(text, "users = {users}");
                    }
                    text.push_str(answer);
                }
            }
        }
        text
    }
}

/// Returns the keys of a service that has other ones than most.
fn head(service: &FakeService) -> String {
    let mut head = String::new();
    if service.authority != Authority::default() {
        let _always = writeln!(head, "as = {}", quoted(service.authority.as_str()));
    }
    if service.scopes != [service.name.clone()] {
        let _always = writeln!(head, "scopes = {}", Value::from(service.scopes.clone()));
    }
    if let Some(allow) = &service.allow {
        let _always = writeln!(head, "allow = {}", Value::from(allow.clone()));
    }
    head
}

/// Returns the lines of an answer; `None` for one that a file of services cannot have.
fn written(answer: &Answer, secrets: &Secrets) -> Option<String> {
    if answer.status.is_redirection() || answer.status.as_u16() < 200 {
        return None;
    }
    let mut lines = String::new();
    if answer.status != http::StatusCode::OK {
        let _always = writeln!(lines, "status = {}", answer.status.as_u16());
    }
    let kind = answer.headers.get("content-type");
    let kind = kind
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("text/plain");
    let body = std::str::from_utf8(&answer.body).ok()?;
    if body.is_empty() {
        return Some(lines);
    }
    let json = serde_json::from_str(body).ok();
    let json = json.filter(|_| kind.starts_with("application/json"));
    let json = json.map(|json| secrets.hide_in(json));
    // TOML has no null; then the JSON stays a text.
    let whole = json.as_ref().filter(|json| !has_null(json));
    if let Some(value) = whole.and_then(|json| Value::try_from(json).ok()) {
        let _always = writeln!(lines, "json = {value}");
        return Some(lines);
    }
    let text = json.map_or_else(|| secrets.hide(body), |json| json.to_string());
    let _always = writeln!(lines, "type = {}\ntext = {}", quoted(kind), quoted(&text));
    Some(lines)
}

fn has_null(json: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match json {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a request's headers may hold as a credential.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(headers: &HeaderMap) -> Self {
        let held = headers
            .iter()
            .filter(|(name, _)| !PLAIN.contains(&name.as_str()));
        let texts = held.filter_map(|(_, value)| value.to_str().ok());
        let words = texts.flat_map(|text| text.split([' ', ';', ',', '=']).chain([text]));
        let mut secrets: Vec<String> = words
            .filter(|word| word.len() >= SHORTEST)
            .map(str::to_owned)
            .collect();
        // The whole before its parts.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret, HIDDEN);
        }
        let is_of_token = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
        };
        let words = text.split_inclusive(|character: char| !is_of_token(character));
        words
            .map(|word| {
                let token = word.trim_end_matches(|character: char| !is_of_token(character));
                let rest = word.get(token.len()..).unwrap_or_default();
                if token.starts_with("eyJ") && token.matches('.').count() >= 2 {
                    format!("{HIDDEN}{rest}")
                } else {
                    word.to_owned()
                }
            })
            .collect()
    }

    fn hide_in(&self, json: serde_json::Value) -> serde_json::Value {
        use serde_json::Value as Json;
        match json {
            Json::String(text) => Json::String(self.hide(&text)),
            Json::Array(items) => items.into_iter().map(|item| self.hide_in(item)).collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(key, value)| (self.hide(&key), self.hide_in(value)))
                .collect(),
            plain => plain,
        }
    }
}

const HEAD: &str = "# Recorded by `bailiwick dev --record`: what tools asked, and the answers.\n";
/// What takes the place of a credential.
const HIDDEN: &str = "left-out";
/// The shortest text that is taken for a credential.
const SHORTEST: usize = 8;
/// The headers that hold none.
const PLAIN: [&str; 12] = [
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "user-agent",
    "x-actor-iss",
    "x-actor-sub",
    "x-agent-id",
    "x-delegation-mode",
    "x-trace-id",
];

#[cfg(test)]
mod tests;
