//! A disk without power: for each file and each name, the durable state and the states that may be
//! there instead.
//!
//! A sync of a file makes its contents and its length durable, a sync of a folder its names.
//! Everything else may reach the disk at any time, in any order, or never. A page that never did
//! reads as zeros.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, ErrorKind};
use std::path::Path;

use super::dice::Dice;
use crate::archive::{Archive, ArchiveFile};

/// The contents of a disk, by path.
pub(super) type Left = BTreeMap<String, Vec<u8>>;

/// The files of one folder of a disk, without the folders below it.
pub(super) struct LeftIn<'l>(pub(super) &'static str, pub(super) &'l Left);

impl LeftIn<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }
}

impl Archive for LeftIn<'_> {
    fn place(&self) -> String {
        self.0.to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let below = |path: &String| Some(path.strip_prefix(self.0)?.strip_prefix('/')?.to_owned());
        let names = self.1.keys().filter_map(below);
        Ok(names.filter(|name| !name.contains('/')).collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>> {
        let contents = self.1.get(&self.path(name)).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(contents.clone())))
    }
}

/// A program's requests to a disk, in order. Paths begin below a root.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Opens a file, or makes an empty one.
    Open(String),
    Append(String, Vec<u8>),
    /// Writes at a position, and makes the file longer if need be.
    Write(String, usize, Vec<u8>),
    SetLength(String, usize),
    Rename(String, String),
    Remove(String),
    Sync(String),
    SyncFolder(&'static str),
}

/// The disk after some steps.
pub(super) struct Disk {
    /// Contents of each file: the durable ones, then those after each step since.
    files: Vec<Vec<Vec<u8>>>,
    /// The file of each name: the durable one, then those after each step since.
    names: BTreeMap<String, Vec<Option<usize>>>,
}

impl Disk {
    /// Makes a disk on which all of this is durable.
    pub(super) fn new(found: &Left) -> Self {
        let files = found
            .values()
            .map(|contents| vec![contents.clone()])
            .collect();
        let names = found
            .keys()
            .enumerate()
            .map(|(file, name)| (name.clone(), vec![Some(file)]))
            .collect();
        Self { files, names }
    }

    pub(super) fn after(found: &Left, steps: &[Step]) -> Self {
        let mut disk = Self::new(found);
        for step in steps {
            disk.perform(step);
        }
        disk
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Open(name) if self.file(name).is_some() => {}
            Step::Open(name) => {
                self.files.push(vec![Vec::new()]);
                self.name(name, Some(self.files.len() - 1));
            }
            Step::Append(name, bytes) => {
                self.write(name, |contents| contents.extend_from_slice(bytes));
            }
            Step::Write(name, at, bytes) => self.write(name, |contents| {
                contents.resize(contents.len().max(at + bytes.len()), 0);
                contents[*at..at + bytes.len()].copy_from_slice(bytes);
            }),
            Step::SetLength(name, length) => {
                self.write(name, |contents| contents.truncate(*length));
            }
            Step::Rename(from, to) => {
                let file = self.file(from);
                self.name(to, file);
                self.name(from, None);
            }
            Step::Remove(name) => self.name(name, None),
            Step::Sync(name) => {
                let file = self.file(name).unwrap();
                forget_all_but_last(&mut self.files[file]);
            }
            Step::SyncFolder(folder) => {
                let inside = |name: &str| {
                    name.rsplit_once('/')
                        .is_some_and(|(parent, _)| parent == *folder)
                };
                let names = self.names.iter_mut().filter(|(name, _)| inside(name));
                names.for_each(|(_, files)| forget_all_but_last(files));
            }
        }
    }

    fn file(&self, name: &str) -> Option<usize> {
        self.names
            .get(name)
            .and_then(|files| *files.last().unwrap())
    }

    fn name(&mut self, name: &str, file: Option<usize>) {
        self.names
            .entry(name.to_owned())
            .or_insert_with(|| vec![None])
            .push(file);
    }

    fn write(&mut self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let file = self.file(name).unwrap();
        let mut contents = self.files[file].last().unwrap().clone();
        change(&mut contents);
        self.files[file].push(contents);
    }

    /// Returns the contents while the power stays on.
    pub(super) fn written(&self) -> Left {
        let there = self
            .names
            .iter()
            .filter_map(|(name, files)| Some((name, (*files.last().unwrap())?)));
        there
            .map(|(name, file)| (name.clone(), self.files[file].last().unwrap().clone()))
            .collect()
    }

    /// Returns the contents after the power failed.
    pub(super) fn lose_power(&self, dice: &mut Dice) -> Left {
        let page = *dice.one_of(&[PAGE, PAGE, SECTOR]);
        let files: Vec<_> = self
            .files
            .iter()
            .map(|versions| torn(versions, page, dice))
            .collect();
        let mut left = Left::new();
        for (name, versions) in &self.names {
            let newest = *dice.one_of(&NEWEST);
            if let Some(file) = *pick(versions, newest, dice) {
                left.insert(name.clone(), files[file].clone());
            }
        }
        left
    }
}

/// Returns a file of which some pages are old, some new, and the length is any that it had.
fn torn(versions: &[Vec<u8>], page: usize, dice: &mut Dice) -> Vec<u8> {
    let newest = *dice.one_of(&NEWEST);
    let length = torn_length(versions, page, newest, dice);
    let mut contents = Vec::with_capacity(length);
    while contents.len() < length {
        let at = contents.len();
        let end = (at + page).min(length);
        let version = pick(versions, newest, dice);
        contents.extend_from_slice(version.get(at..end.min(version.len())).unwrap_or_default());
        contents.resize(end, 0);
    }
    contents
}

/// Returns any length that the file had, or one on the way from the first to it.
fn torn_length(versions: &[Vec<u8>], page: usize, newest: u64, dice: &mut Dice) -> usize {
    let (first, length) = (versions[0].len(), pick(versions, newest, dice).len());
    if length <= first || dice.percent(60) {
        return length;
    }
    let pages = first / page + 1..length.div_ceil(page);
    if pages.is_empty() {
        length
    } else {
        (pages.start + dice.below_len(pages.len())) * page
    }
}

/// Picks the newest version in this many of a hundred cases, and otherwise any.
fn pick<'v, T>(versions: &'v [T], newest: u64, dice: &mut Dice) -> &'v T {
    if dice.percent(newest) {
        versions.last().unwrap()
    } else {
        dice.one_of(versions)
    }
}

fn forget_all_but_last<T>(versions: &mut Vec<T>) {
    versions.drain(..versions.len() - 1);
}

/// Writes all files below a folder.
pub(super) fn write_to(root: &Path, left: &Left) {
    for (name, contents) in left {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
}

/// The chance that a file or a name is as it was written last, in a hundred.
const NEWEST: [u64; 4] = [0, 40, 80, 100];

/// The bytes that a disk usually writes at once.
const PAGE: usize = 4096;

/// The bytes that a disk always writes at once.
const SECTOR: usize = 512;
