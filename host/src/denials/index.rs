//! The denials by what they stop, so that a look-up does not grow with their number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bailiwick_envelope::{Actor, Agent, PriorActor};

use super::entry::{Denial, DenialOf};

/// The one who asks and, where it is known, what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester<'a> {
    /// The issuer that names all of them.
    pub issuer: &'a str,
    /// The user or service account.
    pub subject: &'a str,
    /// The tenant of the user.
    pub tenant: Option<&'a str>,
    /// The agent.
    pub agent: &'a str,
    /// The issuer that the token states for the agent (`act.iss`, RFC 8693 §4.1), if it does.
    pub agent_issuer: Option<&'a str>,
    /// The agents before it.
    pub prior: &'a [PriorActor],
    /// The OAuth client.
    pub client: &'a str,
    /// The name of a tool.
    pub tool: Option<&'a str>,
    /// The digest of the code.
    pub component: Option<&'a str>,
}

impl<'a> Requester<'a> {
    /// Returns what a call says of who asks, with the issuer that is stated for the agent.
    pub fn of(actor: &'a Actor, agent: &'a Agent, agent_issuer: Option<&'a str>) -> Self {
        Self {
            issuer: &actor.iss,
            subject: &actor.sub,
            tenant: actor.tenant.as_deref(),
            agent: &agent.id,
            agent_issuer,
            prior: &agent.prior,
            client: &agent.client_id,
            tool: None,
            component: None,
        }
    }

    /// Adds the tool that is asked for, and the digest of its code.
    #[must_use]
    pub fn for_tool(self, name: &'a str, component: &'a str) -> Self {
        Self {
            tool: Some(name),
            ..self.for_code(component)
        }
    }

    /// Adds the digest of the code that is asked for.
    #[must_use]
    pub fn for_code(self, component: &'a str) -> Self {
        Self {
            component: Some(component),
            ..self
        }
    }

    /// Returns the names in it of one kind.
    fn names(&self, of: DenialOf) -> impl Iterator<Item = Vouched<'a>> {
        let (one, prior): (_, &[PriorActor]) = match of {
            DenialOf::Subject => (Some(self.subject), &[]),
            DenialOf::Agent => (Some(self.agent), self.prior),
            DenialOf::Client => (Some(self.client), &[]),
            DenialOf::Tenant => (self.tenant, &[]),
            DenialOf::Tool => (self.tool, &[]),
            DenialOf::Component => (self.component, &[]),
        };
        let issuers = [
            Some(self.issuer),
            self.agent_issuer.filter(|_| of == DenialOf::Agent),
        ];
        let one = one.map(|name| Vouched { name, issuers });
        let prior = prior.iter().map(|actor| Vouched {
            name: &actor.sub,
            issuers: [Some(self.issuer), actor.iss.as_deref()],
        });
        one.into_iter().chain(prior)
    }
}

/// A name, and whose it may be: the token's issuer vouches for it, and may state another issuer for
/// an agent. A denial for either stops it.
struct Vouched<'a> {
    name: &'a str,
    issuers: [Option<&'a str>; 2],
}

impl Denial {
    /// Returns true if it stops `asking`, whenever it is in effect.
    pub fn covers(&self, asking: &Requester<'_>) -> bool {
        let mut names = asking.names(self.of);
        names.any(|named| named.name == self.name && self.is_of_issuer(&named))
    }

    fn is_of_issuer(&self, named: &Vouched<'_>) -> bool {
        let issuer = self.issuer.as_deref();
        issuer.is_none_or(|issuer| named.issuers.contains(&Some(issuer)))
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
            asking.names(*of).find_map(|named| {
                let mut same = names.get(named.name)?.iter();
                let stops = |denial: &&Arc<Denial>| {
                    denial.is_of_issuer(&named) && denial.is_in_effect(now_ms())
                };
                same.find(stops).cloned()
            })
        };
        self.by.iter().find_map(about)
    }
}
