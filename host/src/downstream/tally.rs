//! The outcome of one call's requests to its services.

/// The requests that one call opened, counted by their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DownstreamTally {
    /// Requests that the service answered, whether or not the tool got the answer.
    pub done: u32,
    /// Requests without an answer that changed nothing.
    pub without_effect: u32,
    /// Requests without an answer that may have changed something.
    pub unknown: u32,
    /// Requests among these that changed something, or may have.
    pub changing: u32,
}
