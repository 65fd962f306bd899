//! Bounds on memory and tables: of one call, of one principal's calls, and of all calls together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasmtime::ResourceLimiter;

use super::engine::{MAX_MEMORIES, MAX_TABLES};
use crate::limits::Limits;
use crate::principal::Principal;

/// Linear memory of all calls together.
#[derive(Debug)]
pub(super) struct Budget {
    all: Amount,
    /// The bytes that one owner may have.
    each: usize,
    shares: Mutex<HashMap<Owner, Weak<Share>>>,
}

/// The owner of the memory that calls use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// The host, when it asks a component to describe its tools.
    Host,
    /// A caller.
    User(Principal),
}

/// The part of the budget that all calls of one owner use.
#[derive(Debug)]
pub(super) struct Share {
    own: Amount,
    owner: Owner,
    budget: Arc<Budget>,
}

/// The bytes in use, and the bytes allowed.
#[derive(Debug)]
struct Amount {
    used: AtomicUsize,
    max: usize,
}

impl Amount {
    fn of(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.max);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Budget {
    /// Makes a budget in which one owner may have a quarter, so that no owner takes everyone's
    /// memory, but never less than a single call may have.
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let each = (limits.memory_total / 4).max(limits.memory);
        Arc::new(Self {
            all: Amount::of(limits.memory_total),
            each,
            shares: Mutex::default(),
        })
    }

    /// Returns the share of one owner, which lives as long as a call holds it.
    pub(super) fn share(self: &Arc<Self>, owner: Owner) -> Arc<Share> {
        let mut shares = self.lock();
        if let Some(share) = shares.get(&owner).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Share {
            own: Amount::of(self.each),
            owner: owner.clone(),
            budget: Arc::clone(self),
        });
        shares.insert(owner, Arc::downgrade(&share));
        share
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Weak<Share>>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the bytes that calls use now.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.all.used.load(Ordering::Relaxed)
    }
}

impl Share {
    fn take(&self, bytes: usize) -> Result<(), Exceeded> {
        if !self.own.take(bytes) {
            return Err(Exceeded::User);
        }
        if !self.budget.all.take(bytes) {
            self.own.give_back(bytes);
            return Err(Exceeded::Host);
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.own.give_back(bytes);
        self.budget.all.give_back(bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.budget.lock();
        // A new share may have taken its place already.
        if shares
            .get(&self.owner)
            .is_some_and(|share| share.strong_count() == 0)
        {
            shares.remove(&self.owner);
        }
    }
}

/// The growth of one store, counted against the bounds and given back when dropped.
pub(super) struct Growth {
    memory: usize,
    max_memory: usize,
    max_elements: usize,
    max_instances: usize,
    share: Arc<Share>,
    /// The bound that was hit last, which explains why a guest failed.
    pub(super) exceeded: Option<Exceeded>,
}

/// A bound that a guest hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// The bound of the call itself.
    Own,
    /// The bound of all calls of the same principal.
    User,
    /// The bound of all calls together.
    Host,
}

impl Growth {
    pub(super) fn new(limits: &Limits, share: Arc<Share>) -> Self {
        Self {
            memory: 0,
            max_memory: limits.memory,
            max_elements: limits.table_elements,
            max_instances: limits.instances,
            share,
            exceeded: None,
        }
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let total = self.memory.saturating_add(more);
        if total > self.max_memory {
            self.exceeded = Some(Exceeded::Own);
            return Ok(false);
        }
        if let Err(exceeded) = self.share.take(more) {
            self.exceeded = Some(exceeded);
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.max_elements;
        if !fits {
            self.exceeded = Some(Exceeded::Own);
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        self.share.give_back(self.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grow(growth: &mut Growth, from: usize, to: usize) -> bool {
        growth.memory_growing(from, to, None).is_ok_and(|fits| fits)
    }

    fn user(name: &str) -> Owner {
        Owner::User(Principal::new("issuer", name))
    }

    #[test]
    fn a_call_a_principal_and_all_calls_have_bounds_of_their_own() {
        let limits = Limits {
            memory: 100,
            memory_total: 600,
            ..Limits::default()
        };
        let budget = Budget::new(&limits);
        let call = |owner: &str| Growth::new(&limits, budget.share(user(owner)));
        let mut one = call("alice");
        assert!(grow(&mut one, 0, 60) && grow(&mut one, 0, 40));
        assert!(!grow(&mut one, 40, 41));
        assert_eq!(one.exceeded, Some(Exceeded::Own));

        let mut second = call("alice");
        assert!(grow(&mut second, 0, 50));
        assert!(!grow(&mut second, 50, 51));
        assert_eq!(second.exceeded, Some(Exceeded::User), "a quarter is 150");
        drop(one);
        assert!(grow(&mut second, 50, 100));

        let mut others: Vec<_> = ["bob", "carol", "dan", "erin", "frank"].map(call).into();
        assert!(others.iter_mut().all(|other| grow(other, 0, 100)));
        let mut last = call("grace");
        assert!(!grow(&mut last, 0, 1));
        assert_eq!(last.exceeded, Some(Exceeded::Host));
        drop((second, others, last));
        assert_eq!(budget.used(), 0);
        assert!(
            budget.lock().is_empty(),
            "no share is kept for who has no call"
        );
    }

    #[test]
    fn one_principal_may_have_what_one_call_may() {
        let limits = Limits {
            memory: 100,
            memory_total: 120,
            ..Limits::default()
        };
        let budget = Budget::new(&limits);
        let mut one = Growth::new(&limits, budget.share(user("alice")));
        assert!(grow(&mut one, 0, 100));
    }
}
