//! Compiled code that stays when a host of the workbench or of the demo has ended, so that a tool
//! is compiled once, and not at each start.
//!
//! The folder has the code and the key that guards it, and belongs to this user alone. A host gets
//! a copy of the key. Serving hosts have keys of their own, and take nothing from here.
//!
//! Invariant: a folder that others could read or change is not used.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::process::getuid;
use tempfile::NamedTempFile;

use crate::clock::fresh_key;
use crate::folder::{Config, Folder};

/// A folder of compiled code, with its key.
#[derive(Clone, Debug)]
pub struct Code(PathBuf);

impl Code {
    /// Opens this user's folder, `bailiwick/development` in `$XDG_CACHE_HOME` or `~/.cache`; where
    /// it cannot be used, the folder `otherwise`.
    ///
    /// # Errors
    /// That cannot be used either.
    pub fn of_user(otherwise: &Path) -> anyhow::Result<Self> {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let caches = caches.filter(|caches| caches.is_absolute());
        let caches = caches.or_else(|| env::home_dir().map(|home| home.join(".cache")));
        let own = caches.and_then(|caches| Self::open(&caches.join(BELOW_CACHES)).ok());
        own.map_or_else(|| Self::open(otherwise), Ok)
    }

    /// Opens a folder, and makes what is missing.
    ///
    /// # Errors
    /// It cannot be made, or it is not this user's alone.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        // A configuration reads other paths from its own folder.
        let folder = std::path::absolute(folder)?;
        for part in [&folder, &folder.join(KEYS)] {
            make_private(part)?;
        }
        let key = folder.join(KEYS).join(KEY);
        if !key.is_file() {
            // Whole from the start, because others may look for it at the same time.
            let mut new = NamedTempFile::new_in(folder.join(KEYS))?;
            new.write_all(&fresh_key()?)?;
            match new.persist_noclobber(&key) {
                Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
                    return Err(error.error).with_context(|| key.display().to_string());
                }
                _ => {}
            }
        }
        Ok(Self(folder))
    }

    /// Returns the folder, as `--development` of the host's commands names it.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Gives the key to a host that has not started yet.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn lend_to(&self, host: &Folder) -> anyhow::Result<()> {
        let keys = host.path().join(KEYS);
        make_private(&keys)?;
        let (from, to) = (self.0.join(KEYS).join(KEY), keys.join(KEY));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    }

    /// Lets a host keep its code here.
    #[must_use]
    pub fn configure(&self, config: Config) -> Config {
        config.keeping_code(&self.0, &self.0.join(CODE))
    }
}

/// Makes a folder that only this user can read or change.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot make {}", folder.display());
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(cannot)?;
    let metadata = fs::symlink_metadata(folder).with_context(cannot)?;
    let closed = metadata.uid() == getuid().as_raw() && metadata.mode() & OTHERS == 0;
    ensure!(
        metadata.is_dir() && closed,
        "{} is not a folder of this user alone; run: chmod go= {0}",
        folder.display()
    );
    Ok(())
}

/// The bits of a mode that are for others than the owner.
const OTHERS: u32 = 0o077;
/// The folder below that of this user's caches.
const BELOW_CACHES: &str = "bailiwick/development";
/// The folder of keys, here as in a host's folder.
const KEYS: &str = "keys";
/// The key that guards compiled code.
const KEY: &str = "cache.key";
/// The folder of compiled code.
const CODE: &str = "cache";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_folder_has_one_key_for_all_hosts() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let keys = ["one", "two"].map(|name| {
            let host = Folder::create(&place.path().join(name)).unwrap();
            Code::open(&folder).unwrap().lend_to(&host).unwrap();
            let key = host.path().join("keys/cache.key");
            assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
            fs::read(key).unwrap()
        });
        assert_eq!(keys[0], keys[1]);
        assert_eq!(keys[0].len(), 32);
    }

    #[test]
    fn a_folder_that_others_could_reach_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        let [own, open, link] = ["own", "open", "link"].map(|name| place.path().join(name));
        Code::open(&own).unwrap();
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        symlink(&own, &link).unwrap();
        for refused in [open, link] {
            let error = Code::open(&refused).err().unwrap().to_string();
            assert!(error.contains("this user alone"), "{error}");
        }
    }
}
