//! The gate: the number of calls that run at once, in the whole host and its script tier, and for
//! one principal, one tenant and one target.
//!
//! A call that finds no place waits in a bounded queue, and is refused at once if the queue is
//! full.
//!
//! Invariant: a free place goes to the first waiting call that fits, so a newcomer never overtakes
//! a call that waits for the same place. No tenant has all places, nor more than half of the queue.

mod bounds;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::dispatch::{Kind, Target};
use crate::identity::Caller;
use crate::limits::Limits;
use crate::observe::PartUse;
use crate::principal::{Principal, Tenant};
use crate::sandbox::Capacity;
use bounds::Bounds;

/// A gate with places, such as the one in front of the sandbox.
pub struct Gate {
    shared: Arc<Shared>,
    wait: Duration,
}

/// A place inside, given back when dropped.
pub struct Place {
    held: Option<Vec<Count>>,
    shared: Arc<Shared>,
}

/// The bound that a call without a place ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Calls in the whole host.
    Host,
    /// Calls of the script tier.
    Script,
    /// Calls of this principal.
    User,
    /// Calls for this tenant.
    Tenant,
    /// Calls of this target.
    Target,
}

impl Full {
    /// Returns the text for the caller.
    pub fn message(self) -> &'static str {
        match self {
            Self::Host => "the host is busy; try again",
            Self::Script => "too many tools of this kind run at once; try again",
            Self::User => "you have too many calls under way; try again when some have ended",
            Self::Tenant => "your organization has too many calls under way; try again",
            Self::Target => "too many calls of this tool are under way; try again",
        }
    }
}

/// A group of calls that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Count {
    Host,
    Script,
    User(Principal),
    Tenant(Tenant),
    Target(Kind, String),
    /// The calls of one tenant in another group.
    Part(Tenant, Box<Self>),
}

struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<Count, usize>,
    waiting: VecDeque<Waiting>,
    next: u64,
    /// The tenants with a bound of their own.
    shares: HashMap<Tenant, usize>,
}

struct Waiting {
    id: u64,
    wanted: Vec<Count>,
    admit: oneshot::Sender<Place>,
}

impl Gate {
    /// Builds the gate in front of the sandbox, with the operator's limits and no more places than
    /// the sandbox's pools have.
    pub fn new(limits: &Limits, capacity: Capacity) -> Self {
        let pool = |places: u32| usize::try_from(places).unwrap_or(usize::MAX);
        let bounds = Bounds {
            host: limits.concurrent_calls.min(pool(capacity.compact)),
            script: limits.concurrent_script_calls.min(pool(capacity.script)),
            user: limits.concurrent_calls_per_user,
            tenant: limits.concurrent_calls_per_tenant,
            target: limits.concurrent_calls_per_tool,
            queue: limits.queued_calls,
            waiting: limits.concurrent_calls_per_user,
            waiting_of_tenant: limits.queued_calls_per_tenant,
        };
        Self::with(bounds, limits.queue_time)
    }

    /// Builds the gate in front of checks that are costly before a call has a place. Each principal
    /// has one turn at a time, and no tenant has all turns, so another's turn comes at once. Checks
    /// wait as calls do.
    pub fn of_checks(limits: &Limits) -> Self {
        let total =
            std::thread::available_parallelism().map_or(2, |processors| processors.get().max(2));
        let queue = limits.queued_calls.max(limits.concurrent_calls);
        let waiting = limits.concurrent_calls_per_user;
        let bounds = Bounds {
            host: total,
            script: total,
            user: 1,
            tenant: total - 1,
            target: total,
            queue,
            waiting,
            waiting_of_tenant: queue / 2,
        };
        Self::with(bounds, limits.queue_time)
    }

    /// Builds a gate with `total` places, of which one principal may have `each` and one tenant
    /// half, and no queue.
    pub fn of(total: usize, each: usize) -> Self {
        let (script, tenant, target) = (total, (total / 2).max(each), total);
        let bounds = Bounds {
            host: total,
            script,
            user: each,
            tenant,
            target,
            queue: 0,
            waiting: 0,
            waiting_of_tenant: 0,
        };
        Self::with(bounds, Duration::ZERO)
    }

    /// Gives some tenants a bound of their own, and all others the usual one. Calls that run keep
    /// their places.
    pub fn share(&self, shares: HashMap<Tenant, usize>) {
        self.shared.lock().shares = shares;
    }

    /// Returns how full the gate is, as the part `name`.
    pub fn part(&self, name: &'static str) -> PartUse {
        let state = self.shared.lock();
        PartUse {
            name,
            used: state.running.get(&Count::Host).copied().unwrap_or(0),
            waiting: state.waiting.len(),
            places: Some(self.shared.bounds.host),
        }
    }

