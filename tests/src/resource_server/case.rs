//! Cases: a sentence, its source, and whether the source demands it.

/// One case of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The behaviour that is expected, in a sentence.
    pub name: &'static str,
    /// The section of the specification that demands it. One of MCP is of 2026-07-28, unless a
    /// revision is named.
    pub source: &'static str,
    /// The weight that the specification gives it (RFC 2119).
    pub level: Level,
}

impl Case {
    /// Makes a case that a server must pass.
    pub(super) const fn must(name: &'static str, source: &'static str) -> Self {
        Self {
            name,
            source,
            level: Level::Must,
        }
    }

    /// Makes a case that a server should pass.
    pub(super) const fn should(name: &'static str, source: &'static str) -> Self {
        Self {
            name,
            source,
            level: Level::Should,
        }
    }
}

/// The weight of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A server that fails is not a safe or conforming resource server.
    Must,
    /// A server may fail with a good reason.
    Should,
}

impl Level {
    /// Returns the word of RFC 2119.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        }
    }
}

/// The outcome of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server did what is expected.
    Passed,
    /// It did not: what was expected, and what came.
    Failed(String),
    /// The case could not be tried, and why. It counts as nothing.
    NotTried(String),
}

impl Outcome {
    /// Passes if a condition holds; otherwise fails with these words.
    pub(super) fn of(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        if holds {
            Self::Passed
        } else {
            Self::Failed(otherwise())
        }
    }
}
