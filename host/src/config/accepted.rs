//! The file of approvals (`server.approvals`): for each component, what its tools say of themselves
//! as the operator approved it.
//!
//! `bailiwick approve` writes it and the host reads it. It must not lie in the tools folder:
//! whoever may drop a component there could approve it.
//!
//! Invariant: a file that cannot be read or that others may write approves nothing; it is an error.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::dispatch::Outline;
use crate::owned::{self, OwnedError, Trust};

/// What was approved, by component.
#[derive(Debug, Clone, Default)]
pub struct Approvals {
    path: PathBuf,
    approved: BTreeMap<String, Outline>,
}

/// Why approvals cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalsError {
    /// The file is not taken.
    #[error("{0} is not taken")]
    File(PathBuf, #[source] OwnedError),
    /// Not what `bailiwick approve` writes.
    #[error("{0} is not a file that `bailiwick approve` writes; remove it and approve again")]
    Content(PathBuf, #[source] serde_json::Error),
    /// It cannot be written.
    #[error("{0} cannot be written")]
    Write(PathBuf, #[source] io::Error),
}

impl Approvals {
    /// The approvals in the file `path`; none if there is no such file.
    ///
    /// # Errors
    /// There is a file, and it cannot be relied on.
    pub fn read(path: &Path, trust: &Trust) -> Result<Self, ApprovalsError> {
        let bytes = match owned::read(path, MAX_BYTES, trust) {
            Ok(bytes) => bytes,
            Err(OwnedError::Read(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    path: path.to_owned(),
                    approved: BTreeMap::new(),
                });
            }
            Err(error) => return Err(ApprovalsError::File(path.to_owned(), error)),
        };
        let approved = serde_json::from_slice(&bytes);
        let approved = approved.map_err(|error| ApprovalsError::Content(path.to_owned(), error))?;
        Ok(Self {
            path: path.to_owned(),
            approved,
        })
    }

    /// What was approved for a component last.
    pub fn of(&self, component: &str) -> Option<&Outline> {
        self.approved.get(component)
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Approves what the tools of a component say, in place of what was approved before. The file
    /// is replaced whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn approve(&mut self, component: &str, outline: Outline) -> Result<(), ApprovalsError> {
        self.approved.insert(component.to_owned(), outline);
        let write = || {
            let beside = self.path.with_extension("new");
            let text = serde_json::to_string_pretty(&self.approved)? + "\n";
            let _ = fs::remove_file(&beside);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o644)
                .open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)
        };
        write().map_err(|error| ApprovalsError::Write(self.path.clone(), error))
    }
}

/// A thousand components with a few tools each.
const MAX_BYTES: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn outline(tool: &str) -> Outline {
        serde_json::from_str(&format!(r#"{{"{tool}":{{"description":"sha256:0"}}}}"#)).unwrap()
    }

    #[test]
    fn what_is_approved_is_read_again_and_replaces_what_was_approved_before() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("approvals.json");
        let mut approvals = Approvals::read(&path, &Trust::default()).unwrap();
        assert!(approvals.of("orders").is_none());
        for tool in ["a", "b"] {
            approvals.approve("orders", outline(tool)).unwrap();
            assert_eq!(
                Approvals::read(&path, &Trust::default())
                    .unwrap()
                    .of("orders"),
                Some(&outline(tool))
            );
        }
        approvals.approve("billing", outline("c")).unwrap();
        let read = Approvals::read(&path, &Trust::default()).unwrap();
        assert_eq!(
            (read.of("orders"), read.of("billing")),
            (Some(&outline("b")), Some(&outline("c")))
        );
    }

    #[test]
    fn a_file_that_cannot_be_relied_on_approves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("approvals.json");
        for (text, mode) in [
            ("{}", 0o666),
            ("", 0o644),
            ("[]", 0o644),
            (r#"{"orders":{"a":1}}"#, 0o644),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                Approvals::read(&path, &Trust::default()).is_err(),
                "{text} {mode:o}"
            );
        }
    }
}
