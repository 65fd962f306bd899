//! The author's folder: its components, and whether they have changed.
//!
//! The host never sees this folder. It gets a copy that only its owner can write, so the author's
//! permissions and half-written files do not affect it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;

use crate::folder::{Folder, digest};

/// A file's modification time and length.
type Stamp = (SystemTime, u64);

/// The folder as it was last served, and as it was last seen.
pub(super) struct Shelf {
    folder: PathBuf,
    served: BTreeMap<String, String>,
    stamps: BTreeMap<PathBuf, Stamp>,
    settled: bool,
}

impl Shelf {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let folder = fs::canonicalize(folder)
            .with_context(|| format!("the tools folder {}", folder.display()))?;
        let stamps = stamps(&folder)?;
        Ok(Self {
            folder,
            served: BTreeMap::new(),
            stamps,
            settled: true,
        })
    }

    /// Replaces the host's tools by the present components; returns their names.
    pub(super) fn copy_to(&mut self, host: &Folder) -> anyhow::Result<Vec<String>> {
        let tools = host.path().join("tools");
        for path in stamps(&tools)?.into_keys() {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
        self.served.clear();
        for (name, bytes) in components(&self.folder)? {
            let digest = host.write_tool(&format!("{name}.wasm"), &bytes)?;
            self.served.insert(name, digest);
        }
        Ok(self.served.keys().cloned().collect())
    }

    /// Returns the digests of the last copy, by name.
    pub(super) fn served(&self) -> &BTreeMap<String, String> {
        &self.served
    }

    /// Returns whether a component was added, removed or changed since it was served. Waits for a
    /// file that is still being written: it must look the same twice.
    pub(super) fn has_changed(&mut self) -> anyhow::Result<bool> {
        let stamps = stamps(&self.folder)?;
        if stamps != self.stamps {
            self.stamps = stamps;
            self.settled = false;
            return Ok(false);
        }
        if self.settled {
            return Ok(false);
        }
        self.settled = true;
        let now = components(&self.folder)?;
        let now: BTreeMap<String, String> = now
            .into_iter()
            .map(|(name, bytes)| (name, digest(&bytes)))
            .collect();
        Ok(now != self.served)
    }
}

/// Returns the `.wasm` files of a folder with their stamps, except one that is just being replaced.
fn stamps(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Stamp>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && let Ok(file) = fs::metadata(&path)
        {
            found.insert(path, (file.modified()?, file.len()));
        }
    }
    Ok(found)
}

/// Returns name and bytes of each component whose name the host accepts.
fn components(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let plain = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    let mut found = Vec::new();
    for path in stamps(folder)?.into_keys() {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .filter(plain);
        if let (Some(name), Ok(bytes)) = (name, fs::read(&path)) {
            found.push((name.to_owned(), bytes));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_change_is_seen_once_it_has_settled() {
        let temp = tempfile::tempdir().unwrap();
        let (mine, host) = (
            temp.path().join("mine"),
            Folder::create(&temp.path().join("host")).unwrap(),
        );
        fs::create_dir(&mine).unwrap();
        fs::write(mine.join("a.wasm"), "one").unwrap();
        fs::write(mine.join("notes.txt"), "not a component").unwrap();
        let mut shelf = Shelf::new(&mine).unwrap();
        assert_eq!(shelf.copy_to(&host).unwrap(), ["a"]);
        assert!(!shelf.has_changed().unwrap());
        fs::write(mine.join("a.wasm"), "another").unwrap();
        fs::write(mine.join("b.wasm"), "new").unwrap();
        assert!(!shelf.has_changed().unwrap());
        assert!(shelf.has_changed().unwrap());
        assert_eq!(shelf.copy_to(&host).unwrap(), ["a", "b"]);
        fs::remove_file(mine.join("a.wasm")).unwrap();
        assert!(!shelf.has_changed().unwrap());
        assert!(shelf.has_changed().unwrap());
        assert_eq!(shelf.copy_to(&host).unwrap(), ["b"]);
        assert!(!host.path().join("tools/a.wasm").exists());
    }

    #[test]
    fn the_same_bytes_written_again_are_no_change() {
        let temp = tempfile::tempdir().unwrap();
        let (mine, host) = (
            temp.path().join("mine"),
            Folder::create(&temp.path().join("host")).unwrap(),
        );
        fs::create_dir(&mine).unwrap();
        fs::write(mine.join("a.wasm"), "one").unwrap();
        let mut shelf = Shelf::new(&mine).unwrap();
        shelf.copy_to(&host).unwrap();
        shelf.stamps.clear();
        assert!(!shelf.has_changed().unwrap());
        assert!(!shelf.has_changed().unwrap());
    }
}
