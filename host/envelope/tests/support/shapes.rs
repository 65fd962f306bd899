//! Envelope vectors that are signed anew: documents that the signer would refuse, and envelopes of
//! other shapes than the sample's.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_envelope::{
    ActorKind, CallKind, Claims, Delegation, DelegationMode, SIGNATURE_CONTEXT,
};
use serde_json::{Value, json};

use crate::envelopes::{sign_raw, vector};
use crate::sample::{CREATED_AT, EXPIRES_AT, NOW, claims, envelope_key};
use crate::text;

/// Documents that the signer would refuse, with a good signature all the same.
pub(crate) fn resigned() -> Vec<(&'static str, Value)> {
    let with = |pointer: &str, value: Value| {
        let signed = claims().sign(&envelope_key()).unwrap();
        let mut document: Value = serde_json::from_str(signed.json()).unwrap();
        document["meta"]
            .as_object_mut()
            .unwrap()
            .remove("signature");
        *document.pointer_mut(pointer).unwrap() = value;
        let signature = sign_raw(&document, &envelope_key(), SIGNATURE_CONTEXT);
        document["meta"]["signature"] = json!(signature);
        text(&document)
    };
    let cases = [
        (
            "lifetime",
            "lifetime",
            "Valid for 301 seconds.",
            with("/meta/expires_at", json!(EXPIRES_AT + 1)),
        ),
        (
            "lifetime-negative",
            "lifetime",
            "Ends before it begins.",
            with("/meta/expires_at", json!(CREATED_AT - 1)),
        ),
        (
            "lifetime-empty",
            "lifetime",
            "Ends when it begins.",
            with("/meta/expires_at", json!(CREATED_AT)),
        ),
        (
            "claim-empty",
            "claim",
            "The subject is empty.",
            with("/actor/sub", json!("")),
        ),
        (
            "claim-control",
            "claim",
            "The subject has a line break.",
            with("/actor/sub", json!("user\n123")),
        ),
        (
            "claim-scope",
            "claim",
            "A scope with a space, which would become two.",
            with("/authorization/scopes/0", json!("orders:read admin")),
        ),
        (
            "claim-name",
            "claim",
            "The name of what is called is empty.",
            with("/call/name", json!("")),
        ),
        (
            "claim-service",
            "claim",
            "The name of a service is not ASCII, so it would not sort alike everywhere.",
            with(
                "/delegation/modes",
                json!({"\u{e000}": "on_behalf_of", "orders_api": "service_identity"}),
            ),
        ),
        (
            "claim-prior",
            "claim",
            "Seventeen earlier actors.",
            with("/agent/prior", json!(vec![json!({"sub": "planner"}); 17])),
        ),
        (
            "claim-time",
            "claim",
            "A time beyond 2^53.",
            with("/actor/auth_time", json!(1_u64 << 53)),
        ),
        (
            "unknown-member-signed",
            "unknown-member",
            "A signed member that no envelope has.",
            with("/actor/tenant", json!(null)),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, expect, about, input)| (name, vector(expect, about, NOW, &input)))
        .collect()
}

/// Envelopes of other shapes than the sample's.
pub(crate) fn others() -> Vec<(&'static str, Value)> {
    let signed = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        let signed = claims.sign(&envelope_key()).unwrap();
        signed.json().to_owned()
    };
    let modes = |mode| {
        let services = ["billing_api", "orders_api"].map(|name| (name.to_owned(), mode));
        Delegation::new(services.into())
    };
    let least = signed(&|claims| {
        let actor = Arc::make_mut(&mut claims.actor);
        actor.kind = ActorKind::Service;
        (actor.acr, actor.auth_time, actor.tenant) = (None, None, None);
        Arc::make_mut(&mut claims.agent).prior = Vec::new();
        Arc::make_mut(&mut claims.authorization).scopes = Vec::new();
        claims.delegation = Delegation::new(BTreeMap::new()).into();
    });
    let mut cases = vec![(
        "valid-least",
        "No optional member, no scope, no service: `service_identity`.",
        least,
    )];
    for (name, about, mode) in [
        (
            "valid-mode-service-identity",
            "Two services, both on the host's own identity.",
            DelegationMode::ServiceIdentity,
        ),
        (
            "valid-mode-on-behalf-of",
            "Two services, both on behalf of the user.",
            DelegationMode::OnBehalfOf,
        ),
        (
            "valid-mode-restricted-user",
            "Two services, both as the user.",
            DelegationMode::RestrictedUser,
        ),
    ] {
        cases.push((
            name,
            about,
            signed(&|claims| claims.delegation = modes(mode).into()),
        ));
    }
    for (name, about, kind) in [
        ("valid-resource", "A resource is read.", CallKind::Resource),
        ("valid-prompt", "A prompt is filled in.", CallKind::Prompt),
        (
            "valid-completion",
            "An argument is completed.",
            CallKind::Completion,
        ),
    ] {
        cases.push((name, about, signed(&|claims| claims.call.kind = kind)));
    }
    cases
        .into_iter()
        .map(|(name, about, input)| (name, vector("valid", about, NOW, &input)))
        .collect()
}
