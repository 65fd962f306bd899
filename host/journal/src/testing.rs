//! Shared parts of the journal's tests: a clock that they set, a disk that fails on demand, and a
//! reader that is independent of the code under test.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bailiwick_envelope::{CallKind, Delegation, DelegationMode, SigningKey};
use serde_json::Value;

use super::archive::Archive;
use super::file::{Board, Folder, Storage, Stored};
use super::journal::Settings;
use super::keys::{JournalKeys, MacKey};
use super::memory::MemoryFile;
use super::reason::RefusalReason;
use super::record::{
    Call, CallOpened, CallRefused, DownstreamOpened, Event, HostStarted, HostStopped, Modes,
    Outcome, Record, Request, Subject, Target,
};
use super::text::Detail;
use crate::owned::Trust;
use crate::seams::Clock;

/// A clock that goes on by a fixed step at every look.
pub(super) struct Hand {
    now: AtomicU64,
    step: u64,
}

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.now.fetch_add(self.step, Ordering::Relaxed)
    }
}

pub(super) fn clock(step: u64) -> Arc<dyn Clock> {
    Arc::new(Hand {
        now: AtomicU64::new(1_763_712_000_000),
        step,
    })
}

pub(super) fn key() -> JournalKeys {
    key_of(5)
}

/// Returns the keys of another host.
pub(super) fn key_of(seed: u8) -> JournalKeys {
    JournalKeys {
        signing: SigningKey::from_seed(&[seed; 32]),
        mac: MacKey::of_test(seed),
    }
}

pub(super) fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        memory: memory(folder).folder().to_owned(),
        trust: Trust::default(),
        refusals_per_second: 100,
        segment_bytes: 2000,
        preallocate: preallocate(),
        append_deadline: Duration::from_secs(10),
        origin: ORIGIN.to_owned(),
    }
}

/// Returns true if segments get room ahead. Every test runs with it and without it.
pub(super) fn preallocate() -> bool {
    std::env::var_os(APPENDED).is_none()
}

/// Set in the environment of tests that run without room ahead.
pub(super) const APPENDED: &str = "BAILIWICK_TEST_APPENDED";

/// Returns the memory of a test's journal: within its folder, so that a copy is a copy of both.
pub(super) fn memory(folder: &Path) -> MemoryFile {
    MemoryFile::new(&folder.join("memory"), ORIGIN)
}

/// The log of the tests.
const ORIGIN: &str = "example/audit";

/// Returns a record of an event, about a call where it can be; else the call's name is in its
/// members.
pub(super) fn record(event: Event, call: &str) -> Record {
    let about = Call {
        call: call.into(),
        subject: Subject::default(),
        target: target("t"),
        component: None,
        grant: None,
    };
    let opened = CallOpened::new(about.clone(), Modes::of(&Delegation::new(BTreeMap::new())));
    let request = Request {
        service: "orders_api".into(),
        method: "GET".into(),
        path_template: Some("/orders/{}".into()),
    };
    let asked = DownstreamOpened::new(about, DelegationMode::OnBehalfOf, request);
    match event {
        Event::CallOpened => opened.into(),
        Event::CallClosed => opened.closed(Outcome::Done, None).into(),
        Event::DownstreamOpened => asked.into(),
        Event::DownstreamClosed => asked.closed(Outcome::Done, None).into(),
        Event::CallRefused => refusal(call).into(),
        Event::HostStarted => HostStarted {
            detail: Detail::from_iter([("name", call)]),
        }
        .into(),
        Event::HostStopped => HostStopped {}.into(),
        other => unreachable!("{other} is not needed"),
    }
}

/// Returns a refusal of a request for the tool of that name.
pub(super) fn refusal(tool: &str) -> CallRefused {
    CallRefused::new(Subject::default(), RefusalReason::UnknownTarget).about(
        target(tool),
        None,
        None,
    )
}

pub(super) fn target(tool: &str) -> Target {
    Target {
        kind: CallKind::Tool,
        name: tool.into(),
    }
}

/// Returns all records of all segments.
pub(super) fn lines(folder: &Path) -> Vec<Value> {
    let text: String = segment_files(folder)
        .iter()
        .map(|path| written(path))
        .collect();
    let values = text.lines().map(|line| serde_json::from_str(line).unwrap());
    values
        .filter(|value: &Value| value.get("batch").is_none())
        .collect()
}

/// Returns what was written to a segment, without the room behind it.
pub(super) fn written(segment: &Path) -> String {
    let text = std::fs::read_to_string(segment).unwrap();
    text.trim_end_matches('\0').to_owned()
}

pub(super) fn segment_files(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("journal-")
    };
    let mut files: Vec<_> = all.filter(is_segment).collect();
    files.sort();
    files
}

/// Returns a folder for a test, in memory if possible, because the speed of a disk is not under
/// test.
pub(super) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Returns a folder as a crash at this moment would leave it.
pub(super) fn crashed_copy(folder: &Path) -> tempfile::TempDir {
    let copy = temporary();
    copy_files(folder, copy.path());
    copy
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let new = to.join(path.file_name().unwrap());
        if path.is_dir() {
            DirBuilder::new().mode(0o700).create(&new).unwrap();
            copy_files(&path, &new);
        } else {
            std::fs::copy(&path, new).unwrap();
        }
    }
}

