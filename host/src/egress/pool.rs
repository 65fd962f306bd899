//! Idle connections, each for one principal.
//!
//! A service that sends one byte too many makes the rest of a connection worthless: the next
//! request gets the remainder of the previous answer. So a connection never carries requests of two
//! principals, whatever the service sends.
//!
//! Invariant: a connection is reused only for the lane under which it was kept; there are at most
//! [`MAX_IDLE`] of them, and none stays longer than [`IDLE_TIME`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bailiwick_envelope::Actor;
use http::Uri;
use tokio::time::{Instant, sleep};

use crate::principal::ActorId;

/// For whom a connection carries requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// One user or service account.
    Actor(ActorId),
    /// The host itself, with its own credential.
    Host,
    /// All principals: the operator says that answers do not depend on the user.
    Everyone,
}

impl From<&Actor> for Party {
    fn from(actor: &Actor) -> Self {
        Self::Actor(actor.into())
    }
}

impl Party {
    /// How many connections may wait for it.
    fn most_idle(&self) -> usize {
        match self {
            Self::Actor(_) => MAX_IDLE_OF_ACTOR,
            Self::Host | Self::Everyone => MAX_IDLE,
        }
    }
}

/// The destination of a connection, and its principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) destination: Uri,
    pub(super) party: Party,
}

/// The idle connections of one client, least recently used first.
pub(super) struct Pool<C> {
    state: Mutex<IdleState<C>>,
}

struct IdleState<C> {
    idle: VecDeque<Idle<C>>,
    swept: bool,
}

struct Idle<C> {
    lane: Lane,
    connection: C,
    since: Instant,
}

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self {
            state: Mutex::new(IdleState {
                idle: VecDeque::new(),
                swept: false,
            }),
        }
    }
}

impl<C: Send + 'static> Pool<C> {
    /// Takes the most recently used connection of `lane`.
    pub(super) fn take(&self, lane: &Lane, now: Instant) -> Option<C> {
        let mut state = self.state();
        state.expire(now);
        let newest = state.idle.iter().rposition(|idle| idle.lane == *lane)?;
        state.idle.remove(newest).map(|idle| idle.connection)
    }

    /// Keeps a connection for the next request of `lane`. Closes the least recently used ones if
    /// there are too many.
    pub(super) fn keep(self: &Arc<Self>, lane: Lane, connection: C, now: Instant) {
        let mut state = self.state();
        state.expire(now);
        if state.idle.iter().filter(|idle| idle.lane == lane).count() >= lane.party.most_idle()
            && let Some(oldest) = state.idle.iter().position(|idle| idle.lane == lane)
        {
            state.idle.remove(oldest);
        }
        if state.idle.len() >= MAX_IDLE {
            state.idle.pop_front();
        }
        state.idle.push_back(Idle {
            lane,
            connection,
            since: now,
        });
        if !state.swept {
            state.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes connections that have been idle for too long. Returns whether any are left.
    fn sweep(&self, now: Instant) -> bool {
        let mut state = self.state();
        state.expire(now);
        state.swept = !state.idle.is_empty();
        state.swept
    }

    /// Counts the idle connections that match.
    #[cfg(test)]
    pub(super) fn count(&self, so: impl Fn(&C) -> bool) -> usize {
        self.state()
            .idle
            .iter()
            .filter(|idle| so(&idle.connection))
            .count()
    }

    fn state(&self) -> MutexGuard<'_, IdleState<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> IdleState<C> {
    fn expire(&mut self, now: Instant) {
        self.idle
            .retain(|idle| now.saturating_duration_since(idle.since) < IDLE_TIME);
    }
}

/// Closes connections on time even if no further request comes.
async fn sweep<C: Send + 'static>(pool: Weak<Pool<C>>) {
    loop {
        sleep(IDLE_TIME).await;
        if !pool
            .upgrade()
            .is_some_and(|pool| pool.sweep(Instant::now()))
        {
            return;
        }
    }
}

/// The time that a connection waits for the next request.
const IDLE_TIME: Duration = Duration::from_secs(10);
/// The most idle connections of one client, which is one service or one authorization server.
const MAX_IDLE: usize = 64;
/// The most idle connections of one actor at one client.
const MAX_IDLE_OF_ACTOR: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Principal;

    fn lane(sub: &str) -> Lane {
        let party = Party::Actor(ActorId {
            principal: Principal::new("https://idp.example", sub),
            tenant: None,
            service: false,
        });
        Lane {
            destination: Uri::from_static("https://orders.example"),
            party,
        }
    }

    #[tokio::test]
    async fn a_connection_is_found_only_under_everything_that_it_was_made_for() {
        let (pool, now) = (Arc::new(Pool::default()), Instant::now());
        let own = lane("alice");
        let actor = |issuer: &str, sub: &str, tenant: Option<&str>| {
            Party::Actor(ActorId {
                principal: Principal::new(issuer, sub),
                tenant: tenant.map(String::from),
                service: false,
            })
        };
        let service_account = Party::Actor(ActorId {
            principal: Principal::new("https://idp.example", "alice"),
            tenant: None,
            service: true,
        });
        let others = [
            Lane {
                destination: Uri::from_static("http://orders.example"),
                ..own.clone()
            },
            Lane {
                destination: Uri::from_static("https://orders.example:8443"),
                ..own.clone()
            },
            Lane {
                party: actor("https://idp.example", "bob", None),
                ..own.clone()
            },
            Lane {
                party: actor("https://partner.example", "alice", None),
                ..own.clone()
            },
            Lane {
                party: actor("https://idp.example", "alice", Some("acme")),
                ..own.clone()
            },
            Lane {
                party: service_account,
                ..own.clone()
            },
            Lane {
                party: Party::Host,
                ..own.clone()
            },
            Lane {
                party: Party::Everyone,
                ..own.clone()
            },
        ];
        pool.keep(own.clone(), 1, now);
        for other in &others {
            assert_eq!(pool.take(other, now), None, "{other:?}");
        }
        assert_eq!(pool.take(&own, now), Some(1));
        assert_eq!(pool.take(&own, now), None, "once");
    }

    #[tokio::test]
    async fn connections_are_few_for_each_actor_and_for_all() {
        let (pool, now) = (Arc::new(Pool::default()), Instant::now());
        for number in 0..10 {
            pool.keep(lane("alice"), number, now);
        }
        let kept: Vec<_> = std::iter::from_fn(|| pool.take(&lane("alice"), now)).collect();
        assert_eq!(kept, [9, 8, 7, 6], "the newest, newest first");
        for number in 0..=MAX_IDLE {
            pool.keep(lane(&number.to_string()), number, now);
        }
        assert_eq!(pool.count(|_| true), MAX_IDLE);
        assert_eq!(
            pool.take(&lane("0"), now),
            None,
            "the least recently used one is closed"
        );
        assert_eq!(pool.take(&lane("1"), now), Some(1));
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_on_time_though_nothing_happens() {
        let (pool, now) = (Arc::new(Pool::default()), Instant::now());
        pool.keep(lane("alice"), 1, now);
        pool.keep(lane("bob"), 2, now + IDLE_TIME / 2);
        assert_eq!(
            pool.take(&lane("alice"), now + IDLE_TIME),
            None,
            "nor is it used"
        );
        assert!(pool.sweep(now + IDLE_TIME), "bob's is still there");
        assert_eq!(pool.count(|_| true), 1);
        assert!(!pool.sweep(now + IDLE_TIME * 2));
        assert_eq!(pool.count(|_| true), 0);
        assert!(!pool.state().swept);
    }
}
