//! The one rule for files and folders that decide what runs and which keys are trusted: who may
//! own, change and read them.
//!
//! A leaf beside the story: components, signatures, accepted definitions, the configuration, its
//! secrets, and the folders of keys, journal and compiled code. Anyone who could change one of them
//! could decide what the host does.
//!
//! The rule. A file, a folder, each folder on the way to it and each symbolic link on that way
//! belongs to root, to this user or to a user whom the operator trusts. Only those, and groups that
//! the operator trusts, may change it. A secret is not readable by everyone, and the host's own
//! files are not readable by anyone else. For a folder that the operator vouches for ([`Trust`]),
//! neither its own mode and owner count nor those of the folders above.
//!
//! Invariant: the way is followed from the root down, and the checked file is the file that is
//! read. A folder that passed cannot be changed by others, so they cannot exchange its contents. A
//! file is opened without waiting for a writer.

mod trust;
mod way;

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::durable::{make_folder, sync_all};
pub use trust::{Open, Others, Trust};
use way::Way;

/// A file or folder that is not used.
#[derive(Debug, thiserror::Error)]
pub enum OwnedError {
    /// The system refuses access.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It is missing, and the system refuses to make it.
    #[error("it cannot be made")]
    Make(#[source] io::Error),
    /// It is open to others, and the system refuses to close it.
    #[error("it cannot be closed to others")]
    Close(#[source] io::Error),
    /// A folder, device, pipe or socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// A link to one of these.
    #[error("it is a symbolic link, and its target is not a regular file")]
    LinkToNoFile,
    /// A link that leads through too many further links.
    #[error(
        "it is a symbolic link that leads through more than {} others",
        way::MAX_LINKS
    )]
    Links,
    /// A file in place of a folder.
    #[error("it is not a folder")]
    NotAFolder,
    /// The file or folder is open to others.
    #[error("{0}")]
    Open(Open),
    /// A link whose target, or the way to it, is open to others.
    #[error("it is a symbolic link, and {0}")]
    LinkToOpen(Open),
    /// The file is larger than the caller accepts.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
}

/// Reads the file in `path`, which no one else can have written.
///
/// # Errors
/// Fails if it is not a regular file, is open to others by the rule of this module, or is larger
/// than `max`.
pub fn read(path: &Path, max: u64, trust: &Trust) -> Result<Vec<u8>, OwnedError> {
    read_if(path, max, trust, |way, metadata| {
        way.changed_by(metadata, trust)
    })
}

/// Reads the secret in `path` as [`read`] does. It must not be readable by everyone, but this
/// user's private group (the group of the user's own number) may write it.
///
/// # Errors
/// Fails like [`read`].
pub fn read_secret(path: &Path, max: u64, trust: &Trust) -> Result<Vec<u8>, OwnedError> {
    read_if(path, max, trust, |way, metadata| {
        way.settings_changed_by(metadata, trust)
            .or(way.read_by_all(metadata))
    })
}

/// Reads a key in `path` that only this host may read.
///
/// # Errors
/// Fails like [`read`], and if others may read the file.
pub fn read_private(path: &Path, max: u64, trust: &Trust) -> Result<Vec<u8>, OwnedError> {
    read_if(path, max, trust, |way, metadata| {
        way.touched_by(metadata, trust)
    })
}

/// Reads the settings file in `path`, which no one else can have written, by the rule of
/// [`settings`].
///
/// # Errors
/// Fails like [`settings`], and if the file is larger than `max`.
pub fn read_settings(path: &Path, max: u64, trust: &Trust) -> Result<Vec<u8>, OwnedError> {
    read_if(path, max, trust, |way, metadata| {
        way.settings_changed_by(metadata, trust)
    })
}

/// Checks that no one else can have written the settings file in `path`. This user's private group
/// (the group of the user's own number) may write it.
///
/// # Errors
/// Fails if it is not a regular file, or is open to others by the rule of this module.
pub fn settings(path: &Path, trust: &Trust) -> Result<(), OwnedError> {
    let way = Way::to(path, trust)?;
    let metadata = way.metadata();
    regular(&way, metadata)?;
    way.refuse(way.settings_changed_by(metadata, trust))
}

