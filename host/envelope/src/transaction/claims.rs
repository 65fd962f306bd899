//! The members of a transaction token, as they are on the wire.

use serde::{Deserialize, Serialize};

use super::{ALIAS_END, Minting, Narrowed};
use crate::claims::{Actor, ActorKind, Agent, CallKind, Claims};
use crate::delegation::DelegationMode;

/// The protected header. Exactly these members.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) typ: String,
    pub(super) alg: String,
    pub(super) kid: String,
}

/// The claims. Unknown members of a token are ignored (RFC 7519 §4).
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) iss: String,
    pub(super) iat: u64,
    pub(super) exp: u64,
    pub(super) aud: String,
    pub(super) jti: String,
    /// The call (RFC 8417 §2.2).
    pub(super) txn: String,
    /// `<alias of the actor's issuer>|<the actor's subject>`, unique within the trust domain.
    pub(super) sub: String,
    pub(super) scope: String,
    /// The workload that asked for the token.
    pub(super) req_wl: String,
    /// The agent; in every mode, since `sub` is always the actor.
    pub(super) act: Act,
    pub(super) tctx: Details,
    pub(super) rctx: Environment,
}

/// The current actor in the sense of RFC 8693 §4.1: our agent. Earlier ones nest inside.
#[derive(Serialize, Deserialize)]
pub(super) struct Act {
    pub(super) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub_profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[expect(clippy::struct_field_names, reason = "the name that RFC 8693 gives it")]
    act: Option<Box<Act>>,
}

/// The facts about the transaction (`tctx`), the same in the whole call chain.
#[derive(Serialize, Deserialize)]
pub(super) struct Details {
    pub(super) actor_type: ActorKind,
    pub(super) actor_iss: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    pub(super) delegation: Reach,
    pub(super) call: Called,
}

/// The one service that the token is for.
#[derive(Serialize, Deserialize)]
pub(super) struct Reach {
    pub(super) mode: DelegationMode,
    pub(super) services: Vec<String>,
}

/// The target, as in the envelope; the call's identifier is `txn`.
#[derive(Serialize, Deserialize)]
pub(super) struct Called {
    pub(super) kind: CallKind,
    pub(super) name: String,
    pub(super) component: String,
    arguments: String,
}

/// The origin of the request (`rctx`). For correlation only.
#[derive(Serialize, Deserialize)]
pub(super) struct Environment {
    session: String,
    session_source: String,
    pub(super) trace_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authn: Option<Authentication>,
}

/// The actor's login.
#[derive(Serialize, Deserialize)]
struct Authentication {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
}

impl Payload {
    pub(super) fn new(
        narrowed: &Narrowed<'_>,
        minting: &Minting<'_>,
        (iat, exp): (u64, u64),
    ) -> Self {
        let claims = narrowed.envelope;
        Self {
            iss: minting.issuer.to_owned(),
            iat,
            exp,
            aud: minting.trust_domain.to_owned(),
            jti: minting.jti.to_owned(),
            txn: claims.call.id.clone(),
            sub: format!("{}{ALIAS_END}{}", minting.actor_alias, claims.actor.sub),
            scope: claims.authorization.scopes.join(" "),
            req_wl: minting.workload.to_owned(),
            act: Act::of(&claims.agent, &claims.actor),
            tctx: Details::of(narrowed),
            rctx: Environment::of(claims),
        }
    }
}

impl Act {
    fn of(agent: &Agent, actor: &Actor) -> Self {
        let earlier = agent.prior.iter().rev().fold(None, |act, prior| {
            let (sub, iss) = (prior.sub.clone(), prior.iss.clone());
            Some(Box::new(Self {
                sub,
                iss,
                sub_profile: None,
                client_id: None,
                act,
            }))
        });
        Self {
            sub: agent.id.clone(),
            iss: Some(actor.iss.clone()),
            sub_profile: Some("ai_agent".to_owned()),
            client_id: Some(agent.client_id.clone()),
            act: earlier,
        }
    }
}

impl Details {
    fn of(narrowed: &Narrowed<'_>) -> Self {
        let claims = narrowed.envelope;
        Self {
            actor_type: claims.actor.kind,
            actor_iss: claims.actor.iss.clone(),
            tenant: claims.actor.tenant.clone(),
            delegation: Reach {
                mode: narrowed.mode,
                services: vec![narrowed.service.to_owned()],
            },
            call: Called {
                kind: claims.call.kind,
                name: claims.call.name.clone(),
                component: claims.call.component.clone(),
                arguments: claims.call.arguments.clone(),
            },
        }
    }
}

impl Environment {
    fn of(claims: &Claims) -> Self {
        let authn = Authentication {
            acr: claims.actor.acr.clone(),
            auth_time: claims.actor.auth_time,
        };
        Self {
            session: claims.session.id.clone(),
            session_source: claims.session.source.clone(),
            trace_id: claims.session.trace_id.clone(),
            authn: (authn.acr.is_some() || authn.auth_time.is_some()).then_some(authn),
        }
    }
}
