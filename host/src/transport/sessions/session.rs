//! One session: whose it is, what its client can do, and what is under way in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::SessionKey;
use super::lifetime::Lifetime;
use super::outstanding::{OpenQuestions, Outstanding};
use super::subscriptions::Subscriptions;
use crate::call::{Entry, Place};
use crate::identity::Caller;
use crate::principal::ActorId;
use crate::questions::{AskBy, Declared};
use crate::sandbox::{ClientView, Severity};
use crate::seams::Clock;
use crate::transport::body::Burden;
use crate::transport::revision::{PAGES_BY_ERROR, STANDARD_HEADERS};

/// What `initialize` settled.
pub(in crate::transport) struct Opening {
    /// The caller who opens the session.
    pub(in crate::transport) caller: Arc<Caller>,
    /// The revision of MCP.
    pub(in crate::transport) revision: String,
    /// The client's capabilities.
    pub(in crate::transport) declared: Declared,
    /// What components may know of the client.
    pub(in crate::transport) view: Arc<ClientView>,
}

/// The state of one conversation.
pub(in crate::transport) struct ClientSession {
    opening: Opening,
    // A session over streams is in no table.
    key: Option<SessionKey>,
    lifetime: Lifetime,
    ended: CancellationToken,
    outstanding: Outstanding,
    subscriptions: Subscriptions,
    state: Mutex<SessionState>,
}

struct SessionState {
    /// Ends the stream that was opened last.
    stream: Option<CancellationToken>,
    /// The calls under way, by the JSON of their requests' ids, each with its number.
    calls: HashMap<String, (u64, CancellationToken)>,
    /// The number of the next call.
    next: u64,
    /// The least severity of messages that the client asked for.
    level: Option<Severity>,
    place: Option<Place>,
}

/// Keeps a session from being idle until it is dropped.
pub(in crate::transport) struct Busy {
    session: Arc<ClientSession>,
    /// The id and the number of the call, if there is one.
    call: Option<(String, u64)>,
}

impl Opening {
    /// Reads what `initialize` settled, from the answer to it and its parameters. `None` unless it
    /// settled a revision before 2026-07-28.
    pub(in crate::transport) fn of(
        caller: Arc<Caller>,
        answer: &[u8],
        params: &Map<String, Value>,
    ) -> Option<Self> {
        let answer: Initialized = serde_json::from_slice(answer).ok()?;
        let revision = answer.result.protocol_version;
        let capabilities = params.get("capabilities").unwrap_or(&Value::Null);
        (*revision < *STANDARD_HEADERS).then(|| Self {
            caller,
            declared: Declared::of(capabilities).within(&revision),
            view: Arc::new(ClientView {
                revision: revision.clone(),
                capabilities: kept(capabilities),
            }),
            revision,
        })
    }
}

/// Returns capabilities, or none if keeping them would take much memory.
fn kept(capabilities: &Value) -> Value {
    let is_small = capabilities.to_string().len() <= MAX_CAPABILITIES;
    if is_small {
        capabilities.clone()
    } else {
        Value::Null
    }
}

/// The answer to `initialize`, as far as a session keeps it.
#[derive(Deserialize)]
struct Initialized {
    result: Settlement,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    protocol_version: String,
}

impl ClientSession {
    /// Begins a session, under this key and on this place.
    pub(super) fn new(
        opening: Opening,
        lifetime: Lifetime,
        kept: Option<(SessionKey, Place)>,
    ) -> Self {
        let (key, place) = kept.unzip();
        Self {
            opening,
            key,
            lifetime,
            ended: CancellationToken::new(),
            outstanding: Outstanding::default(),
            subscriptions: Subscriptions::default(),
            state: Mutex::new(SessionState {
                stream: None,
                calls: HashMap::new(),
                next: 0,
                level: None,
                place,
            }),
        }
    }

    /// Begins a session of a client that is the only one of its host: it ends with its streams.
    pub(in crate::transport) fn alone(opening: Opening, clock: &Arc<dyn Clock>) -> Arc<Self> {
        let lifetime = Lifetime::begin(clock, Duration::MAX, Duration::MAX);
        Arc::new(Self::new(opening, lifetime, None))
    }

    /// Returns the caller who opened it.
    pub(super) fn caller(&self) -> &Caller {
        &self.opening.caller
    }

    pub(super) fn key(&self) -> Option<&SessionKey> {
        self.key.as_ref()
    }

    /// Returns true if it is the session of this actor and this client.
    pub(super) fn is_of(&self, caller: &Caller) -> bool {
        let own = self.caller();
        ActorId::from(&**own.actor()) == ActorId::from(&**caller.actor())
            && own.agent().client_id == caller.agent().client_id
    }

