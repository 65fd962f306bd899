//! The marks of rounds that were used: the seam for a store that replicas share.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::ID;
use crate::principal::Principal;

/// Keeps the marks of rounds that were used.
pub trait Marks: Send + Sync {
    /// Marks a round as used, at this time in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// Fails if it is marked already, is no longer valid, or cannot be marked.
    fn spend(&self, mark: RoundMark, now: u64) -> BoxFuture<'_, Result<(), NotSpent>>;
}

/// The mark of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundMark {
    /// The round.
    pub id: [u8; ID],
    /// The principal whose round it is.
    pub principal: Principal,
    /// The round's expiry, in seconds since 1970-01-01 UTC. The mark is kept until then.
    pub until: u64,
}

/// The reason why a round cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSpent {
    /// It was used before.
    #[error("requestState was used already; call the tool again without it")]
    Used,
    /// It expired meanwhile.
    #[error("requestState has expired; call the tool again without it")]
    Expired,
    /// There is no room for another mark.
    #[error("too many answers at the moment; try again later")]
    Full,
}

/// Marks in the memory of this process, bounded for all and for each principal.
#[derive(Debug)]
pub struct MarksInMemory {
    state: Mutex<Ledger>,
    most: usize,
    most_of_one: usize,
}

#[derive(Debug, Default)]
struct Ledger {
    used: HashSet<[u8; ID]>,
    // In the order in which they end.
    by_end: BTreeSet<(u64, [u8; ID], Principal)>,
    each: HashMap<Principal, usize>,
}

impl MarksInMemory {
    /// Keeps at most so many marks, and so many of one principal.
    pub fn bounded(most: usize, most_of_one: usize) -> Self {
        Self {
            state: Mutex::default(),
            most,
            most_of_one,
        }
    }

    fn mark(&self, mark: RoundMark, now: u64) -> Result<(), NotSpent> {
        let mut state = self.lock();
        state.forget(now);
        if mark.until <= now {
            return Err(NotSpent::Expired);
        }
        if state.used.contains(&mark.id) {
            return Err(NotSpent::Used);
        }
        let own = state.each.get(&mark.principal).copied().unwrap_or(0);
        if state.used.len() >= self.most || own >= self.most_of_one {
            return Err(NotSpent::Full);
        }
        state.used.insert(mark.id);
        state.each.insert(mark.principal.clone(), own + 1);
        state.by_end.insert((mark.until, mark.id, mark.principal));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Forgets the marks of rounds that have expired: they are refused anyway.
    fn forget(&mut self, now: u64) {
        while let Some((until, _, _)) = self.by_end.first()
            && *until <= now
            && let Some((_, id, principal)) = self.by_end.pop_first()
        {
            self.used.remove(&id);
            if let Some(own) = self.each.get_mut(&principal) {
                *own = own.saturating_sub(1);
                if *own == 0 {
                    self.each.remove(&principal);
                }
            }
        }
    }
}

impl Default for MarksInMemory {
    fn default() -> Self {
        Self::bounded(MOST, MOST_OF_ONE)
    }
}

impl Marks for MarksInMemory {
    fn spend(&self, mark: RoundMark, now: u64) -> BoxFuture<'_, Result<(), NotSpent>> {
        let marked = self.mark(mark, now);
        Box::pin(async move { marked })
    }
}

/// Some 20 MiB of marks.
const MOST: usize = 100_000;
const MOST_OF_ONE: usize = 2_000;
