//! The looks of the files that a policy is built from. Taking one opens no file, and asks for the
//! state of a bounded number.
//!
//! Invariant: a file that cannot be looked at looks absent, never unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::iter;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::intake::{self, Candidate};

/// Files by path. A file that is named but absent has an entry, too.
pub(super) type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// The identity of a file, its mode and size, and the times when its content and its status
/// changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    mode: u32,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// For a component: the file, size and change time of the signature beside it.
    signature: Option<(u64, u64, (i64, i64))>,
}

/// The configuration, its secret files and the tools folder at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Look {
    /// The configuration and the secrets.
    pub(super) settings: Stamps,
    /// The components, by name.
    pub(super) tools: BTreeMap<String, Stamp>,
    /// The folder itself, if it can be read.
    pub(super) folder: Option<FolderStamp>,
}

/// The tools folder itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FolderStamp {
    device: u64,
    inode: u64,
    mode: u32,
    owner: (u32, u32),
    /// The number of components beyond the bound, and the first of them.
    pub(super) left_out: Option<(usize, String)>,
}

impl Look {
    /// Looks at `settings` and at the components in `folder`, as far as `choice` takes them.
    pub(super) fn now(
        settings: impl Iterator<Item = PathBuf>,
        folder: &Path,
        choice: &Choice<'_>,
    ) -> Self {
        let settings = stamps(settings);
        let Ok((metadata, names)) =
            fs::metadata(folder).and_then(|metadata| Ok((metadata, components(folder)?)))
        else {
            return Self {
                settings,
                ..Self::default()
            };
        };
        let (taken, left_out) = choice.of(names);
        let stamp = |name: String| {
            let file = Candidate::of(folder, &name);
            Stamp::of_component(&file.path).map(|stamp| (name, stamp))
        };
        let tools = taken.into_iter().filter_map(stamp).collect();
        let owner = (metadata.uid(), metadata.gid());
        let (device, inode, mode) = (metadata.dev(), metadata.ino(), metadata.mode());
        let folder = FolderStamp {
            device,
            inode,
            mode,
            owner,
            left_out,
        };
        Self {
            settings,
            tools,
            folder: Some(folder),
        }
    }

    /// Returns true if the tools folder and its content look the same in `other`.
    pub(super) fn has_tools_of(&self, other: &Self) -> bool {
        self.folder == other.folder && self.tools == other.tools
    }

    /// Returns true if the folder of `other` is another one.
    pub(super) fn is_elsewhere(&self, other: &Self) -> bool {
        let place = |look: &Self| {
            look.folder
                .as_ref()
                .map(|folder| (folder.device, folder.inode))
        };
        place(self) != place(other)
    }
}

impl Stamp {
    /// Returns the stamp of the file at `path`, if it exists.
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path)
            .ok()
            .map(|metadata| Self::from(&metadata))
    }

    /// Returns the stamp of the file at `path`, or `None` only if there is no such file.
    ///
    /// # Errors
    /// Fails if the file cannot be looked at.
    pub(super) fn look(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the stamp of the component at `path`, with its signature.
    fn of_component(path: &Path) -> Option<Self> {
        let signature = fs::metadata(intake::signature_of(path)).ok();
        let signature = signature.map(|of| (of.ino(), of.size(), (of.ctime(), of.ctime_nsec())));
        Self::of(path).map(|stamp| Self { signature, ..stamp })
    }

    /// Returns true if both are of one file, however it changed.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            signature: None,
        }
    }
}

/// Looks at files.
pub(super) fn stamps(paths: impl Iterator<Item = PathBuf>) -> Stamps {
    paths.map(|path| (path.clone(), Stamp::of(&path))).collect()
}

/// Returns the names of the components in a folder.
fn components(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".wasm"));
        names.extend(
            name.filter(|name| intake::is_component_name(name))
                .map(String::from),
        );
    }
    Ok(names)
}

/// Which components are taken of a folder that holds more than `most`: those that are `first`
/// before those that are `known`, and these before others by name.
pub(super) struct Choice<'c> {
    pub(super) first: &'c BTreeSet<String>,
    pub(super) known: &'c BTreeMap<String, Stamp>,
    pub(super) most: usize,
}

