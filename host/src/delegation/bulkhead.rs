//! Keeps the trouble of one service, and of one actor at a service, where it is.
//!
//! A service has so many places, and one actor at most a quarter of them. A service that gives no
//! answers is not asked for a while, so that calls fail at once in place of waiting: after a pause
//! one request tries it. The policy point has such places too, and so have, in the host itself,
//! long requests that rules judge.
//!
//! Trusts no answer and no actor: a request that one actor makes may be what takes too long, so
//! failures that a request can cause count against its actor alone, until another has them too.
//!
//! Invariant: nothing here is shared between services.

mod breaker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::downstream::DownstreamError;
use crate::egress::{EgressError, Sent};
use crate::principal::ActorId;
use breaker::Breaker;
pub(super) use breaker::{Change, Trouble};

/// The places of one service.
pub(super) struct Bulkhead {
    places: Semaphore,
    most_of_actor: usize,
    state: Mutex<BulkheadState>,
}

#[derive(Default)]
struct BulkheadState {
    breaker: Breaker,
    shares: HashMap<ActorId, UserShare>,
}

/// The places of one actor, for as long as any of the actor's requests is here.
struct UserShare {
    places: Arc<Semaphore>,
    requests: usize,
}

/// A place at a service, for one request. Given up when it is dropped.
pub(super) struct ServicePlace<'b> {
    bulkhead: &'b Bulkhead,
    actor: ActorId,
    is_probe: bool,
    permits: Option<(OwnedSemaphorePermit, SemaphorePermit<'b>)>,
}

/// Why a request is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoServicePlace {
    /// The service gave no answers, and this is the time until it is tried again. It is zero while
    /// a request tries it.
    #[error(
        "the service gave no answer to several requests in a row, so the host does not ask it {}",
        shown(*.0)
    )]
    Paused(Duration),
    /// All places are taken, or all of this actor.
    #[error("the service has as many requests of this host, or of this user, as it may have")]
    Full,
}

/// Says how long a service is not asked.
fn shown(rest: Duration) -> String {
    match rest.as_millis().div_ceil(1000) {
        0 => "until the request that tries it now has an answer".to_owned(),
        1 => "for the next second".to_owned(),
        seconds => format!("for the next {seconds} seconds"),
    }
}

impl NoServicePlace {
    /// Returns the word for metrics.
    pub(super) fn outcome(self) -> &'static str {
        match self {
            Self::Paused(_) => "paused",
            Self::Full => "full",
        }
    }
}

impl From<NoServicePlace> for DownstreamError {
    fn from(why: NoServicePlace) -> Self {
        Self::Unavailable(why.to_string())
    }
}

impl Bulkhead {
    /// Makes a bulkhead with so many places.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            most_of_actor: places.div_ceil(4),
            state: Mutex::default(),
        }
    }

    /// Fails if the service is not asked now.
    pub(super) fn unless_paused(
        &self,
        actor: &ActorId,
        now: Instant,
    ) -> Result<(), NoServicePlace> {
        match self.state().breaker.pause(actor, now) {
            Some(rest) => Err(NoServicePlace::Paused(rest)),
            None => Ok(()),
        }
    }

    /// Takes a place, for which a request waits no longer than `wait`.
    pub(super) async fn enter(
        &self,
        actor: ActorId,
        wait: Duration,
    ) -> Result<ServicePlace<'_>, NoServicePlace> {
        let own = self.share(&actor);
        // From here on the share is given back, whatever happens.
        let mut place = ServicePlace {
            bulkhead: self,
            actor,
            is_probe: false,
            permits: None,
        };
        // First the actor's own, so that those who wait for these are in nobody's way.
        let both = async {
            Some((
                own.acquire_owned().await.ok()?,
                self.places.acquire().await.ok()?,
            ))
        };
        place.permits = timeout(wait, both).await.ok().flatten();
        if place.permits.is_none() {
            return Err(NoServicePlace::Full);
        }
        let admitted = self.state().breaker.admit(&place.actor, Instant::now());
        place.is_probe = admitted.map_err(NoServicePlace::Paused)?;
        Ok(place)
    }

    /// Returns the places of one actor.
    fn share(&self, actor: &ActorId) -> Arc<Semaphore> {
        let mut state = self.state();
        let share = state
            .shares
            .entry(actor.clone())
            .or_insert_with(|| UserShare {
                places: Arc::new(Semaphore::new(self.most_of_actor)),
                requests: 0,
            });
        share.requests += 1;
        Arc::clone(&share.places)
    }

    fn release(&self, actor: &ActorId, is_probe: bool) {
        let mut state = self.state();
        if is_probe {
            state.breaker.given_up();
        }
        if let Some(share) = state.shares.get_mut(actor) {
            share.requests -= 1;
            if share.requests == 0 {
                state.shares.remove(actor);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, BulkheadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServicePlace<'_> {
    /// Gives the place back, with what its request says about the service. Returns what the
    /// operator should hear of.
    pub(super) fn leave(self, answer: Result<(), &EgressError>, sent: &Sent) -> Option<Change> {
        match answer {
            Ok(()) => self.answered(),
            Err(error) if error.is_answer() => self.answered(),
            // The host does not ask, whatever state the service is in.
            Err(EgressError::Blocked(_)) => None,
            Err(_) if sent.may_have_arrived() => self.failed(Trouble::Sent),
            Err(_) => self.failed(Trouble::Unsent),
        }
    }

    /// Notes that the service answered.
    pub(super) fn answered(self) -> Option<Change> {
        self.bulkhead.state().breaker.answered()
    }

    /// Notes that the service did not answer.
    pub(super) fn failed(mut self, failure: Trouble) -> Option<Change> {
        let is_probe = std::mem::take(&mut self.is_probe);
        let mut state = self.bulkhead.state();
        state
            .breaker
            .failed(&self.actor, failure, is_probe, Instant::now())
    }
}

impl Drop for ServicePlace<'_> {
    /// A probe that was given up says nothing, so the next request is the probe.
    fn drop(&mut self) {
        self.bulkhead.release(&self.actor, self.is_probe);
    }
}

#[cfg(test)]
mod tests;
