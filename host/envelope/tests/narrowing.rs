//! Narrowing and minting can only shrink an envelope, whatever it says.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_envelope::{
    Claims, Delegation, DelegationMode, Minting, NotAllowed, PriorActor, PublicKeys, Transaction,
    TransactionError, TransactionVerifier, characters, verify,
};
use proptest::prelude::*;

#[path = "support/sample.rs"]
mod sample;

use sample::{CREATED_AT, claims, envelope_key, minting, modes, only, token_key};

#[test]
fn only_a_service_of_the_envelope_can_be_narrowed_to() {
    let envelope = claims().sign(&envelope_key()).unwrap();
    for service in ["", "orders", "orders_api ", "ORDERS_API", "payments_api"] {
        let refused = envelope.narrow(service).map(|_| ()).unwrap_err();
        assert_eq!(
            refused,
            NotAllowed {
                service: service.to_owned()
            }
        );
    }
    for (service, mode) in modes() {
        assert_eq!(envelope.narrow(&service).unwrap().mode(), mode);
    }
}

#[test]
fn a_verified_token_says_what_the_envelope_said() {
    let envelope = claims().sign(&envelope_key()).unwrap();
    let seen = mint_and_verify(&envelope.narrow("orders_api").unwrap(), &minting()).unwrap();
    let said = claims();
    let (actor, agent) = (&*said.actor, &*said.agent);
    assert_eq!((&seen.actor.iss, &seen.actor.sub), (&actor.iss, &actor.sub));
    assert_eq!((seen.actor_kind, &seen.tenant), (actor.kind, &actor.tenant));
    assert_eq!(
        (&seen.agent_id, &seen.client_id),
        (&agent.id, &agent.client_id)
    );
    assert_eq!(
        (seen.txn, seen.kind, seen.name, seen.component),
        (
            said.call.id,
            said.call.kind,
            said.call.name,
            said.call.component
        )
    );
    assert_eq!(
        (seen.mode, &seen.scopes),
        (DelegationMode::OnBehalfOf, &said.authorization.scopes)
    );
    assert_eq!(
        (seen.trace_id, seen.jti.as_str()),
        (said.session.trace_id, minting().jti)
    );
}

#[test]
fn a_token_is_not_minted_from_what_it_must_not_be() {
    let refused = |change: &dyn Fn(&mut Claims), minting: Minting<'_>| {
        let mut claims = claims();
        change(&mut claims);
        let envelope = claims.sign(&envelope_key()).unwrap();
        mint_and_verify(&envelope.narrow("orders_api").unwrap(), &minting)
            .unwrap_err()
            .code()
    };
    let good = minting();
    let same = |_: &mut Claims| {};
    assert_eq!(
        refused(
            &same,
            Minting {
                now: CREATED_AT + 300,
                ..good
            }
        ),
        "expired"
    );
    assert_eq!(
        refused(
            &same,
            Minting {
                now: CREATED_AT - 61,
                ..good
            }
        ),
        "not-yet-valid"
    );
    assert_eq!(
        refused(
            &same,
            Minting {
                actor_alias: "a|b",
                ..good
            }
        ),
        "claim"
    );
    assert_eq!(
        refused(
            &same,
            Minting {
                actor_alias: "",
                ..good
            }
        ),
        "claim"
    );
    assert_eq!(refused(&same, Minting { jti: "", ..good }), "claim");
    assert_eq!(
        refused(
            &same,
            Minting {
                trust_domain: "a\nb",
                ..good
            }
        ),
        "claim"
    );
}

#[test]
fn a_subject_may_contain_what_ends_an_alias() {
    let mut claims = claims();
    Arc::make_mut(&mut claims.actor).sub = "auth0|user|7".to_owned();
    let envelope = claims.sign(&envelope_key()).unwrap();
    let seen = mint_and_verify(&envelope.narrow("orders_api").unwrap(), &minting()).unwrap();
    assert_eq!(seen.actor.sub, "auth0|user|7");
}

#[test]
fn what_would_be_too_large_to_read_is_not_made() {
    let mut claims = claims();
    Arc::make_mut(&mut claims.authorization).scopes = (0..20)
        .map(|n| format!("{n}{}", "s".repeat(1000)))
        .collect();
    let envelope = claims.clone().sign(&envelope_key()).unwrap();
    let refused = mint_and_verify(&envelope.narrow("orders_api").unwrap(), &minting()).unwrap_err();
    assert_eq!(refused.code(), "too-large");
    Arc::make_mut(&mut claims.authorization).scopes = vec!["s".repeat(2000); 40];
    assert_eq!(
        claims.sign(&envelope_key()).unwrap_err().code(),
        "too-large"
    );
}

#[test]
fn a_service_has_a_name_that_sorts_alike_everywhere() {
    let mut claims = claims();
    claims.delegation = Delegation::new(BTreeMap::from([(
        "\u{e000}".to_owned(),
        DelegationMode::OnBehalfOf,
    )]))
    .into();
    assert_eq!(claims.sign(&envelope_key()).unwrap_err().code(), "claim");
}

#[test]
fn the_published_keys_suffice_to_verify() {
    let envelope = claims().sign(&envelope_key()).unwrap();
    let published = serde_json::from_str(&only(&envelope_key()).to_jwks().to_string()).unwrap();
    let seen = verify(
        envelope.json(),
        &PublicKeys::from_jwks(&published).unwrap(),
        CREATED_AT,
    )
    .unwrap();
    assert_eq!(seen.claims(), &claims());
    assert_eq!(seen.json(), envelope.json());
    assert_eq!(seen.signature(), envelope.signature());
}

