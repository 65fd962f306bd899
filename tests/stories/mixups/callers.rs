//! The callers of the hunt: users of two tenants through two agents, each with scopes of its own.
//!
//! A user of one tenant has the same name as one of the other, so only the issuer tells them apart.

use std::collections::BTreeSet;

use bailiwick_tests::SCOPE;

use super::{AGENTS, name};

pub(super) const TENANTS: [&str; 2] = ["north", "south"];
pub(super) const USERS: usize = 8;
/// The number of callers.
pub(super) const CALLERS: usize = USERS * TENANTS.len() * AGENTS.len();

/// One caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    user: usize,
    pub(super) tenant: usize,
    agent: usize,
}

impl Caller {
    /// Returns the caller at a place. Neighbours have the same name.
    pub(super) fn at(place: usize) -> Self {
        Self {
            agent: place % AGENTS.len(),
            tenant: place / AGENTS.len() % TENANTS.len(),
            user: place / (AGENTS.len() * TENANTS.len()) % USERS,
        }
    }

    pub(super) fn sub(self) -> String {
        name(self.user)
    }

    pub(super) fn tenant(self) -> &'static str {
        TENANTS.get(self.tenant).copied().unwrap_or_default()
    }

    pub(super) fn agent(self) -> &'static str {
        AGENTS.get(self.agent).copied().unwrap_or_default()
    }

    /// Returns what the component calls this caller.
    pub(super) fn mark(self) -> String {
        format!("{}.{}.{}", self.sub(), self.tenant(), self.agent())
    }

    pub(super) fn scopes(self) -> Vec<&'static str> {
        let scopes = FACETS.into_iter().filter(|facet| self.may(*facet));
        scopes.filter_map(Facet::scope).collect()
    }

    /// Returns true if this caller has the scope of a facet. Two agents of one user differ, and so
    /// do two users of one name.
    pub(super) fn may(self, facet: Facet) -> bool {
        let bit = |place: usize| (self.user >> place) & 1;
        match facet {
            Facet::Plain => true,
            Facet::Red => bit(0) == self.agent,
            Facet::Blue => bit(1) == self.tenant,
            // The service trusts one issuer.
            Facet::Orders => self.tenant == 0 && bit(2) == self.agent,
        }
    }

    /// Returns exactly what a list of this caller's has.
    pub(super) fn listed(self, list: List) -> BTreeSet<String> {
        let own = FACETS.into_iter().filter(|facet| self.may(*facet));
        let of_each = own.flat_map(|facet| match list {
            List::Tools => facet.tools().iter().map(ToString::to_string).collect(),
            List::Resources => vec![facet.uri(&self.listed_as(facet))],
            List::Templates => vec![facet.template().to_owned()],
            List::Prompts => vec![facet.prompt().to_owned()],
        });
        let more: &[&str] = match list {
            List::Tools => &["whoami", "confirm"],
            List::Resources => &["mirror://me"],
            List::Templates | List::Prompts => &[],
        };
        of_each
            .chain(more.iter().map(ToString::to_string))
            .collect()
    }

    /// Returns the name of this caller's member of a family.
    pub(super) fn listed_as(self, facet: Facet) -> String {
        match facet {
            Facet::Orders => self.sub(),
            Facet::Plain | Facet::Red | Facet::Blue => self.mark(),
        }
    }
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl List {
    /// Returns its method, the member of its result, and the member that names an entry.
    pub(super) fn words(self) -> [&'static str; 3] {
        match self {
            Self::Tools => ["tools/list", "tools", "name"],
            Self::Resources => ["resources/list", "resources", "uri"],
            Self::Templates => [
                "resources/templates/list",
                "resourceTemplates",
                "uriTemplate",
            ],
            Self::Prompts => ["prompts/list", "prompts", "name"],
        }
    }
}

/// What needs one scope, or none: tools, a family of resources and a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Plain,
    Red,
    Blue,
    /// Answered by a service, with the user's token.
    Orders,
}

pub(super) const FACETS: [Facet; 4] = [Facet::Plain, Facet::Red, Facet::Blue, Facet::Orders];

impl Facet {
    pub(super) fn scope(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Red => Some("red"),
            Self::Blue => Some("blue"),
            Self::Orders => Some(SCOPE),
        }
    }

    /// Returns its tools. The first is the one to call.
    pub(super) fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["mirror"],
            Self::Red => &["mirror_red"],
            Self::Blue => &["mirror_blue"],
            Self::Orders => &["list_orders", "get_order_status"],
        }
    }

    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Plain => "mirror://own/{owner}",
            Self::Red => "mirror://red/{owner}",
            Self::Blue => "mirror://blue/{owner}",
            Self::Orders => "orders://orders/{id}",
        }
    }

    /// Returns the variable of the template.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Orders => "id",
            Self::Plain | Self::Red | Self::Blue => "owner",
        }
    }

    /// Returns the URI of a member of the family.
    pub(super) fn uri(self, member: &str) -> String {
        let (before, _) = self.template().split_once('{').unwrap_or_default();
        format!("{before}{member}")
    }

    pub(super) fn prompt(self) -> &'static str {
        match self {
            Self::Plain => "speak",
            Self::Red => "speak_red",
            Self::Blue => "speak_blue",
            Self::Orders => "complain",
        }
    }

    /// Returns the argument of the prompt.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::Orders => "order",
            Self::Plain | Self::Red | Self::Blue => "said",
        }
    }
}