    fn with(bounds: Bounds, wait: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                bounds: bounds.fair(),
                state: Mutex::default(),
            }),
            wait,
        }
    }

    /// Gives `caller` a place, if there is one now.
    pub fn try_enter(&self, caller: &Caller) -> Option<Place> {
        let wanted = wanted(caller, None);
        let mut state = self.shared.lock();
        self.shared
            .bounds
            .full(&state, &wanted)
            .is_none()
            .then(|| self.shared.take(&mut state, wanted))
    }

    /// Waits for a place for a call of `caller` to `target`.
    ///
    /// # Errors
    /// Fails with the bound that is reached if the queue is full, or if no place comes free in
    /// time.
    pub async fn enter(&self, caller: &Caller, target: &Target) -> Result<Place, Full> {
        self.admit(wanted(caller, Some(target))).await
    }

    /// Waits for a turn of `caller`.
    ///
    /// # Errors
    /// Fails with the bound that is reached if the queue is full, or if no turn comes in time.
    pub async fn turn(&self, caller: &Caller) -> Result<Place, Full> {
        self.admit(wanted(caller, None)).await
    }

    async fn admit(&self, wanted: Vec<Count>) -> Result<Place, Full> {
        match self.ask(wanted)? {
            AdmissionState::Taken(place) => Ok(place),
            AdmissionState::Waiting(id, place, full) => {
                let _turn = QueueTurn {
                    id,
                    shared: &self.shared,
                };
                tokio::time::timeout(self.wait, place)
                    .await
                    .ok()
                    .and_then(Result::ok)
                    .ok_or(full)
            }
        }
    }

    fn ask(&self, wanted: Vec<Count>) -> Result<AdmissionState, Full> {
        let mut state = self.shared.lock();
        let Some(full) = self.shared.bounds.full(&state, &wanted) else {
            return Ok(AdmissionState::Taken(self.shared.take(&mut state, wanted)));
        };
        if self.shared.bounds.is_queue_full(&state, &wanted) {
            return Err(full);
        }
        let (admit, place) = oneshot::channel();
        let id = state.next;
        state.next += 1;
        state.waiting.push_back(Waiting { id, wanted, admit });
        Ok(AdmissionState::Waiting(id, place, full))
    }
}

enum AdmissionState {
    Taken(Place),
    Waiting(u64, oneshot::Receiver<Place>, Full),
}

/// A turn in the queue. A call that stops waiting leaves it by dropping this.
struct QueueTurn<'g> {
    id: u64,
    shared: &'g Shared,
}

impl Drop for QueueTurn<'_> {
    fn drop(&mut self) {
        self.shared
            .lock()
            .waiting
            .retain(|waiting| waiting.id != self.id);
    }
}

fn wanted(caller: &Caller, target: Option<&Target>) -> Vec<Count> {
    let mut wanted = vec![Count::Host, Count::User(Principal::from(caller))];
    wanted.extend(caller.tenant().cloned().map(Count::Tenant));
    if let Some(target) = target {
        wanted.push(Count::Target(target.kind(), target.name().to_owned()));
        wanted.extend((target.backing().code.tier().is_script()).then_some(Count::Script));
    }
    with_parts(wanted)
}

/// Adds the tenant's part of the script tier and of the target.
fn with_parts(mut wanted: Vec<Count>) -> Vec<Count> {
    let tenant = wanted.iter().find_map(|count| match count {
        Count::Tenant(tenant) => Some(tenant.clone()),
        _ => None,
    });
    let Some(tenant) = tenant else { return wanted };
    let groups = wanted
        .iter()
        .filter(|count| matches!(count, Count::Script | Count::Target(..)));
    let parts = groups.map(|group| Count::Part(tenant.clone(), Box::new(group.clone())));
    let parts: Vec<_> = parts.collect();
    wanted.extend(parts);
    wanted
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, state: &mut State, wanted: Vec<Count>) -> Place {
        for count in &wanted {
            match state.running.get_mut(count) {
                Some(running) => *running += 1,
                None => drop(state.running.insert(count.clone(), 1)),
            }
        }
        Place {
            held: Some(wanted),
            shared: Arc::clone(self),
        }
    }

    /// Gives back the `held` counts and lets in the waiting calls that now fit.
    fn give_back(self: &Arc<Self>, held: &[Count]) {
        let mut state = self.lock();
        state.release(held);
        let mut index = 0;
        while let Some(waiting) = state.waiting.get(index) {
            if self.bounds.full(&state, &waiting.wanted).is_some() {
                index += 1;
                continue;
            }
            let Some(Waiting { wanted, admit, .. }) = state.waiting.remove(index) else {
                break;
            };
            if let Err(mut unwanted) = admit.send(self.take(&mut state, wanted)) {
                // The call no longer waits. Dropping the place would lock again, so it is emptied
                // here.
                state.release(&unwanted.held.take().unwrap_or_default());
            }
        }
    }
}

impl State {
    fn release(&mut self, held: &[Count]) {
        for count in held {
            if let Some(running) = self.running.get_mut(count) {
                *running = running.saturating_sub(1);
                if *running == 0 {
                    self.running.remove(count);
                }
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.shared.give_back(&held);
        }
    }
}

#[cfg(test)]
mod tests;
