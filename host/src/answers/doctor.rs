//! What a host would meet where it is to run: keys, folders, journal, clock, issuers and services,
//! each as a finding with its remedy.
//!
//! Looks at everything and changes nothing, except that it asks authorization servers for tokens of
//! the host's own, and about a made-up token. A service gets one `HEAD` request without a
//! credential.

mod local;
mod online;

use std::fmt;

use serde::Serialize;

use crate::config::Config;

pub use online::online;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// The part of the host, such as `issuer https://idp.example` or `service orders_api`.
    pub about: String,
    /// Its condition.
    pub condition: Condition,
    /// What was found.
    pub found: String,
    /// What to do about it, unless it is in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The condition of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It is in order.
    Good,
    /// It works, or may work, but the operator probably wants something else.
    Doubtful,
    /// It does not work.
    Bad,
}

impl Checkup {
    fn good(about: &str, found: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            condition: Condition::Good,
            found: found.into(),
            remedy: None,
        }
    }

    fn doubtful(about: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            condition: Condition::Doubtful,
            remedy: Some(remedy.into()),
            ..Self::good(about, found)
        }
    }

    fn bad(about: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            condition: Condition::Bad,
            ..Self::doubtful(about, found, remedy)
        }
    }
}

impl fmt::Display for Checkup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.about, self.found)?;
        match &self.remedy {
            Some(remedy) => write!(formatter, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// Looks at everything that a host with this configuration needs.
pub async fn examine(config: &Config) -> Vec<Checkup> {
    let mut found = local::local(config, local::room);
    found.extend(online(config).await);
    found
}

#[cfg(test)]
mod tests;
