//! On whose authority each service is called.
//!
//! Invariant: `mode` and `allowed` are always what `modes` implies; no other value of
//! [`Delegation`] can be built or read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// On whose authority a service is called.
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
    /// The spelling in JSON, configuration and logs.
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

/// Not the name of a delegation mode.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a delegation mode (service_identity, on_behalf_of, restricted_user)")]
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

/// What the host will do towards services in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stated")]
pub struct Delegation {
    // In the order of their JSON names, in which they are signed.
    allowed: Vec<String>,
    mode: DelegationMode,
    modes: BTreeMap<String, DelegationMode>,
}

impl Delegation {
    /// The delegation that gives each of these services its mode.
    pub fn new(modes: BTreeMap<String, DelegationMode>) -> Self {
        let mode = common_mode(&modes).unwrap_or(DelegationMode::ServiceIdentity);
        let allowed = modes.keys().cloned().collect();
        Self {
            allowed,
            mode,
            modes,
        }
    }

    /// The one mode of all services; `service_identity` if they differ or there are none.
    pub fn mode(&self) -> DelegationMode {
        self.mode
    }

    /// Names of the services that this call may reach, sorted.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    /// The mode of each service.
    pub fn modes(&self) -> &BTreeMap<String, DelegationMode> {
        &self.modes
    }
}

fn common_mode(modes: &BTreeMap<String, DelegationMode>) -> Option<DelegationMode> {
    let first = *modes.values().next()?;
    modes.values().all(|mode| *mode == first).then_some(first)
}

/// What a document states; becomes a [`Delegation`] only if it agrees with itself.
#[derive(Deserialize)]
struct Stated {
    mode: DelegationMode,
    allowed: Vec<String>,
    modes: BTreeMap<String, DelegationMode>,
}

impl TryFrom<Stated> for Delegation {
    type Error = &'static str;

    fn try_from(stated: Stated) -> Result<Self, Self::Error> {
        let implied = Self::new(stated.modes);
        if implied.mode != stated.mode {
            return Err("`mode` is not what `modes` implies");
        }
        if implied.allowed != stated.allowed {
            return Err("`allowed` is not what `modes` implies");
        }
        Ok(implied)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_mode_is_the_common_one_or_service_identity() {
        use DelegationMode::{OnBehalfOf, RestrictedUser, ServiceIdentity};
        let cases: [(&[DelegationMode], DelegationMode); 5] = [
            (&[], ServiceIdentity),
            (&[OnBehalfOf], OnBehalfOf),
            (&[RestrictedUser, RestrictedUser], RestrictedUser),
            (&[OnBehalfOf, RestrictedUser], ServiceIdentity),
            (&[ServiceIdentity, OnBehalfOf], ServiceIdentity),
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
        let good = r#"{"allowed":["a"],"mode":"on_behalf_of","modes":{"a":"on_behalf_of"}}"#;
        assert_eq!(
            serde_json::to_string(&serde_json::from_str::<Delegation>(good).unwrap()).unwrap(),
            good
        );
        let bad = [
            r#"{"mode":"service_identity","allowed":["a"],"modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"on_behalf_of","allowed":["a","b"],"modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"on_behalf_of","allowed":[],"modes":{"a":"on_behalf_of"}}"#,
            r#"{"mode":"on-behalf-of","allowed":["a"],"modes":{"a":"on-behalf-of"}}"#,
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
