//! One denial: what it stops, why, and until when.

use std::fmt;

use bailiwick_journal::rfc3339;
use serde::{Deserialize, Serialize};

use crate::characters::{Unfit, check_name};

/// One entry of the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// Its identifier, `d` and a number. No two denials ever have the same one.
    pub id: String,
    /// The kind of thing that it stops.
    pub of: DenialOf,
    /// The issuer whose subject, agent, client or tenant it is. Without one, that of every issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject, agent, client, tenant or tool by name, or the component's digest.
    pub name: String,
    /// The operator's reason, one line.
    pub reason: String,
    /// The time at which it was added, in milliseconds since 1970-01-01 UTC.
    #[serde(with = "time")]
    pub added: u64,
    /// The time from which on it stops nothing more, if there is one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_time"
    )]
    pub until: Option<u64>,
}

/// The kinds of things that a denial stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DenialOf {
    /// A user or service account of one issuer.
    Subject,
    /// An agent, also where it stands further back in a token's chain of actors.
    Agent,
    /// An OAuth client.
    Client,
    /// Everyone in a tenant.
    Tenant,
    /// A tool.
    Tool,
    /// The code with a digest.
    Component,
}

/// A fault of a denial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfitting {
    /// The identifier is not one that `bailiwick deny` gives.
    #[error("its id is not \"d\" and a number")]
    Id,
    /// The name is empty or too long.
    #[error("its name is empty or longer than {MAX_NAME} bytes")]
    Name,
    /// The name or issuer could be mistaken for another one.
    #[error("its name or issuer cannot be one: {0}")]
    Characters(Unfit),
    /// A subject is only unique together with its issuer.
    #[error("a subject needs its issuer")]
    IssuerMissing,
    /// Tools and code have no issuer.
    #[error("a {0} has no issuer")]
    IssuerTooMuch(DenialOf),
    /// The digest is not spelled as the journal spells it.
    #[error("expected \"sha256:\" and 64 lower-case hexadecimal digits")]
    Digest,
    /// The reason is empty or too long.
    #[error("expected a reason of at most {MAX_REASON} bytes")]
    Reason,
    /// The reason is not one plain line.
    #[error("the reason is not one plain line: {0}")]
    ReasonCharacters(Unfit),
}

impl Denial {
    /// Returns true if it stops something at `now_ms`.
    pub fn is_in_effect(&self, now_ms: u64) -> bool {
        self.until.is_none_or(|until| now_ms < until)
    }

    /// Returns true if it stops the same as `other`, now or at another time.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.of, &self.issuer, &self.name) == (other.of, &other.issuer, &other.name)
    }

    /// Returns true if records of it and of `other` are alike. They do not say when it was added.
    pub(super) fn is_recorded_as(&self, other: &Self) -> bool {
        let parts = |one: &Self| (one.id.clone(), one.reason.clone(), one.until);
        self.is_same(other) && parts(self) == parts(other)
    }

    /// Returns true if it is about who asks, and not about what is asked for.
    pub fn is_of_identity(&self) -> bool {
        !matches!(self.of, DenialOf::Tool | DenialOf::Component)
    }

    /// Checks that it can be relied on and printed.
    ///
    /// # Errors
    /// Fails with its first fault.
    pub fn check(&self) -> Result<(), Unfitting> {
        let digits = self.id.strip_prefix('d').unwrap_or_default();
        if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Unfitting::Id);
        }
        for name in std::iter::once(&self.name).chain(&self.issuer) {
            if name.is_empty() || name.len() > MAX_NAME {
                return Err(Unfitting::Name);
            }
            check_name(name).map_err(Unfitting::Characters)?;
        }
        match (self.of, &self.issuer) {
            (DenialOf::Subject, None) => return Err(Unfitting::IssuerMissing),
            (DenialOf::Tool | DenialOf::Component, Some(_)) => {
                return Err(Unfitting::IssuerTooMuch(self.of));
            }
            (DenialOf::Component, None) if !is_digest(&self.name) => {
                return Err(Unfitting::Digest);
            }
            _ => {}
        }
        if self.reason.is_empty() || self.reason.len() > MAX_REASON {
            return Err(Unfitting::Reason);
        }
        check_name(&self.reason).map_err(Unfitting::ReasonCharacters)
    }
}

impl DenialOf {
    /// Returns the word for it in the file, in options and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Agent => "agent",
            Self::Client => "client",
            Self::Tenant => "tenant",
            Self::Tool => "tool",
            Self::Component => "component",
        }
    }

    /// Returns the text for a caller whom it stops.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Subject => "the operator of this server has denied this user",
            Self::Agent => "the operator of this server has denied this agent",
            Self::Client => "the operator of this server has denied this client",
            Self::Tenant => "the operator of this server has denied this organization",
            Self::Tool | Self::Component => "the operator of this server has stopped this tool",
        }
    }
}

impl fmt::Display for DenialOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Writes what it stops and until when, for people. The reason is not in it.
impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.of, self.name)?;
        if let Some(issuer) = &self.issuer {
            write!(formatter, " of {issuer}")?;
        }
        match self.until {
            Some(until) => write!(formatter, " until {}", rfc3339(until)),
            None => write!(formatter, " until it is lifted"),
        }
    }
}

fn is_digest(text: &str) -> bool {
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_lower_hex))
}

/// Client ids that are URLs may be this long.
const MAX_NAME: usize = 2048;
/// A record holds the reason whole.
const MAX_REASON: usize = 200;

/// Times as RFC 3339 text.
mod time {
    use bailiwick_journal::{parse_time, rfc3339};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(ms: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(*ms))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_time(&text).ok_or_else(|| D::Error::custom("expected a time of RFC 3339"))
    }
}

/// The same for a time that need not be there.
mod optional_time {
    use serde::{Deserializer, Serializer};

    use super::time;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(
        ms: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match ms {
            Some(ms) => time::serialize(ms, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        time::deserialize(deserializer).map(Some)
    }
}
