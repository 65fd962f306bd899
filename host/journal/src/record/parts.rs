//! The parts that several kinds of records share.

use std::collections::BTreeMap;

use bailiwick_envelope::{CallKind, CallMode, Delegation, DelegationMode};
use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::text::Text;

codes! {
    /// A decision on a request.
    Decision {
        /// The request was allowed.
        Allow => "allow",
        /// The request was denied.
        Deny => "deny",
    }
}

codes! {
    /// An outcome.
    Outcome {
        /// The action was done.
        Done => "done",
        /// The action was refused.
        Refused => "refused",
        /// The action failed.
        Failed => "failed",
        /// The caller went away.
        Cancelled => "cancelled",
        /// The action took too long.
        TimedOut => "timed-out",
        /// The action may have happened: the host or its journal failed meanwhile.
        Unknown => "unknown",
    }
}

/// The target of a call, such as the tool `get_order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The kind of target.
    pub kind: CallKind,
    /// The target's name.
    pub name: Text,
}

/// The user who asked, and the agent in between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The actor's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_sub: Option<Text>,
    /// The issuer that names the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_iss: Option<Text>,
    /// The actor's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Text>,
    /// The agent that executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Text>,
    /// The agent's OAuth client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Text>,
    /// The session, for correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Text>,
    /// The W3C trace id, for correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Text>,
}

/// What an issuer and the operator call the actor and the agent, for people who read records. Not
/// identity: anyone may have the same name, and no decision looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The actor's name in the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Text>,
    /// The agent's name in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Text>,
}

impl Display {
    /// Returns true if there is no name to show.
    pub fn is_empty(&self) -> bool {
        self.actor.is_none() && self.agent.is_none()
    }
}

/// The authority on which a call reaches its services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    mode: CallMode,
    modes: BTreeMap<Text, DelegationMode>,
}

impl Modes {
    /// Returns the modes of a delegation: the common one, and that of each service.
    pub fn of(delegation: &Delegation) -> Self {
        let modes = delegation.modes().iter();
        Self {
            mode: delegation.mode(),
            modes: modes
                .map(|(service, mode)| (service.into(), *mode))
                .collect(),
        }
    }

    /// Leaves out the services.
    pub(super) fn clear(&mut self) {
        self.modes.clear();
    }
}
