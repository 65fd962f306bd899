//! The denials by what they stop, so that a look-up does not grow with their number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bailiwick_envelope::{Actor, Agent, PriorActor};

use super::entry::{Denial, DenialOf};

/// The one who asks and, where it is known, what for.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// The issuer that names all of them.
    pub issuer: &'a str,
    /// The user or service account.
    pub subject: &'a str,
    /// The tenant of the user.
    pub tenant: Option<&'a str>,
    /// The agent.
    pub agent: &'a str,
    /// The agents before it.
    pub prior: &'a [PriorActor],
    /// The OAuth client.
    pub client: &'a str,
    /// The name of a tool and the digest of its code.
    pub tool: Option<(&'a str, &'a str)>,
}

impl<'a> Requester<'a> {
    /// Returns what a call says of who asks.
    pub fn of(actor: &'a Actor, agent: &'a Agent) -> Self {
        Self {
            issuer: &actor.iss,
            subject: &actor.sub,
            tenant: actor.tenant.as_deref(),
            agent: &agent.id,
            prior: &agent.prior,
            client: &agent.client_id,
            tool: None,
        }
    }

    /// Adds the tool that is asked for, and the digest of its code.
    #[must_use]
    pub fn for_tool(self, name: &'a str, component: &'a str) -> Self {
        Self {
            tool: Some((name, component)),
            ..self
        }
    }

    /// Returns the names in it of one kind.
    fn names(&self, of: DenialOf) -> impl Iterator<Item = &'a str> {
        let (one, prior): (_, &[PriorActor]) = match of {
            DenialOf::Subject => (Some(self.subject), &[]),
            DenialOf::Agent => (Some(self.agent), self.prior),
            DenialOf::Client => (Some(self.client), &[]),
            DenialOf::Tenant => (self.tenant, &[]),
            DenialOf::Tool => (self.tool.map(|(name, _)| name), &[]),
            DenialOf::Component => (self.tool.map(|(_, component)| component), &[]),
        };
        one.into_iter()
            .chain(prior.iter().map(|actor| actor.sub.as_str()))
    }
}

impl Denial {
    /// Returns true if it stops `asking`, whenever it is in effect.
    pub fn covers(&self, asking: &Requester<'_>) -> bool {
        self.is_of_issuer(asking) && asking.names(self.of).any(|name| name == self.name)
    }

    fn is_of_issuer(&self, asking: &Requester<'_>) -> bool {
        self.issuer
            .as_ref()
            .is_none_or(|issuer| issuer == asking.issuer)
    }
}

/// Denials by kind and name.
#[derive(Debug, Default)]
pub(super) struct Index {
    by: BTreeMap<DenialOf, HashMap<String, Vec<Arc<Denial>>>>,
}

impl<'d> FromIterator<&'d Denial> for Index {
    fn from_iter<I: IntoIterator<Item = &'d Denial>>(denials: I) -> Self {
        let mut index = Self::default();
        for denial in denials {
            let names = index.by.entry(denial.of).or_default();
            let same = names.entry(denial.name.clone()).or_default();
            same.push(Arc::new(denial.clone()));
        }
        index
    }
}

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// Returns a denial that stops `asking` now. The clock is asked only if one is about it.
    pub(super) fn find(
        &self,
        asking: &Requester<'_>,
        now_ms: impl Fn() -> u64,
    ) -> Option<Arc<Denial>> {
        let about = |(of, names): (&DenialOf, &'_ HashMap<String, Vec<Arc<Denial>>>)| {
            let same = asking.names(*of).filter_map(|name| names.get(name));
            let mut stops = same
                .flatten()
                .filter(|denial| denial.is_of_issuer(asking) && denial.is_in_effect(now_ms()));
            stops.next().cloned()
        };
        self.by.iter().find_map(about)
    }
}
