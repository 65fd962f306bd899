//! What must hold for all principals, all scopes, and everyone who comes at once.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]

mod hostile;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bailiwick_envelope::{Actor, ActorKind, Agent, PriorActor};
use proptest::prelude::*;
use rustls::RootCertStore;
use secrecy::SecretString;
use serde_json::json;
use tokio::task::JoinSet;

use super::asker::{Acting, Asker};
use super::cache::{ExchangeCache, Issued};
use super::issued::Expected;
use super::user::UserAuthority;
use super::{Service, ServiceSettings};
use crate::config;
use crate::egress::{Party, Tls};
use crate::identity::SubjectToken;
use crate::seams::Clock;
use crate::tokens::testing::Hands;
use crate::tokens::{Claims, Granted, KeyRing, KeySettings};

const SERVICE: &str = "orders";
/// What the operator's exchange asks for, and the same as the service spells it.
const ASKED: [&str; 2] = ["orders:read", "orders:write"];
const SPELLED: [&str; 2] = ["read", "write"];
const NOW: u64 = 1_763_712_000;

/// Returns the settings of a service with an exchange.
fn settings() -> ServiceSettings {
    configured(&format!(
        r#"
[services.{SERVICE}]
url = "https://orders.example"
allow = ["GET /orders/{{}}"]

[services.{SERVICE}.exchange]
token_endpoint = "https://idp.example/token"
client_id = "host"
client_secret_file = "secret"
audience = "orders"
scopes = {ASKED:?}
expect_scopes = {SPELLED:?}
issuer = "https://idp.example"
jwks_file = "jwks.json"
"#
    ))
}

/// Returns the settings of the one service of a configuration.
pub(super) fn configured(service: &str) -> ServiceSettings {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    };
    write("secret", "s3cret");
    write("jwks.json", r#"{"keys":[]}"#);
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:8080"
resource = "https://mcp.example/mcp"

[[issuers]]
issuer = "https://idp.example"
alias = "corp"
jwks_file = "jwks.json"

[envelope]
trust_domain = "acme.example"

[audit]
folder = "audit"
{service}"#
    );
    let config = config::load(&write("bailiwick.toml", &text)).unwrap();
    config.services.into_iter().next().unwrap()
}

fn clock() -> Arc<dyn Clock> {
    Hands::at(NOW)
}

fn authority() -> UserAuthority {
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    Service::new(settings(), &tls, &clock()).user.unwrap()
}

/// Everything that makes two who ask two.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Who {
    issuer: &'static str,
    sub: &'static str,
    tenant: Option<&'static str>,
    kind: ActorKind,
    agent: &'static str,
    client: &'static str,
    agent_issuer: Option<&'static str>,
    prior: Vec<&'static str>,
    token: &'static str,
    acting: Acting,
}

impl Who {
    fn actor(&self) -> Actor {
        Actor {
            acr: None,
            auth_time: None,
            iss: self.issuer.to_owned(),
            sub: self.sub.to_owned(),
            tenant: self.tenant.map(String::from),
            kind: self.kind,
        }
    }

    fn agent(&self) -> Agent {
        let prior = self.prior.iter().map(|sub| PriorActor {
            iss: None,
            sub: (*sub).to_owned(),
        });
        Agent {
            client_id: self.client.to_owned(),
            id: self.agent.to_owned(),
            prior: prior.collect(),
            kind: "mcp_agent".to_owned(),
        }
    }

    /// Calls `work` with whoever this is, as delegation knows them.
    fn asking<T>(&self, work: impl FnOnce(&Asker<'_>) -> T) -> T {
        let (actor, agent, token) = (self.actor(), self.agent(), SubjectToken::of(self.token));
        work(&Asker {
            actor: &actor,
            agent: &agent,
            agent_issuer: self.agent_issuer,
            issuer: "corp",
            token: &token,
            until: NOW + 300,
            scopes: &[],
            call_until: NOW + 300,
            acting: self.acting,
        })
    }
}

/// Names of which a careless comparison, or a careless way to join them, makes one.
const NAMES: [&str; 9] = [
    "alice",
    "Alice",
    "ali\u{441}e",
    "alic\u{e9}",
    "alice\u{301}",
    "alice%00",
    "alice|acme",
    "alice/acme",
    "acme",
];
const ISSUERS: [&str; 4] = [
    "https://idp.example",
    "https://idp.example/",
    "https://IDP.example",
    "https://idp.example|alice",
];

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

fn anyone() -> impl Strategy<Value = Who> {
    let actor = (
        one_of(&ISSUERS),
        one_of(&NAMES),
        prop::option::of(one_of(&NAMES)),
        one_of(&[ActorKind::User, ActorKind::Service]),
    );
    let agent = (
        one_of(&NAMES),
        one_of(&NAMES),
        prop::option::of(one_of(&ISSUERS)),
        prop::collection::vec(one_of(&NAMES), 0..3),
    );
    let acting = one_of(&[Acting::HostForUser, Acting::UserAlone]);
    (actor, agent, one_of(&["token-1", "token-2"]), acting).prop_map(
        |((issuer, sub, tenant, kind), (agent, client, agent_issuer, prior), token, acting)| Who {
            issuer,
            sub,
            tenant,
            kind,
            agent,
            client,
            agent_issuer,
            prior,
            token,
            acting,
        },
    )
}

/// Returns two who differ in nothing, or in one thing, or in everything.
fn two() -> impl Strategy<Value = (Who, Who)> {
    (anyone(), anyone(), 0..11_usize).prop_map(|(one, other, place)| {
        let mut like = one.clone();
        match place {
            0 => like.issuer = other.issuer,
            1 => like.sub = other.sub,
            2 => like.tenant = other.tenant,
            3 => like.kind = other.kind,
            4 => like.agent = other.agent,
            5 => like.client = other.client,
            6 => like.agent_issuer = other.agent_issuer,
            7 => like.prior = other.prior,
            8 => like.token = other.token,
            9 => like.acting = other.acting,
            _ => like = other,
        }
        (one, like)
    })
}

static AUTHORITY: LazyLock<UserAuthority> = LazyLock::new(authority);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn two_principals_never_share_an_entry_or_a_connection((one, other) in two()) {
        let [first, second] = [&one, &other].map(|who| Party::from(&who.actor()));
        let names = |who: &Who| (who.issuer, who.sub, who.tenant, who.kind);
        prop_assert_eq!(first == second, names(&one) == names(&other));
        // Authority is obtained for users alone.
        let [one, other] = [one, other].map(|who| Who { kind: ActorKind::User, ..who });
        let key = |who: &Who| who.asking(|asker| AUTHORITY.cache_key(SERVICE, asker).unwrap());
        let (cache, clock) = (ExchangeCache::default(), clock());
        let slot = |who: &Who| cache.slot(&key(who), NOW + 300, &clock);
        prop_assert_eq!(Arc::ptr_eq(&slot(&one), &slot(&other)), one == other);
    }
}

