//! The bounds of a gate, and what of them one tenant may have.

use super::{Count, Full, State, Waiting};

/// The most calls of each group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) host: usize,
    pub(super) script: usize,
    pub(super) user: usize,
    pub(super) tenant: usize,
    pub(super) target: usize,
    pub(super) queue: usize,
    /// The most calls of one principal in the queue.
    pub(super) waiting: usize,
    /// The most calls of one tenant in the queue.
    pub(super) waiting_of_tenant: usize,
}

impl Bounds {
    /// Leaves something to others than one tenant, whatever the operator's limits say.
    pub(super) fn fair(self) -> Self {
        let half = (self.queue / 2).max(self.queue.min(1));
        Self {
            waiting_of_tenant: self.waiting_of_tenant.min(half),
            ..self
        }
    }

    /// Returns the first bound that is reached.
    pub(super) fn full(&self, state: &State, wanted: &[Count]) -> Option<Full> {
        let reached = |count: &&Count| {
            state.running.get(*count).copied().unwrap_or(0) >= self.of(count, state)
        };
        wanted.iter().find(reached).map(|count| match count {
            Count::Host => Full::Host,
            Count::Script => Full::Script,
            Count::User(..) => Full::User,
            Count::Tenant(..) | Count::Part(..) => Full::Tenant,
            Count::Target(..) => Full::Target,
        })
    }

    /// Returns true if no further call of this principal or tenant may wait.
    pub(super) fn is_queue_full(&self, state: &State, wanted: &[Count]) -> bool {
        let is_full = |count: &Count| {
            let most = match count {
                Count::User(_) => self.waiting,
                Count::Tenant(_) => self.waiting_of_tenant,
                Count::Host | Count::Script | Count::Target(..) | Count::Part(..) => {
                    return false;
                }
            };
            let is_own = |waiting: &&Waiting| waiting.wanted.contains(count);
            state.waiting.iter().filter(is_own).count() >= most
        };
        state.waiting.len() >= self.queue || wanted.iter().any(is_full)
    }

    fn of(&self, count: &Count, state: &State) -> usize {
        match count {
            Count::Host => self.host,
            Count::Script => self.script,
            Count::User(..) => self.user,
            Count::Tenant(tenant) => {
                let share = state.shares.get(tenant).copied();
                share.unwrap_or(self.tenant).min(all_but_one(self.host))
            }
            Count::Target(..) => self.target,
            Count::Part(_, group) => all_but_one(self.of(group, state)),
        }
    }
}

/// Returns the most places of `all` that one tenant may have.
fn all_but_one(all: usize) -> usize {
    all.saturating_sub(1).max(1)
}
