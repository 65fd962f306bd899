//! The pace of requests: the number that one principal, and one tenant, may make in a minute, and
//! at once.
//!
//! Invariant: the memory for it is bounded, and no principal is slowed down by one of another
//! tenant.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;
use crate::principal::{Principal, Tenant};

/// The pace that each principal and each tenant has to keep. A generic cell rate algorithm: it
/// remembers one instant for each of them.
///
/// Example: with 60 calls a minute and a burst of 5, a principal may make five requests at once and
/// then one each second.
pub struct Pace {
    user: Rate,
    tenant: Rate,
    kept: Mutex<Kept>,
}

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time between two requests at the steady rate.
    interval: Duration,
    /// The lead over the steady rate that a caller may have.
    ahead: Duration,
}

/// A request that comes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooEarly {
    /// The time to wait before the next one.
    pub wait: Duration,
    /// True if all callers of the tenant together are too fast.
    pub of_tenant: bool,
}

#[derive(Default)]
struct Kept {
    users: Generations<Principal>,
    tenants: Generations<Tenant>,
    /// The tenants with a rate of their own.
    rates: HashMap<Tenant, Rate>,
}

/// The instant at which each name is back at the steady rate. A name without a request for a whole
/// generation is forgotten and starts afresh.
struct Generations<N> {
    young: HashMap<N, Instant>,
    old: HashMap<N, Instant>,
}

impl<N> Default for Generations<N> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl Pace {
    /// Reads the pace from the configuration.
    pub fn new(limits: &Limits) -> Self {
        Self {
            user: Rate::new(limits.calls_per_minute, limits.calls_burst),
            tenant: Rate::new(
                limits.calls_per_minute_per_tenant,
                limits.calls_burst_per_tenant,
            ),
            kept: Mutex::default(),
        }
    }

    /// Gives some tenants a rate of their own, and all others the usual one.
    pub fn share(&self, rates: HashMap<Tenant, Rate>) {
        self.lock().rates = rates;
    }

    /// Counts a request of `principal`, in `tenant` if it has one, that arrives `now`.
    ///
    /// # Errors
    /// Fails if it comes too early. Then it is not counted.
    pub fn step(
        &self,
        principal: Principal,
        tenant: Option<&Tenant>,
        now: Instant,
    ) -> Result<(), TooEarly> {
        let mut kept = self.lock();
        let user = kept.users.due(&principal, self.user, now);
        let user = user.map_err(|wait| TooEarly {
            wait,
            of_tenant: false,
        })?;
        if let Some(tenant) = tenant {
            let rate = kept.rates.get(tenant).copied().unwrap_or(self.tenant);
            let due = kept.tenants.due(tenant, rate, now);
            let due = due.map_err(|wait| TooEarly {
                wait,
                of_tenant: true,
            })?;
            kept.tenants.put(tenant.clone(), due, now);
        }
        kept.users.put(principal, user, now);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rate {
    /// Returns the rate of so many requests in a minute, and so many at once.
    pub fn new(per_minute: usize, burst: usize) -> Self {
        let at_least_one = |number| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        let interval = Duration::from_mins(1) / at_least_one(per_minute);
        Self {
            interval,
            ahead: interval.saturating_mul(at_least_one(burst) - 1),
        }
    }
}

impl<N: Eq + Hash> Generations<N> {
    /// Returns the instant at which `name` is back at the steady rate after one more request.
    ///
    /// # Errors
    /// Fails with the time to wait if the request comes too early.
    fn due(&self, name: &N, rate: Rate, now: Instant) -> Result<Instant, Duration> {
        let due = self.find(name).map_or(now, |due| due.max(now));
        let early = due
            .saturating_duration_since(now)
            .saturating_sub(rate.ahead);
        if early > Duration::ZERO {
            return Err(early);
        }
        Ok(due + rate.interval)
    }

    fn find(&self, name: &N) -> Option<Instant> {
        self.young.get(name).or_else(|| self.old.get(name)).copied()
    }

    fn put(&mut self, name: N, due: Instant, now: Instant) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
            // A name at the steady rate needs no memory: a new one is treated the same.
            self.old.retain(|_, due| *due > now);
        }
        self.young.insert(name, due);
    }
}

