//! What several kinds of records have.

use std::collections::BTreeMap;

use bailiwick_envelope::DelegationMode;
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

codes! {
    /// What kind of thing a call asks for.
    Kind {
        /// A tool.
        Tool => "tool",
        /// A resource.
        Resource => "resource",
        /// A prompt.
        Prompt => "prompt",
        /// A completion.
        Completion => "completion",
    }
}

/// What a call asks for, such as the tool `get_order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What kind of thing it is.
    pub kind: Kind,
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

codes! {
    /// On whose authority a call reaches its services.
    CallMode {
        /// The host's own identity, for all of them; also of a call without services.
        ServiceIdentity => "service_identity",
        /// For the user, for all of them.
        OnBehalfOf => "on_behalf_of",
        /// As the user, for all of them.
        RestrictedUser => "restricted_user",
        /// It differs; each service has its own.
        PerService => "per_service",
    }
}

impl From<DelegationMode> for CallMode {
    fn from(mode: DelegationMode) -> Self {
        match mode {
            DelegationMode::ServiceIdentity => Self::ServiceIdentity,
            DelegationMode::OnBehalfOf => Self::OnBehalfOf,
            DelegationMode::RestrictedUser => Self::RestrictedUser,
        }
    }
}

/// On whose authority a call reaches each service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    mode: CallMode,
    modes: BTreeMap<Text, DelegationMode>,
}

impl Delegation {
    /// The delegation that gives each of these services its mode.
    pub fn new<'m>(modes: impl IntoIterator<Item = (&'m String, &'m DelegationMode)>) -> Self {
        let modes: BTreeMap<Text, _> = modes
            .into_iter()
            .map(|(service, mode)| (service.into(), *mode))
            .collect();
        let mut all = modes.values();
        let mode = match all.next() {
            None => CallMode::ServiceIdentity,
            Some(first) if all.all(|mode| mode == first) => (*first).into(),
            Some(_) => CallMode::PerService,
        };
        Self { mode, modes }
    }

    /// Leaves out the services.
    pub(super) fn clear(&mut self) {
        self.modes.clear();
    }
}
