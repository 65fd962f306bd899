//! Files that nobody but this user and root can have written.
//!
//! A leaf beside the story: components, their signatures and the operator's approvals decide what
//! runs, so whoever could change them could decide it too.
//!
//! Invariant: a file is opened without following a link or waiting for a writer, and what is
//! checked is what is read.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum OwnedError {
    /// The system refuses.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// A link, folder, device, pipe or socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// Somebody else's.
    #[error("it belongs to user {0}, not to this user or root (chown)")]
    Owner(u32),
    /// Open to others.
    #[error("other users may change it (chmod go-w)")]
    Writable,
    /// Too large.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
}

/// Why a folder is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenFolder {
    /// It is somebody else's.
    #[error("{0} belongs to another user; run: chown it to this user or root")]
    Owner(PathBuf),
    /// Others may change what is in it.
    #[error("{0} may be changed by other users; run: chmod go-w {0}")]
    Writable(PathBuf),
    /// Others may put another folder in its place.
    #[error("{0} may be changed by other users, who could replace what is below it; run: chmod go-w {0}")]
    Above(PathBuf),
}

/// The contents of the file in `path`.
///
/// # Errors
/// It is not a regular file of this user or root that others cannot change, or larger than `max`.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, OwnedError> {
    // Looked at before it is opened, because opening a device can have an effect.
    check(&fs::symlink_metadata(path).map_err(OwnedError::Read)?)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| OwnedError::Read(error.into()))?;
    let file = File::from(file);
    check(&file.metadata().map_err(OwnedError::Read)?)?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(OwnedError::Read)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(OwnedError::TooLarge(max));
    }
    Ok(bytes)
}

fn check(metadata: &Metadata) -> Result<(), OwnedError> {
    if !metadata.is_file() {
        return Err(OwnedError::NotAFile);
    }
    if !is_ours(metadata.uid()) {
        return Err(OwnedError::Owner(metadata.uid()));
    }
    if metadata.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(OwnedError::Writable);
    }
    Ok(())
}

/// Whether others may decide what is in `folder`, by its own mode or by that of a folder above.
///
/// # Errors
/// The folder cannot be looked at.
pub fn open_to_others(folder: &Path) -> io::Result<Option<OpenFolder>> {
    let metadata = fs::metadata(folder)?;
    if !is_ours(metadata.uid()) {
        return Ok(Some(OpenFolder::Owner(folder.to_owned())));
    }
    if metadata.mode() & OTHERS_MAY_WRITE != 0 {
        return Ok(Some(OpenFolder::Writable(folder.to_owned())));
    }
    // As it is named and, past links, as it is.
    for path in [std::path::absolute(folder)?, folder.canonicalize()?] {
        for above in path.ancestors().skip(1) {
            if can_be_replaced_in(&fs::metadata(above)?) {
                return Ok(Some(OpenFolder::Above(above.to_owned())));
            }
        }
    }
    Ok(None)
}

/// Whether others may rename what is in a folder. A folder of this user's own private group (with
/// the user's number, as most systems make them) is not open to others.
fn can_be_replaced_in(metadata: &Metadata) -> bool {
    let (mode, own) = (metadata.mode(), rustix::process::geteuid().as_raw());
    let private = metadata.uid() == own && metadata.gid() == own;
    let open = if private { 0o002 } else { OTHERS_MAY_WRITE };
    mode & open != 0 && mode & STICKY == 0
}

fn is_ours(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// Group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;
/// Only the owner of an entry may rename or remove it.
const STICKY: u32 = 0o1000;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_and_never_waited_for() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("real"), "x").unwrap();
        symlink(at("real"), at("link")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for name in ["folder", "link", "device", "pipe", "socket"] {
            assert!(matches!(read(&at(name), 10), Err(OwnedError::NotAFile)), "{name}");
        }
        assert!(matches!(read(Path::new("/dev/zero"), 10), Err(OwnedError::NotAFile)));
        assert!(matches!(read(&at("absent"), 10), Err(OwnedError::Read(_))));
    }

    #[test]
    fn a_file_is_read_only_if_nobody_else_can_have_written_it() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "12345").unwrap();
        for (open, good) in [(0o600, true), (0o644, true), (0o444, true), (0o664, false), (0o606, false)] {
            mode(&file, open);
            assert_eq!(read(&file, 5).is_ok(), good, "{open:o}");
        }
        mode(&file, 0o600);
        assert!(matches!(read(&file, 4), Err(OwnedError::TooLarge(4))));
        mode(&file, 0o000);
        let own = rustix::process::geteuid();
        assert_eq!(read(&file, 5).is_ok(), own.is_root(), "without permission only root reads");
        if own.is_root() {
            std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
            assert!(matches!(read(&file, 5), Err(OwnedError::Owner(12345))));
        }
    }

    #[test]
    fn a_folder_is_used_only_if_nobody_else_can_replace_it_or_what_is_in_it() {
        let temp = tempfile::tempdir().unwrap();
        let (outer, folder) = (temp.path().join("outer"), temp.path().join("outer/tools"));
        fs::create_dir_all(&folder).unwrap();
        let linked = temp.path().join("linked");
        symlink(&folder, &linked).unwrap();
        let above = Some(OpenFolder::Above(outer.canonicalize().unwrap()));
        for (of_outer, of_folder, told) in [
            (0o755, 0o700, None),
            (0o1777, 0o755, None),
            (0o777, 0o700, above.clone()),
            (0o757, 0o700, above),
            (0o755, 0o775, Some(OpenFolder::Writable(folder.clone()))),
            (0o755, 0o1777, Some(OpenFolder::Writable(folder.clone()))),
        ] {
            mode(&outer, of_outer);
            mode(&folder, of_folder);
            assert_eq!(open_to_others(&folder).unwrap(), told, "{of_outer:o} {of_folder:o}");
            assert_eq!(open_to_others(&linked).unwrap().is_some(), told.is_some(), "a link changes nothing");
        }
        assert!(open_to_others(&temp.path().join("absent")).is_err());
    }
}
