//! The reasons for which there is no decision. Each of them denies.

use crate::delegation::bulkhead::NoServicePlace;
use crate::downstream::DownstreamError;
use crate::json::JsonError;
use crate::json::member::IllTyped;

/// The reasons for which the policy point gave no decision. They quote nothing that it wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::delegation) enum NoDecision {
    /// A part of the request that it would be told has no one meaning.
    #[error("it cannot be asked about this request: {0}")]
    Unclear(String),
    /// What it would be told is too large.
    #[error("it cannot be asked about this request: it would be told more than {0} bytes")]
    TooLarge(usize),
    /// It gave no answers, and this is the time until it is tried again, in seconds.
    #[error("it gave no answer to several questions in a row, so it is not asked for {0} s")]
    Paused(u64),
    /// All places are taken, or all of this actor.
    #[error("it has as many questions of this host, or of this user, as it may have")]
    Full,
    /// The host has no credential for it.
    #[error("the host has no credential for it: {0}")]
    Credential(String),
    /// There is no complete answer.
    #[error("it gave no answer: {0}")]
    Unanswered(String),
    /// The answer has another status.
    #[error("it answered {0}, where a decision comes with 200")]
    Status(u16),
    /// The answer is of another type, or of none.
    #[error("its answer is not application/json")]
    ContentType,
    /// The answer is no decision.
    #[error("its answer is no decision: {0}")]
    Malformed(String),
}

impl From<NoServicePlace> for NoDecision {
    fn from(why: NoServicePlace) -> Self {
        match why {
            NoServicePlace::Paused(rest) => Self::Paused(rest.as_secs() + 1),
            NoServicePlace::Full => Self::Full,
        }
    }
}

/// Its text is part of the error's, and so no cause of it.
impl From<JsonError> for NoDecision {
    fn from(why: JsonError) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// Its text is part of the error's, and so no cause of it.
impl From<IllTyped> for NoDecision {
    fn from(why: IllTyped) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// A tool learns what it can change about its request, and nothing about the policy point.
impl From<NoDecision> for DownstreamError {
    fn from(why: NoDecision) -> Self {
        let asked = "the operator's policy point";
        Self::PolicyUnavailable(match why {
            NoDecision::Unclear(why) => format!("{asked} cannot be asked about it: {why}"),
            NoDecision::TooLarge(most) => {
                format!("{asked} cannot be asked about it: it would be told more than {most} bytes")
            }
            _ => format!("{asked} gave no decision"),
        })
    }
}
