//! Requests without an answer.

use std::error::Error as StdError;
use std::fmt;

use bailiwick_journal::chain;
use http_body_util::LengthLimitError;

use super::addresses::Blocked;
use super::coding::CodingError;

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The destination resolves to an address that must not be dialled.
    #[error("the destination is not allowed")]
    Blocked(#[source] Blocked),
    /// There is no connection, so nothing was sent.
    #[error("the destination cannot be reached")]
    Unreachable(#[source] Failure),
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken(#[source] Failure),
    /// The answer cannot be read.
    #[error(
        "the answer is not HTTP that this host reads: a status of 200 to 599, at most 100 header \
         lines, none folded"
    )]
    Unreadable(#[source] Failure),
    /// The answer cannot be decoded.
    #[error("the answer cannot be decoded")]
    Coded(#[source] CodingError),
    /// A deadline has passed. Only [`Sent`](super::Sent) says whether the request had left by then.
    #[error("{0} within the deadline")]
    TimedOut(RequestStep),
    /// The answer is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// A step of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestStep {
    /// Resolving the name, and TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The head of the answer.
    FirstByte,
    /// The next part of the answer's body.
    BetweenBytes,
    /// The request as a whole.
    Total,
}

impl fmt::Display for RequestStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "no connection",
            Self::Tls => "no end of the TLS handshake",
            Self::FirstByte => "no answer",
            Self::BetweenBytes => "no more of the answer",
            Self::Total => "no complete answer",
        })
    }
}

/// The cause of a failure, from below.
pub(super) type Failure = Box<dyn StdError + Send + Sync>;

impl EgressError {
    /// Returns the error and all its causes as one line for the log.
    pub fn with_causes(&self) -> String {
        chain(self)
    }

    /// Returns true if the peer answered, though not with anything that can be used.
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Unreadable(_) | Self::Coded(_) | Self::TooLarge(_)
        )
    }

    /// Returns why a connection gave no head of an answer.
    pub(super) fn headless(error: Failure) -> Self {
        match find::<hyper::Error>(error.as_ref()) {
            Some(cause) if cause.is_parse() || cause.is_parse_too_large() => {
                Self::Unreadable(error)
            }
            _ => Self::Broken(error),
        }
    }

    /// Returns why there is no whole answer to a request that was handed to a connection.
    pub(super) fn unanswered(error: Failure, max_bytes: usize) -> Self {
        match find::<LengthLimitError>(error.as_ref()) {
            Some(_) => Self::TooLarge(max_bytes),
            None => Self::Broken(error),
        }
    }

    /// Returns why the body of an answer cannot be decoded.
    pub(super) fn coded(error: CodingError, max_bytes: usize) -> Self {
        match error {
            CodingError::TooLarge => Self::TooLarge(max_bytes),
            error => Self::Coded(error),
        }
    }
}

/// Returns the first `E` among `error` and its causes.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    std::iter::successors(Some(error), |&layer| layer.source())
        .find_map(|layer| layer.downcast_ref())
}
