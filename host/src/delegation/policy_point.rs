//! The operator's own policy point: whether a request may be sent is asked over HTTP (`AuthZEN`
//! Authorization API 1.0), after the rules of the grant and before the request is recorded.
//!
//! Trusts the point's decision, and nothing else that it answers. Knows no service and no
//! credential of one.
//!
//! Invariant: whatever is no decision denies. A decision counts for the principal and the request
//! that it was asked for, for seconds, and for nobody and nothing else; no failure is remembered.
//! Each question is asked once, over a connection of its own: on a kept one, an answer too many
//! would be read as the answer to another question.

mod answer;
mod error;
mod question;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use tokio::time::timeout;

use super::asker::KnownActor;
use super::bulkhead::{Bulkhead, Change};
use super::own::OwnCredential;
use crate::audit::Settled;
use crate::downstream::DownstreamError;
use crate::egress::{Client, Deadlines, Sent, Tls, shown};
use crate::fair::{FairMap, Owned};
use crate::flight::{Flight, Landed};
use crate::seams::Clock;
pub(in crate::delegation) use answer::PolicyDecision;
#[cfg(any(test, fuzzing))]
pub use answer::surface as decision_surface;
use error::NoDecision;
pub(in crate::delegation) use question::PolicyRequest;
use question::{PolicyQuestion, QuestionKey};
pub use settings::{PolicyPointSettings, SubjectNaming, ToldFacts};

/// A policy point that is ready to be asked.
pub struct PolicyPoint {
    endpoint: Uri,
    subject: SubjectNaming,
    tells: ToldFacts,
    remember_ms: u64,
    deadlines: Deadlines,
    client: Client,
    /// The places for questions.
    bulkhead: Bulkhead,
    own: OwnCredential,
    slots: Mutex<FairMap<QuestionKey, DecisionSlot>>,
    clock: Arc<dyn Clock>,
}

/// The place of one question's decision: it is asked once for all who wait.
type DecisionSlot = Arc<Flight<Result<PolicyDecision, NoDecision>>>;

impl PolicyPoint {
    /// Joins the settings with the clients that carry them out.
    pub fn new(settings: PolicyPointSettings, tls: &Tls, clock: &Arc<dyn Clock>) -> Self {
        let remember_ms = settings.remember.as_millis();
        Self {
            client: Client::new(&tls.of(&settings.tls), settings.addresses),
            endpoint: settings.endpoint,
            subject: settings.subject,
            tells: settings.tells,
            remember_ms: u64::try_from(remember_ms).unwrap_or_default(),
            deadlines: settings.deadlines,
            bulkhead: Bulkhead::new(settings.concurrency),
            own: OwnCredential::new(settings.auth, tls, clock),
            slots: Mutex::new(FairMap::new(MAX_SLOTS)),
            clock: Arc::clone(clock),
        }
    }

    /// Returns true if it is told the arguments of calls.
    pub(super) fn tells_arguments(&self) -> bool {
        self.tells.arguments
    }

    /// Decides about a request, by the decision of a moment ago if there is one. Takes [`Settled`],
    /// because a question is an effect.
    ///
    /// # Errors
    /// Fails if there is no decision.
    pub(super) async fn decide(
        &self,
        asked: &PolicyRequest<'_>,
        _: Settled<'_>,
    ) -> Result<PolicyDecision, NoDecision> {
        self.decision(asked).await
    }

    async fn decision(&self, asked: &PolicyRequest<'_>) -> Result<PolicyDecision, NoDecision> {
        let question = PolicyQuestion::about(asked, self.subject, self.tells);
        let question = question.inspect_err(|why| self.tell(asked, why))?;
        if self.remember_ms == 0 {
            return self.ask(&question, asked).await;
        }
        let is_fresh = |last: &Landed<Result<PolicyDecision, NoDecision>>| {
            // A clock that was set back must not make a decision last.
            let age = self.clock.now_ms().abs_diff(last.at_ms);
            last.answer.is_ok() && age < self.remember_ms
        };
        let slot = self.slot(&question.key);
        slot.join(is_fresh, || self.ask(&question, asked)).await
    }

    /// Returns the slot of a question.
    fn slot(&self, key: &QuestionKey) -> DecisionSlot {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        let now = self.clock.now_ms();
        let slot = Arc::new(Flight::new(Arc::clone(&self.clock)));
        let owned = Owned {
            owner: key.actor.principal.clone(),
            until: now.saturating_add(KEPT_MS),
            value: Arc::clone(&slot),
        };
        slots.insert(key.clone(), owned, now);
        slot
    }

    fn slots(&self) -> MutexGuard<'_, FairMap<QuestionKey, DecisionSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks once, and logs why there is no decision.
    async fn ask(
        &self,
        question: &PolicyQuestion,
        asked: &PolicyRequest<'_>,
    ) -> Result<PolicyDecision, NoDecision> {
        let answered = self.exchange(question, asked.known).await;
        answered.inspect_err(|why| self.tell(asked, why))
    }

    async fn exchange(
        &self,
        question: &PolicyQuestion,
        known: KnownActor<'_>,
    ) -> Result<PolicyDecision, NoDecision> {
        let wait = self.deadlines.connect;
        let place = self.bulkhead.enter(known.actor.into(), wait).await?;
        let no_credential = |why: DownstreamError| NoDecision::Credential(why.to_string());
        let obtained = timeout(self.deadlines.total, self.own.obtain(known, false)).await;
        let late = || "the authorization server did not answer in time".to_owned();
        let credential = obtained
            .map_err(|_| NoDecision::Credential(late()))?
            .map_err(no_credential)?;
        let mut request = Request::new(Full::new(question.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let json = header::HeaderValue::from_static("application/json");
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, json.clone());
        headers.insert(header::ACCEPT, json);
        headers.insert("x-request-id", question.id.clone());
        credential.apply(&mut request).map_err(no_credential)?;
        let sent = Sent::default();
        sent.follow(&mut request);
        let reply = self.client.send(request, self.deadlines, MAX_ANSWER).await;
        self.note(place.leave(reply.as_ref().map(|_| ()), &sent));
        let reply = reply.map_err(|error| NoDecision::Unanswered(error.with_causes()))?;
        if reply.status == StatusCode::UNAUTHORIZED {
            self.own.refused(&credential);
        }
        PolicyDecision::read(&reply)
    }

    /// Logs that there is no decision about a request.
    fn tell(&self, asked: &PolicyRequest<'_>, why: &NoDecision) {
        tracing::warn!(
            endpoint = shown(&self.endpoint),
            service = asked.facts.service,
            call = asked.claims.call.id,
            cause = %why,
            "the policy point gave no decision, so the request is refused"
        );
    }

    /// Logs that a pause of the policy point began or ended.
    fn note(&self, change: Option<Change>) {
        let endpoint = shown(&self.endpoint);
        match change {
            None => {}
            Some(Change::Paused(length)) => tracing::warn!(
                endpoint,
                seconds = length.as_secs(),
                "the policy point gave no answer to several questions in a row, so it is not asked for a while"
            ),
            Some(Change::Resumed) => tracing::info!(endpoint, "the policy point answers again"),
        }
    }
}

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// The most decisions that are remembered.
const MAX_SLOTS: usize = 20_000;
/// The time for which an unused slot may stay: longer than any question and any memory of it.
const KEPT_MS: u64 = 300_000;
