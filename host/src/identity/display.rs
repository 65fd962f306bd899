//! Names to show beside identifiers, for people.
//!
//! Invariant: a name decides nothing and identifies no one. It reaches records and pages, never an
//! envelope, a service, a guest or a decision.

use std::collections::BTreeMap;

use bailiwick_envelope::Agent;

use crate::tokens::Claims;

/// The names of a caller to show. They may be anything, and two callers may have the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayNames {
    /// What the issuer calls the actor.
    pub actor: Option<String>,
    /// What the operator calls the agent.
    pub agent: Option<String>,
}

/// The operator's names for agents (`[agents]`), by agent or client identifier.
pub type AgentNames = BTreeMap<String, String>;

impl DisplayNames {
    pub(super) fn of(claims: &Claims, agent: &Agent, agents: &AgentNames) -> Self {
        let claimed = ["preferred_username", "name"]
            .into_iter()
            .find_map(|claim| claims.hint(claim).ok().flatten());
        let named = agents
            .get(&agent.id)
            .or_else(|| agents.get(&agent.client_id));
        Self {
            actor: claimed.map(short),
            agent: named.map(|name| short(name)),
        }
    }
}

fn short(name: &str) -> String {
    name.chars().take(MAX_SHOWN).collect()
}

const MAX_SHOWN: usize = 64;
