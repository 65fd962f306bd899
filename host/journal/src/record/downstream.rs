//! The records of requests to services, which never hold values.

use bailiwick_envelope::DelegationMode;
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::parts::{Decision, Outcome};
use crate::reason::DownstreamReason;
use crate::text::{Scopes, Text};

/// A request to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The service, by its configured name.
    pub service: Text,
    /// The HTTP method.
    pub method: Text,
    /// The template that the request matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_template: Option<Text>,
}

/// `downstream.refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownstreamRefused {
    /// The call that made it.
    #[serde(flatten)]
    pub call: Call,
    /// The authority, if the service is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DelegationMode>,
    decision: Decision,
    outcome: Outcome,
    /// The reason.
    pub reason: DownstreamReason,
    /// The refused request.
    #[serde(flatten)]
    pub request: Request,
    /// The rule that denies it, if one does: the grant's, or as the policy point names its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Text>,
}

impl DownstreamRefused {
    /// Returns the record of a request that the host does not make.
    pub fn new(
        call: Call,
        mode: Option<DelegationMode>,
        request: Request,
        reason: DownstreamReason,
    ) -> Self {
        Self {
            call,
            mode,
            decision: Decision::Deny,
            outcome: Outcome::Refused,
            reason,
            request,
            rule: None,
        }
    }

    /// Names the rule that denies it.
    #[must_use]
    pub fn by_rule(self, rule: Option<Text>) -> Self {
        Self { rule, ..self }
    }
}

/// `downstream.opened`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownstreamOpened {
    /// The call that makes it.
    #[serde(flatten)]
    pub call: Call,
    /// On whose authority.
    pub mode: DelegationMode,
    decision: Decision,
    /// The request that is about to be sent.
    #[serde(flatten)]
    pub request: Request,
}

impl DownstreamOpened {
    /// Returns the record of a request that is about to be made.
    pub fn new(call: Call, mode: DelegationMode, request: Request) -> Self {
        Self {
            call,
            mode,
            decision: Decision::Allow,
            request,
        }
    }

    /// Returns the record that ends this request.
    pub fn closed(&self, outcome: Outcome, reason: Option<DownstreamReason>) -> DownstreamClosed {
        DownstreamClosed {
            call: self.call.clone(),
            mode: self.mode,
            outcome,
            reason,
            request: self.request.clone(),
            status: None,
            credential_kind: None,
        }
    }
}

/// `downstream.closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownstreamClosed {
    /// The call that made it.
    #[serde(flatten)]
    pub call: Call,
    /// On whose authority.
    pub mode: DelegationMode,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, unless it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DownstreamReason>,
    /// The request that was sent.
    #[serde(flatten)]
    pub request: Request,
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The kind of credential that was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_kind: Option<Text>,
}

/// `token.exchanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenExchanged {
    /// The call for which it was exchanged.
    #[serde(flatten)]
    pub call: Call,
    /// On whose authority.
    pub mode: DelegationMode,
    /// The request for which it was exchanged.
    #[serde(flatten)]
    pub request: Request,
    /// The requested scopes.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub scopes: Scopes,
    /// The requested audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Text>,
    /// The kind of credential that was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_kind: Option<Text>,
    /// The identifier of a token that the host signed itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Text>,
}
