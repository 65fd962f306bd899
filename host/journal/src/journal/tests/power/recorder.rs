//! A storage that records its requests to the disk: the steps of [`Folder`], one by one. Those of
//! publishing a checkpoint are mixed with those of writing batches, as two threads mix them.
//!
//! A sync counts only if the folder really made it. Its place in an operation is known here.

use std::collections::VecDeque;
use std::io;

use super::dice::Dice;
use super::disk::Step;
use super::*;
use crate::archive::{Archive, CHECKPOINTS, segment_name};
use crate::durable::seen::Synced;
use crate::file::{Board, Folder, Storage, Stored};
use crate::testing::{lock, memory};

/// A folder, or the files beside its segments, whose steps are recorded.
pub(super) struct Recorder<F = Folder> {
    path: PathBuf,
    folder: F,
    steps: Arc<Mutex<Steps>>,
    current: String,
    omitted: Option<Flush>,
}

/// The steps of two threads.
pub(super) struct Steps {
    done: Vec<Step>,
    /// Steps of the other thread that are still to come.
    ahead: VecDeque<Step>,
    /// True while the other thread's steps are recorded.
    beside: bool,
    dice: Dice,
}

impl Steps {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            done: Vec::new(),
            ahead: VecDeque::new(),
            beside: false,
            dice,
        }
    }

    /// Returns the number of steps so far.
    pub(super) fn now(&self) -> usize {
        self.done.len()
    }

    /// Begins steps of the other thread, which has done all before.
    pub(super) fn beside(&mut self) {
        self.done.extend(self.ahead.drain(..));
        self.beside = true;
    }

    /// Ends steps of the other thread.
    pub(super) fn before(&mut self) {
        self.beside = false;
    }

    /// Returns all steps.
    pub(super) fn finish(&mut self) -> Vec<Step> {
        self.done.extend(self.ahead.drain(..));
        std::mem::take(&mut self.done)
    }

    fn push(&mut self, step: Step) {
        if self.beside {
            return self.ahead.push_back(step);
        }
        while !self.ahead.is_empty() && self.dice.percent(60) {
            self.done.extend(self.ahead.pop_front());
        }
        self.done.push(step);
    }
}

/// Each sync that the journal makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// The name of a new segment.
    SegmentName,
    /// The room of a new segment.
    Room,
    /// A batch of records.
    Records,
    /// A segment that was cut.
    Cut,
    /// A segment that was removed.
    Removed,
    /// A line of the list.
    List,
    /// The name of a new list.
    ListName,
    /// A small file before it gets its name.
    Small,
    /// The name of a small file.
    SmallName,
    /// The memory before it gets its name.
    Memory,
    /// The name of the memory.
    MemoryName,
    /// The milestone before it gets its name.
    Milestone,
    /// The name of the milestone.
    MilestoneName,
}

impl Flush {
    /// The syncs that no other sync makes up for.
    pub(super) const NEEDED: [Self; 7] = [
        Self::SegmentName,
        Self::Records,
        Self::Cut,
        Self::List,
        Self::Small,
        Self::Memory,
        Self::MemoryName,
    ];
}

impl Recorder {
    pub(super) fn new(path: &Path, steps: &Arc<Mutex<Steps>>, omitted: Option<Flush>) -> Self {
        let (path, folder) = (path.to_owned(), lock(path));
        Self {
            path,
            folder,
            steps: Arc::clone(steps),
            current: String::new(),
            omitted,
        }
    }
}

impl<F> Recorder<F> {
    fn step(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    /// Lets the folder perform an operation; returns the files and folders that it made durable.
    fn perform(&mut self, act: impl FnOnce(&mut F) -> io::Result<()>) -> io::Result<Synced> {
        let (done, synced) = Synced::during(|| act(&mut self.folder));
        done.map(|()| synced)
    }

    /// Records a sync that was really made, unless it is the one to omit.
    fn flush(&self, flush: Flush, synced: &Synced, step: Step) {
        let name = match &step {
            Step::Sync(name) => name.clone(),
            Step::SyncFolder(name) => (*name).to_owned(),
            _ => unreachable!("{step:?} is no sync"),
        };
        self.flush_as(flush, synced, step, &name);
    }

    /// Records the same for a file that has another name by now.
    fn flush_as(&self, flush: Flush, synced: &Synced, step: Step, name: &str) {
        let really = synced.has(&self.path.parent().unwrap().join(name));
        if really && self.omitted != Some(flush) {
            self.step(step);
        }
    }
}

impl Recorder {
    /// Records the blocks that were written to the current segment, and their sync. Returns false
    /// if there are none.
    fn write_blocks(&self, flush: Flush, synced: &Synced) -> bool {
        for (at, bytes) in &synced.blocks {
            let at = usize::try_from(*at).unwrap();
            self.step(Step::Write(self.current.clone(), at, bytes.clone()));
            self.flush(flush, synced, Step::Sync(self.current.clone()));
        }
        !synced.blocks.is_empty()
    }
}

impl Stored for Recorder {
    fn archive(&self) -> &dyn Archive {
        self.folder.archive()
    }

