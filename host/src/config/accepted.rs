//! The file of accepted definitions (`server.accepted`): for each component, the definitions of its
//! tools as the operator accepted them.
//!
//! `bailiwick accept` writes it and the host reads it. It must not lie in the tools folder: anyone
//! who may drop a component there could accept it.
//!
//! Invariant: a file that cannot be read, or that others may write, accepts nothing; it is an
//! error. So is the file of an earlier version, which is never converted silently.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::dispatch::Outline;
use crate::owned::{self, OwnedError, Trust};

/// The accepted definitions, by component.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    path: PathBuf,
    outlines: BTreeMap<String, Outline>,
}

/// An error in the file of accepted definitions.
#[derive(Debug, thiserror::Error)]
pub enum AcceptedError {
    /// The file is refused.
    #[error("{0} is refused")]
    File(PathBuf, #[source] OwnedError),
    /// The file is not in the form that `bailiwick accept` writes.
    #[error("{0} is not a file that `bailiwick accept` writes; remove it and accept again")]
    Content(PathBuf, #[source] serde_json::Error),
    /// There is only the file of an earlier version.
    #[error(
        "{former} was written by `bailiwick approve`, which is now `bailiwick accept`; rename it \
         to {path} to keep what it says, or remove it and accept again"
    )]
    Former {
        /// The file that is there.
        former: PathBuf,
        /// The file that is missing.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{0} cannot be written")]
    Write(PathBuf, #[source] io::Error),
}

impl Accepted {
    /// Reads the file `path`. Without it, nothing is accepted.
    ///
    /// # Errors
    /// Fails if the file cannot be relied on, or if it is missing and [`FORMER`] is in its place.
    pub fn read(path: &Path, trust: &Trust) -> Result<Self, AcceptedError> {
        let outlines = match owned::read(path, MAX_BYTES, trust) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| AcceptedError::Content(path.to_owned(), error))?,
            Err(OwnedError::Read(error)) if error.kind() == io::ErrorKind::NotFound => {
                refuse_former(path)?;
                BTreeMap::new()
            }
            Err(error) => return Err(AcceptedError::File(path.to_owned(), error)),
        };
        Ok(Self {
            path: path.to_owned(),
            outlines,
        })
    }

    /// Returns the definitions of a component that were accepted last.
    pub fn of(&self, component: &str) -> Option<&Outline> {
        self.outlines.get(component)
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Accepts the definitions of a component in place of those that were accepted before.
    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn accept(&mut self, component: &str, outline: Outline) -> Result<(), AcceptedError> {
        self.outlines.insert(component.to_owned(), outline);
        let write = || {
            let text = serde_json::to_string_pretty(&self.outlines)? + "\n";
            owned::replace(&self.path, text.as_bytes())
        };
        write().map_err(|error| AcceptedError::Write(self.path.clone(), error))
    }
}

/// Fails if the file of an earlier version lies where `path` is missing.
fn refuse_former(path: &Path) -> Result<(), AcceptedError> {
    let former = path.with_file_name(FORMER);
    if former == path || fs::symlink_metadata(&former).is_err() {
        return Ok(());
    }
    Err(AcceptedError::Former {
        former,
        path: path.to_owned(),
    })
}

/// The name of the file in earlier versions.
const FORMER: &str = "approvals.json";

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
    fn what_is_accepted_is_read_again_and_replaces_what_was_accepted_before() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("accepted.json");
        let mut accepted = Accepted::read(&path, &Trust::default()).unwrap();
        assert!(accepted.of("orders").is_none());
        for tool in ["a", "b"] {
            accepted.accept("orders", outline(tool)).unwrap();
            assert_eq!(
                Accepted::read(&path, &Trust::default())
                    .unwrap()
                    .of("orders"),
                Some(&outline(tool))
            );
        }
        accepted.accept("billing", outline("c")).unwrap();
        let read = Accepted::read(&path, &Trust::default()).unwrap();
        assert_eq!(
            (read.of("orders"), read.of("billing")),
            (Some(&outline("b")), Some(&outline("c")))
        );
    }

    #[test]
    fn a_file_that_cannot_be_relied_on_accepts_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("accepted.json");
        for (text, mode) in [
            ("{}", 0o666),
            ("", 0o644),
            ("[]", 0o644),
            (r#"{"orders":{"a":1}}"#, 0o644),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                Accepted::read(&path, &Trust::default()).is_err(),
                "{text} {mode:o}"
            );
        }
    }

    #[test]
    fn the_file_of_an_earlier_version_is_refused_until_it_is_renamed_or_removed() {
        let temp = tempfile::tempdir().unwrap();
        let (path, former) = (
            temp.path().join("accepted.json"),
            temp.path().join("approvals.json"),
        );
        let mut accepted = Accepted::read(&path, &Trust::default()).unwrap();
        accepted.accept("orders", outline("a")).unwrap();
        fs::rename(&path, &former).unwrap();
        let error = Accepted::read(&path, &Trust::default())
            .unwrap_err()
            .to_string();
        for part in [
            "approvals.json was written by",
            "rename it to",
            "accept again",
        ] {
            assert!(
                error.contains(part) && error.lines().count() == 1,
                "{error}"
            );
        }
        assert!(!path.exists(), "it is converted silently");

        fs::rename(&former, &path).unwrap();
        let read = Accepted::read(&path, &Trust::default()).unwrap();
        assert_eq!(
            read.of("orders"),
            Some(&outline("a")),
            "renaming keeps trust"
        );
        fs::write(&former, "{}").unwrap();
        assert!(
            Accepted::read(&path, &Trust::default()).is_ok(),
            "a leftover"
        );
    }
}
