//! How many calls run at once: in the whole host, and for one principal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::identity::Caller;

/// A principal is always the pair (issuer, subject).
type Principal = (String, String);

/// A gate with places, such as the one in front of the sandbox. What does not fit is refused at once, in words.
pub struct Gate {
    total: usize,
    each: usize,
    running: Arc<Mutex<Running>>,
}

#[derive(Default)]
struct Running {
    total: usize,
    each: HashMap<Principal, usize>,
}

/// A place inside. Given back when dropped.
pub struct Place {
    principal: Principal,
    running: Arc<Mutex<Running>>,
}

impl Gate {
    /// A gate for `total` calls, of which one principal may have `each`.
    pub fn new(total: usize, each: usize) -> Self {
        Self { total, each, running: Arc::default() }
    }

    /// A place for a call of `caller`, if there is one.
    pub fn enter(&self, caller: &Caller) -> Option<Place> {
        let principal = (caller.actor().iss.clone(), caller.actor().sub.clone());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let own = running.each.get(&principal).copied().unwrap_or(0);
        if running.total >= self.total || own >= self.each {
            return None;
        }
        running.total += 1;
        running.each.insert(principal.clone(), own + 1);
        drop(running);
        Some(Place { principal, running: Arc::clone(&self.running) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.total = running.total.saturating_sub(1);
        if let Some(own) = running.each.get_mut(&self.principal) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                running.each.remove(&self.principal);
            }
        }
    }
}