/// The names of one generation. Two generations are kept.
const GENERATION: usize = 32_768;

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(calls_per_minute: usize, calls_burst: usize) -> Pace {
        Pace::new(&Limits {
            calls_per_minute,
            calls_burst,
            ..Limits::default()
        })
    }

    fn step(pace: &Pace, principal: Principal, now: Instant) -> Result<(), Duration> {
        pace.step(principal, None, now).map_err(|early| early.wait)
    }

    fn user(name: &str) -> Principal {
        Principal::new("https://issuer.example", name)
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_interval() {
        let (pace, now) = (pace(60, 5), Instant::now());
        let admitted = |at: u64| step(&pace, user("mallory"), now + Duration::from_millis(at));
        assert_eq!((0..5).filter(|_| admitted(0).is_ok()).count(), 5);
        assert_eq!(admitted(0), Err(Duration::from_secs(1)));
        assert_eq!(admitted(400), Err(Duration::from_millis(600)));
        assert_eq!(admitted(1000), Ok(()));
        assert!(admitted(1001).is_err());
        assert_eq!(
            (0..9).filter(|_| admitted(60_000).is_ok()).count(),
            5,
            "after a rest it is a burst again"
        );
    }

    #[test]
    fn nobody_is_slowed_down_by_another() {
        let (pace, now) = (pace(1, 1), Instant::now());
        assert!(step(&pace, user("mallory"), now).is_ok());
        assert!(step(&pace, user("mallory"), now).is_err());
        assert!(step(&pace, user("alice"), now).is_ok());
        let elsewhere = Principal::new("https://partner.example", "mallory");
        assert!(
            step(&pace, elsewhere, now).is_ok(),
            "a principal is the pair of issuer and subject"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (pace, now) = (pace(1, 1), Instant::now());
        for n in 0..3 * GENERATION {
            assert!(step(&pace, user(&n.to_string()), now).is_ok());
        }
        let last = user(&(3 * GENERATION - 1).to_string());
        assert!(
            step(&pace, last, now).is_err(),
            "who was seen lately is not forgotten"
        );
        let users = &pace.lock().users;
        assert!(users.young.len() + users.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn a_tenant_that_floods_with_many_users_slows_down_itself_alone() {
        let (acme, flood) = (
            Tenant::new("https://issuer.example", "acme"),
            Tenant::new("https://issuer.example", "flood"),
        );
        let limits = Limits {
            calls_per_minute_per_tenant: 60,
            calls_burst_per_tenant: 10,
            ..Limits::default()
        };
        let (pace, now) = (Pace::new(&limits), Instant::now());
        let admitted = (0..1000).filter(|n| {
            let step = pace.step(user(&format!("flood{n}")), Some(&flood), now);
            step.is_ok()
        });
        assert_eq!(admitted.count(), 10);
        let early = pace.step(user("flood0"), Some(&flood), now);
        let expected = TooEarly {
            wait: Duration::from_secs(1),
            of_tenant: true,
        };
        assert_eq!(early, Err(expected));
        assert!(pace.step(user("alice"), Some(&acme), now).is_ok());
        assert!(pace.step(user("bob"), None, now).is_ok());

        // A rate of its own holds at once, and a request that is refused is not counted.
        pace.share(HashMap::from([(acme.clone(), Rate::new(60, 2))]));
        assert!(pace.step(user("alice"), Some(&acme), now).is_ok());
        for _ in 0..3 {
            assert!(pace.step(user("alice"), Some(&acme), now).is_err());
        }
        let later = now + Duration::from_secs(1);
        assert!(pace.step(user("alice"), Some(&acme), later).is_ok());
        pace.share(HashMap::new());
        assert!(pace.step(user("alice"), Some(&acme), later).is_ok());
    }
}
