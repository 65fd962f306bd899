//! The looks at a remote MCP server's definitions: who saw which tools as they are pinned, and
//! when.
//!
//! Invariant: a look is good for the principal who looked and for no other, and only for tools that
//! were as pinned. What was not is never remembered, so the next call looks again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick_envelope::DelegationMode;

use super::settings::{AuditHeaders, Auth, ServiceSettings};
use crate::fair::{FairMap, Owned};
use crate::principal::{ActorId, Principal};
use crate::remote::MirroredArgument;

/// The looks at one service.
pub(super) struct Looks {
    /// Whether all actors are the host to the service, under `service_identity`.
    as_host: bool,
    seen: Mutex<SeenByLookers>,
}

struct SeenByLookers {
    looks: FairMap<Looker, SeenTools>,
    /// What the last one saw. Most see the same, so it is kept once.
    last: Arc<PinnedTools>,
}

/// A party for whom a server's answers are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Looker {
    /// The actor; none if the server sees the host alone.
    actor: Option<ActorId>,
    mode: DelegationMode,
}

/// The tools that were as pinned, each with the arguments that it gets in headers too.
pub(super) type PinnedTools = BTreeMap<String, Arc<[MirroredArgument]>>;

struct SeenTools {
    at_ms: u64,
    tools: Arc<PinnedTools>,
}

impl SeenByLookers {
    fn new() -> Self {
        Self {
            looks: FairMap::new(MAX_LOOKS),
            last: Arc::default(),
        }
    }
}

impl Looks {
    /// Starts without a look at a service with these settings.
    pub(super) fn at(settings: &ServiceSettings) -> Self {
        let one_credential = match &settings.auth {
            Auth::None | Auth::ClientCredentials { .. } => true,
            Auth::Static(auth) => auth.is_one(),
        };
        let names_actor = settings.in_trust_domain || settings.audit_headers == AuditHeaders::Full;
        Self {
            as_host: one_credential && !names_actor,
            seen: Mutex::new(SeenByLookers::new()),
        }
    }

    /// Returns the party that the service sees when this actor calls in this mode.
    pub(super) fn looker(&self, actor: ActorId, mode: DelegationMode) -> Looker {
        let is_host = self.as_host && mode == DelegationMode::ServiceIdentity;
        Looker {
            actor: (!is_host).then_some(actor),
            mode,
        }
    }

    /// Returns the mirrored arguments of a tool that was as pinned when `looker` looked, if that is
    /// less than `lasts` ago.
    pub(super) fn remembered(
        &self,
        looker: &Looker,
        tool: &str,
        (lasts, now_ms): (Duration, u64),
    ) -> Option<Arc<[MirroredArgument]>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.looks.get(looker)?;
        // A clock that went back makes no look last longer.
        let age = now_ms.checked_sub(seen.at_ms)?;
        let is_good = u128::from(age) < lasts.as_millis();
        seen.tools.get(tool).filter(|_| is_good).map(Arc::clone)
    }

    /// Notes what `looker` saw.
    pub(super) fn note(
        &self,
        looker: Looker,
        tools: PinnedTools,
        (lasts, now_ms): (Duration, u64),
    ) {
        let now = now_ms / 1_000;
        let actor = looker.actor.as_ref();
        let host = || Principal::new("", "");
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen.last != tools {
            seen.last = Arc::new(tools);
        }
        let owned = Owned {
            owner: actor.map_or_else(host, |actor| actor.principal.clone()),
            until: now.saturating_add(lasts.as_secs()).saturating_add(1),
            value: SeenTools {
                at_ms: now_ms,
                tools: Arc::clone(&seen.last),
            },
        };
        seen.looks.insert(looker, owned, now);
    }
}

/// The most looks that are remembered for one service.
const MAX_LOOKS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(sub: &str, tenant: Option<&str>, service: bool) -> ActorId {
        ActorId {
            principal: Principal::new("https://idp.example", sub),
            tenant: tenant.map(String::from),
            service,
        }
    }

    fn looks(as_host: bool) -> Looks {
        Looks {
            as_host,
            seen: Mutex::new(SeenByLookers::new()),
        }
    }

    #[test]
    fn a_look_is_good_for_its_principal_its_tools_and_its_time() {
        let (looks, minute) = (looks(false), Duration::from_secs(60));
        let looker = |sub, tenant, service| {
            looks.looker(actor(sub, tenant, service), DelegationMode::OnBehalfOf)
        };
        let alice = looker("alice", None, false);
        let tools = PinnedTools::from([("search".to_owned(), Arc::from(Vec::new()))]);
        looks.note(alice.clone(), tools, (minute, 100_000));
        let own = looks.looker(actor("alice", None, false), DelegationMode::RestrictedUser);
        for (who, tool, (lasts, now_ms), good) in [
            (&alice, "search", (minute, 100_000), true),
            (&alice, "search", (minute, 159_999), true),
            (&alice, "search", (minute, 160_000), false),
            (&alice, "search", (minute, 99_999), false),
            (&alice, "search", (Duration::ZERO, 100_000), false),
            (&alice, "create", (minute, 100_000), false),
            (&own, "search", (minute, 100_000), false),
            (
                &looker("bob", None, false),
                "search",
                (minute, 100_000),
                false,
            ),
            (
                &looker("alice", Some("acme"), false),
                "search",
                (minute, 100_000),
                false,
            ),
            (
                &looker("alice", None, true),
                "search",
                (minute, 100_000),
                false,
            ),
        ] {
            let found = looks.remembered(who, tool, (lasts, now_ms));
            assert_eq!(found.is_some(), good, "{who:?} {tool} {now_ms}");
        }
        looks.note(alice.clone(), PinnedTools::new(), (minute, 110_000));
        let found = looks.remembered(&alice, "search", (minute, 110_000));
        assert!(found.is_none(), "a later look shows another tool");
    }

    #[test]
    fn what_most_see_is_kept_once() {
        let (looks, minute) = (looks(false), Duration::from_secs(60));
        let lookers = ["alice", "bob", "carol"]
            .map(|sub| looks.looker(actor(sub, None, false), DelegationMode::OnBehalfOf));
        for (looker, tool) in lookers.iter().zip(["search", "search", "create"]) {
            let tools = PinnedTools::from([(tool.to_owned(), Arc::from(Vec::new()))]);
            looks.note(looker.clone(), tools, (minute, 0));
        }
        let seen = looks.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let [alice, bob, carol] = lookers.each_ref().map(|looker| {
            let seen = seen.looks.get(looker);
            seen.map(|seen| Arc::as_ptr(&seen.tools))
        });
        assert!(alice.is_some() && carol.is_some());
        assert_eq!(alice, bob);
        assert_ne!(alice, carol);
    }

    #[test]
    fn where_the_server_sees_the_host_alone_one_look_is_good_for_all() {
        let [alice, bob] = ["alice", "bob"].map(|sub| actor(sub, None, false));
        for (as_host, mode, shared) in [
            (true, DelegationMode::ServiceIdentity, true),
            (true, DelegationMode::OnBehalfOf, false),
            (true, DelegationMode::RestrictedUser, false),
            (false, DelegationMode::ServiceIdentity, false),
        ] {
            let looks = looks(as_host);
            let same = looks.looker(alice.clone(), mode) == looks.looker(bob.clone(), mode);
            assert_eq!(same, shared, "{as_host} {mode:?}");
        }
    }
}
