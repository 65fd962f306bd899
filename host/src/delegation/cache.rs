//! Exchanged credentials, each kept for the principal that it was issued for and for no other.
//!
//! Invariant: an entry is found only under everything that its issue depended on: issuer, subject,
//! tenant, agents, service, mode, scopes and the very subject token. It is used neither in its last
//! seconds nor longer than the caller's own token. One exchange answers everyone who waits for it,
//! and a service's refusals cost at most one exchange in half a minute.

use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_envelope::{DelegationMode, PriorActor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::denials::Requester;
use crate::downstream::DownstreamError;
use crate::fair::{FairMap, Owned};
use crate::flight::Flight;
use crate::principal::Principal;
use crate::seams::Clock;
use crate::tokens::may_be_renewed;

/// Everything that an issued credential depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    pub(super) issuer: String,
    pub(super) sub: String,
    pub(super) tenant: Option<String>,
    pub(super) agent: String,
    /// The issuer that the subject token states for the agent.
    pub(super) agent_issuer: Option<String>,
    /// The agents before it.
    pub(super) prior: Vec<PriorActor>,
    pub(super) client: String,
    pub(super) service: String,
    pub(super) mode: DelegationMode,
    pub(super) scopes: Vec<String>,
    pub(super) subject_digest: [u8; 32],
}

impl CacheKey {
    /// Returns what the key says of who asks.
    fn asking(&self) -> Requester<'_> {
        Requester {
            issuer: &self.issuer,
            subject: &self.sub,
            tenant: self.tenant.as_deref(),
            agent: &self.agent,
            agent_issuer: self.agent_issuer.as_deref(),
            prior: &self.prior,
            client: &self.client,
            tool: None,
            component: None,
        }
    }
}

/// A verified token and its expiry, in seconds since 1970-01-01 UTC.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) token: SecretString,
    pub(super) expires_at: u64,
}

/// The place of one key's credential: one exchange obtains it for all who wait.
pub(super) type CacheSlot = Arc<Flight<Result<Issued, DownstreamError>>>;

/// Exchanged credentials by key. A user who floods it pushes out no other user's.
pub(super) struct ExchangeCache {
    slots: Mutex<FairMap<CacheKey, CacheSlot>>,
}

impl Default for ExchangeCache {
    fn default() -> Self {
        Self {
            slots: Mutex::new(FairMap::new(MAX_SLOTS)),
        }
    }
}

impl ExchangeCache {
    /// Returns the slot of `key`, which is useless after `until` (the expiry of the caller's
    /// token).
    pub(super) fn slot(&self, key: &CacheKey, until: u64, clock: &Arc<dyn Clock>) -> CacheSlot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Flight::new(Arc::clone(clock)));
        let owned = Owned {
            owner: Principal::new(&key.issuer, &key.sub),
            until,
            value: Arc::clone(&slot),
        };
        slots.insert(key.clone(), owned, clock.now());
        slot
    }

    /// Forgets the credentials of users who are `unwanted`.
    pub(super) fn forget(&self, unwanted: impl Fn(&Requester<'_>) -> bool) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove_all(|key, _| unwanted(&key.asking()));
    }

    /// Notes that a service refused `token`: it is forgotten if it is the one under `key` and old
    /// enough to be renewed.
    pub(super) fn refused(&self, key: &CacheKey, token: &str, now_ms: u64) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            slot.forget(|last| {
                let kept = last
                    .answer
                    .as_ref()
                    .is_ok_and(|issued| issued.token.expose_secret() == token);
                kept && may_be_renewed(last.at_ms, now_ms)
            });
        }
    }
}

impl Issued {
    /// Returns true if the token is still good for a request.
    pub(super) fn is_usable(&self, now: u64) -> bool {
        now.saturating_add(MARGIN) < self.expires_at
    }
}