/// The way in which an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing happens.
    Before,
    /// Half of it happens.
    Halfway,
    /// All of it happens, and an error is reported.
    After,
}

/// The operations that fail.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) from: u64,
    pub(super) count: u64,
    pub(super) how: How,
    pub(super) delay: Duration,
    /// True while no checkpoint can be remembered, because the disk hangs.
    pub(super) held: bool,
    pub(super) done: u64,
    pub(super) syncs: u64,
}

impl Plan {
    pub(super) fn failing(from: u64, count: u64, how: How) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            from,
            count,
            how,
            delay: Duration::ZERO,
            held: false,
            done: 0,
            syncs: 0,
        }))
    }

    pub(super) fn slow(delay: Duration) -> Arc<Mutex<Self>> {
        let plan = Self::failing(u64::MAX, 0, How::Before);
        plan.lock().unwrap().delay = delay;
        plan
    }

    /// Returns true if any operation failed.
    pub(super) fn fired(&self) -> bool {
        self.done > self.from
    }

    fn next(&mut self) -> Option<How> {
        let number = self.done;
        self.done += 1;
        (number >= self.from && number - self.from < self.count).then_some(self.how)
    }
}

/// Returns the folder of a journal that nothing else uses. A process that another test starts has
/// the lock until it executes its program, so a try may find the folder in use.
pub(super) fn lock(folder: &Path) -> Folder {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(locked) = Folder::lock(folder, &memory(folder), preallocate()) {
            return locked;
        }
        assert!(Instant::now() < deadline, "the folder is free");
        thread::yield_now();
    }
}

/// A folder, or the files beside its segments, on which operations fail as planned.
pub(super) struct Faulty<F = Folder> {
    inner: F,
    plan: Arc<Mutex<Plan>>,
}

impl Faulty {
    pub(super) fn new(folder: &Path, plan: &Arc<Mutex<Plan>>) -> Self {
        Self {
            inner: lock(folder),
            plan: Arc::clone(plan),
        }
    }
}

impl<F> Faulty<F> {
    fn perform(
        &mut self,
        whole: impl FnOnce(&mut F) -> io::Result<()>,
        half: impl FnOnce(&mut F) -> io::Result<()>,
    ) -> io::Result<()> {
        let failing = self.plan.lock().unwrap().next();
        match failing {
            None => return whole(&mut self.inner),
            Some(How::Before) => {}
            Some(How::Halfway) => half(&mut self.inner)?,
            Some(How::After) => whole(&mut self.inner)?,
        }
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

impl Stored for Faulty {
    fn archive(&self) -> &dyn Archive {
        self.inner.archive()
    }

    fn remembered(&self) -> io::Result<Option<Vec<u8>>> {
        self.inner.remembered()
    }

    fn milestone(&self) -> io::Result<Option<Vec<u8>>> {
        self.inner.milestone()
    }
}

impl Storage for Faulty {
    fn create(&mut self, number: u64) -> io::Result<()> {
        self.perform(
            |folder| folder.create(number),
            |folder| folder.create(number),
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a slow disk blocks whoever writes to it"
    )]
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let delay = {
            let mut plan = self.plan.lock().unwrap();
            plan.syncs += 1;
            plan.delay
        };
        thread::sleep(delay);
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        self.perform(|folder| folder.append(bytes), |folder| folder.append(half))
    }

    fn cut(&mut self, number: u64, length: u64) -> io::Result<()> {
        self.perform(|folder| folder.cut(number, length), |_| Ok(()))
    }

    fn check(&mut self) -> io::Result<()> {
        self.perform(Storage::check, |_| Ok(()))
    }

    fn board(&self) -> Box<dyn Board> {
        Box::new(Faulty {
            inner: self.inner.board(),
            plan: Arc::clone(&self.plan),
        })
    }
}

impl Board for Faulty<Box<dyn Board>> {
    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()> {
        let half = line.get(..line.len() / 2).unwrap_or_default();
        self.perform(
            |board| board.add_checkpoint(length, line),
            |board| board.add_checkpoint(length, half),
        )
    }

    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.perform(|board| board.replace(name, contents), |_| Ok(()))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a slow disk blocks whoever writes to it"
    )]
    fn remember(&mut self, contents: &[u8]) -> io::Result<()> {
        while self.plan.lock().unwrap().held {
            thread::sleep(Duration::from_millis(1));
        }
        self.perform(|board| board.remember(contents), |_| Ok(()))
    }

    fn pass(&mut self, contents: &[u8]) -> io::Result<()> {
        self.perform(|board| board.pass(contents), |_| Ok(()))
    }

    fn forget(&mut self) -> io::Result<()> {
        self.perform(|board| board.forget(), |_| Ok(()))
    }

    fn check(&mut self) -> io::Result<()> {
        self.perform(|board| board.check(), |_| Ok(()))
    }
}
