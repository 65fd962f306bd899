//! A fake service: it answers what a file says, and says what the file lacks.
//!
//! Trusts the workbench's issuer for users. What it cannot answer becomes a note for its author,
//! because a tool shows its caller the status and nothing else.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use toml::{Table, Value};
use url::Url;

use super::asked::{METHODS, REPEATED};
use super::file::{Authority, FakeAnswer, FakeService};
use super::record::Recorder;
use crate::bearer::{Bearers, Trusted};
use crate::client;
use crate::http::{Answer, Bound, Request, Server};
use crate::issuer::Issuer;
use crate::sample::turned_away;

/// What services have to say to their author.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(super) fn add(&self, note: String) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that repeats itself is said once.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Takes what was said since the last look.
    pub(super) fn take(&self) -> Vec<String> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notes)
    }
}

/// A fake service that runs; stops when dropped.
pub(super) struct Fake {
    url: String,
    state: Arc<State>,
    _server: Server,
}

/// Who hears what a service does.
#[derive(Clone, Default)]
pub(super) struct Ear {
    pub(super) notes: Notes,
    pub(super) recorder: Option<Recorder>,
}

struct State {
    trusted: Trusted,
    ear: Ear,
    desk: Mutex<Desk>,
}

/// What the service gives.
enum Given {
    /// An answer of its own.
    Answer(Answer),
    /// An answer that says what is missing.
    Lack(Answer),
}

/// What the service does now.
struct Desk {
    service: Arc<FakeService>,
    /// The check of users; `None` if it is not told who asks.
    bearers: Option<Arc<Bearers>>,
    stands_in: bool,
}

impl Fake {
    /// Starts on any port of loopback. One that `stands_in` is for a service that the author's file
    /// does not have.
    ///
    /// # Errors
    /// No port.
    pub(super) async fn start(
        service: FakeService,
        issuer: &Issuer,
        ear: Ear,
        stands_in: bool,
    ) -> anyhow::Result<Self> {
        let bound = Bound::to(0).await?;
        let trusted = issuer.trusted();
        let state = Arc::new(State {
            desk: Mutex::new(Desk::new(service, &trusted, stands_in)),
            trusted,
            ear,
        });
        let url = bound.url();
        let shared = Arc::clone(&state);
        let server = bound.serve(Arc::new(move |request| {
            let state = Arc::clone(&shared);
            Box::pin(async move { state.answer(&request).await })
        }));
        Ok(Self {
            url,
            state,
            _server: server,
        })
    }

    /// Answers as another description says from now on.
    pub(super) fn become_of(&self, service: FakeService) {
        *self.state.lock() = Desk::new(service, &self.state.trusted, false);
    }

    /// Returns its description.
    pub(super) fn service(&self) -> Arc<FakeService> {
        Arc::clone(&self.state.lock().service)
    }

    /// Returns true if it is for a service that the author's file does not have.
    pub(super) fn stands_in(&self) -> bool {
        self.state.lock().stands_in
    }

    /// Returns its table in the configuration of a host.
    pub(super) fn table(&self) -> Table {
        let service = self.service();
        let texts = |texts: &[String]| {
            let texts = texts.iter().cloned().map(Value::String);
            Value::Array(texts.collect())
        };
        let loopback = texts(&["127.0.0.0/8".to_owned()]);
        let mut table = Table::new();
        let mut put = |key: &str, value: Value| table.insert(key.to_owned(), value);
        put("url", Value::String(self.url.clone()));
        put("private_addresses", loopback.clone());
        put("actor_issuers", texts(&["demo".to_owned()]));
        put("allow", texts(&service.allowed()));
        if service.authority == Authority::ServiceIdentity {
            put("shared_data", Value::Boolean(true));
            return table;
        }
        let mut exchange = Table::new();
        for (key, text) in [
            ("token_endpoint", "{issuer}/token"),
            ("client_id", "bailiwick"),
            ("client_secret_file", "{secrets}/exchange"),
            ("audience", &service.name),
            ("issuer", "{issuer}"),
            ("jwks_uri", "{issuer}/jwks"),
        ] {
            exchange.insert(key.to_owned(), Value::String(text.to_owned()));
        }
        exchange.insert("scopes".to_owned(), texts(&service.scopes));
        exchange.insert("subject_issuers".to_owned(), texts(&["demo".to_owned()]));
        exchange.insert("private_addresses".to_owned(), loopback);
        put("exchange", Value::Table(exchange));
        table
    }
}

impl FakeService {
    /// Describes a service of which only the name is known.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            authority: Authority::default(),
            scopes: vec![name.to_owned()],
            allow: None,
            answers: Vec::new(),
            upstream: None,
        }
    }

    /// Returns what the host lets tools ask.
    pub(super) fn allowed(&self) -> Vec<String> {
        if let Some(allow) = &self.allow {
            return allow.clone();
        }
        let any = METHODS
            .iter()
            .flat_map(|method| [format!("{method} /"), format!("{method} /{{**}}")]);
        let mut all: Vec<String> = any.collect();
        for answer in &self.answers {
            let wide = answer.asked.widened();
            if !all.contains(&wide) {
                all.push(wide);
            }
        }
        all
    }
}