impl Choice<'_> {
    /// Returns those that are taken; of the others, how many there are and the first.
    fn of(&self, names: BTreeSet<String>) -> (Vec<String>, Option<(usize, String)>) {
        if names.len() <= self.most {
            return (names.into_iter().collect(), None);
        }
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by_key(|name| (!self.first.contains(name), !self.known.contains_key(name)));
        let mut others = names.split_off(self.most);
        others.sort();
        let count = others.len();
        let first = others.into_iter().next().unwrap_or_default();
        (names, Some((count, first)))
    }
}

/// Looks at a folder as a host does that takes `most` components. Returns how many it would take.
pub fn components_in(folder: &Path, most: usize) -> usize {
    let choice = Choice {
        first: &BTreeSet::new(),
        known: &BTreeMap::new(),
        most,
    };
    Look::now(iter::empty(), folder, &choice).tools.len()
}

#[cfg(test)]
impl Choice<'static> {
    /// Takes whatever a test puts into a folder.
    pub(super) fn all() -> Self {
        Self {
            first: const { &BTreeSet::new() },
            known: const { &BTreeMap::new() },
            most: 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn components_beyond_the_bound_never_displace_known_ones_nor_those_that_come_first() {
        let known = |names: &[&str]| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), Stamp::default()))
                .collect()
        };
        for (folder, first, seen, taken, left_out) in [
            (&["a", "b"][..], &[][..], &[][..], &["a", "b"][..], None),
            (&["a", "b", "c"], &[], &[], &["a", "b"], Some((1, "c"))),
            (
                &["a", "b", "c"],
                &[],
                &["b", "c"],
                &["b", "c"],
                Some((1, "a")),
            ),
            (
                &["a", "b", "c", "d"],
                &[],
                &["c", "gone"],
                &["c", "a"],
                Some((2, "b")),
            ),
            (
                &["a", "b", "c", "d"],
                &["d", "gone"],
                &[],
                &["d", "a"],
                Some((2, "b")),
            ),
            (
                &["a", "b", "c", "d"],
                &["d"],
                &["a", "b"],
                &["d", "a"],
                Some((2, "b")),
            ),
        ] {
            let left_out = left_out.map(|(count, first)| (count, first.to_owned()));
            let expected: Vec<_> = taken.iter().map(|name| (*name).to_owned()).collect();
            let choice = Choice {
                first: &set(first),
                known: &known(seen),
                most: 2,
            };
            let chosen = choice.of(set(folder));
            assert_eq!(
                chosen,
                (expected, left_out),
                "{folder:?} after {seen:?}, {first:?} first"
            );
        }
    }

    #[test]
    fn only_names_of_components_are_looked_at() -> io::Result<()> {
        use std::os::unix::ffi::OsStringExt as _;
        let folder = tempfile::tempdir()?;
        let long = format!("{}.wasm", "x".repeat(250));
        let strange = std::ffi::OsString::from_vec(b"\xff.wasm".to_vec());
        let names = [
            "good.wasm",
            "-rf.wasm",
            ".hidden.wasm",
            "a\nb.wasm",
            "a.wasm~",
            "a.wasm.tmp",
            "b",
            long.as_str(),
        ];
        for name in names.iter().map(Into::into).chain([strange]) {
            fs::write(folder.path().join(name), "")?;
        }
        let look = Look::now(iter::empty(), folder.path(), &Choice::all());
        assert_eq!(look.tools.into_keys().collect::<Vec<_>>(), ["good"]);
        Ok(())
    }

    #[test]
    fn only_a_file_that_is_not_there_is_absent() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "")?;
        std::os::unix::fs::symlink("round", at("round"))?;
        std::os::unix::fs::symlink("nowhere", at("dangling"))?;
        assert!(matches!(Stamp::look(&at("file")), Ok(Some(_))));
        for absent in ["absent", "absent/denials.json", "dangling"] {
            assert!(matches!(Stamp::look(&at(absent)), Ok(None)), "{absent}");
        }
        for hidden in ["file/denials.json", "round", "round/denials.json"] {
            assert!(Stamp::look(&at(hidden)).is_err(), "{hidden}");
        }
        Ok(())
    }
}