    fn remembered(&self) -> io::Result<Option<Vec<u8>>> {
        self.folder.remembered()
    }

    fn milestone(&self) -> io::Result<Option<Vec<u8>>> {
        self.folder.milestone()
    }
}

impl Storage for Recorder {
    fn create(&mut self, number: u64) -> io::Result<()> {
        let synced = self.perform(|folder| folder.create(number))?;
        self.current = audit(&segment_name(number));
        self.step(Step::Open(self.current.clone()));
        self.write_blocks(Flush::Room, &synced);
        self.flush(Flush::SegmentName, &synced, Step::SyncFolder(AUDIT));
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let synced = self.perform(|folder| folder.append(bytes))?;
        if !self.write_blocks(Flush::Records, &synced) {
            self.step(Step::Append(self.current.clone(), bytes.to_vec()));
            self.flush(Flush::Records, &synced, Step::Sync(self.current.clone()));
        }
        Ok(())
    }

    fn cut(&mut self, number: u64, length: u64) -> io::Result<()> {
        let synced = self.perform(|folder| folder.cut(number, length))?;
        let name = audit(&segment_name(number));
        if length == 0 {
            self.step(Step::Remove(name));
            self.flush(Flush::Removed, &synced, Step::SyncFolder(AUDIT));
        } else {
            self.step(Step::SetLength(
                name.clone(),
                usize::try_from(length).unwrap(),
            ));
            self.flush(Flush::Cut, &synced, Step::Sync(name));
        }
        Ok(())
    }

    fn check(&mut self) -> io::Result<()> {
        self.folder.check()
    }

    fn board(&self) -> Box<dyn Board> {
        Box::new(Recorder {
            path: self.path.clone(),
            folder: self.folder.board(),
            steps: Arc::clone(&self.steps),
            current: String::new(),
            omitted: self.omitted,
        })
    }
}

impl Board for Recorder<Box<dyn Board>> {
    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()> {
        let synced = self.perform(|board| board.add_checkpoint(length, line))?;
        let name = audit(CHECKPOINTS);
        self.step(Step::Open(name.clone()));
        self.step(Step::SetLength(
            name.clone(),
            usize::try_from(length).unwrap(),
        ));
        self.step(Step::Append(name.clone(), line.to_vec()));
        self.flush(Flush::List, &synced, Step::Sync(name));
        self.flush(Flush::ListName, &synced, Step::SyncFolder(AUDIT));
        Ok(())
    }

    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()> {
        let synced = self.perform(|board| board.replace(name, contents))?;
        self.replaced(
            AUDIT,
            name,
            contents,
            &synced,
            [Flush::Small, Flush::SmallName],
        );
        Ok(())
    }

    fn remember(&mut self, contents: &[u8]) -> io::Result<()> {
        let synced = self.perform(|board| board.remember(contents))?;
        let name = memory(Path::new(AUDIT)).name().to_owned();
        self.replaced(
            MEMORY,
            &name,
            contents,
            &synced,
            [Flush::Memory, Flush::MemoryName],
        );
        Ok(())
    }

    fn pass(&mut self, contents: &[u8]) -> io::Result<()> {
        let synced = self.perform(|board| board.pass(contents))?;
        let name = memory(Path::new(AUDIT)).milestone();
        self.replaced(
            MEMORY,
            &name,
            contents,
            &synced,
            [Flush::Milestone, Flush::MilestoneName],
        );
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        let synced = self.perform(|board| board.forget())?;
        let name = memory(Path::new(AUDIT)).milestone();
        self.step(Step::Remove(format!("{MEMORY}/{name}")));
        self.flush(Flush::MilestoneName, &synced, Step::SyncFolder(MEMORY));
        Ok(())
    }

    fn check(&mut self) -> io::Result<()> {
        self.folder.check()
    }
}

impl Recorder<Box<dyn Board>> {
    fn replaced(
        &self,
        folder: &'static str,
        name: &str,
        contents: &[u8],
        synced: &Synced,
        flushes: [Flush; 2],
    ) {
        let (new, name) = (format!("{folder}/.{name}.new"), format!("{folder}/{name}"));
        self.step(Step::Open(new.clone()));
        self.step(Step::SetLength(new.clone(), 0));
        self.step(Step::Append(new.clone(), contents.to_vec()));
        self.flush_as(flushes[0], synced, Step::Sync(new.clone()), &name);
        self.step(Step::Rename(new, name));
        self.flush(flushes[1], synced, Step::SyncFolder(folder));
    }
}

fn audit(name: &str) -> String {
    format!("{AUDIT}/{name}")
}

/// The journal's folder, below a root.
pub(super) const AUDIT: &str = "audit";

/// The folder of its memory.
pub(super) const MEMORY: &str = "audit/memory";
