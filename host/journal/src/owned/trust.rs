//! The operator's trust, and the rights that one file's owner and mode give to others.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

/// The users, groups and folders that the operator trusts besides root and this user
/// (`server.trusted_users`, `trusted_groups`, `trusted_folders`). By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Users who may own files and folders.
    pub users: BTreeSet<u32>,
    /// Groups that may read and change what belongs to them.
    pub groups: BTreeSet<u32>,
    /// Folders that the operator vouches for, with those above. Their contents are still checked.
    pub folders: Vec<PathBuf>,
}

/// A file or folder whose contents others can change or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The file, folder or link.
    pub path: PathBuf,
    /// The others, and the right that they have.
    pub others: Others,
    /// True if this process cannot change that, because the file system is read-only here.
    pub read_only: bool,
}

/// The others who have a hold on a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// It belongs to this user.
    Owner(u32),
    /// This group may change it.
    Group(u32),
    /// Everyone may change it.
    All,
    /// This group may change a folder on the way.
    GroupAbove(u32),
    /// Everyone may change a folder on the way.
    AllAbove,
    /// This group may read it.
    ReadByGroup(u32),
    /// Everyone may read it.
    ReadByAll,
    /// Others may read or change it.
    Touch,
}

impl Trust {
    /// Adds a folder that the operator vouches for.
    #[must_use]
    pub fn and_folder(mut self, folder: &Path) -> Self {
        self.folders.push(folder.to_owned());
        self
    }

    /// Returns the others who may change a file or folder.
    pub(super) fn changing(&self, metadata: &Metadata) -> Option<Others> {
        self.owner(metadata).or_else(|| self.writing(metadata))
    }

    /// Returns the same as [`Self::changing`], but this user's private group does not count as
    /// someone else.
    pub(super) fn changing_settings(&self, metadata: &Metadata) -> Option<Others> {
        self.owner(metadata)
            .or_else(|| self.writing(metadata))
            .filter(|others| !is_private_group(metadata, *others))
    }

    /// Returns the others who may rename entries of a folder on the way. In a sticky folder only an
    /// entry's owner may, and the way goes through entries of trusted owners only.
    pub(super) fn changing_below(&self, metadata: &Metadata) -> Option<Others> {
        let sticky = metadata.mode() & STICKY != 0;
        let writing = self
            .writing(metadata)
            .filter(|others| !sticky && !is_private_group(metadata, *others));
        self.owner(metadata).or(match writing {
            Some(Others::Group(group)) => Some(Others::GroupAbove(group)),
            Some(_) => Some(Others::AllAbove),
            None => None,
        })
    }

    /// Returns the others who may read or change a file, or look into a folder.
    pub(super) fn touching(&self, metadata: &Metadata) -> Option<Others> {
        let (mode, group) = (metadata.mode(), metadata.gid());
        let by_group = mode & BY_GROUP != 0 && !self.groups.contains(&group);
        let open = if mode & BY_ALL != 0 {
            Some(Others::Touch)
        } else if by_group {
            Some(if mode & GROUP_WRITES == 0 {
                Others::ReadByGroup(group)
            } else {
                Others::Group(group)
            })
        } else {
            None
        };
        self.owner(metadata).or(open)
    }

    /// Returns the owner, if that is someone else.
    pub(super) fn owner(&self, metadata: &Metadata) -> Option<Others> {
        let owner = metadata.uid();
        let trusted = owner == 0 || owner == own() || self.users.contains(&owner);
        (!trusted).then_some(Others::Owner(owner))
    }

    fn writing(&self, metadata: &Metadata) -> Option<Others> {
        let (mode, group) = (metadata.mode(), metadata.gid());
        if mode & ALL_WRITE != 0 {
            return Some(Others::All);
        }
        (mode & GROUP_WRITES != 0 && !self.groups.contains(&group)).then_some(Others::Group(group))
    }
}

impl Open {
    pub(super) fn new(path: &Path, others: Others) -> Self {
        let flags = rustix::fs::statvfs(path).map(|of| of.f_flag);
        let read_only = flags.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY));
        Self {
            path: path.to_owned(),
            others,
            read_only,
        }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let (wrong, mend, otherwise) = match self.others {
            Others::Owner(user) => (
                format!("belongs to user {user}, not to this user or root"),
                "chown it to this user or root".to_owned(),
                format!("trust that user: server.trusted_users = [{user}]"),
            ),
            Others::Group(group) => (
                format!("may be changed by group {group}"),
                format!("chmod g-w {path}"),
                format!("trust that group: server.trusted_groups = [{group}]"),
            ),
            Others::GroupAbove(group) => (
                format!("may be changed by group {group}, who could replace what is below it"),
                format!("chmod g-w {path}"),
                format!("trust that group: server.trusted_groups = [{group}]"),
            ),
            Others::All => (
                "may be changed by other users".to_owned(),
                format!("chmod go-w {path}"),
                ANSWER.to_owned(),
            ),
            Others::AllAbove => (
                "may be changed by other users, who could replace what is below it".to_owned(),
                format!("chmod go-w {path}"),
                ANSWER.to_owned(),
            ),
            Others::ReadByGroup(group) => (
                format!("is open to group {group}"),
                format!("chmod g= {path}"),
                format!("trust that group: server.trusted_groups = [{group}]"),
            ),
            Others::ReadByAll => (
                "is a secret that everyone may read".to_owned(),
                format!("chmod o-r {path}"),
                ANSWER.to_owned(),
            ),
            Others::Touch => (
                "is open to other users".to_owned(),
                format!("chmod go= {path}"),
                ANSWER.to_owned(),
            ),
        };
        if self.read_only {
            return write!(
                formatter,
                "{path} {wrong}; it is read only here, so change it where it comes from, or {otherwise}"
            );
        }
        write!(formatter, "{path} {wrong}; run: {mend}; or {otherwise}")
    }
}

/// Returns true if `others` are the private group of this user, which has the user's number, as
/// most systems make them.
fn is_private_group(metadata: &Metadata, others: Others) -> bool {
    others == Others::Group(metadata.gid()) && metadata.uid() == own() && metadata.gid() == own()
}

/// Returns the user that this process runs as.
pub(super) fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

const ANSWER: &str = "name the folder in server.trusted_folders if no one else reaches it (a container's own volume)";
const BY_GROUP: u32 = 0o070;
const BY_ALL: u32 = 0o007;
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;
/// The mode bit with which only the owner of an entry may rename or remove it.
const STICKY: u32 = 0o1000;