/// The last seconds in which a token is not used.
const MARGIN: u64 = 10;
const MAX_SLOTS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denials::{Denial, DenialOf};

    const RENEWAL_MS: u64 = 30_000;

    struct Standing;

    impl Clock for Standing {
        fn now_ms(&self) -> u64 {
            0
        }
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(Standing)
    }

    fn desk() -> PriorActor {
        PriorActor {
            iss: None,
            sub: "desk".into(),
        }
    }

    fn key() -> CacheKey {
        CacheKey {
            issuer: "https://idp.example".into(),
            sub: "alice".into(),
            tenant: Some("acme".into()),
            agent: "assistant".into(),
            agent_issuer: None,
            prior: vec![desk()],
            client: "assistant".into(),
            service: "orders_api".into(),
            mode: DelegationMode::OnBehalfOf,
            scopes: vec!["orders:read".into()],
            subject_digest: [7; 32],
        }
    }

    #[test]
    fn whatever_differs_about_a_principal_is_another_entry() {
        let cache = ExchangeCache::default();
        let changes: [fn(&mut CacheKey); 11] = [
            |key| key.issuer.push('x'),
            |key| key.sub.push('x'),
            |key| key.tenant = None,
            |key| key.agent.push('x'),
            |key| key.agent_issuer = Some("https://agents.example".into()),
            |key| key.prior.push(desk()),
            |key| key.client.push('x'),
            |key| key.service.push('x'),
            |key| key.mode = DelegationMode::RestrictedUser,
            |key| key.scopes.clear(),
            |key| key.subject_digest = [8; 32],
        ];
        let clock = clock();
        let own = cache.slot(&key(), 100, &clock);
        assert!(Arc::ptr_eq(&own, &cache.slot(&key(), 100, &clock)));
        for change in changes {
            let mut other = key();
            change(&mut other);
            assert!(
                !Arc::ptr_eq(&own, &cache.slot(&other, 100, &clock)),
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_flood_of_one_users_credentials_leaves_those_of_others() {
        let cache = ExchangeCache::default();
        let clock = clock();
        let own = cache.slot(&key(), 100, &clock);
        let number = |number: usize| CacheKey {
            sub: "mallory".into(),
            agent: number.to_string(),
            ..key()
        };
        let first = Arc::downgrade(&cache.slot(&number(0), 100, &clock));
        for other in 1..=MAX_SLOTS {
            cache.slot(&number(other), 100, &clock);
        }
        assert!(
            Arc::ptr_eq(&own, &cache.slot(&key(), 100, &clock)),
            "another user's credential is gone"
        );
        // The credential is erased with its slot.
        assert_eq!(first.strong_count(), 0, "the flood's own is kept");
    }

    #[test]
    fn the_credentials_of_the_denied_are_erased_and_no_others() {
        let cache = ExchangeCache::default();
        let clock = clock();
        let other = CacheKey {
            sub: "bob".into(),
            ..key()
        };
        let own = Arc::downgrade(&cache.slot(&key(), 100, &clock));
        let others = Arc::downgrade(&cache.slot(&other, 100, &clock));
        cache.forget(|requester| {
            let is_alice = (requester.issuer, requester.subject) == (&*key().issuer, "alice");
            is_alice && requester.tenant == Some("acme") && requester.client == "assistant"
        });
        assert_eq!((own.strong_count(), others.strong_count()), (0, 1));
    }

    #[test]
    fn a_denial_of_an_agent_erases_the_credentials_that_it_had_a_part_in() {
        let clock = clock();
        let issuer = Some("https://agents.example".to_owned());
        for (name, of, erased) in [
            ("assistant", None, true),
            ("desk", None, true),
            ("assistant", issuer.clone(), true),
            ("desk", issuer.clone(), false),
            ("clerk", None, false),
        ] {
            let cache = ExchangeCache::default();
            let key = CacheKey {
                agent_issuer: issuer.clone(),
                ..key()
            };
            let slot = Arc::downgrade(&cache.slot(&key, 100, &clock));
            let denial = Denial {
                id: "d1".into(),
                of: DenialOf::Agent,
                issuer: of,
                name: name.into(),
                reason: "a test".into(),
                added: 0,
                until: None,
            };
            cache.forget(|asking| denial.covers(asking));
            assert_eq!(slot.strong_count() == 0, erased, "{denial}");
        }
    }

    #[tokio::test]
    async fn only_the_refused_token_is_forgotten_and_only_once_in_a_while() {
        let cache = ExchangeCache::default();
        let slot = cache.slot(&key(), 100, &clock());
        let issued = |token: &str| Issued {
            token: SecretString::from(token.to_owned()),
            expires_at: 100,
        };
        assert!(
            slot.join(|_| false, || async { Ok(issued("new")) })
                .await
                .is_ok()
        );
        let kept = || slot.last().is_some();
        for (token, now_ms, kept_after) in [
            ("old", RENEWAL_MS * 9, true),
            ("new", 0, true),
            ("new", RENEWAL_MS - 1, true),
            ("", RENEWAL_MS, true),
            ("new", RENEWAL_MS, false),
        ] {
            cache.refused(&key(), token, now_ms);
            assert_eq!(kept(), kept_after, "{token:?} refused at {now_ms} ms");
        }
    }

    #[test]
    fn a_token_is_not_used_in_its_last_seconds() {
        let issued = Issued {
            token: SecretString::from("t".to_owned()),
            expires_at: 100,
        };
        assert!(issued.is_usable(89));
        assert!(!issued.is_usable(90));
        assert!(!issued.is_usable(101));
    }
}