/// Scopes of which some are asked for, some are spelled so by the service, and some are neither.
const SCOPES: [&str; 7] = [
    "orders:read",
    "orders:write",
    "read",
    "write",
    "orders:admin",
    "READ",
    "rea",
];

static EXCHANGE: LazyLock<(ServiceSettings, KeyRing)> = LazyLock::new(|| {
    let settings = settings();
    let issued = &settings.exchange.as_ref().unwrap().issued;
    let keys = KeySettings {
        issuer: issued.issuer.clone(),
        source: issued.keys.clone(),
        algorithms: issued.algorithms.clone(),
    };
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let keys = KeyRing::new(keys, &tls, clock());
    (settings, keys)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn an_exchange_accepts_the_scopes_that_it_asked_for_and_never_more(
        in_scope in prop::option::of(prop::sample::subsequence(SCOPES.to_vec(), 0..=4)),
        in_scp in prop::option::of(prop::sample::subsequence(SCOPES.to_vec(), 0..=4)),
        answered in prop::option::of(prop::sample::subsequence(SCOPES.to_vec(), 0..=4)),
        who in anyone(),
    ) {
        let (settings, keys) = &*EXCHANGE;
        let mut claims = serde_json::Map::new();
        for (name, scopes) in [("scope", &in_scope), ("scp", &in_scp)] {
            if let Some(scopes) = scopes {
                claims.insert(name.to_owned(), json!(scopes.join(" ")));
            }
        }
        let texts = |scopes: &Vec<&str>| scopes.iter().map(ToString::to_string).collect();
        let granted = Granted {
            access_token: SecretString::from("t".to_owned()),
            issued_token_type: None,
            expires_in: None,
            scope: answered.as_ref().map(texts),
            details: false,
        };
        let clock = clock();
        let accepted = who.asking(|asker| {
            let expected = Expected {
                exchange: settings.exchange.as_ref().unwrap(),
                keys,
                asker,
                certificate: None,
                clock: clock.as_ref(),
            };
            expected.check_scopes(Some(&Claims::of(claims)), &granted).is_ok()
        });
        let stated: BTreeSet<&str> = in_scope.iter().chain(&in_scp).flatten().copied().collect();
        let answered: BTreeSet<&str> = answered.into_iter().flatten().collect();
        let within = |scopes: &BTreeSet<&str>, all: &[&str]| {
            scopes.iter().all(|scope| all.contains(scope))
        };
        if accepted {
            prop_assert!(within(&stated, &SPELLED), "{stated:?}");
            prop_assert!(within(&answered, &[ASKED, SPELLED].concat()), "{answered:?}");
        }
        // The twin: a token that states exactly these is accepted.
        if stated == BTreeSet::from(SPELLED) && within(&answered, &ASKED) {
            prop_assert!(accepted);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_miss_one_key_at_once_cost_one_exchange() {
    let (cache, clock) = (Arc::new(ExchangeCache::default()), clock());
    let exchanges = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(tokio::sync::Barrier::new(MISSES));
    let who = Who {
        issuer: "https://idp.example",
        sub: "alice",
        tenant: None,
        kind: ActorKind::User,
        agent: "desk",
        client: "desk",
        agent_issuer: None,
        prior: Vec::new(),
        token: "token",
        acting: Acting::HostForUser,
    };
    let key = who.asking(|asker| AUTHORITY.cache_key(SERVICE, asker).unwrap());
    let mut all = JoinSet::new();
    for _ in 0..MISSES {
        let (cache, clock, key) = (Arc::clone(&cache), Arc::clone(&clock), key.clone());
        let (exchanges, gate) = (Arc::clone(&exchanges), Arc::clone(&gate));
        all.spawn(async move {
            gate.wait().await;
            let slot = cache.slot(&key, NOW + 300, &clock);
            let usable = |last: &crate::flight::Landed<Result<Issued, _>>| {
                last.answer.as_ref().is_ok_and(|kept| kept.is_usable(NOW))
            };
            let obtain = || async {
                exchanges.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(Issued {
                    token: SecretString::from("issued".to_owned()),
                    expires_at: NOW + 300,
                })
            };
            slot.join(usable, obtain).await.is_ok()
        });
    }
    let answered = all
        .join_all()
        .await
        .into_iter()
        .filter(|good| *good)
        .count();
    let exchanges = exchanges.load(Ordering::Relaxed);
    println!("exchanges during {MISSES} concurrent misses of one key: {exchanges}");
    assert_eq!((answered, exchanges), (MISSES, 1));
}

const MISSES: usize = 1_000;
