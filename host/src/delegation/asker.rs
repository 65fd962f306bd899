//! The user for whom authority at a service is obtained.

use bailiwick_envelope::{Actor, Agent, DelegationMode};

use crate::identity::SubjectToken;

/// An actor, and the alias of the issuer that names it.
#[derive(Clone, Copy)]
pub struct KnownActor<'c> {
    /// The actor.
    pub actor: &'c Actor,
    /// The alias in the configuration.
    pub alias: &'c str,
}

/// The user for whom authority is obtained, and the party that the service sees acting.
pub(super) struct Asker<'c> {
    pub(super) actor: &'c Actor,
    pub(super) agent: &'c Agent,
    /// The issuer that the token states for the agent.
    pub(super) agent_issuer: Option<&'c str>,
    /// The alias of the actor's issuer.
    pub(super) issuer: &'c str,
    /// The caller's own token.
    pub(super) token: &'c SubjectToken,
    /// The expiry of that token, in seconds since 1970-01-01 UTC.
    pub(super) until: u64,
    /// The scopes of the call: those of the caller that its target needs.
    pub(super) scopes: &'c [String],
    /// The expiry of the call's envelope, in seconds since 1970-01-01 UTC.
    pub(super) call_until: u64,
    pub(super) acting: Acting,
}

/// The party that the service sees acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acting {
    /// The host, for the user: the issued token has an `act` (RFC 8693 §4.1).
    HostForUser,
    /// The user alone: an `act` is refused.
    UserAlone,
}

impl Acting {
    /// Returns the acting party of a mode that acts for a user, and nothing for the other mode.
    pub(super) fn in_mode(mode: DelegationMode) -> Option<Self> {
        match mode {
            DelegationMode::ServiceIdentity => None,
            DelegationMode::OnBehalfOf => Some(Self::HostForUser),
            DelegationMode::RestrictedUser => Some(Self::UserAlone),
        }
    }

    pub(super) fn mode(self) -> DelegationMode {
        match self {
            Self::HostForUser => DelegationMode::OnBehalfOf,
            Self::UserAlone => DelegationMode::RestrictedUser,
        }
    }

    /// Returns the kind of credential for the journal.
    pub(super) fn credential_kind(self) -> &'static str {
        match self {
            Self::HostForUser => "token_exchange",
            Self::UserAlone => "reissued_token",
        }
    }
}
