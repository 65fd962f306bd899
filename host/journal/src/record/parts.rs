//! What several kinds of records have.

use std::collections::BTreeMap;

use bailiwick_envelope::{CallKind, CallMode, Delegation, DelegationMode};
use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::text::Text;

codes! {
    /// Whether something was allowed.
    Decision {
        /// It was.
        Allow => "allow",
        /// It was not.
        Deny => "deny",
    }
}

codes! {
    /// How something ended.
    Outcome {
        /// It was done.
        Done => "done",
        /// It was refused.
        Refused => "refused",
        /// It failed.
        Failed => "failed",
        /// The caller went away.
        Cancelled => "cancelled",
        /// It took too long.
        TimedOut => "timed-out",
        /// It may have happened: the host or its journal failed meanwhile.
        Unknown => "unknown",
    }
}

/// What a call asks for, such as the tool `get_order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What kind of thing it is.
    pub kind: CallKind,
    /// Its name.
    pub name: Text,
}

/// Who asked, and through which agent.
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
    /// Who executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Text>,
    /// Its OAuth client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Text>,
    /// The session, for correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Text>,
    /// The W3C trace id, for correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Text>,
}

/// On whose authority a call reaches its services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    mode: CallMode,
    modes: BTreeMap<Text, DelegationMode>,
}

impl Modes {
    /// The modes of a delegation: the common one, and that of each service.
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