    /// Returns true if its time is over.
    pub(super) fn is_over(&self) -> bool {
        self.lifetime.is_over() || self.ended.is_cancelled()
    }

    /// Notes that a request names it.
    pub(super) fn touch(&self) {
        self.lifetime.touch();
    }

    /// Ends it: its stream, and the calls that wait for answers.
    pub(super) fn end(&self) {
        self.ended.cancel();
        let place = self.lock().place.take();
        drop(place);
    }

    /// Returns the time until its end, at most.
    pub(in crate::transport) fn time_left(&self) -> Duration {
        self.lifetime.left()
    }

    /// Returns what fires when it ends.
    pub(in crate::transport) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Returns the revision of MCP that `initialize` settled.
    pub(in crate::transport) fn revision(&self) -> &str {
        &self.opening.revision
    }

    /// Returns what components may know of its client.
    pub(in crate::transport) fn view(&self) -> Arc<ClientView> {
        Arc::clone(&self.opening.view)
    }

    /// Returns the way in which its client can be asked.
    pub(in crate::transport) fn ask_by(&self) -> AskBy {
        AskBy::Requests {
            declared: self.opening.declared.clone(),
            or_error: self.revision() == PAGES_BY_ERROR,
        }
    }

    /// Opens its one stream, and ends the one before. Returns what fires when the new one must end.
    pub(in crate::transport) fn stream(self: &Arc<Self>) -> (CancellationToken, Busy) {
        let own = self.ended.child_token();
        let before = self.lock().stream.replace(own.clone());
        before.iter().for_each(CancellationToken::cancel);
        (own, self.busy(None))
    }

    /// Notes a call under way, which the client can cancel by the id of its request.
    pub(in crate::transport) fn begin(
        self: &Arc<Self>,
        id: &Value,
        cancel: CancellationToken,
    ) -> Busy {
        let id = id.to_string();
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.calls.insert(id.clone(), (number, cancel));
        drop(state);
        self.busy(Some((id, number)))
    }

    /// Cancels the call whose request has this id, if it is under way.
    pub(in crate::transport) fn cancel(&self, id: &Value) {
        if let Some((_, call)) = self.lock().calls.remove(&id.to_string()) {
            call.cancel();
        }
    }

    /// Notes questions to the client: identifier and key of each.
    pub(in crate::transport) fn ask(&self, questions: Vec<(String, String)>) -> OpenQuestions {
        self.outstanding.ask(questions)
    }

    /// Hands an answer of the client to the call that waits for it, if one does.
    pub(in crate::transport) fn give(
        &self,
        (id, answer): (&Value, Option<Value>),
        (entry, burden): (Entry, Burden),
    ) {
        self.outstanding.give(id, answer, entry, burden);
    }

    /// Subscribes to a resource, behind whose URI is this component. Returns false if there are too
    /// many subscriptions.
    pub(in crate::transport) fn subscribe(&self, uri: &str, component: String) -> bool {
        self.subscriptions.add(uri, component)
    }

    /// Ends a subscription, if there is one.
    pub(in crate::transport) fn unsubscribe(&self, uri: &str) {
        self.subscriptions.remove(uri);
    }

    /// Looks at the components behind the resources that it subscribes to. Returns the number of
    /// changes so far.
    pub(in crate::transport) fn look(&self, component: impl Fn(&str) -> Option<String>) -> u64 {
        self.subscriptions.look(component)
    }

    /// Takes the URIs of resources that have changed since they were taken.
    pub(in crate::transport) fn take_changed(&self) -> Vec<String> {
        self.subscriptions.take_changed()
    }

    /// Returns the least severity of messages that the client asked for, if it did.
    pub(in crate::transport) fn level(&self) -> Option<Severity> {
        self.lock().level
    }

    /// Sets the least severity of messages.
    pub(in crate::transport) fn set_level(&self, level: Severity) {
        self.lock().level = Some(level);
    }

    fn busy(self: &Arc<Self>, call: Option<(String, u64)>) -> Busy {
        self.lifetime.open();
        Busy {
            session: Arc::clone(self),
            call,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.session.lifetime.close();
        let mut state = self.session.lock();
        // Another call may have the id by now.
        if let Some((id, number)) = &self.call
            && state.calls.get(id).is_some_and(|(own, _)| own == number)
        {
            state.calls.remove(id);
        }
    }
}

/// The largest capabilities that a session keeps for components, in bytes.
const MAX_CAPABILITIES: usize = 2 << 10;
