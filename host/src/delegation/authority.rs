//! One call's authority to reach services, and the broker that carries it out.

mod conversing;
mod credentials;
mod delivery;
mod places;
mod planning;
mod policy;
mod stopping;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::asker::KnownActor;
use super::bulkhead::Bulkhead;
use super::cache::ExchangeCache;
use super::content::{self, ContentRules};
use super::credential::Credential;
use super::idempotency::RequestKeys;
use super::planned::{Attempt, error_of, is_safe};
use super::policy_point::PolicyPoint;
use super::request;
use super::service::Service;
use super::tally::Tally;
use crate::audit::{self, Trail};
use crate::conditions::DenyRule;
use crate::denials::{Denials, Requester};
use crate::downstream::{DownstreamError, DownstreamTally, Request, Response, Services};
use crate::envelope::{Envelope, Signer};
use crate::identity::SubjectToken;
use crate::limits::Limits;
use crate::observe::Meters;
use crate::reason::DownstreamReason;
use crate::seams::Random;
use stopping::GivenUp;

/// The configured services, with everything that is needed to reach them.
pub struct Broker {
    services: BTreeMap<String, Arc<Service>>,
    signer: Arc<Signer>,
    random: Arc<dyn Random>,
    limits: Limits,
    exchanged: ExchangeCache,
    /// Long requests that rules judge at once.
    judged: Bulkhead,
    policy_point: Option<PolicyPoint>,
    meters: Meters,
    denials: Option<Arc<Denials>>,
}

/// The downstream rights of one call. It lives exactly as long as the call, and so does the subject
/// token in it.
pub struct Authority {
    inner: Arc<Inner>,
    tasks: TaskTracker,
}

/// A request as it leaves the host.
struct Prepared {
    request: http::Request<Full<Bytes>>,
    credential: Credential,
}

struct Inner {
    broker: Arc<Broker>,
    envelope: Arc<Envelope>,
    subject: Option<SubjectToken>,
    rules: ContentRules,
    trail: Trail,
    tally: Tally,
    keys: RequestKeys,
    used: AtomicUsize,
    bytes: AtomicUsize,
    stop: CancellationToken,
}

impl Broker {
    /// Makes a broker for these services.
    pub fn new(
        services: BTreeMap<String, Arc<Service>>,
        signer: Arc<Signer>,
        random: Arc<dyn Random>,
        limits: Limits,
    ) -> Self {
        Self {
            services,
            signer,
            random,
            limits,
            exchanged: ExchangeCache::default(),
            judged: content::places(),
            policy_point: None,
            meters: Meters::default(),
            denials: None,
        }
    }

    /// Makes no request that this policy point does not allow, to services that are under it.
    #[must_use]
    pub fn under_policy(self, policy_point: Option<PolicyPoint>) -> Self {
        Self {
            policy_point,
            ..self
        }
    }

    /// Returns the rules of a call with these arguments.
    pub fn rules(&self, deny: &Arc<[DenyRule]>, arguments: &Arc<Value>) -> ContentRules {
        let point = self.policy_point.as_ref();
        ContentRules::new(
            deny,
            arguments,
            point.is_some_and(PolicyPoint::tells_arguments),
        )
    }

    /// Makes no request that one of these denials stops.
    #[must_use]
    pub fn stopped_by(self, denials: Arc<Denials>) -> Self {
        Self {
            denials: Some(denials),
            ..self
        }
    }

    /// Forgets the credentials of users who are `unwanted`.
    pub fn forget(&self, unwanted: impl Fn(&Requester<'_>) -> bool) {
        self.exchanged.forget(unwanted);
    }

    /// Counts exchanges with these meters.
    #[must_use]
    pub fn measured(self, meters: Meters) -> Self {
        Self { meters, ..self }
    }

    /// Returns the authority that a call's envelope gives it, under the rules of its grant. The
    /// subject token serves for exchanges, and to find it in answers.
    pub fn authority(
        self: &Arc<Self>,
        envelope: Arc<Envelope>,
        subject: Option<SubjectToken>,
        rules: ContentRules,
        trail: Trail,
    ) -> Authority {
        let inner = Inner {
            broker: Arc::clone(self),
            envelope,
            subject,
            rules,
            trail,
            tally: Tally::default(),
            keys: RequestKeys::default(),
            used: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            stop: CancellationToken::new(),
        };
        Authority {
            inner: Arc::new(inner),
            tasks: TaskTracker::new(),
        }
    }
}

impl Authority {
    /// Ends the authority: stops every request that may still be stopped and waits until all of
    /// them are recorded. Returns the outcomes of the requests that were opened.
    pub async fn end(&self) -> DownstreamTally {
        self.inner.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.inner.tally.read()
    }
}

impl Services for Authority {
    /// Makes one downstream call. It runs to its own end, and is recorded, even if the caller stops
    /// waiting for it.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, DownstreamError>> {
        let inner = Arc::clone(&self.inner);
        let harmless = request::method(&request.method).is_ok_and(|method| is_safe(&method));
        // In its box before it moves, because it is large.
        let work = Box::pin(async move { inner.perform(request).await });
        Box::pin(async move {
            let task = self.tasks.spawn(work);
            // The task panicked, perhaps after the request had left.
            task.await.unwrap_or_else(|_| {
                let failed = DownstreamError::Unavailable("the host failed".into());
                Err(if harmless {
                    failed
                } else {
                    DownstreamError::UnknownOutcome(Box::new(failed))
                })
            })
        })
    }
}

