//! The host's memory of its journal, outside the journal's folder: the checkpoint that it signed
//! last, and the end of the list of checkpoints before it.
//!
//! An attacker who can write only the audit folder cannot write the memory, so a journal that was
//! rolled back, cut or rewritten does not extend it. If journal and memory are rolled back
//! together, only a checkpoint that someone else kept shows it.
//!
//! Invariant: the memory is durable after the records that its checkpoint covers, and before that
//! checkpoint is anywhere else.

use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::archive::{OnDisk, contents};
use super::file::length_of;
use super::tree::Hash;

/// The place of one log's memory.
#[derive(Clone, Debug)]
pub(super) struct MemoryFile {
    folder: PathBuf,
    stem: String,
    name: String,
}

impl MemoryFile {
    /// Returns the memory of the log of this origin.
    pub(super) fn new(folder: &Path, origin: &str) -> Self {
        let stem = format!("journal-{}", utf8_percent_encode(origin, ESCAPED));
        Self {
            folder: folder.to_owned(),
            name: format!("{stem}.memory"),
            stem,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Returns the name of the milestone's file, which lies in the same folder.
    pub(super) fn milestone(&self) -> String {
        format!("{}.milestone", self.stem)
    }

    /// Returns the contents of the memory, or `None` if there is none.
    pub(super) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        contents(&OnDisk::new(&self.folder), &self.name)
    }

    /// Returns the contents of the milestone's file, or `None` if there is none.
    pub(super) fn read_milestone(&self) -> io::Result<Option<Vec<u8>>> {
        contents(&OnDisk::new(&self.folder), &self.milestone())
    }

    /// Returns the file whose lock shows that a process writes this log.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.stem))
    }
}

/// The checkpoint signed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    /// The note.
    pub(super) note: String,
    /// The list of checkpoints before this one was added.
    pub(super) list: ListEnd,
}

impl Memory {
    /// Reads the contents of the file.
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Returns the contents of the file.
    pub(super) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// A list of checkpoints as it was written: its length, and a chain of hashes over its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListEnd {
    pub(super) bytes: u64,
    #[serde(with = "base64_hash")]
    pub(super) hash: Hash,
}

impl ListEnd {
    /// Returns the end of the list with one more line, which has its line break.
    pub(super) fn with(self, line: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(self.hash)
            .chain_update(line)
            .finalize()
            .into();
        Self {
            bytes: self.bytes.saturating_add(length_of(line)),
            hash,
        }
    }
}

/// The characters to escape, so that no file system and no shell takes a name for anything else.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A hash as text.
mod base64_hash {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Hash;

    pub(super) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(hash))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        bytes
            .try_into()
            .map_err(|_| D::Error::custom("expected 32 bytes"))
    }
}
