//! A token that proves nothing: its claims, and the claims that it would need.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::super::chain;
use super::MAX_DEPTH;
use crate::config::{Config, Issuer};
use crate::identity::AdmitError;
use crate::json;
use crate::tokens::TokenError;

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
}

/// The claims that a token needs to be admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeededToken {
    /// The issuers that are trusted, one of which it must name.
    pub issuers: Vec<String>,
    /// The audience that it must name.
    pub audience: String,
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
            opaque,
        };
        let because = match error {
            AdmitError::Token(_) if opaque => {
                format!("in the issuer's answer about the token: {}", chain(error))
            }
            _ => chain(error),
        };
        let helps = matches!(
            error,
            AdmitError::UnknownIssuer | AdmitError::Token(TokenError::Audience)
        );
        Self {
            reason: error.reason().as_str(),
            because,
            claimed: helps.then_some(claimed),
            needed,
        }
    }
}

impl Claimed {
    /// Reads the claims of a token without verifying anything.
    pub fn of(token: &str) -> Self {
        let payload = token
            .split('.')
            .nth(1)
            .and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
        let claims = payload
            .and_then(|payload| json::parse(&payload, MAX_DEPTH).ok())
            .unwrap_or_default();
        let text = |name| {
            let text = match claims.get(name)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(text.chars().take(MAX_SHOWN).collect())
        };
        Self {
            issuer: text("iss"),
            audience: text("aud"),
        }
    }
}

/// The most characters of a claim that are shown.
const MAX_SHOWN: usize = 400;
