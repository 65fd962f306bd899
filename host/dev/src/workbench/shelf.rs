//! The author's folder, and the host's copy of its components.
//!
//! The host gets a copy that only its owner can write, so the author's permissions do not affect
//! it. A file that is replaced is replaced in the copy. A file that is still being written is
//! copied as often as it changes; the host waits until the copy has settled.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;

use crate::folder::{Folder, digest};

/// A file's modification time, length and number.
type Stamp = (SystemTime, u64, u64);

/// The author's folder as it was last copied.
pub(super) struct Shelf {
    folder: PathBuf,
    stamps: BTreeMap<String, Stamp>,
    digests: BTreeMap<String, String>,
}

impl Shelf {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let folder = fs::canonicalize(folder)
            .with_context(|| format!("the tools folder {}", folder.display()))?;
        stamps(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self {
            folder,
            stamps: BTreeMap::new(),
            digests: BTreeMap::new(),
        })
    }

    /// Copies the components that have changed to the host's tools, and removes those that are
    /// gone. Returns true if there were any. A folder that cannot be read, such as one that is
    /// just being replaced, changes nothing.
    pub(super) fn copy_to(&mut self, host: &Folder) -> anyhow::Result<bool> {
        let Ok(now) = stamps(&self.folder) else {
            return Ok(false);
        };
        let mut changed = false;
        for name in self.names() {
            if !now.contains_key(&name) {
                let copy = host.path().join("tools").join(file_of(&name));
                fs::remove_file(&copy).with_context(|| copy.display().to_string())?;
                self.stamps.remove(&name);
                self.digests.remove(&name);
                changed = true;
            }
        }
        for (name, stamp) in now {
            let before = self.stamps.get(&name);
            if before != Some(&stamp) {
                // What was replaced as a whole need not be waited for.
                let whole = before.is_none_or(|before| before.2 != stamp.2);
                changed |= self.copy(&name, host, whole)?;
                self.stamps.insert(name, stamp);
            }
        }
        Ok(changed)
    }

    /// Copies a component, unless its bytes are the same as before.
    fn copy(&mut self, name: &str, host: &Folder, whole: bool) -> anyhow::Result<bool> {
        // A file that is gone again is missing at the next look.
        let Ok(bytes) = fs::read(self.folder.join(file_of(name))) else {
            return Ok(false);
        };
        if self.digests.get(name) == Some(&digest(&bytes)) {
            return Ok(false);
        }
        let digest = if whole {
            host.replace_tool(&file_of(name), &bytes)?
        } else {
            host.write_tool(&file_of(name), &bytes)?
        };
        self.digests.insert(name.to_owned(), digest);
        Ok(true)
    }

    /// Returns the names of the components that were copied.
    pub(super) fn names(&self) -> Vec<String> {
        self.digests.keys().cloned().collect()
    }

    /// Returns the digests of the copies, by name.
    pub(super) fn copied(&self) -> &BTreeMap<String, String> {
        &self.digests
    }
}

/// Returns the components of a folder whose names the host accepts, with their files' stamps.
fn stamps(folder: &Path) -> std::io::Result<BTreeMap<String, Stamp>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".wasm"));
        // A file that is just being replaced is missing for a moment.
        // A pipe or a device, even behind a link, could be read without an end.
        if let (Some(name), Ok(file)) = (name.filter(is_plain), fs::metadata(entry.path()))
            && file.is_file()
        {
            found.insert(name.to_owned(), (file.modified()?, file.len(), file.ino()));
        }
    }
    Ok(found)
}

pub(super) fn is_plain(name: &&str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn file_of(name: &str) -> String {
    format!("{name}.wasm")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Returns the author's folder with one component, and the host's.
    fn folders(temp: &Path) -> (PathBuf, Folder) {
        let mine = temp.join("mine");
        fs::create_dir(&mine).unwrap();
        fs::write(mine.join("a.wasm"), "one").unwrap();
        (mine, Folder::create(&temp.join("host")).unwrap())
    }

    fn copy(host: &Folder, name: &str) -> Option<String> {
        fs::read_to_string(host.path().join("tools").join(name)).ok()
    }

    #[test]
    fn the_copy_follows_the_authors_folder() {
        let temp = tempfile::tempdir().unwrap();
        let (mine, host) = folders(temp.path());
        fs::write(mine.join("notes.txt"), "not a component").unwrap();
        let mut shelf = Shelf::new(&mine).unwrap();
        assert!(shelf.copy_to(&host).unwrap());
        assert_eq!(shelf.names(), ["a"]);
        assert!(!shelf.copy_to(&host).unwrap(), "nothing has changed");
        fs::write(mine.join("a.wasm"), "another").unwrap();
        fs::write(mine.join("b.wasm"), "new").unwrap();
        assert!(shelf.copy_to(&host).unwrap());
        assert_eq!(shelf.names(), ["a", "b"]);
        assert_eq!(copy(&host, "a.wasm").unwrap(), "another");
        assert_eq!(shelf.copied().get("b"), Some(&digest(b"new")));
        fs::remove_file(mine.join("a.wasm")).unwrap();
        assert!(shelf.copy_to(&host).unwrap());
        assert_eq!(
            (shelf.names(), copy(&host, "a.wasm")),
            (vec!["b".into()], None)
        );
        fs::remove_dir_all(&mine).unwrap();
        assert!(!shelf.copy_to(&host).unwrap(), "no folder");
        assert_eq!(copy(&host, "b.wasm").unwrap(), "new");
    }

    #[test]
    fn only_a_file_is_a_component_even_behind_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let (mine, host) = folders(temp.path());
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, mine.join(name)).unwrap();
        link(Path::new("/dev/zero"), "endless.wasm");
        link(&mine.join("a.wasm"), "linked.wasm");
        link(Path::new("nothing"), "dangling.wasm");
        fs::create_dir(mine.join("folder.wasm")).unwrap();
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, mine.join("silent.wasm"), mode).unwrap();
        let found: Vec<String> = stamps(&mine).unwrap().into_keys().collect();
        assert_eq!(found, ["a", "linked"]);
        assert!(Shelf::new(&mine).unwrap().copy_to(&host).unwrap());
        assert_eq!(copy(&host, "linked.wasm").unwrap(), "one");
    }

    #[test]
    fn the_same_bytes_written_again_are_no_change() {
        let temp = tempfile::tempdir().unwrap();
        let (mine, host) = folders(temp.path());
        let mut shelf = Shelf::new(&mine).unwrap();
        shelf.copy_to(&host).unwrap();
        shelf.stamps.clear();
        assert!(!shelf.copy_to(&host).unwrap());
    }
}
