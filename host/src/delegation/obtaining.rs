//! What it means for a tool's request that a token was not obtained, or not accepted.

use crate::downstream::DownstreamError;
use crate::tokens::{EndpointError, KeyError, TokenError, VerifyError};

impl From<EndpointError> for DownstreamError {
    fn from(why: EndpointError) -> Self {
        let text = why.to_string();
        match why {
            EndpointError::ConsentRequired => Self::ConsentRequired(text),
            EndpointError::ScopeDenied(scopes) => Self::ScopeDenied(scopes),
            EndpointError::TimedOut | EndpointError::Unreachable | EndpointError::Unavailable => {
                Self::Unavailable(text)
            }
            EndpointError::Request
            | EndpointError::Client
            | EndpointError::Malformed(_)
            | EndpointError::Refused(_)
            | EndpointError::RefusedWithoutCode
            | EndpointError::TooWide => Self::CredentialRefused(text),
        }
    }
}

/// The refusal of an issued token.
pub(super) fn refuse(why: &str) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("the issued token is not acceptable: {why}"))
}

/// What the front door would not accept is not sent either.
impl From<VerifyError> for DownstreamError {
    fn from(why: VerifyError) -> Self {
        match why {
            VerifyError::Token(why) => why.into(),
            VerifyError::Key(KeyError::Unknown) => refuse("it is signed with an unknown key"),
            VerifyError::Key(KeyError::Unavailable { .. }) => {
                Self::Unavailable("the keys of the authorization server are not available".into())
            }
        }
    }
}

impl From<TokenError> for DownstreamError {
    fn from(why: TokenError) -> Self {
        match why {
            TokenError::Outlives => {
                refuse("it outlives the caller's own token (exchange.max_lifetime)")
            }
            TokenError::Audience => refuse("it is for another audience, or for more than one"),
            why => refuse(&why.to_string()),
        }
    }
}
