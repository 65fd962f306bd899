//! Decides when a service that gives no answers is asked again.

use std::time::Duration;

use tokio::time::Instant;

use crate::principal::ActorId;

/// The failures of one service since its last answer.
#[derive(Default)]
pub(super) struct Breaker {
    failures: u32,
    whose: Whose,
    paused: Option<Paused>,
}

/// Those whose requests a pause stops.
#[derive(Default, PartialEq, Eq)]
enum Whose {
    #[default]
    Nobody,
    /// The one actor who had all the failures, each of which a request can cause.
    Actor(ActorId),
    Everyone,
}

struct Paused {
    until: Instant,
    length: Duration,
    /// Whether a request tries the service now.
    probed: bool,
}

/// A request without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delegation) enum Trouble {
    /// There was no connection, which no request can cause.
    Unsent,
    /// The request left, and may itself be why there is no answer.
    Sent,
}

/// What the operator should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delegation) enum Change {
    /// The service is not asked for this long.
    Paused(Duration),
    /// The service answers again.
    Resumed,
}

impl Breaker {
    /// Returns how long requests of this actor are still stopped, if they are. Takes no turn.
    pub(super) fn pause(&self, actor: &ActorId, now: Instant) -> Option<Duration> {
        let paused = self.paused.as_ref().filter(|_| self.whose.is(actor))?;
        let rest = paused.until.saturating_duration_since(now);
        (paused.probed || !rest.is_zero()).then_some(rest)
    }

    /// Lets a request through, and returns whether it is the one that tries the service.
    ///
    /// # Errors
    /// The service is not asked for this long.
    pub(super) fn admit(&mut self, actor: &ActorId, now: Instant) -> Result<bool, Duration> {
        if let Some(rest) = self.pause(actor, now) {
            return Err(rest);
        }
        let concerned = self.whose.is(actor);
        Ok(match self.paused.as_mut().filter(|_| concerned) {
            Some(paused) => {
                paused.probed = true;
                true
            }
            None => false,
        })
    }

    /// Notes an answer, which ends everything.
    pub(super) fn answered(&mut self) -> Option<Change> {
        let before = std::mem::take(self);
        before.paused.map(|_| Change::Resumed)
    }

    /// Notes a failure.
    pub(super) fn failed(
        &mut self,
        actor: &ActorId,
        failure: Trouble,
        is_probe: bool,
        now: Instant,
    ) -> Option<Change> {
        self.failures = self.failures.saturating_add(1);
        self.whose.widen(actor, failure);
        let length = match &self.paused {
            None if self.failures >= FAILURES => FIRST_PAUSE,
            Some(paused) if is_probe => (paused.length * 2).min(LONGEST_PAUSE),
            // It was under way when the pause began.
            Some(_) | None => return None,
        };
        self.paused = Some(Paused {
            until: now + length,
            length,
            probed: false,
        });
        Some(Change::Paused(length))
    }

    /// Notes that the request that tried the service ended without a result.
    pub(super) fn given_up(&mut self) {
        if let Some(paused) = &mut self.paused {
            paused.probed = false;
        }
    }
}

impl Whose {
    fn is(&self, actor: &ActorId) -> bool {
        match self {
            Self::Nobody => false,
            Self::Actor(only) => only == actor,
            Self::Everyone => true,
        }
    }

    fn widen(&mut self, actor: &ActorId, failure: Trouble) {
        *self = match (std::mem::take(self), failure) {
            (Self::Nobody, Trouble::Sent) => Self::Actor(actor.clone()),
            (Self::Actor(only), Trouble::Sent) if only == *actor => Self::Actor(only),
            _ => Self::Everyone,
        };
    }
}

/// The failures in a row after which a service is not asked.
const FAILURES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
