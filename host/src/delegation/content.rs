//! The rules of a call's grant about the content of its requests.
//!
//! Invariant: a long request is judged apart from what serves others, one rule at a time, and no
//! actor's long requests have all the turns. A rule that has not judged in time denies.

use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http::{HeaderMap, header};
use hyper::body::Bytes;
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::asker::KnownActor;
use super::bulkhead::Bulkhead;
use crate::conditions::{BodyOnce, DeniedBy, DenyRule, RequestFacts, denial};
use crate::cores::apart;
use crate::downstream::DownstreamError;

/// The rules of one call, with the arguments that they may read.
#[derive(Clone, Default)]
pub struct ContentRules {
    rules: Arc<[DenyRule]>,
    arguments: Arc<Value>,
}

/// A request as it is about to be sent, and who asks.
pub(super) struct Content<'p> {
    pub(super) service: &'p str,
    /// The method of HTTP, or `tools/call`.
    pub(super) method: &'p str,
    /// Path and query below the service's URL, or the name of the remote tool.
    pub(super) target: &'p str,
    pub(super) headers: &'p HeaderMap,
    pub(super) body: &'p Bytes,
    pub(super) known: KnownActor<'p>,
    pub(super) agent: &'p str,
}

/// Where and how long a long request is judged.
pub(super) struct Turns<'t> {
    /// The places for all long requests.
    pub(super) places: &'t Bulkhead,
    /// The longest time, waiting included.
    pub(super) patience: Duration,
    /// The end of the call.
    pub(super) ended: &'t CancellationToken,
}

/// A long request, for rules on another thread.
struct LongRequest {
    service: String,
    method: String,
    target: String,
    content_type: Option<String>,
    body: Bytes,
    arguments: Arc<Value>,
    sub: String,
    tenant: Option<String>,
    issuer: String,
    agent: String,
    read: BodyOnce,
}

impl ContentRules {
    /// Makes the rules of a call with these arguments, which are kept if a rule may read them, or
    /// if they are `told` to a policy point.
    pub(super) fn new(rules: &Arc<[DenyRule]>, arguments: &Arc<Value>, told: bool) -> Self {
        let arguments = if rules.is_empty() && !told {
            Arc::default()
        } else {
            Arc::clone(arguments)
        };
        Self {
            rules: Arc::clone(rules),
            arguments,
        }
    }

    /// Checks a request.
    ///
    /// # Errors
    /// Fails if a rule denies it, or has not judged it in time.
    pub(super) async fn check(
        &self,
        content: &Content<'_>,
        turns: &Turns<'_>,
    ) -> Result<(), DownstreamError> {
        let asked = self.facts(content);
        let denied = if self.takes_long(&asked) {
            self.denied_apart(content, turns).await
        } else {
            denial(&self.rules, &asked)
        };
        match denied {
            Some(denied) => Err(DownstreamError::DeniedByRule(denied)),
            None => Ok(()),
        }
    }

    /// Returns what is known of a request.
    pub(super) fn facts<'f>(&'f self, content: &Content<'f>) -> RequestFacts<'f> {
        RequestFacts {
            service: content.service,
            method: content.method,
            target: content.target,
            content_type: content.content_type(),
            body: content.body,
            arguments: &self.arguments,
            sub: &content.known.actor.sub,
            tenant: content.known.actor.tenant.as_deref(),
            issuer: content.known.alias,
            agent: content.agent,
        }
    }

    /// Returns true if the rules have so much to read that others would wait for them.
    fn takes_long(&self, asked: &RequestFacts<'_>) -> bool {
        let mut concerned = self.rules.iter().filter(|rule| rule.concerns(asked));
        let room = concerned.try_fold(SHORT, |room, rule| {
            let own = rule.condition().len() + asked.target.len();
            let body = rule.reads("request.body").then_some(asked.body.len());
            let room = room.checked_sub(own + body.unwrap_or_default())?;
            if rule.reads("arguments") {
                room_beside(asked.arguments, room)
            } else {
                Some(room)
            }
        });
        room.is_none()
    }

    /// Judges a long request rule by rule, until one denies it.
    async fn denied_apart(&self, content: &Content<'_>, turns: &Turns<'_>) -> Option<DeniedBy> {
        let request = Arc::new(LongRequest::of(content, &self.arguments));
        let mut over = pin!(turns.over());
        let mut place = None;
        for rule in &*self.rules {
            if !rule.concerns(&request.asked()) {
                continue;
            }
            let judging = async {
                if place.is_none() {
                    let actor = content.known.actor.into();
                    place = Some(turns.places.enter(actor, turns.patience).await.ok()?);
                }
                let (rule, request) = (rule.clone(), Arc::clone(&request));
                apart(move |_| rule.denies(&request.asked(), &request.read))
                    .await
                    .ok()
            };
            let judged = tokio::select! {
                biased;
                () = &mut over => None,
                judged = judging => judged,
            };
            match judged {
                Some(None) => {}
                Some(denied) => return denied,
                None => return Some(rule.denial(Some(LATE.to_owned()))),
            }
        }
        None
    }
}

impl<'p> Content<'p> {
    fn content_type(&self) -> Option<&'p str> {
        let value = self.headers.get(header::CONTENT_TYPE);
        value.and_then(|value| value.to_str().ok())
    }
}

impl Turns<'_> {
    /// Waits until there is no time left to judge a request.
    async fn over(&self) {
        tokio::select! {
            () = self.ended.cancelled() => {}
            () = sleep(self.patience) => {}
        }
    }
}

impl LongRequest {
    fn of(content: &Content<'_>, arguments: &Arc<Value>) -> Self {
        Self {
            service: content.service.to_owned(),
            method: content.method.to_owned(),
            target: content.target.to_owned(),
            content_type: content.content_type().map(String::from),
            body: content.body.clone(),
            arguments: Arc::clone(arguments),
            sub: content.known.actor.sub.clone(),
            tenant: content.known.actor.tenant.clone(),
            issuer: content.known.alias.to_owned(),
            agent: content.agent.to_owned(),
            read: BodyOnce::new(),
        }
    }

    fn asked(&self) -> RequestFacts<'_> {
        RequestFacts {
            service: &self.service,
            method: &self.method,
            target: &self.target,
            content_type: self.content_type.as_deref(),
            body: &self.body,
            arguments: &self.arguments,
            sub: &self.sub,
            tenant: self.tenant.as_deref(),
            issuer: &self.issuer,
            agent: &self.agent,
        }
    }
}

/// Returns the places for long requests: one for each processor that this process may use, but two
/// at least.
pub(super) fn places() -> Bulkhead {
    let processors = thread::available_parallelism();
    Bulkhead::new(processors.map_or(2, |processors| processors.get().max(2)))
}

/// Returns the room that is left beside a value, in bytes; nothing if it does not fit. Looks at no
/// more of the value than fits.
fn room_beside(value: &Value, room: usize) -> Option<usize> {
    let room = room.checked_sub(EACH)?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(room),
        Value::String(text) => room.checked_sub(text.len()),
        Value::Array(items) => items
            .iter()
            .try_fold(room, |room, item| room_beside(item, room)),
        Value::Object(members) => members.iter().try_fold(room, |room, (name, value)| {
            room_beside(value, room.checked_sub(name.len())?)
        }),
    }
}

/// The most that rules read where they are asked, in bytes: about a millisecond.
const SHORT: usize = 16 << 10;
/// What a value takes besides its text, in bytes.
const EACH: usize = 4;
/// Why a rule denies what it has not judged by then.
const LATE: &str = "it takes too long";

#[cfg(test)]
mod tests;
