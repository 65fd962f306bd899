//! A [`Call`] without a host, for unit tests. Not in components.
//!
//! Invariant: nothing here is a component's: a closure plays the services, and without one they are
//! unknown.

mod grants;

use std::cell::Cell;
use std::io::Write as _;

use crate::bindings::downstream::Response as WireResponse;
use crate::client::Severity;
use crate::identity::{
    ActorKind, Binding, Correlation, Executor, GrantedService, Login, Principal,
};
use crate::log::Level;
use crate::outside::Outside;
use crate::{Call, DownstreamError, Response};
use grants::Grants;

/// The request that a function sent to a service.
pub use crate::bindings::downstream::Request as Sent;

type OnSend = Box<dyn Fn(&Sent) -> Result<Response, DownstreamError>>;
type OnMessage = Box<dyn Fn(Severity, &str)>;

/// The caller of a test, and the answers of the outside.
pub struct Scene {
    answers: Vec<(String, String)>,
    state: Option<Vec<u8>>,
    props: Props,
}

/// The host's answers about the call's identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The principal that asked.
    pub actor: Principal,
    /// The actor's login.
    pub login: Login,
    /// The client that executes for the actor.
    pub agent: Executor,
    /// The session of the call.
    pub session: Correlation,
    /// The scopes of the call.
    pub scopes: Vec<String>,
    /// The services that the call may reach.
    pub services: Vec<GrantedService>,
    /// The values that bind the envelope.
    pub binding: Binding,
}

impl Scene {
    /// Sets up a call by a user `user_1` of tenant `acme`, with no settings and no services. The
    /// client speaks `2026-07-28` and declares nothing.
    pub fn new() -> Self {
        let on_send: OnSend = Box::new(|_| Err(DownstreamError::UnknownService));
        let props = Props {
            identity: identity(),
            on_question: Box::new(|| {}),
            on_send,
            grants: None,
            on_message: Box::new(|severity, data| {
                write_line(Level::Debug, &format!("{severity:?}: {data}"));
            }),
            revision: "2026-07-28".to_owned(),
            capabilities: Vec::new(),
            settings: "{}".to_owned(),
            now: 1_763_712_000_000,
            random: Cell::new(1),
        };
        Self {
            answers: Vec::new(),
            state: None,
            props,
        }
    }

    /// Sets the actor's subject.
    #[must_use]
    pub fn actor(self, sub: &str) -> Self {
        self.identity(|identity| sub.clone_into(&mut identity.actor.sub))
    }

    /// Changes anything about the identity. The envelope's JSON has the actor alone and carries no
    /// valid signature.
    #[must_use]
    pub fn identity(mut self, change: impl FnOnce(&mut Identity)) -> Self {
        change(&mut self.props.identity);
        self
    }

    /// Plays the services.
    #[must_use]
    pub fn on_send(
        mut self,
        services: impl Fn(&Sent) -> Result<Response, DownstreamError> + 'static,
    ) -> Self {
        self.props.on_send = Box::new(services);
        self
    }