impl Inner {
    /// Plans, records, acts, and records the end.
    async fn perform(&self, request: Request) -> Result<Response, DownstreamError> {
        // Every attempt up to the limit is recorded, and the first one over it. The rest of a flood
        // gets the same answer without a record each.
        let used = self.used.fetch_add(1, Ordering::Relaxed);
        if used > self.broker.limits.downstream_calls {
            return Err(DownstreamError::QuotaExhausted);
        }
        let asked = self.asked(&request);
        let planned = self.plan(used, request).await;
        let planned = match planned.and_then(|planned| self.unless_denied().map(|()| planned)) {
            Ok(planned) => planned,
            Err(refused) => return Err(self.refuse(asked, Some(refused)).await),
        };
        if let Err(refused) = self.ask_policy_point(&planned).await {
            return Err(self.refuse(planned.record(), refused).await);
        }
        let opened = self.trail.opened(planned.mode, planned.record());
        let settled = opened
            .await
            .map_err(|_| DownstreamError::AuditUnavailable)?;
        let mut progress = Attempt::default();
        let (sent, exchange) = (progress.sent.clone(), progress.exchange.clone());
        let prepare = Box::pin(self.prepare(&planned, &mut progress, settled));
        let result = match self
            .unless_stopped(GivenUp::Unsent, &exchange, prepare)
            .await
        {
            // The exchange was seen to its end, but whoever asked is gone: nothing is sent, not
            // even what would be finished once it was.
            Ok(_) if self.stop.is_cancelled() => Err(None),
            // Another request of this call may have ended meanwhile, or a token may have been
            // exchanged.
            Ok(prepared) => match self.trail.settled().await {
                Ok(settled) => {
                    let delivery = self.deliver(&planned, prepared, &mut progress, settled);
                    let delivery = Box::pin(delivery);
                    let given_up = GivenUp::delivery_of(&planned);
                    self.unless_stopped(given_up, &sent, delivery).await
                }
                Err(_) => Err(Some(DownstreamError::AuditUnavailable)),
            },
            Err(error) => Err(error),
        };
        let closing = planned.closing(&result, &progress);
        if let Err(Some(error)) = &result {
            let service = planned.service.settings.name.as_str();
            let call = self.envelope.claims().call.id.as_str();
            tracing::warn!(service, call, mode = planned.mode.as_str(), cause = %error, "a downstream call failed");
        }
        self.tally.count(&closing, is_safe(&planned.method));
        let closed = self.trail.closed(planned.mode, planned.record(), closing);
        let closed = closed.await.map_err(|_| DownstreamError::AuditUnavailable);
        let result = result.map_err(|error| error.unwrap_or(DownstreamError::TimedOut));
        // A response whose end could not be recorded does not reach the tool.
        let end = closed
            .and(result)
            .map_err(|error| error_of(error, &progress, &planned.method));
        if let Some(key) = progress.key {
            self.keys.settle(key, &end);
        }
        end
    }

    /// Records that the request is refused; without an error, that it was given up before it was
    /// allowed.
    async fn refuse(
        &self,
        asked: audit::Request,
        refused: Option<DownstreamError>,
    ) -> DownstreamError {
        let modes = self.envelope.claims().delegation.modes();
        let mode = modes.get(&*asked.service).copied();
        let why = refused.as_ref();
        let reason = why.map_or(DownstreamReason::Cancelled, DownstreamError::reason);
        let rule = why.and_then(DownstreamError::rule);
        let written = self.trail.refused(mode, asked, reason, rule).await;
        match written {
            Ok(()) => refused.unwrap_or(DownstreamError::TimedOut),
            Err(_) => DownstreamError::AuditUnavailable,
        }
    }

    /// Returns the actor, as rules and services know it.
    fn known(&self) -> KnownActor<'_> {
        KnownActor {
            actor: &self.envelope.claims().actor,
            alias: self.envelope.issuer_alias(),
        }
    }
}
