//! One call's authority to reach services, and the broker that carries it out.

mod credentials;
mod delivery;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick_envelope::{ActorKind, DelegationMode};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Method;
use http_body_util::Full;
use hyper::body::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cache::ExchangeCache;
use super::credential::Credential;
use super::planned::{Planned, Progress, absolute, error_of, is_safe, outcome_of, unknown};
use super::request;
use super::service::Service;
use super::tally::Tally;
use crate::audit::{Downstream, Event, Outcome, Trail};
use crate::downstream::{
    DownstreamError, DownstreamTally, Part, Piece, Request, Response, Services,
};
use crate::envelope::{Envelope, Signer};
use crate::identity::SubjectToken;
use crate::observe::Meters;
use crate::reason::DownstreamReason;
use crate::seams::Random;

/// Knows the services and holds what is needed to reach them.
pub struct Broker {
    services: BTreeMap<String, Arc<Service>>,
    signer: Arc<Signer>,
    random: Arc<dyn Random>,
    limits: BrokerLimits,
    exchanged: ExchangeCache,
    meters: Meters,
}

/// Bounds of the downstream calls of one call.
#[derive(Debug, Clone, Copy)]
pub struct BrokerLimits {
    /// How many.
    pub calls: usize,
    /// How long one may take.
    pub time: Duration,
    /// Largest body of an answer, bytes.
    pub answer: usize,
    /// Largest body of a request, bytes.
    pub request: usize,
    /// All bodies together, bytes.
    pub total: usize,
}

/// What one call may do downstream. Lives exactly as long as the call; the subject token with it.
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
    trail: Trail,
    tally: Tally,
    used: AtomicUsize,
    bytes: AtomicUsize,
    stop: CancellationToken,
}

impl Broker {
    /// A broker for these services.
    pub fn new(
        services: BTreeMap<String, Arc<Service>>,
        signer: Arc<Signer>,
        random: Arc<dyn Random>,
        limits: BrokerLimits,
    ) -> Self {
        Self {
            services,
            signer,
            random,
            limits,
            exchanged: ExchangeCache::default(),
            meters: Meters::default(),
        }
    }

    /// Counts exchanges by these meters.
    #[must_use]
    pub fn measured(self, meters: Meters) -> Self {
        Self { meters, ..self }
    }

