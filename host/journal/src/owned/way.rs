//! The way to a file or folder, followed step by step from the root and past links.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::OwnedError;
use super::trust::{Open, Others, Trust};

/// The end of a path, and the others who could make the path lead elsewhere.
pub(super) struct Way {
    end: PathBuf,
    metadata: Metadata,
    linked: bool,
    /// The first folder on the way that is open to others.
    open: Option<Open>,
    /// True if the operator vouches for the end itself.
    answered: bool,
    /// Folders that the operator vouches for, with their real paths.
    folders: Vec<PathBuf>,
}

enum Step {
    Root,
    Up,
    Into(OsString),
}

impl Way {
    /// Follows `path` to its end.
    pub(super) fn to(path: &Path, trust: &Trust) -> Result<Self, OwnedError> {
        let folders: Vec<PathBuf> = trust
            .folders
            .iter()
            .filter_map(|folder| folder.canonicalize().ok())
            .collect();
        let mut left = Vec::new();
        push(
            &mut left,
            &std::path::absolute(path).map_err(OwnedError::Read)?,
        );
        let mut end = PathBuf::from("/");
        let mut metadata = look(&end)?;
        // Openings in folders since the last link, or the root; and before that.
        let (mut open, mut before) = (None, None);
        let (mut links, mut linked) = (0, false);
        while let Some(step) = left.pop() {
            match step {
                Step::Root => (end, open) = (PathBuf::from("/"), None),
                Step::Up => _ = end.pop(),
                Step::Into(name) => {
                    open = if folders.contains(&end) {
                        None
                    } else {
                        open.or_else(|| open_here(&end, &metadata, trust))
                    };
                    let next = end.join(name);
                    let found = look(&next)?;
                    if !found.is_symlink() {
                        (end, metadata) = (next, found);
                        continue;
                    }
                    links += 1;
                    linked |= left.is_empty();
                    if links > MAX_LINKS {
                        return Err(OwnedError::Links);
                    }
                    let owner = trust.owner(&found).map(|others| Open::new(&end, others));
                    before = before.or(open.take()).or(owner.map(|open| Open {
                        path: next.clone(),
                        ..open
                    }));
                    push(&mut left, &fs::read_link(&next).map_err(OwnedError::Read)?);
                    continue;
                }
            }
            metadata = look(&end)?;
        }
        let answered = folders.contains(&end);
        let open = before.or(if answered { None } else { open });
        Ok(Self {
            end,
            metadata,
            linked,
            open,
            answered,
            folders,
        })
    }

    /// Returns the end of the way. No part of it is a link.
    pub(super) fn end(&self) -> &Path {
        &self.end
    }

    /// Returns the metadata of the end.
    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns true if a link names the file or folder itself.
    pub(super) fn is_linked(&self) -> bool {
        self.linked
    }

    /// Returns the first opening on the way to the end.
    pub(super) fn open(&self) -> Option<Open> {
        self.open.clone()
    }

    /// Returns the others who may change the end, or the way.
    pub(super) fn changed_by(&self, metadata: &Metadata, trust: &Trust) -> Option<Open> {
        self.first(trust.changing(metadata))
    }

    /// Returns the same for a file of settings.
    pub(super) fn settings_changed_by(&self, metadata: &Metadata, trust: &Trust) -> Option<Open> {
        self.first(trust.changing_settings(metadata))
    }

    /// Returns the others who may read or change the end, or change the way.
    pub(super) fn touched_by(&self, metadata: &Metadata, trust: &Trust) -> Option<Open> {
        self.first(trust.touching(metadata))
    }

    /// Returns an opening if everyone may read the end, because everyone may pass through all
    /// folders above it.
    pub(super) fn read_by_all(&self, metadata: &Metadata) -> Option<Open> {
        let passes = |folder: &Path| {
            !self.folders.iter().any(|of| of == folder)
                && fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & ALL_PASS != 0)
        };
        let all = metadata.mode() & ALL_READ != 0 && self.end.ancestors().skip(1).all(passes);
        all.then(|| Open::new(&self.end, Others::ReadByAll))
    }

    /// Fails if something is open.
    pub(super) fn refuse(&self, open: Option<Open>) -> Result<(), OwnedError> {
        match open {
            None => Ok(()),
            Some(open) if self.linked => Err(OwnedError::LinkToOpen(open)),
            Some(open) => Err(OwnedError::Open(open)),
        }
    }

    fn first(&self, of_end: Option<Others>) -> Option<Open> {
        let of_end = of_end.filter(|_| !self.answered);
        of_end
            .map(|others| Open::new(&self.end, others))
            .or_else(|| self.open.clone())
    }
}

/// Returns the opening in the folder `here`, if others can change what is in it.
fn open_here(here: &Path, metadata: &Metadata, trust: &Trust) -> Option<Open> {
    trust
        .changing_below(metadata)
        .map(|others| Open::new(here, others))
}

fn look(path: &Path) -> Result<Metadata, OwnedError> {
    fs::symlink_metadata(path).map_err(OwnedError::Read)
}

/// Puts the steps of `path` before those that are left; the next one is last.
fn push(left: &mut Vec<Step>, path: &Path) {
    let step = |component: Component<'_>| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Into(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    left.extend(path.components().rev().filter_map(step));
}

/// The most links on one way.
pub(super) const MAX_LINKS: usize = 16;
const ALL_READ: u32 = 0o004;
const ALL_PASS: u32 = 0o001;
