//! The reasons for getting no token from an authorization server.

use crate::json::member::IllTyped;

/// Why a token endpoint gave no token. Quotes nothing that the server wrote, except a code of a
/// fixed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The request could not be built.
    #[error("the request could not be built")]
    Request,
    /// The client's identifier or secret does not fit a header.
    #[error("the client credentials cannot be encoded")]
    Client,
    /// No answer in time.
    #[error("the authorization server did not answer in time")]
    TimedOut,
    /// No connection, or an address that must not be dialled.
    #[error("the authorization server cannot be reached")]
    Unreachable,
    /// The server has a problem of its own, or wants fewer requests.
    #[error("the authorization server is not available")]
    Unavailable,
    /// The answer is a success, but not a bearer token.
    #[error("the authorization server's answer is not a bearer token: {0}")]
    Malformed(#[from] MalformedAnswer),
    /// The user must consent first.
    #[error("the authorization server wants the user's consent first")]
    ConsentRequired,
    /// These scopes, which were asked for, are not given.
    #[error("the authorization server did not give the scopes {0:?}")]
    ScopeDenied(Vec<String>),
    /// The server refused with a code that is known.
    #[error("the authorization server answered {0}")]
    Refused(&'static str),
    /// The server refused with another code or without one.
    #[error("the authorization server refused")]
    RefusedWithoutCode,
    /// The host's own token can do more than was asked for.
    #[error("the host's own token has scopes that were not asked for (auth.expect_scopes)")]
    TooWide,
}

/// Why an answer of 200 gives no token. Quotes nothing of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// Not JSON, or JSON that could be read in two ways.
    #[error("it is not JSON that the host accepts")]
    Json,
    /// A member has another type than its specification gives it.
    #[error(transparent)]
    IllTyped(#[from] IllTyped),
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A kind of token that the host cannot present.
    #[error("`token_type` is not Bearer")]
    TokenType,
    /// The token would not fit a header.
    #[error("`access_token` is not the text of a token")]
    Token,
    /// It has an `error`, despite its status.
    #[error("it is an error (`{0}`)")]
    Error(&'static str),
    /// It was not read to its end.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
}
