//! The claims of an envelope: plain data with the field names that people and tools see.
//!
//! Holding [`Claims`] proves nothing; a [`SignedEnvelope`](crate::SignedEnvelope) does. Fields are
//! in the order of their JSON names, which is the order in which they are signed (RFC 8785 §3.2.3).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::characters;
use crate::delegation::Delegation;

/// The kind of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person, named by the identity provider.
    User,
    /// A service account acting for itself.
    Service,
}

impl ActorKind {
    /// Returns the spelling in JSON and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }
}

/// The principal that initiated the request. A principal is always the pair (`iss`, `sub`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Authentication context class of the login (`OpenID` Connect Core 1.0 §2), if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The time of the user's login, in seconds since 1970-01-01 UTC, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// The issuer of the token that named the subject.
    pub iss: String,
    /// The subject, unique within `iss`.
    pub sub: String,
    /// The tenant, if the issuer or the operator names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// User or service.
    #[serde(rename = "type")]
    pub kind: ActorKind,
}

/// An earlier actor of a delegation chain (RFC 8693 §4.1). History, never authority.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PriorActor {
    /// The actor's issuer, if the token names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The subject of the earlier actor.
    pub sub: String,
}

/// The agent that executes for the actor: the authenticated client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The OAuth client.
    pub client_id: String,
    /// The agent's identifier, from the token.
    pub id: String,
    /// Earlier actors, outermost first; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior: Vec<PriorActor>,
    /// Kind of agent, `mcp_agent`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The session of the call. For correlation only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Identifier of the session or authorization.
    pub id: String,
    /// The source of `id`: `sid`, `jti` or `token`.
    pub source: String,
    /// W3C trace id, 32 hexadecimal digits.
    pub trace_id: String,
}

/// The rights of the actor in this call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The token's scopes, narrowed to what the call requires (RFC 6749 §3.3 scope tokens).
    pub scopes: Vec<String>,
}

/// The kind of target of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A tool's work.
    Tool,
    /// A resource's content.
    Resource,
    /// A prompt's messages.
    Prompt,
    /// Suggestions for an argument.
    Completion,
}

impl CallKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Resource, Self::Prompt, Self::Completion];

    /// Returns the spelling in JSON and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Completion => "completion",
        }
    }
}

/// The values that bind the envelope to one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBinding {
    /// `hmac-sha256:` and a keyed hash of the arguments.
    pub arguments: String,
    /// `sha256:` and the digest of the component that runs.
    pub component: String,
    /// Identifier of the call, unique.
    pub id: String,
    /// The kind of target.
    pub kind: CallKind,
    /// The target's name, such as the tool's.
    pub name: String,
}

/// All claims of an envelope, before it is signed. Calls with the same user, agent, rights or
/// services share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The principal that asked.
    pub actor: Arc<Actor>,
    /// The client that executes.
    pub agent: Arc<Agent>,
    /// The session of the call.
    pub session: Session,
    /// The actor's rights.
    pub authorization: Arc<Authorization>,
    /// The way in which services are reached.
    pub delegation: Arc<Delegation>,
    /// The call, its component and its arguments.
    pub call: CallBinding,
    /// Seconds since 1970-01-01 UTC.
    pub created_at: u64,
    /// Seconds since 1970-01-01 UTC; at most [`MAX_LIFETIME`](crate::MAX_LIFETIME) later.
    pub expires_at: u64,
}

impl Claims {
    /// Returns the name of the first claim with a value that no envelope may have.
    pub(crate) fn first_fault(&self) -> Option<&'static str> {
        self.text_fault()
            .or_else(|| self.list_fault())
            .or_else(|| self.time_fault())
    }

    /// Returns a length that the claims' JSON does not exceed. Checked texts are written as they
    /// are, but for quotation marks and backslashes.
    pub(crate) fn most_bytes(&self) -> usize {
        let scopes = self.authorization.scopes.iter().map(String::as_str);
        let services = self.delegation.modes().keys().map(String::as_str);
        let prior = self.agent.prior.iter();
        let prior = prior.flat_map(|prior| [Some(&*prior.sub), prior.iss.as_deref()]);
        let texts = self.texts().map(|(_, text)| text);
        let lists = scopes.chain(services).chain(prior.flatten());
        let texts = texts.chain(lists).map(|text| 2 * text.len() + BESIDE_TEXT);
        texts.sum::<usize>() + BESIDE_TEXTS
    }

    fn text_fault(&self) -> Option<&'static str> {
        let mut texts = self.texts();
        texts.find_map(|(name, text)| (!is_name(text)).then_some(name))
    }

    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("actor.sub", self.actor.sub.as_str()),
            ("actor.iss", &self.actor.iss),
            ("agent.type", &self.agent.kind),
            ("agent.id", &self.agent.id),
            ("agent.client_id", &self.agent.client_id),
            ("session.id", &self.session.id),
            ("session.source", &self.session.source),
            ("session.trace_id", &self.session.trace_id),
            ("call.id", &self.call.id),
            ("call.name", &self.call.name),
            ("call.component", &self.call.component),
            ("call.arguments", &self.call.arguments),
        ]
        .into_iter()
        .chain(
            self.actor
                .tenant
                .as_deref()
                .map(|tenant| ("actor.tenant", tenant)),
        )
        .chain(self.actor.acr.as_deref().map(|acr| ("actor.acr", acr)))
    }

    fn list_fault(&self) -> Option<&'static str> {
        if !self
            .authorization
            .scopes
            .iter()
            .all(|scope| is_scope(scope))
        {
            return Some("authorization.scopes");
        }
        if !self
            .delegation
            .modes()
            .keys()
            .all(|service| is_name(service) && service.is_ascii())
        {
            return Some("delegation.modes");
        }
        let fits =
            |prior: &PriorActor| is_name(&prior.sub) && prior.iss.as_deref().is_none_or(is_name);
        (self.agent.prior.len() > MAX_PRIOR || !self.agent.prior.iter().all(fits))
            .then_some("agent.prior")
    }

    fn time_fault(&self) -> Option<&'static str> {
        let exact = |time: u64| time <= MAX_SAFE_INTEGER;
        if !exact(self.created_at) {
            return Some("meta.created_at");
        }
        if !exact(self.expires_at) {
            return Some("meta.expires_at");
        }
        self.actor
            .auth_time
            .is_some_and(|time| !exact(time))
            .then_some("actor.auth_time")
    }
}

/// Returns true if the text is a name: not empty, not long, and unlike any other
/// ([`characters::is_plain`]).
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT && characters::is_plain(text)
}

/// Returns true if the text is a scope token (RFC 6749 §3.3). One with a space in it would be two
/// once scopes are joined.
pub(crate) fn is_scope(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.len() <= MAX_TEXT && text.bytes().all(allowed)
}

/// The longest text in a claim, in bytes.
const MAX_TEXT: usize = 2048;

/// More than the bytes around one text: of its member's name, or of a service's mode.
const BESIDE_TEXT: usize = 64;

/// More than the bytes of everything that is no text of a claim, with the signature.
const BESIDE_TEXTS: usize = 1024;

/// The most earlier actors. A longer chain is refused, not cut.
const MAX_PRIOR: usize = 16;

/// The largest integer that RFC 8785 writes exactly, 2^53 − 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