/// Checks that no one else controls the contents of the folder `path`.
///
/// # Errors
/// Fails if it is not a folder, or is open to others by the rule of this module.
pub fn folder(path: &Path, trust: &Trust) -> Result<(), OwnedError> {
    check_folder(path, trust, Way::changed_by)
}

/// Checks that no one else can read the folder `path` or control its contents. Creates it, and
/// folders above, if it does not exist.
///
/// # Errors
/// Fails if it cannot be made, is not a folder, or is open to others by the rule of this module.
pub fn private_folder(path: &Path, trust: &Trust) -> Result<(), OwnedError> {
    make_folder(path).map_err(OwnedError::Make)?;
    check_folder(path, trust, Way::touched_by)
}

/// Does the same as [`private_folder`] for a folder whose contents are never trusted because of
/// where they are, such as the journal's. If it is this user's own and open to others, it is closed
/// instead of refused.
///
/// # Errors
/// Fails like [`private_folder`], and if the folder cannot be closed.
pub fn closed_folder(path: &Path, trust: &Trust) -> Result<(), OwnedError> {
    make_folder(path).map_err(OwnedError::Make)?;
    let way = Way::to(path, trust)?;
    way.refuse(way.open())?;
    if way.metadata().uid() == trust::own() && trust.touching(way.metadata()).is_some() {
        fs::set_permissions(way.end(), Permissions::from_mode(0o700)).map_err(OwnedError::Close)?;
    }
    check_folder(path, trust, Way::touched_by)
}

/// Checks that [`closed_folder`] would accept the folder `path`, which exists, and changes nothing.
///
/// # Errors
/// Fails if it is not a folder, or is open to others and cannot be closed.
pub fn closable_folder(path: &Path, trust: &Trust) -> Result<(), OwnedError> {
    let way = Way::to(path, trust)?;
    if way.metadata().is_dir() && way.metadata().uid() == trust::own() {
        return way.refuse(way.open());
    }
    check_folder(path, trust, Way::touched_by)
}

type Check = fn(&Way, &Metadata, &Trust) -> Option<Open>;

fn check_folder(path: &Path, trust: &Trust, check: Check) -> Result<(), OwnedError> {
    let way = Way::to(path, trust)?;
    if !way.metadata().is_dir() {
        return Err(OwnedError::NotAFolder);
    }
    way.refuse(check(&way, way.metadata(), trust))
}

/// Replaces a file whole, or makes it. Everyone may read it, and only its owner may change it. When
/// this returns, a loss of power cannot undo it.
///
/// # Errors
/// Fails if it cannot be written. The file before is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // Left by a process that was killed, perhaps with another owner or mode.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(beside)?;
    // Whatever the umask takes away, a host of another user must be able to read it.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(bytes)?;
    sync_all(&file)?;
    fs::rename(beside, path)?;
    sync_all(&File::open(folder_of(path))?)
}

/// Returns the folder that a file is in; for a bare name, the working folder.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn read_if(
    path: &Path,
    max: u64,
    trust: &Trust,
    open: impl Fn(&Way, &Metadata) -> Option<Open>,
) -> Result<Vec<u8>, OwnedError> {
    // Checked before it is opened, because opening a device can have an effect.
    let way = Way::to(path, trust)?;
    regular(&way, way.metadata())?;
    way.refuse(open(&way, way.metadata()))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(way.end(), flags, Mode::empty())
        .map_err(|error| OwnedError::Read(error.into()))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(OwnedError::Read)?;
    regular(&way, &metadata)?;
    way.refuse(open(&way, &metadata))?;
    // In one piece from the start: growing would copy it, and leave copies of secrets behind.
    let room = metadata.len().min(max).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
    file.take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(OwnedError::Read)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(OwnedError::TooLarge(max));
    }
    Ok(bytes)
}

fn regular(way: &Way, metadata: &Metadata) -> Result<(), OwnedError> {
    match (metadata.is_file(), way.is_linked()) {
        (true, _) => Ok(()),
        (false, false) => Err(OwnedError::NotAFile),
        (false, true) => Err(OwnedError::LinkToNoFile),
    }
}

/// Returns true if a file that the host made and opened is its own and closed to others, whatever
/// its name refers to now.
pub fn is_private(metadata: &Metadata, trust: &Trust) -> bool {
    metadata.uid() == trust::own() && trust.touching(metadata).is_none()
}

#[cfg(test)]
mod tests;