    /// Takes over what one call may do: what its envelope says. The subject token is for exchanges,
    /// and to find it in answers.
    pub fn authority(
        self: &Arc<Self>,
        envelope: Arc<Envelope>,
        subject: Option<SubjectToken>,
        trail: Trail,
    ) -> Authority {
        let inner = Inner {
            broker: Arc::clone(self),
            envelope,
            subject,
            trail,
            tally: Tally::default(),
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
    /// Ends the authority: stops what may still be stopped and waits until all of it is recorded.
    /// Tells how the requests that were opened ended.
    pub async fn end(&self) -> DownstreamTally {
        self.inner.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.inner.tally.read()
    }
}

impl Services for Authority {
    /// Makes one downstream call. It goes on to its own end, recorded, even if the caller stops
    /// waiting for it.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, DownstreamError>> {
        let inner = Arc::clone(&self.inner);
        let harmless = request::method(&request.method).is_ok_and(|method| is_safe(&method));
        Box::pin(async move {
            let task = self
                .tasks
                .spawn(async move { inner.perform(request).await });
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
    /// Plan, record, act, record.
    async fn perform(&self, request: Request) -> Result<Response, DownstreamError> {
        // Every attempt up to the limit is recorded, and the first one over it; the rest of a flood
        // gets the same answer without a record each.
        let used = self.used.fetch_add(1, Ordering::Relaxed);
        if used > self.broker.limits.calls {
            return Err(DownstreamError::QuotaExhausted);
        }
        let asked = self.asked(&request);
        let planned = match self.plan(used, request) {
            Ok(planned) => planned,
            Err(refused) => {
                let ended = Some((Outcome::Refused, Some(refused.reason())));
                let mode = self
                    .envelope
                    .claims()
                    .delegation
                    .modes()
                    .get(&asked.service)
                    .copied();
                let written = self
                    .trail
                    .downstream(Event::DownstreamRefused, mode, asked, ended)
                    .await;
                return Err(written.map_or(DownstreamError::AuditUnavailable, |()| refused));
            }
        };
        let opened = self.trail.downstream(
            Event::DownstreamOpened,
            Some(planned.mode),
            planned.record(None),
            None,
        );
        opened
            .await
            .map_err(|_| DownstreamError::AuditUnavailable)?;
        let mut progress = Progress::default();
        let result = match self
            .unless_stopped(true, self.prepare(&planned, &mut progress))
            .await
        {
            Ok(prepared) => {
                let delivery = self.deliver(&planned, prepared, &mut progress);
                self.unless_stopped(!planned.finishes(), delivery).await
            }
            Err(error) => Err(error),
        };
        if let Err(Some(error)) = &result {
            let service = planned.service.settings.name.as_str();
            let call = self.envelope.claims().call.id.as_str();
            tracing::warn!(service, call, mode = planned.mode.as_str(), cause = %error, "a downstream call failed");
        }
        let ended = match &result {
            Ok(_) => (Outcome::Done, None),
            Err(Some(error)) => (
                outcome_of(error, &progress, &planned.method),
                Some(error.reason()),
            ),
            Err(None) => (
                planned.given_up(&progress),
                Some(DownstreamReason::Cancelled),
            ),
        };
        self.tally.count(ended.0);
        let closed = planned.record(Some(&progress));
        let closed = self.trail.downstream(
            Event::DownstreamClosed,
            Some(planned.mode),
            closed,
            Some(ended),
        );
        let closed = closed.await.map_err(|_| DownstreamError::AuditUnavailable);
        let result = result.map_err(|error| error.unwrap_or(DownstreamError::TimedOut));
        closed
            .and(result)
            .map_err(|error| error_of(error, ended.0, &progress, &planned.method))
    }

    /// Does `work` to its end, or gives it up (`None`) when the authority ends, if it may be given
    /// up.
    async fn unless_stopped<T>(
        &self,
        may_stop: bool,
        work: impl Future<Output = Result<T, DownstreamError>>,
    ) -> Result<T, Option<DownstreamError>> {
        tokio::select! {
            biased;
            () = self.stop.cancelled(), if may_stop => Err(None),
            result = AssertUnwindSafe(work).catch_unwind() => match result {
                Ok(result) => result.map_err(Some),
                Err(_) => Err(Some(DownstreamError::Unavailable("the host failed".into()))),
            },
        }
    }

    /// What a refusal may say of the request: names of ours, never text of the tool's.
    fn asked(&self, request: &Request) -> Downstream {
        let granted = self
            .envelope
            .claims()
            .delegation
            .modes()
            .contains_key(&request.service);
        let service = if granted {
            request.service.clone()
        } else {
            "(not granted)".to_owned()
        };
        let method = request::method(&request.method)
            .map_or("(other)".to_owned(), |method| method.to_string());
        Downstream {
            service,
            method,
            ..unknown()
        }
    }

    /// Checks the request against the grant. Nothing has left the host yet.
    fn plan(&self, used: usize, request: Request) -> Result<Planned, DownstreamError> {
        let claims = self.envelope.claims();
        let limits = self.broker.limits;
        if used >= limits.calls {
            return Err(DownstreamError::QuotaExhausted);
        }
        let mode = claims
            .delegation
            .modes()
            .get(&request.service)
            .copied()
            .ok_or(DownstreamError::UnknownService)?;
        let service = self
            .broker
            .services
            .get(&request.service)
            .ok_or(DownstreamError::UnknownService)?;
        if request.body.len() > limits.request {
            return Err(DownstreamError::InvalidRequest(format!(
                "the body is larger than {} bytes",
                limits.request
            )));
        }
        let method = request::method(&request.method)?;
        let before = self.bytes.fetch_add(request.body.len(), Ordering::Relaxed);
        if before.saturating_add(request.body.len()) > limits.total {
            return Err(DownstreamError::QuotaExhausted);
        }
        if !request.body.is_empty() && matches!(method, Method::GET | Method::HEAD) {
            return Err(DownstreamError::InvalidRequest(
                "GET and HEAD have no body".into(),
            ));
        }
        let headers = request::headers(&request.headers)?;
        let (template, target) = self.cover(service, &request)?;
        self.check_identity(service, mode)?;
        let target = absolute(&service.settings.url, &target)?;
        Ok(Planned {
            service: Arc::clone(service),
            mode,
            template,
            method,
            target,
            headers,
            body: request.body,
        })
    }

    /// The first template of the service that covers the request.
    fn cover(
        &self,
        service: &Service,
        request: &Request,
    ) -> Result<(String, String), DownstreamError> {
        let actor = &self.envelope.claims().actor;
        let parts = request
            .path
            .iter()
            .chain(request.query.iter().map(|(_, part)| part));
        let pieces = || parts.clone().flat_map(|Part(pieces)| pieces);
        let known = service
            .settings
            .actor_issuers
            .iter()
            .any(|alias| alias == self.envelope.issuer_alias());
        if !known && pieces().any(|piece| !matches!(piece, Piece::Text(_))) {
            return Err(DownstreamError::NotGranted(
                "the service does not know the subjects of this issuer".into(),
            ));
        }
        // A service account may be called like a user (RFC 9068 §5), who then would be it.
        if actor.kind != ActorKind::User
            && !service.settings.service_accounts
            && pieces().any(|piece| matches!(piece, Piece::ActorSub))
        {
            return Err(DownstreamError::IdentityUnavailable);
        }
        for template in &service.settings.allow {
            if let Some(target) = template.fill(request, actor)? {
                return Ok((template.path().to_owned(), target));
            }
        }
        let covered = service
            .settings
            .allow
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        Err(DownstreamError::NotGranted(format!(
            "{} covers {covered}",
            service.settings.name
        )))
    }

    /// Whether this call has the identity that the mode needs. There is no second choice.
    fn check_identity(
        &self,
        service: &Service,
        mode: DelegationMode,
    ) -> Result<(), DownstreamError> {
        if mode == DelegationMode::ServiceIdentity {
            return Ok(());
        }
        self.exchange(service).map(drop)
    }
}
