//! The revisions of MCP that a remote server may speak.

use std::fmt;
use std::str::FromStr;

/// A revision of MCP with Streamable HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemoteRevision {
    /// 2025-03-26.
    V2025_03_26,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-11-25.
    V2025_11_25,
    /// 2026-07-28.
    V2026_07_28,
}

/// A text that names none of these revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"2026-07-28\", \"2025-11-25\", \"2025-06-18\" or \"2025-03-26\"")]
pub struct UnknownRevision;

impl RemoteRevision {
    /// The newest revision.
    pub const LATEST: Self = Self::V2026_07_28;
    /// The newest revision that begins with a handshake.
    pub const LATEST_WITH_HANDSHAKE: Self = Self::V2025_11_25;

    /// Returns true if a conversation begins with `initialize`. Later revisions say in every
    /// request what the handshake said.
    pub fn has_handshake(self) -> bool {
        self <= Self::LATEST_WITH_HANDSHAKE
    }

    /// Returns its name, as the protocol spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }
}

impl FromStr for RemoteRevision {
    type Err = UnknownRevision;

    fn from_str(text: &str) -> Result<Self, UnknownRevision> {
        let all = [
            Self::V2025_03_26,
            Self::V2025_06_18,
            Self::V2025_11_25,
            Self::V2026_07_28,
        ];
        let named = all.into_iter().find(|revision| revision.as_str() == text);
        named.ok_or(UnknownRevision)
    }
}

impl fmt::Display for RemoteRevision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
