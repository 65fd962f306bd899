//! One sample envelope, and the keys that make all vectors.

use std::collections::BTreeMap;

use bailiwick_envelope::{
    Actor, ActorKind, Agent, Authorization, CallBinding, CallKind, Claims, Delegation,
    DelegationMode, Minting, PriorActor, PublicKeys, Session, SigningKey,
};

/// The time at which the sample was made: 2025-11-21 08:00:00 UTC.
pub(crate) const CREATED_AT: u64 = 1_763_712_000;
/// The time at which it expires.
pub(crate) const EXPIRES_AT: u64 = CREATED_AT + 300;
/// The time at which it is verified.
pub(crate) const NOW: u64 = CREATED_AT + 10;

pub(crate) fn envelope_key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub(crate) fn token_key() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

pub(crate) fn only(key: &SigningKey) -> PublicKeys {
    PublicKeys::from_iter([key.public()])
}

pub(crate) fn modes() -> BTreeMap<String, DelegationMode> {
    BTreeMap::from([
        ("billing_api".to_owned(), DelegationMode::ServiceIdentity),
        ("orders_api".to_owned(), DelegationMode::OnBehalfOf),
    ])
}

pub(crate) fn claims() -> Claims {
    Claims {
        actor: Actor {
            kind: ActorKind::User,
            sub: "user_123".to_owned(),
            iss: "https://idp.example".to_owned(),
            tenant: Some("acme".to_owned()),
            acr: Some("urn:example:mfa".to_owned()),
            auth_time: Some(CREATED_AT - 3600),
        }
        .into(),
        agent: Agent {
            kind: "mcp_agent".to_owned(),
            id: "agent_456".to_owned(),
            client_id: "webapp-prod".to_owned(),
            prior: vec![PriorActor {
                sub: "planner".to_owned(),
                iss: Some("https://idp.example".to_owned()),
            }],
        }
        .into(),
        session: Session {
            id: "sess_789".to_owned(),
            source: "sid".to_owned(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        },
        authorization: Authorization {
            scopes: vec!["orders:read".to_owned(), "reports:read".to_owned()],
        }
        .into(),
        delegation: Delegation::new(modes()).into(),
        call: CallBinding {
            id: "0198f6a2-call".to_owned(),
            kind: CallKind::Tool,
            name: "get_order_status \"é\u{20ac}\u{1f600}\"".to_owned(),
            component: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                .to_owned(),
            arguments:
                "hmac-sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
                    .to_owned(),
        },
        created_at: CREATED_AT,
        expires_at: EXPIRES_AT,
    }
}

pub(crate) fn minting() -> Minting<'static> {
    Minting {
        issuer: "https://mcp.example",
        trust_domain: "example",
        actor_alias: "corp",
        workload: "spiffe://example/bailiwick",
        jti: "0198f6a2-token",
        now: NOW,
    }
}