    /// Allows what an operator would: templates of requests, as `allow` has them in a
    /// configuration. Any other request then fails with [`DownstreamError::UnknownService`],
    /// [`DownstreamError::NotGranted`] or [`DownstreamError::InvalidRequest`]. Without this, a
    /// scene checks no request.
    ///
    /// # Panics
    /// A text is no template.
    #[must_use]
    pub fn allow<'t>(
        mut self,
        service: &str,
        templates: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let templates = templates.into_iter().inspect(|text| grants::expect(text));
        let templates = templates.map(str::to_owned).collect();
        let grants = self.props.grants.get_or_insert_default();
        grants.push((service.to_owned(), templates));
        self
    }

    /// Sets what the client speaks and declares, such as `elicitation.form`.
    #[must_use]
    pub fn client(mut self, revision: &str, capabilities: &[&str]) -> Self {
        revision.clone_into(&mut self.props.revision);
        self.props.capabilities = capabilities.iter().copied().map(str::to_owned).collect();
        self
    }

    /// Receives the messages to the client, with their data as JSON.
    #[must_use]
    pub fn on_message(mut self, receive: impl Fn(Severity, &str) + 'static) -> Self {
        self.props.on_message = Box::new(receive);
        self
    }

    /// Sets the component's settings, a JSON object.
    #[must_use]
    pub fn settings(mut self, json: &str) -> Self {
        json.clone_into(&mut self.props.settings);
        self
    }

    /// Sets the time, milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now(mut self, milliseconds: u64) -> Self {
        self.props.now = milliseconds;
        self
    }

    /// Adds an answer to an earlier question, as JSON.
    #[must_use]
    pub fn answer(mut self, key: &str, json: &str) -> Self {
        self.answers.push((key.to_owned(), json.to_owned()));
        self
    }

    /// Lets the user accept a form with these fields; `&()` for a page.
    #[must_use]
    pub fn accepts(self, key: &str, fields: &impl serde::Serialize) -> Self {
        let answer = serde_json::json!({"action": "accept", "content": fields});
        self.answer(key, &answer.to_string())
    }

    /// Lets the user decline a question.
    #[must_use]
    pub fn declines(self, key: &str) -> Self {
        self.answer(key, r#"{"action":"decline"}"#)
    }

    /// Sets the state given with the questions.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Watches for questions about the identity.
    #[cfg(test)]
    pub(crate) fn on_question(mut self, seen: impl Fn() + 'static) -> Self {
        self.props.on_question = Box::new(seen);
        self
    }

    /// Makes the call.
    pub fn call(self) -> Call {
        Call::new(Box::new(self.props), self.answers, self.state)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

struct Props {
    identity: Identity,
    on_question: Box<dyn Fn()>,
    on_send: OnSend,
    grants: Option<Grants>,
    on_message: OnMessage,
    revision: String,
    capabilities: Vec<String>,
    settings: String,
    now: u64,
    /// The state of a generator that gives every test the same bytes.
    random: Cell<u64>,
}

impl Props {
    fn identity(&self) -> &Identity {
        (self.on_question)();
        &self.identity
    }
}

impl Outside for Props {
    fn actor(&self) -> Principal {
        self.identity().actor.clone()
    }

    fn login(&self) -> Login {
        self.identity().login.clone()
    }

    fn agent(&self) -> Executor {
        self.identity().agent.clone()
    }

    fn session(&self) -> Correlation {
        self.identity().session.clone()
    }

    fn scopes(&self) -> Vec<String> {
        self.identity().scopes.clone()
    }

    fn services(&self) -> Vec<GrantedService> {
        self.identity().services.clone()
    }

    fn binding(&self) -> Binding {
        self.identity().binding.clone()
    }

    fn envelope_json(&self) -> String {
        let Principal { sub, iss, .. } = &self.identity().actor;
        serde_json::json!({ "actor": { "type": "user", "sub": sub, "iss": iss } }).to_string()
    }

    fn revision(&self) -> String {
        self.revision.clone()
    }

    fn declares(&self, capability: &str) -> bool {
        let within = |held: &String| {
            let rest = held.strip_prefix(capability);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.capabilities.iter().any(within)
    }

    fn message(&self, severity: Severity, data: &str) {
        (self.on_message)(severity, data);
    }

    fn send(&self, request: Sent) -> Result<WireResponse, DownstreamError> {
        if let Some(grants) = &self.grants {
            grants::check(grants, &request)?;
        }
        (self.on_send)(&request).map(|response| response.0)
    }

    fn send_all(&self, requests: Vec<Sent>) -> Vec<Result<WireResponse, DownstreamError>> {
        requests
            .into_iter()
            .map(|request| self.send(request))
            .collect()
    }

    fn settings(&self) -> String {
        self.settings.clone()
    }

    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        let total = total.map_or_else(String::new, |total| format!(" of {total}"));
        let message = message.map_or_else(String::new, |message| format!(": {message}"));
        write_line(Level::Debug, &format!("progress {done}{total}{message}"));
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = self
                .random
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            self.random.set(state);
            [*byte, ..] = state.to_be_bytes();
        }
    }
}

/// Writes log lines to standard error, where there is no host.
pub(crate) fn write_line(level: Level, message: &str) {
    let _ = writeln!(std::io::stderr(), "{level:?}: {message}");
}

fn identity() -> Identity {
    let text = str::to_owned;
    Identity {
        actor: Principal {
            kind: ActorKind::User,
            sub: text("user_1"),
            iss: text("https://idp.example"),
            tenant: Some(text("acme")),
        },
        login: Login {
            acr: None,
            auth_time: None,
        },
        agent: Executor {
            kind: text("mcp_agent"),
            id: text("agent_1"),
            client_id: text("agent_1"),
            prior_actors: Vec::new(),
        },
        session: Correlation {
            id: text("session_1"),
            source: text("sid"),
            trace_id: "0".repeat(32),
        },
        scopes: Vec::new(),
        services: Vec::new(),
        binding: Binding {
            id: text("call_1"),
            kind: text("tool"),
            name: text("test"),
            component: format!("sha256:{}", "0".repeat(64)),
            arguments: format!("hmac-sha256:{}", "0".repeat(64)),
        },
    }
}
