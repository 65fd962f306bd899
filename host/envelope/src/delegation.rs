//! Delegation: the authority on which each service is called.
//!
//! Invariant: `mode` always follows from `modes`; no other value of [`Delegation`] can be built or
//! read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The authority on which a service is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegationMode {
    /// The host's own identity; the user's token is not touched.
    ServiceIdentity,
    /// For the user, by token exchange that names the host as actor (RFC 8693).
    OnBehalfOf,
    /// As the user, with a re-issued token for one service.
    RestrictedUser,
}

impl DelegationMode {
    /// Returns the spelling in JSON, configuration and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceIdentity => "service_identity",
            Self::OnBehalfOf => "on_behalf_of",
            Self::RestrictedUser => "restricted_user",
        }
    }
}

impl fmt::Display for DelegationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a delegation mode.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected service_identity, on_behalf_of or restricted_user, found `{0}`")]
pub struct UnknownMode(pub String);

impl FromStr for DelegationMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        [
            Self::ServiceIdentity,
            Self::OnBehalfOf,
            Self::RestrictedUser,
        ]
        .into_iter()
        .find(|mode| mode.as_str() == name)
        .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// The way in which a call reaches its services, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallMode {
    /// All services on the host's own identity, or no services.
    ServiceIdentity,
    /// All services for the user.
    OnBehalfOf,
    /// All services as the user.
    RestrictedUser,
    /// Services with different modes: only [`Delegation::modes`] says which service has which.
    PerService,
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

impl CallMode {
    /// Returns the spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceIdentity => "service_identity",
            Self::OnBehalfOf => "on_behalf_of",
            Self::RestrictedUser => "restricted_user",
            Self::PerService => "per_service",
        }
    }

    /// Returns the one mode that all of these have, or that they differ.
    fn of(modes: &BTreeMap<String, DelegationMode>) -> Self {
        let mut modes = modes.values();
        let Some(first) = modes.next() else {
            return Self::ServiceIdentity;
        };
        if modes.any(|mode| mode != first) {
            return Self::PerService;
        }
        Self::from(*first)
    }
}

/// The host's conduct towards services in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stated")]
pub struct Delegation {
    // In the order of the JSON names, in which the fields are signed.
    mode: CallMode,
    modes: BTreeMap<String, DelegationMode>,
}

impl Delegation {
    /// Gives each of these services its mode.
    pub fn new(modes: BTreeMap<String, DelegationMode>) -> Self {
        let mode = CallMode::of(&modes);
        Self { mode, modes }
    }

    /// Returns the one mode of all services, or that they differ.
    pub fn mode(&self) -> CallMode {
        self.mode
    }

    /// Returns the services that this call may reach, each with its mode. No other service can be
    /// reached.
    pub fn modes(&self) -> &BTreeMap<String, DelegationMode> {
        &self.modes
    }
}

/// The delegation as a document states it. It becomes a [`Delegation`] only if it agrees with
/// itself.
#[derive(Deserialize)]
struct Stated {
    mode: CallMode,
    modes: BTreeMap<String, DelegationMode>,
}

impl TryFrom<Stated> for Delegation {
    type Error = &'static str;

    fn try_from(stated: Stated) -> Result<Self, Self::Error> {
        let implied = Self::new(stated.modes);
        if implied.mode == stated.mode {
            Ok(implied)
        } else {
            Err("`mode` is not what `modes` implies")
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_mode_is_the_common_one_or_says_that_they_differ() {
        use DelegationMode::{OnBehalfOf, RestrictedUser, ServiceIdentity};
        let cases: [(&[DelegationMode], CallMode); 6] = [
            (&[], CallMode::ServiceIdentity),
            (&[ServiceIdentity], CallMode::ServiceIdentity),
            (&[OnBehalfOf], CallMode::OnBehalfOf),
            (&[RestrictedUser, RestrictedUser], CallMode::RestrictedUser),
            (&[OnBehalfOf, RestrictedUser], CallMode::PerService),
            (&[ServiceIdentity, OnBehalfOf], CallMode::PerService),
        ];
        for (modes, expected) in cases {
            let named = modes
                .iter()
                .enumerate()
                .map(|(i, mode)| (format!("s{i}"), *mode));
            assert_eq!(
                Delegation::new(named.collect()).mode(),
                expected,
                "{modes:?}"
            );
        }
    }

    #[test]
    fn a_delegation_that_contradicts_itself_cannot_be_read() {
        for good in [
            r#"{"mode":"on_behalf_of","modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"service_identity","modes":{}}"#,
            r#"{"mode":"per_service","modes":{"a":"on_behalf_of","b":"restricted_user"}}"#,
        ] {
            let read: Delegation = serde_json::from_str(good).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), good);
        }
        let bad = [
            r#"{"mode":"service_identity","modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"on_behalf_of","modes":{}}"#,
            r#"{"mode":"per_service","modes":{}}"#,
            r#"{"mode":"per_service","modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"on_behalf_of","modes":{"a":"per_service"}}"#,
            r#"{"mode":"service_identity","modes":{"a":"on_behalf_of","b":"restricted_user"}}"#,
            r#"{"mode":"on-behalf-of","modes":{"a":"on-behalf-of"}}"#,
        ];
        for text in bad {
            assert!(serde_json::from_str::<Delegation>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mode_reads_what_it_writes() {
        for mode in [
            DelegationMode::ServiceIdentity,
            DelegationMode::OnBehalfOf,
            DelegationMode::RestrictedUser,
        ] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert_eq!(
            "on-behalf-of".parse::<DelegationMode>(),
            Err(UnknownMode("on-behalf-of".to_owned()))
        );
    }
}
