//! How far one call got with its services.

use serde_json::{Map, Value};

/// How the requests that one call opened have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DownstreamTally {
    /// The service answered.
    pub done: u32,
    /// There was no answer, and nothing was changed.
    pub without_effect: u32,
    /// There was no answer, and it is unknown whether something was changed.
    pub unknown: u32,
}

impl DownstreamTally {
    /// The counts as the members of a record's detail.
    pub(super) fn detail(self) -> Map<String, Value> {
        let counts = [
            ("downstream_done", self.done),
            ("downstream_without_effect", self.without_effect),
            ("downstream_unknown", self.unknown),
        ];
        let member = |(name, count): (&str, u32)| (name.to_owned(), count.into());
        counts.into_iter().map(member).collect()
    }
}
