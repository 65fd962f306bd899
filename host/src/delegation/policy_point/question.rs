//! The question about one request (`AuthZEN` Authorization API 1.0 §6.1), and the key under which
//! its answer is remembered.
//!
//! A policy point is told who asks, through whom, and the request as rules see it. It is told no
//! token, no credential and no header.
//!
//! Invariant: two questions have one key only if the whole principal, everything that is told, and
//! everything that a tool can choose about the request are the same.

use bailiwick_envelope::{Claims, DelegationMode, PriorActor};
use http::HeaderValue;
use hyper::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::NoDecision;
use super::settings::{SubjectNaming, ToldFacts};
use crate::conditions::RequestFacts;
use crate::delegation::asker::KnownActor;
use crate::delegation::idempotency::RequestDigest;
use crate::principal::ActorId;

/// A request about which a policy point is asked.
pub(in crate::delegation) struct PolicyRequest<'c> {
    /// The claims of its call.
    pub(in crate::delegation) claims: &'c Claims,
    pub(in crate::delegation) known: KnownActor<'c>,
    /// The issuer that the caller's token states for the agent.
    pub(in crate::delegation) agent_issuer: Option<&'c str>,
    pub(in crate::delegation) mode: DelegationMode,
    /// The template that it matched, without the method.
    pub(in crate::delegation) template: &'c str,
    /// Another template for which the service may take it, with the method.
    pub(in crate::delegation) other_meaning: Option<&'c str>,
    /// What rules see of it.
    pub(in crate::delegation) facts: RequestFacts<'c>,
    /// A digest of all of it.
    pub(in crate::delegation) digest: RequestDigest,
}

/// A question, ready to be asked.
pub(super) struct PolicyQuestion {
    pub(super) key: QuestionKey,
    /// The call, in the header that names a question (§10.1.4).
    pub(super) id: HeaderValue,
    /// The evaluation, in JSON.
    pub(super) body: Bytes,
}

/// Everything that an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct QuestionKey {
    pub(super) actor: ActorId,
    agent: String,
    agent_issuer: Option<String>,
    prior: Vec<PriorActor>,
    client: String,
    /// The session, and what identifies it.
    session: (String, String),
    /// SHA-256 of what the policy point is told.
    told: [u8; 32],
    /// SHA-256 of everything that a tool can choose.
    pub(super) request: RequestDigest,
}

impl PolicyQuestion {
    /// Puts the question about a request.
    ///
    /// # Errors
    /// Fails if something that the policy point would be told has no one meaning, or is too large.
    pub(super) fn about(
        asked: &PolicyRequest<'_>,
        naming: SubjectNaming,
        tells: ToldFacts,
    ) -> Result<Self, NoDecision> {
        let told = evaluation(asked, naming, tells)?.to_string();
        if told.len() > MAX_QUESTION {
            return Err(NoDecision::TooLarge(MAX_QUESTION));
        }
        let (claims, call) = (asked.claims, &asked.claims.call);
        let unfit = |_| NoDecision::Unclear("its call has no plain identifier".into());
        Ok(Self {
            key: QuestionKey {
                actor: asked.known.actor.into(),
                agent: claims.agent.id.clone(),
                agent_issuer: asked.agent_issuer.map(str::to_owned),
                prior: claims.agent.prior.clone(),
                client: claims.agent.client_id.clone(),
                session: (claims.session.source.clone(), claims.session.id.clone()),
                told: Sha256::digest(&told).into(),
                request: asked.digest,
            },
            id: HeaderValue::try_from(call.id.as_str()).map_err(unfit)?,
            body: told.into(),
        })
    }
}

/// Returns what the policy point is told. Nothing of it is different the next time that the same
/// party asks for the same.
fn evaluation(
    asked: &PolicyRequest<'_>,
    naming: SubjectNaming,
    tells: ToldFacts,
) -> Result<Value, NoDecision> {
    let (claims, facts) = (asked.claims, &asked.facts);
    let (actor, agent) = (&claims.actor, &claims.agent);
    let id = match naming {
        SubjectNaming::Subject => actor.sub.clone(),
        SubjectNaming::WithAlias => format!("{}:{}", facts.issuer, actor.sub),
    };
    let properties = members([
        ("issuer", Some(json!(actor.iss))),
        ("alias", Some(json!(facts.issuer))),
        ("sub", Some(json!(actor.sub))),
        ("tenant", actor.tenant.as_ref().map(|tenant| json!(tenant))),
        ("acr", actor.acr.as_ref().map(|acr| json!(acr))),
        ("auth_time", actor.auth_time.map(|time| json!(time))),
    ]);
    let prior = (!agent.prior.is_empty()).then(|| json!(agent.prior));
    let through = members([
        ("id", Some(json!(agent.id))),
        ("client_id", Some(json!(agent.client_id))),
        ("issuer", asked.agent_issuer.map(|issuer| json!(issuer))),
        ("prior", prior),
    ]);
    let unclear = NoDecision::Unclear;
    if let Some(other) = asked.other_meaning {
        return Err(unclear(format!("a service may take it for {other}")));
    }
    let query = tells.query.then(|| facts.query()).transpose();
    // A body that is not there has one meaning, whatever its type is said to be.
    let has_body = tells.body && !facts.body.is_empty();
    // Others would wait while a long one is read.
    if has_body && facts.body.len() > MAX_QUESTION {
        return Err(NoDecision::TooLarge(MAX_QUESTION));
    }
    let body = has_body.then(|| facts.read_body()).transpose();
    let request = members([
        ("path", Some(json!(facts.path()))),
        ("query", query.map_err(unclear)?),
        ("body", body.map_err(unclear)?),
    ]);
    let call = json!({
        "kind": claims.call.kind.as_str(),
        "name": claims.call.name,
        "component": claims.call.component,
    });
    let context = members([
        ("agent", Some(through)),
        ("call", Some(call)),
        ("mode", Some(json!(asked.mode.as_str()))),
        (
            "arguments",
            tells.arguments.then(|| facts.arguments.clone()),
        ),
        ("request", Some(request)),
    ]);
    Ok(json!({
        "subject": {"type": actor.kind.as_str(), "id": id, "properties": properties},
        "action": {
            "name": format!("{} {}", facts.method, asked.template),
            "properties": {"method": facts.method},
        },
        "resource": {"type": "service", "id": facts.service},
        "context": context,
    }))
}

/// Returns an object of the members that there are.
fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter();
    members
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The most that a policy point is told, in bytes.
pub(super) const MAX_QUESTION: usize = 1 << 20;