#[test]
fn neither_envelopes_nor_keys_print_what_they_hold() {
    let envelope = claims().sign(&envelope_key()).unwrap();
    assert!(!format!("{envelope:?}").contains("user_123"));
}

proptest! {
    #[test]
    fn nothing_is_ever_wider(claims in any_claims(), now in 0_u64..800, pick in any::<prop::sample::Index>()) {
        let envelope = claims.clone().sign(&envelope_key()).expect("the claims are in order");
        let services: Vec<_> = claims.delegation.modes().keys().collect();
        prop_assume!(!services.is_empty());
        let service = pick.get(&services).as_str();
        let now = CREATED_AT - 200 + now;
        let narrowed = envelope.narrow(service).expect("it is allowed");
        prop_assert_eq!(Some(&narrowed.mode()), claims.delegation.modes().get(service));
        let minting = Minting { now, ..minting() };
        let Ok(token) = narrowed.mint(&minting, &token_key()) else {
            prop_assert!(now + 60 < claims.created_at || now >= claims.expires_at);
            return Ok(());
        };
        for other in &services {
            prop_assert_eq!(verifier(other).verify(token.as_str(), now).is_ok(), *other == service);
        }
        let seen = verifier(service).verify(token.as_str(), now).expect("it was just minted");
        let asked: BTreeSet<_> = claims.authorization.scopes.iter().collect();
        prop_assert!(seen.scopes.iter().all(|scope| asked.contains(scope)));
        prop_assert_eq!(seen.scopes.len(), claims.authorization.scopes.len());
        prop_assert!(seen.expires_at <= claims.expires_at && seen.expires_at <= now.max(claims.created_at) + 60);
        prop_assert!(verifier(service).verify(token.as_str(), claims.expires_at).is_err());
    }

    #[test]
    fn whatever_is_signed_verifies_from_its_own_canonical_form(
        texts in proptest::array::uniform6(any_name()),
        optional in proptest::option::of(any_name()),
        auth_time in proptest::option::of(0_u64..1 << 53),
    ) {
        let [sub, iss, agent, prior, session, name] = texts;
        let mut said = claims();
        let actor = Arc::make_mut(&mut said.actor);
        (actor.sub, actor.iss, actor.tenant, actor.acr) = (sub, iss, optional.clone(), optional.clone());
        actor.auth_time = auth_time;
        let executes = Arc::make_mut(&mut said.agent);
        (executes.id, executes.prior) = (agent, vec![PriorActor { sub: prior, iss: optional }]);
        (said.session.id, said.call.name) = (session, name);
        let envelope = said.clone().sign(&envelope_key()).expect("the claims are in order");
        let sealed = said.clone().seal(&Arc::new(envelope_key())).expect("the claims are in order");
        prop_assert_eq!(sealed.signed().json(), envelope.json());
        let seen = verify(envelope.json(), &only(&envelope_key()), CREATED_AT).expect("it was just signed");
        prop_assert_eq!(seen.claims(), &said);
        let shown: serde_json::Value = serde_json::from_str(envelope.json()).expect("it is JSON");
        prop_assert_eq!(serde_json_canonicalizer::to_string(&shown).expect("it is I-JSON"), envelope.json());
    }

    #[test]
    fn no_changed_byte_is_accepted(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let envelope = claims().sign(&envelope_key()).expect("the claims are in order");
        let mut bytes = envelope.json().as_bytes().to_vec();
        let place = at.get_mut::<u8>(&mut bytes);
        prop_assume!(*place != byte);
        *place = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(verify(&text, &only(&envelope_key()), CREATED_AT).is_err(), "{}", text);
        }
    }
}

fn any_claims() -> impl Strategy<Value = Claims> {
    let mode = prop_oneof![
        Just(DelegationMode::ServiceIdentity),
        Just(DelegationMode::OnBehalfOf),
        Just(DelegationMode::RestrictedUser),
    ];
    let modes = prop::collection::btree_map("[a-z_]{1,8}", mode, 0..5);
    let scopes = prop::collection::btree_set("[!#-\\[\\]-~]{1,10}", 0..5);
    (modes, scopes, 1_u64..=300, any_name())
        .prop_map(|(modes, scopes, lifetime, sub)| with(modes, scopes, lifetime, sub))
}

/// Returns any text that may be a name.
fn any_name() -> impl Strategy<Value = String> {
    "\\PC{1,40}".prop_filter("it looks like another name", |text| {
        characters::is_plain(text)
    })
}

fn with(
    modes: BTreeMap<String, DelegationMode>,
    scopes: BTreeSet<String>,
    lifetime: u64,
    sub: String,
) -> Claims {
    let mut claims = claims();
    Arc::make_mut(&mut claims.actor).sub = sub;
    claims.delegation = Delegation::new(modes).into();
    Arc::make_mut(&mut claims.authorization).scopes = scopes.into_iter().collect();
    claims.expires_at = claims.created_at + lifetime;
    claims
}

fn verifier(service: &str) -> TransactionVerifier {
    TransactionVerifier::new(only(&token_key()), "example".to_owned(), service.to_owned())
}

fn mint_and_verify(
    narrowed: &bailiwick_envelope::Narrowed<'_>,
    minting: &Minting<'_>,
) -> Result<Transaction, TransactionError> {
    let token = narrowed.mint(minting, &token_key())?;
    assert_eq!(token.jti(), minting.jti);
    verifier(narrowed.service()).verify(token.as_str(), minting.now)
}
