//! The reasons for which a tool's request got no HTTP answer.

use std::sync::Arc;

use crate::conditions::DeniedBy;
use crate::reason::DownstreamReason;

/// The errors of the `downstream` interface, one to one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownstreamError {
    /// No service of that name is granted.
    #[error("no service of that name is granted to this tool")]
    UnknownService,
    /// The grant does not cover this request.
    #[error("the request is not granted: {0}")]
    NotGranted(String),
    /// A rule of the grant denies the request by its content.
    #[error("the request is not granted: {0}")]
    DeniedByRule(DeniedBy),
    /// The operator's policy point denies the request, by the rule that it names, if it names one.
    #[error("the request is not granted: the operator's policy point denies it")]
    DeniedByPolicy(Option<Arc<str>>),
    /// The operator's policy point gave no decision. The text is for tools; the log has the cause.
    #[error("the request is not granted: {0}")]
    PolicyUnavailable(String),
    /// The remote server describes the tool in another way than the operator accepted, or does not
    /// have it any more.
    #[error(
        "the request is not granted: the remote server's definition of the tool is not the one \
         that the operator accepted"
    )]
    DefinitionChanged,
    /// The request is malformed.
    #[error("the request is malformed: {0}")]
    InvalidRequest(String),
    /// The operator has denied the caller, the tool or its code while the call ran.
    #[error("the operator has denied this call")]
    Denied,
    /// It is not known what the operator has denied.
    #[error("the operator's denials cannot be read")]
    DenialsUnavailable,
    /// The delegation mode needs an identity that this call does not have.
    #[error("the mode needs a user's identity that this call does not have")]
    IdentityUnavailable,
    /// The user must consent first.
    #[error("the user must consent first")]
    ConsentRequired(String),
    /// The authorization server did not grant these scopes.
    #[error("the authorization server did not grant the scopes {0:?}")]
    ScopeDenied(Vec<String>),
    /// No acceptable credential was issued.
    #[error("no acceptable credential was issued: {0}")]
    CredentialRefused(String),
    /// The service cannot be reached.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No answer in time.
    #[error("no answer within the deadline")]
    TimedOut,
    /// The answer is larger than the limit.
    #[error("the answer is larger than the limit")]
    TooLarge,
    /// The call has used up its downstream calls.
    #[error("this call has used up its downstream calls")]
    QuotaExhausted,
    /// The request may have changed something, and no response says whether it did. The error
    /// inside is the reason for that.
    #[error("the effect of the request is unknown: {0}")]
    UnknownOutcome(Box<Self>),
    /// The journal cannot be written.
    #[error("the journal cannot be written")]
    AuditUnavailable,
}

impl DownstreamError {
    /// Returns the name of the rule that denies the request, if one does.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::DeniedByRule(denied) => Some(&denied.rule),
            Self::DeniedByPolicy(rule) => rule.as_deref(),
            _ => None,
        }
    }

    /// Returns the code for the journal.
    pub fn reason(&self) -> DownstreamReason {
        match self {
            Self::UnknownService => DownstreamReason::UnknownService,
            Self::NotGranted(_) => DownstreamReason::NotGranted,
            Self::DeniedByRule(_) => DownstreamReason::DeniedByRule,
            Self::DeniedByPolicy(_) => DownstreamReason::DeniedByPolicy,
            Self::PolicyUnavailable(_) => DownstreamReason::PolicyUnavailable,
            Self::DefinitionChanged => DownstreamReason::DefinitionChanged,
            Self::InvalidRequest(_) => DownstreamReason::InvalidRequest,
            Self::Denied => DownstreamReason::Denied,
            Self::DenialsUnavailable => DownstreamReason::DenialsUnavailable,
            Self::IdentityUnavailable => DownstreamReason::IdentityUnavailable,
            Self::ConsentRequired(_) => DownstreamReason::ConsentRequired,
            Self::ScopeDenied(_) => DownstreamReason::ScopeDenied,
            Self::CredentialRefused(_) => DownstreamReason::CredentialRefused,
            Self::Unavailable(_) => DownstreamReason::Unavailable,
            Self::TimedOut => DownstreamReason::TimedOut,
            Self::TooLarge => DownstreamReason::TooLarge,
            Self::QuotaExhausted => DownstreamReason::QuotaExhausted,
            Self::UnknownOutcome(cause) => cause.reason(),
            Self::AuditUnavailable => DownstreamReason::AuditUnavailable,
        }
    }
}
