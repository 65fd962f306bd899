//! A token that proves nothing: its claims, and the claims that it would need.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::super::chain;
use super::MAX_DEPTH;
use crate::audit::rfc3339;
use crate::config::{Config, Issuer};
use crate::identity::AdmitError;
use crate::json;

/// A token that would not be admitted. The caller of a request learns less than this.
#[derive(Debug, Serialize)]
pub struct NotAdmitted {
    /// The stable code.
    pub reason: &'static str,
    /// The error with its causes.
    pub because: String,
    /// The token's claims, where they help to find the mistake. None of them is verified.
    pub claimed: Option<Claimed>,
    /// The claims that it needs.
    pub needed: NeededToken,
}

/// The claims of a token. None of them is verified; they only help to find what to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Claimed {
    /// The `iss` claim.
    pub issuer: Option<String>,
    /// The `aud` claim, as JSON if it is not a string.
    pub audience: Option<String>,
    /// The `typ` of the header, as JSON if it is not a string.
    #[serde(rename = "type")]
    pub typ: Option<String>,
    /// The `iat` claim.
    pub issued: Option<ClaimedTime>,
    /// The `nbf` claim.
    pub not_before: Option<ClaimedTime>,
    /// The `exp` claim.
    pub expires: Option<ClaimedTime>,
}

/// A time that a token claims, and how far away it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimedTime {
    /// The claim as JSON.
    pub claim: String,
    /// The time (RFC 3339), or `None` if the claim is not a number of seconds of our era.
    pub at: Option<String>,
    /// The seconds from now until then; negative if it is past.
    pub seconds_from_now: Option<i64>,
}

/// The claims that a token needs to be admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeededToken {
    /// The issuers that are trusted, one of which it must name.
    pub issuers: Vec<String>,
    /// The audience that it must name.
    pub audience: String,
    /// The `typ` that its header must have, or `None` if that depends on its issuer.
    #[serde(rename = "type")]
    pub typ: Option<String>,
    /// The seconds that may lie between `iat` (or now) and `exp`, if its issuer is known.
    pub lifetime: Option<u64>,
    /// The seconds that may have passed since `iat`, if its issuer is known.
    pub age: Option<u64>,
    /// True if it is no JWT, so that its issuer's answer must say all this.
    pub opaque: bool,
}

impl NotAdmitted {
    pub(super) fn of(
        error: &AdmitError,
        claimed: Claimed,
        resource: &str,
        config: &Config,
    ) -> Self {
        let issuer = config
            .issuers
            .iter()
            .find(|issuer| claimed.issuer.as_ref() == Some(&issuer.settings.issuer));
        let is_opaque = |issuer: &Issuer| issuer.introspection.as_ref().is_some_and(|to| to.opaque);
        let opaque = claimed == Claimed::default() && config.issuers.iter().any(is_opaque);
        let audience = issuer.map(|issuer| issuer.settings.audience.names.join(" or "));
        let needed = NeededToken {
            issuers: config
                .issuers
                .iter()
                .map(|issuer| issuer.settings.issuer.clone())
                .collect(),
            audience: audience
                .filter(|audience| !audience.is_empty())
                .unwrap_or_else(|| resource.to_owned()),
            typ: issuer.map(|issuer| issuer.settings.token_type.to_string()),
            lifetime: issuer.map(|issuer| issuer.settings.times.lifetime),
            age: issuer.map(|issuer| issuer.settings.times.age),
            opaque,
        };
        let because = match error {
            AdmitError::Token(_) if opaque => {
                format!("in the issuer's answer about the token: {}", chain(error))
            }
            _ => chain(error),
        };
        Self {
            reason: error.reason().as_str(),
            because,
            claimed: (claimed != Claimed::default()).then_some(claimed),
            needed,
        }
    }
}

impl Claimed {
    /// Reads the claims of a token without verifying anything. `now` is in seconds since 1970-01-01
    /// UTC.
    pub fn of(token: &str, now: u64) -> Self {
        let mut parts = token.split('.').map(decoded);
        let (header, claims) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let time = |name| Some(ClaimedTime::of(claims.get(name)?, now));
        Self {
            issuer: text(&claims, "iss"),
            audience: text(&claims, "aud"),
            typ: text(&header, "typ"),
            issued: time("iat"),
            not_before: time("nbf"),
            expires: time("exp"),
        }
    }
}

impl ClaimedTime {
    fn of(claim: &Value, now: u64) -> Self {
        let seconds = claim
            .as_f64()
            .filter(|seconds| (0.0..MAX_TIME).contains(seconds));
        let seconds = seconds.map(whole);
        Self {
            claim: shortened(&claim.to_string()),
            at: seconds.map(|seconds| rfc3339(seconds.saturating_mul(1000))),
            seconds_from_now: seconds.and_then(|seconds| seconds.checked_signed_diff(now)),
        }
    }
}

impl fmt::Display for ClaimedTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.at, self.seconds_from_now) {
            (Some(at), Some(seconds)) => write!(formatter, "{at}, {}", how_far(seconds)),
            _ => write!(
                formatter,
                "{}, which is no time: expected seconds since 1970-01-01 (a number of 10 digits)",
                self.claim
            ),
        }
    }
}

/// Returns a distance from now as people say it, such as `in 9 min 58 s` or `3 h 2 min ago`.
pub fn how_far(seconds: i64) -> String {
    let far = seconds.unsigned_abs();
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| far >= *unit).unwrap_or(3);
    let mut rest = far;
    let mut parts = Vec::new();
    for (unit, name) in units.iter().skip(first).take(2) {
        parts.push(format!("{} {name}", rest / unit));
        rest %= unit;
    }
    let far = parts.join(" ");
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {far}"),
        _ => format!("{far} ago"),
    }
}

/// Returns the JSON of one part of a token, or null.
fn decoded(part: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok();
    let value = bytes.and_then(|bytes| json::parse(&bytes, MAX_DEPTH).ok());
    value.unwrap_or_default()
}

fn text(members: &Value, name: &str) -> Option<String> {
    Some(match members.get(name)? {
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to MAX_TIME"
)]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}

/// The year 5138. A larger number counts milliseconds, which is a common mistake.
const MAX_TIME: f64 = 1e11;

/// The most characters of a claim that are shown.
const MAX_SHOWN: usize = 400;
