//! The reasons for getting no token from an authorization server.

use crate::json::JsonError;
use crate::json::member::IllTyped;

/// The reasons for which a token endpoint gave no token. They quote nothing that the server wrote,
/// except a code from a fixed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The request could not be built.
    #[error("the request could not be built")]
    Request,
    /// The client's identifier or secret does not fit a header.
    #[error("the client credentials cannot be encoded")]
    Client,
    /// The file with the host's assertion cannot be used.
    #[error("the file with the host's proof of identity cannot be used")]
    Assertion,
    /// No answer in time.
    #[error("the authorization server did not answer in time")]
    TimedOut,
    /// No connection, or an address that must not be dialled.
    #[error("the authorization server cannot be reached")]
    Unreachable,
    /// The server is failing, or asks for fewer requests.
    #[error("the authorization server is not available")]
    Unavailable,
    /// The answer is a success, but not what was asked for.
    #[error("the authorization server's answer cannot be used: {0}")]
    Malformed(MalformedAnswer),
    /// The user must consent first.
    #[error("the authorization server requires the user's consent first")]
    ConsentRequired,
    /// The user must log in again and meet these demands (`claims` of a claims challenge, JSON).
    /// They are for whoever asks the user, not for the log.
    #[error("the authorization server demands more of the user's login (a claims challenge)")]
    ClaimsRequired(String),
    /// The server does not grant these scopes, which were requested.
    #[error("the authorization server did not grant the scopes {0:?}")]
    ScopeDenied(Vec<String>),
    /// The server refused with a known code.
    #[error("the authorization server answered {0}")]
    Refused(&'static str),
    /// The server refused with another code or without one. The number is its HTTP status.
    #[error("the authorization server answered {0} without an error code that the host knows")]
    RefusedWithoutCode(u16),
    /// The server sent the host elsewhere. The number is its HTTP status.
    #[error("the authorization server answered {0}, a redirect, and the host follows none")]
    Redirected(u16),
    /// Neither the success that the specification names nor a refusal. The number is the status.
    #[error("the authorization server answered {0}, where a token comes with 200")]
    OtherStatus(u16),
    /// The server asked for fewer requests. The number is the seconds that are left.
    #[error("the authorization server asked for fewer requests, so it is not asked for {0} s")]
    Paused(u64),
    /// The server refused the host's proof of its identity. The number is the seconds that are
    /// left.
    #[error(
        "the authorization server refused the host as its client, so it is not asked for {0} s, \
         unless the host's secret changes"
    )]
    ClientPaused(u64),
    /// The host's own token allows more than was requested.
    #[error("the host's own token has scopes that were not requested (auth.expect_scopes)")]
    TooWide,
}

impl EndpointError {
    /// Returns true if nothing was asked, because it is too early.
    pub(super) fn is_pause(&self) -> bool {
        matches!(self, Self::Paused(_) | Self::ClientPaused(_))
    }
}

/// Its text is part of the error's, and so no cause of it.
impl From<MalformedAnswer> for EndpointError {
    fn from(why: MalformedAnswer) -> Self {
        Self::Malformed(why)
    }
}

/// Its text is part of the error's, and so no cause of it.
impl From<JsonError> for MalformedAnswer {
    fn from(why: JsonError) -> Self {
        Self::Json(why)
    }
}

/// The reasons for which an answer of 200 gives no token. They quote nothing of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// The answer is not HTTP.
    #[error("it is not HTTP that the host reads: at most 100 header lines, none folded")]
    Http,
    /// The answer is compressed in a way that the host cannot undo.
    #[error("it cannot be decoded: the host knows gzip, br, zstd and deflate, each alone")]
    Coded,
    /// The answer is not JSON, or is JSON that could be read in two ways.
    #[error("it is {0}")]
    Json(JsonError),
    /// The answer has no body.
    #[error("it is empty")]
    Empty,
    /// The answer is HTML or XML.
    #[error("it is a page, not JSON")]
    Page,
    /// The answer begins with U+FEFF, which JSON must not (RFC 8259 §8.1).
    #[error("it begins with a byte order mark")]
    ByteOrderMark,
    /// The answer is compressed, and no header says so.
    #[error("it is compressed without saying so")]
    Compressed,
    /// A member does not have the type that its specification gives it.
    #[error(transparent)]
    IllTyped(#[from] IllTyped),
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A lifetime that is text, but not of digits.
    #[error("expected a number of seconds as `expires_in`")]
    Lifetime,
    /// A kind of token that the host cannot present.
    #[error("expected {0} as `token_type`")]
    TokenType(String),
    /// The token would not fit a header.
    #[error("expected the text of a token as `access_token`")]
    Token,
    /// The answer has an `error`, despite its status, and no code that the host knows.
    #[error("it has an `error`, without a code that the host knows")]
    Error,
    /// The answer was too large to be read to its end.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
}
