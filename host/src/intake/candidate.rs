//! The `.wasm` files in the tools folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::owned::{self, OwnedError, Trust};

/// A `.wasm` file in the tools folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file name without `.wasm`.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
}

impl Candidate {
    /// Returns the file of the component `name` in `folder`, which need not exist.
    pub fn of(folder: &Path, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: folder.join(format!("{name}.wasm")),
        }
    }
}

/// The reasons for which the tools folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("the tools folder {path} cannot be read")]
    Read {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// Other users could put a component into it, or another folder in its place.
    #[error("the tools folder is not safe to load from: {0}")]
    Open(OwnedError),
}

/// Lists the `.wasm` files in `folder`, by name. Hidden files and files with other endings are left
/// out.
///
/// # Errors
/// Fails if the folder cannot be read or is open to others.
pub fn candidates(folder: &Path, trust: &Trust) -> Result<Vec<Candidate>, FolderError> {
    let read = |cause| FolderError::Read {
        path: folder.to_owned(),
        cause,
    };
    owned::folder(folder, trust).map_err(|error| match error {
        OwnedError::Read(cause) => read(cause),
        other => FolderError::Open(other),
    })?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        found.extend(candidate(entry.map_err(read)?.path()));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn candidate(path: PathBuf) -> Option<Candidate> {
    let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
        let file = path.as_os_str().as_encoded_bytes().escape_ascii();
        tracing::warn!(file = %file, "ignored: expected a name in UTF-8");
        return None;
    };
    match file.strip_suffix(".wasm") {
        Some(name) if is_component_name(name) => Some(Candidate {
            name: name.to_owned(),
            path,
        }),
        Some(name) if !name.starts_with('.') => {
            tracing::warn!(file = %path.display(), "ignored: expected a component's name of 1 to 64 characters of A-Z, a-z, 0-9, _, . and -");
            None
        }
        _ => None,
    }
}

/// Returns true if a component can have that name: 1 to 64 characters of `[A-Za-z0-9_.-]`, the
/// first neither `.` nor `-`.
pub fn is_component_name(name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (1..=64).contains(&name.len()) && plain && !name.starts_with(['.', '-'])
}