impl Desk {
    fn new(service: FakeService, trusted: &Trusted, stands_in: bool) -> Self {
        let scope = service.scopes.first();
        let bearers = scope
            .filter(|_| service.authority != Authority::ServiceIdentity)
            .map(|scope| Arc::new(Bearers::new(trusted.clone(), &service.name, scope)));
        Self {
            service: Arc::new(service),
            bearers,
            stands_in,
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: &Request) -> Answer {
        let (service, bearers, stands_in) = {
            let desk = self.lock();
            (
                Arc::clone(&desk.service),
                desk.bearers.clone(),
                desk.stands_in,
            )
        };
        let user = match bearers {
            None => None,
            Some(bearers) => match bearers.verify(request).await {
                Ok(bearer) => bearer.text("sub").map(str::to_owned),
                Err(refusal) => return turned_away(&refusal),
            },
        };
        let user = user.as_deref();
        if stands_in {
            return self.lacking(&service.name, request);
        }
        let given = match &service.upstream {
            Some(upstream) => self.forwarded(upstream, request).await,
            None => self.by_file(&service, request, user),
        };
        if let Some(recorder) = &self.ear.recorder
            && let Given::Answer(answer) = &given
            && let Err(error) = recorder.add(&service, request, user, answer)
        {
            self.ear.notes.add(format!("not recorded: {error:#}"));
        }
        let (Given::Answer(answer) | Given::Lack(answer)) = given;
        answer
    }

    /// Answers as a stand-in.
    fn lacking(&self, name: &str, request: &Request) -> Answer {
        let note = format!(
            "services.toml has no service {name}. For an answer to this request, add to it:\n{}",
            lines_for(name, request)
        );
        self.told(StatusCode::NOT_IMPLEMENTED, note)
    }

    /// Asks the service that runs on this machine.
    async fn forwarded(&self, upstream: &Url, request: &Request) -> Given {
        let mark = if request.query.is_empty() { "" } else { "?" };
        let base = upstream.as_str().trim_end_matches('/');
        let url = format!("{base}{}{mark}{}", request.path, request.query);
        let mut headers = request.headers.clone();
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        // A file of services is plain text.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let sent = client::send(request.method.clone(), &url, headers, request.body.clone());
        match sent.await {
            Ok(reply) => {
                let kind = reply.header("content-type").to_owned();
                let answer = Answer {
                    status: reply.status,
                    body: reply.body,
                    ..Answer::default()
                };
                Given::Answer(answer.with("content-type", &kind))
            }
            Err(error) => Given::Lack(self.told(StatusCode::BAD_GATEWAY, format!("{error:#}"))),
        }
    }

    /// Answers from the author's file.
    fn by_file(&self, service: &FakeService, request: &Request, user: Option<&str>) -> Given {
        let name = &service.name;
        let mut covered = service
            .answers
            .iter()
            .filter(|answer| answer.asked.covers(request, user))
            .peekable();
        if covered.peek().is_none() {
            let note = service.without_answer(request);
            return Given::Lack(self.told(StatusCode::NOT_FOUND, note));
        }
        let mut others = Vec::new();
        for answer in covered {
            match (&answer.users, user) {
                (Some(users), Some(user)) if !users.iter().any(|known| known == user) => {
                    others.extend(users.iter().map(String::as_str));
                }
                _ => return Given::Answer(answer.filled(user)),
            }
        }
        let note = format!(
            "{name} refuses {} to {}: its answers are for {}",
            shown(request),
            user.unwrap_or_default(),
            others.join(", ")
        );
        Given::Lack(self.told(StatusCode::FORBIDDEN, note))
    }

    fn told(&self, status: StatusCode, note: String) -> Answer {
        let answer = Answer::json(status, &json!({ "error": note }));
        self.ear.notes.add(note);
        answer
    }
}

impl FakeService {
    /// Says that there is no answer to a request, which there are, and how to add it.
    fn without_answer(&self, request: &Request) -> String {
        let name = &self.name;
        let mut note = format!("{name} has no answer to {}", shown(request));
        let mut known: Vec<String> = Vec::new();
        for answer in &self.answers {
            let asked = answer.asked.to_string();
            if !known.contains(&asked) {
                known.push(asked);
            }
        }
        if known.is_empty() {
            note.push_str(", and none at all");
        } else {
            // Writing to a string does not fail.
            let _always = write!(note, "; it has: {}", known.join(", "));
        }
        let _always = write!(
            note,
            ". To answer it, add to services.toml:\n{}",
            lines_for(name, request)
        );
        note
    }
}

impl FakeAnswer {
    /// Returns the answer for a user.
    fn filled(&self, user: Option<&str>) -> Answer {
        let json = serde_json::to_string(user.unwrap_or_default()).unwrap_or_default();
        let user = if self.kind == "application/json" {
            json.trim_matches('"')
        } else {
            user.unwrap_or_default()
        };
        let body = self.body.replace("{actor.sub}", user);
        let answer = Answer {
            status: self.status,
            body: body.into(),
            ..Answer::default()
        };
        answer.with("content-type", &self.kind)
    }
}

/// Returns a request as its author would write it.
pub(super) fn shown(request: &Request) -> String {
    let path: Vec<String> = request.segments();
    let ends = !path.is_empty() && request.path.ends_with('/');
    let slash = if ends { "/" } else { "" };
    let given = request.query();
    let mut query: Vec<String> = Vec::new();
    for (key, value) in &given {
        let again = given.iter().filter(|(other, _)| other == key).count() > 1;
        let pair = format!("{key}={}", if again { REPEATED } else { value });
        if !query.contains(&pair) {
            query.push(pair);
        }
    }
    let mark = if query.is_empty() { "" } else { "?" };
    format!(
        "{} /{}{slash}{mark}{}",
        request.method,
        path.join("/"),
        query.join("&")
    )
}

/// Returns the lines of a file of services that answer a request.
fn lines_for(service: &str, request: &Request) -> String {
    let asked = Value::String(shown(request));
    format!("  [[services.{service}.answers]]\n  request = {asked}\n  json = {{ }}")
}

#[cfg(test)]
mod tests;
