//! The errors that a tool's request gets when a token could not be obtained or was not accepted.

use crate::denials::Stop;
use crate::downstream::DownstreamError;
use crate::tokens::{EndpointError, KeyError, TokenError, VerifyError};

impl From<EndpointError> for DownstreamError {
    fn from(why: EndpointError) -> Self {
        let text = why.to_string();
        match why {
            EndpointError::ConsentRequired => Self::ConsentRequired(text),
            // Whoever asks the user needs them whole.
            EndpointError::ClaimsRequired(claims) => {
                Self::ConsentRequired(format!("{text}; claims={claims}"))
            }
            EndpointError::ScopeDenied(scopes) => Self::ScopeDenied(scopes),
            EndpointError::TimedOut
            | EndpointError::Unreachable
            | EndpointError::Unavailable
            | EndpointError::Paused(_) => Self::Unavailable(text),
            EndpointError::Request
            | EndpointError::Client
            | EndpointError::Assertion
            | EndpointError::ClientPaused(_)
            | EndpointError::Malformed(_)
            | EndpointError::OtherStatus(_)
            | EndpointError::Redirected(_)
            | EndpointError::Refused(_)
            | EndpointError::RefusedWithoutCode(_)
            | EndpointError::TooWide => Self::CredentialRefused(text),
        }
    }
}

impl From<&Stop> for DownstreamError {
    fn from(stop: &Stop) -> Self {
        match stop {
            Stop::Denied(_) => Self::Denied,
            Stop::Unknown => Self::DenialsUnavailable,
        }
    }
}

/// Returns the refusal of an issued token.
pub(super) fn refuse(why: &str) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("the issued token is not acceptable: {why}"))
}

/// A token that the front door would refuse is not sent either.
impl From<VerifyError> for DownstreamError {
    fn from(why: VerifyError) -> Self {
        match why {
            VerifyError::Token(why) => why.into(),
            VerifyError::Key(KeyError::Unknown { .. } | KeyError::Unnamed { .. }) => {
                refuse("it is signed with an unknown key")
            }
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
            TokenError::Bound => refuse(
                "it is bound to a key or to another certificate (`cnf`): set the service's \
                 client_certificate_file to the certificate that it is bound to, or turn the \
                 binding off at the authorization server",
            ),
            why => refuse(&why.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::DownstreamReason;
    use crate::tokens::MalformedAnswer;

    #[test]
    fn each_way_to_get_no_token_is_one_kind_of_error_for_the_tool() {
        use DownstreamReason::{ConsentRequired, CredentialRefused, ScopeDenied, Unavailable};
        for (why, expected) in [
            (EndpointError::Request, CredentialRefused),
            (EndpointError::Client, CredentialRefused),
            (EndpointError::Assertion, CredentialRefused),
            (EndpointError::TimedOut, Unavailable),
            (EndpointError::Unreachable, Unavailable),
            (EndpointError::Unavailable, Unavailable),
            (EndpointError::Paused(30), Unavailable),
            (EndpointError::ClientPaused(30), CredentialRefused),
            (EndpointError::Redirected(302), CredentialRefused),
            (EndpointError::OtherStatus(201), CredentialRefused),
            (MalformedAnswer::Token.into(), CredentialRefused),
            (EndpointError::ConsentRequired, ConsentRequired),
            (EndpointError::ClaimsRequired("{}".into()), ConsentRequired),
            (EndpointError::ScopeDenied(vec!["a".into()]), ScopeDenied),
            (EndpointError::Refused("invalid_grant"), CredentialRefused),
            (EndpointError::RefusedWithoutCode(401), CredentialRefused),
            (EndpointError::TooWide, CredentialRefused),
        ] {
            let error = DownstreamError::from(why.clone());
            assert_eq!(error.reason(), expected, "{why}");
        }
        let challenge = EndpointError::ClaimsRequired(r#"{"id_token":{}}"#.into());
        assert!(
            !challenge.to_string().contains("id_token"),
            "it is for no log"
        );
        let hint = match DownstreamError::from(challenge) {
            DownstreamError::ConsentRequired(hint) => hint,
            other => other.to_string(),
        };
        assert!(hint.ends_with(r#"; claims={"id_token":{}}"#), "{hint}");
        assert_eq!(
            DownstreamError::from(EndpointError::ScopeDenied(vec!["a".into()])),
            DownstreamError::ScopeDenied(vec!["a".into()])
        );
    }

    #[test]
    fn a_token_that_is_not_accepted_is_refused_and_keys_that_are_away_are_not() {
        use DownstreamReason::{CredentialRefused, Unavailable};
        let away = KeyError::Unavailable {
            issuer: "https://idp.example".into(),
            what: "it took too long".into(),
        };
        for (why, expected) in [
            (VerifyError::from(TokenError::Outlives), CredentialRefused),
            (TokenError::Audience.into(), CredentialRefused),
            (TokenError::Bound.into(), CredentialRefused),
            (
                KeyError::Unknown {
                    issuer: "https://idp.example".into(),
                }
                .into(),
                CredentialRefused,
            ),
            (away.into(), Unavailable),
        ] {
            let error = DownstreamError::from(why.clone());
            assert_eq!(error.reason(), expected, "{why}");
            assert!(
                !error.to_string().contains("took too long"),
                "what is wrong with the keys is for the operator: {error}"
            );
        }
    }
}
