//! A [`Call`] without a host, for the unit tests of tools. Not in components.
//!
//! Invariant: nothing here is a component's: services are played by a closure, and without one they
//! are unknown.

use std::cell::Cell;
use std::io::Write as _;

use crate::bindings::bailiwick::tool::downstream::Response as WireResponse;
use crate::bindings::bailiwick::tool::identity as wit;
use crate::identity::{ActorKind, Confidence, DelegationMode, Envelope};
use crate::log::Level;
use crate::outside::Outside;
use crate::{Call, DownstreamError, Response};

/// What a tool sent to a service.
pub use crate::bindings::bailiwick::tool::downstream::Request as Sent;

type OnSend = Box<dyn Fn(&Sent) -> Result<Response, DownstreamError>>;

/// Who calls, and what the outside answers.
pub struct Scene {
    identity: Envelope,
    answers: Vec<(String, String)>,
    state: Option<Vec<u8>>,
    props: Props,
}

impl Scene {
    /// A user `user_1` of tenant `acme`, with no settings and no services.
    pub fn new() -> Self {
        let on_send: OnSend = Box::new(|_| Err(DownstreamError::UnknownService));
        let props = Props {
            on_send,
            settings: "{}".to_owned(),
            now: 1_763_712_000_000,
            random: Cell::new(1),
        };
        Self {
            identity: envelope(),
            answers: Vec::new(),
            state: None,
            props,
        }
    }

    /// The actor's subject.
    #[must_use]
    pub fn actor(self, sub: &str) -> Self {
        self.identity(|envelope| sub.clone_into(&mut envelope.actor.sub))
    }

    /// Changes anything about the envelope. Its JSON is the actor's alone and carries no valid
    /// signature.
    #[must_use]
    pub fn identity(mut self, change: impl FnOnce(&mut Envelope)) -> Self {
        change(&mut self.identity);
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

    /// The component's settings, a JSON object.
    #[must_use]
    pub fn settings(mut self, json: &str) -> Self {
        json.clone_into(&mut self.props.settings);
        self
    }

    /// The time, milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now(mut self, milliseconds: u64) -> Self {
        self.props.now = milliseconds;
        self
    }

    /// An answer to an earlier question, as JSON.
    #[must_use]
    pub fn answer(mut self, key: &str, json: &str) -> Self {
        self.answers.push((key.to_owned(), json.to_owned()));
        self
    }

    /// The state given with the questions.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// The call.
    pub fn call(self) -> Call {
        let Self {
            mut identity,
            answers,
            state,
            props,
        } = self;
        let (sub, iss) = (&identity.actor.sub, &identity.actor.iss);
        identity.json =
            serde_json::json!({ "actor": { "type": "user", "sub": sub, "iss": iss } }).to_string();
        Call {
            identity,
            answers,
            state,
            outside: Box::new(props),
        }
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

struct Props {
    on_send: OnSend,
    settings: String,
    now: u64,
    /// The state of a generator that gives every test the same bytes.
    random: Cell<u64>,
}

impl Outside for Props {
    fn send(&self, request: Sent) -> Result<WireResponse, DownstreamError> {
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
        write_line(
            Level::Debug,
            &format!("progress {done} of {total:?}: {message:?}"),
        );
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

/// Where log lines go without a host.
pub(crate) fn write_line(level: Level, message: &str) {
    let _ = writeln!(std::io::stderr(), "{level:?}: {message}");
}

fn envelope() -> Envelope {
    let text = str::to_owned;
    Envelope {
        actor: wit::Actor {
            kind: ActorKind::User,
            sub: text("user_1"),
            iss: text("https://idp.example"),
            tenant: Some(text("acme")),
            acr: None,
            auth_time: None,
        },
        agent: wit::Agent {
            type_: text("mcp_agent"),
            id: text("agent_1"),
            client_id: text("agent_1"),
            prior_actors: Vec::new(),
        },
        session: wit::Session {
            id: text("session_1"),
            source: text("sid"),
            trace_id: "0".repeat(32),
        },
        authorization: wit::Authorization {
            scopes: Vec::new(),
            confidence: Confidence::Verified,
        },
        delegation: wit::Delegation {
            mode: DelegationMode::ServiceIdentity,
            allowed: Vec::new(),
            modes: Vec::new(),
        },
        call: wit::Call {
            id: text("call_1"),
            tool: text("test"),
            component: format!("sha256:{}", "0".repeat(64)),
            arguments: format!("hmac-sha256:{}", "0".repeat(64)),
        },
        meta: wit::Meta {
            created_at: 1_763_712_000,
            expires_at: 1_763_712_300,
            kid: text("test"),
            signature: String::new(),
        },
        json: String::new(),
    }
}
