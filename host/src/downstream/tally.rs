//! How far one call got with its services.

/// How the requests that one call opened have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DownstreamTally {
    /// The service answered, whether or not the tool got the answer.
    pub done: u32,
    /// There was no answer, and nothing was changed.
    pub without_effect: u32,
    /// There was no answer, and it is not known what was changed.
    pub unknown: u32,
}
