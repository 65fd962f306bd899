//! Durable writes: when a function here returns, a loss of power cannot undo its work.
//!
//! Files, and names in folders, are made durable one by one; a new file needs both. Tests see which
//! of them were made durable, so that they can lose the rest.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes a file's contents and length durable.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data().map(|()| synced(file))
}

/// Makes a file durable, or the names in a folder.
pub(crate) fn sync_all(file: &File) -> io::Result<()> {
    file.sync_all().map(|()| synced(file))
}

/// Writes whole blocks at a position, and makes them and the file's length durable. The file must
/// have been opened for that, with `O_DSYNC`.
pub(crate) fn write_through(file: &File, blocks: &[IoSlice<'_>], at: u64) -> io::Result<()> {
    let mut next = at;
    for part in blocks.chunks(MOST_PARTS) {
        let wanted: usize = part.iter().map(|block| block.len()).sum();
        // What is left of a block cannot be written, so a write that ends early has failed.
        if rustix::io::pwritev(file, part, next)? < wanted {
            return Err(ErrorKind::WriteZero.into());
        }
        next = next.saturating_add(u64::try_from(wanted).unwrap_or(u64::MAX));
    }
    written_through(file, blocks, at);
    Ok(())
}

/// The most parts in one write (`UIO_MAXIOV`).
const MOST_PARTS: usize = 1024;

/// Creates a private folder and the missing folders above it, and makes their names durable.
/// Otherwise a loss of power could remove the folder with everything in it.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let named = path
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty());
    let missing: Vec<_> = named.take_while(|above| !above.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    missing
        .into_iter()
        .filter_map(Path::parent)
        .try_for_each(|above| {
            let above = if above.as_os_str().is_empty() {
                Path::new(".")
            } else {
                above
            };
            sync_all(&File::open(above)?)
        })
}

#[cfg(not(test))]
fn synced(_: &File) {}

#[cfg(not(test))]
fn written_through(_: &File, _: &[IoSlice<'_>], _: u64) {}

#[cfg(test)]
use seen::{synced, written_through};

/// A record of the calls above, for tests.
#[cfg(test)]
pub(crate) mod seen {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::cell::RefCell;
    use std::fs::{File, Metadata};
    use std::io::IoSlice;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use rustix::fs::{OFlags, fcntl_getfl};

    thread_local! {
        static SYNCED: RefCell<Option<Synced>> = const { RefCell::new(None) };
    }

    /// Files and folders that were made durable.
    #[derive(Default)]
    pub(crate) struct Synced {
        inodes: Vec<(u64, u64)>,
        /// The blocks that were written through, and their position.
        pub(crate) blocks: Vec<(u64, Vec<u8>)>,
    }

    impl Synced {
        /// Records what this thread makes durable during `act`.
        pub(crate) fn during<T>(act: impl FnOnce() -> T) -> (T, Self) {
            SYNCED.set(Some(Self::default()));
            let done = act();
            (done, SYNCED.take().unwrap())
        }

        /// Returns true if the file or folder is among them, whatever its name was.
        pub(crate) fn has(&self, path: &Path) -> bool {
            self.inodes
                .contains(&inode(&std::fs::metadata(path).unwrap()))
        }
    }

    pub(super) fn synced(file: &File) {
        SYNCED.with_borrow_mut(|synced| {
            synced
                .as_mut()
                .map(|synced| synced.inodes.push(inode(&file.metadata().unwrap())))
        });
    }

    pub(super) fn written_through(file: &File, blocks: &[IoSlice<'_>], at: u64) {
        if fcntl_getfl(file).unwrap().contains(OFlags::DSYNC) {
            synced(file);
        }
        SYNCED.with_borrow_mut(|synced| {
            let bytes: Vec<u8> = blocks
                .iter()
                .flat_map(|block| block.iter())
                .copied()
                .collect();
            synced
                .as_mut()
                .map(|synced| synced.blocks.push((at, bytes)))
        });
    }

    fn inode(metadata: &Metadata) -> (u64, u64) {
        (metadata.dev(), metadata.ino())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::seen::Synced;
    use super::*;

    #[test]
    fn folders_are_made_durable_in_those_above() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        let (made, synced) = Synced::during(|| make_folder(&deep));
        made.unwrap();
        assert!(synced.has(root.path()) && synced.has(&root.path().join("a")));
        let (again, synced) = Synced::during(|| make_folder(&deep));
        again.unwrap();
        assert!(!synced.has(root.path()), "nothing was missing");
    }
}
