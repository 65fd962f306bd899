//! The records of the host itself: components, configuration, journal, start and stop.

use serde::{Deserialize, Serialize};

use super::parts::Decision;
use crate::reason::LoadReason;
use crate::text::{Detail, Text};

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;

/// `component.loaded`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentLoaded {
    /// `sha256:` and the digest of its code.
    pub component: Text,
    /// Its name, its tools, and what changed.
    pub detail: Detail,
}

/// `component.refused`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentRefused {
    /// `sha256:` and the digest of its code, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Text>,
    decision: Decision,
    /// The reason.
    pub reason: LoadReason,
    /// Its name and the cause in words.
    pub detail: Detail,
}

impl ComponentRefused {
    /// Returns the record of a component that is not loaded.
    pub fn new(component: Option<Text>, reason: LoadReason, detail: Detail) -> Self {
        Self {
            component,
            decision: Decision::Deny,
            reason,
            detail,
        }
    }
}

/// `component.removed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentRemoved {
    /// `sha256:` and the digest of its code.
    pub component: Text,
    /// Its name.
    pub detail: Detail,
}

/// `config.loaded`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigLoaded {
    /// The digest of the file.
    pub detail: Detail,
}

/// `config.refused`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigRefused {
    decision: Decision,
    /// The reason.
    pub reason: LoadReason,
    /// The cause in words.
    pub detail: Detail,
}

impl ConfigRefused {
    /// Returns the record of a configuration that is not applied.
    pub fn new(detail: Detail) -> Self {
        Self {
            decision: Decision::Deny,
            reason: LoadReason::ConfigRefused,
            detail,
        }
    }
}

/// `denial.added`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenialAdded {
    /// The denial's identifier.
    pub denial: Text,
    /// What it stops, why and until when.
    pub detail: Detail,
}

/// `denial.lifted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenialLifted {
    /// The denial's identifier.
    pub denial: Text,
    /// What it stopped, and whether it had expired.
    pub detail: Detail,
}

/// `denials.lost`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenialsLost {
    /// The cause in words.
    pub detail: Detail,
}

/// `denials.found`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenialsFound {
    /// The number of the last change, and that of the denials.
    pub detail: Detail,
}

/// `journal.begun`: the head of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalBegun {
    /// The format of all records of this log.
    pub(crate) format: u32,
    /// The name of the log, as its checkpoints have it.
    pub(crate) log: Text,
    /// The host's memory of the log before; null if there was none.
    pub(crate) previous: Option<Previous>,
}

impl JournalBegun {
    pub(crate) fn new(log: &str, previous: Option<Previous>) -> Self {
        Self {
            format: FORMAT,
            log: log.into(),
            previous,
        }
    }
}

/// A log that another one follows. Empty if the host could not read its memory of it; size and root
/// are there only if the host's key signed them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The number of its records, as far as they were signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// The root over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<Text>,
    /// The name of the key that signed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Text>,
    /// Whether the key is only what an unverified note names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unverified: bool,
}

/// `journal.cut`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalCut {
    detail: Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cut {
    bytes: u64,
}

impl JournalCut {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            detail: Cut { bytes },
        }
    }
}

/// `journal.adopted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalAdopted {
    /// The kept checkpoint, the journal, and the host's memory.
    pub(crate) detail: Detail,
}

/// `host.started`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostStarted {
    /// Its version and the resource that it serves.
    pub detail: Detail,
}

/// `host.stopped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStopped {}
