//! What it means for a tool's request that a token was not obtained, or not accepted.

use crate::downstream::DownstreamError;
use crate::tokens::EndpointError;

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
