//! What a start, an adoption and an examination need: the storage, the keys and the memory, with
//! the errors for people.

use std::io;
use std::path::Path;

use super::super::archive::{Archive, is_begun, key_text};
use super::super::batch::Seal;
use super::super::checkpoint::Checkpoint;
use super::super::damage::Damage;
use super::super::file::{Storage, Stored};
use super::super::head;
use super::super::memory::{Memory, MemoryFile};
use super::super::verify::{self, Report, VerifyError};
use super::log::Signer;
use super::{JournalError, Keys, Settings};
use crate::note::VerifierKey;

/// Everything that recovery needs. Its storage may be one that is only read.
pub(super) struct Grounds<'s, S: ?Sized = dyn Storage> {
    pub(super) storage: Box<S>,
    pub(super) settings: &'s Settings,
    pub(super) signer: Signer,
    pub(super) seal: Seal,
    pub(super) memory: MemoryFile,
}

impl<'s, S: Stored + ?Sized> Grounds<'s, S> {
    pub(super) fn new(
        storage: Box<S>,
        settings: &'s Settings,
        keys: Keys,
    ) -> Result<Self, JournalError> {
        let verifier = VerifierKey::new(&settings.origin, keys.signing.public())
            .map_err(JournalError::Origin)?;
        let seal = Seal::new(keys.mac, &settings.origin);
        let memory = MemoryFile::new(&settings.memory, &settings.origin);
        Ok(Self {
            storage,
            settings,
            signer: Signer {
                key: keys.signing,
                verifier,
            },
            seal,
            memory,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Returns the journal's files, for reading.
    pub(super) fn archive(&self) -> &dyn Archive {
        self.storage.archive()
    }

    /// Checks that the folder is empty, or in this version's format and this key's.
    pub(super) fn check_folder(&self) -> Result<(), JournalError> {
        head::check_archive(self.archive()).map_err(|damage| self.damaged(damage))?;
        match key_text(self.archive()).map_err(|error| self.unreadable(error))? {
            Some(found) => self.check_key(&found),
            // The host writes its own key with the first record, or again.
            None => Ok(()),
        }
    }

    /// Checks that the folder's key is this host's, however the lines of the file end.
    fn check_key(&self, found: &str) -> Result<(), JournalError> {
        let (path, ours) = (self.folder().to_owned(), &self.signer.verifier);
        match found.parse::<VerifierKey>() {
            Ok(key) if key == *ours => Ok(()),
            Ok(key) => Err(JournalError::OtherKey {
                path,
                found: key.to_string(),
            }),
            Err(source) => Err(JournalError::NotAKey {
                path,
                ours: ours.to_string(),
                source,
            }),
        }
    }

    pub(super) fn unreadable(&self, source: io::Error) -> JournalError {
        JournalError::Folder {
            path: self.folder().to_owned(),
            source,
        }
    }

    pub(super) fn damaged(&self, damage: Damage) -> JournalError {
        let (path, signed) = (self.folder().to_owned(), self.signed());
        match damage {
            Damage::Format(found) => JournalError::Format {
                path,
                signed,
                found,
            },
            damage => JournalError::Damaged {
                path,
                signed,
                damage,
            },
        }
    }

    /// Verifies the journal in full, and that it extends the checkpoint `kept`.
    pub(super) fn verify(&self, kept: Option<Checkpoint>) -> Result<Report, JournalError> {
        let report = verify::check(self.archive(), &self.signer.verifier, kept, None);
        report.map_err(|error| match error {
            VerifyError::Damaged { damage, .. } => self.damaged(damage),
            error => JournalError::NotAJournal {
                path: self.settings.folder.clone(),
                source: error,
            },
        })
    }

    /// Returns the number of records that this host remembers having signed, if it does.
    fn signed(&self) -> Option<u64> {
        let remembered = self.remembered().ok()??;
        Some(self.verified(&remembered)?.size)
    }

    /// Returns the remembered checkpoint, if this host's key signed it for this log.
    pub(super) fn verified(&self, remembered: &Memory) -> Option<Checkpoint> {
        Checkpoint::open(&remembered.note, &self.signer.verifier)
    }

    /// Returns true if the folder holds any part of a journal.
    pub(super) fn is_begun(&self) -> Result<bool, JournalError> {
        is_begun(self.archive()).map_err(|error| self.unreadable(error))
    }

    /// Returns the host's memory, if there is one.
    pub(super) fn remembered(&self) -> Result<Option<Memory>, JournalError> {
        let bytes = self.storage.remembered();
        let memory = bytes.and_then(|bytes| bytes.map(|bytes| Memory::parse(&bytes)).transpose());
        memory.map_err(|source| JournalError::Memory {
            path: self.memory.path(),
            source,
        })
    }
}
