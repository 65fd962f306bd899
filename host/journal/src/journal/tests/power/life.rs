//! One life of a journal: it starts, writes and signs, and all of its requests to the disk are
//! known. Checkpoints are published beside it, at the same time as batches are written.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::disk::{Disk, Left, Step, write_to};
use super::recorder::{AUDIT, Recorder, Steps};
use super::*;
use crate::checkpoint::Checkpoint;
use crate::journal::log::Log;
use crate::journal::publish::Publisher;
use crate::journal::recover::{self, Recovered};
use crate::record::{CallClosed, HostStarted};
use crate::tree::Hash;

/// The events of a life and their moments. A moment is a number of steps.
pub(super) struct Life {
    pub(super) steps: Vec<Step>,
    /// All lines, of earlier lives too.
    pub(super) lines: Vec<String>,
    pub(super) batches: Vec<Batch>,
    pub(super) signed: Vec<Signed>,
}

/// Lines that were written together; the first batch is the one that the start writes.
pub(super) struct Batch {
    /// Lines before it.
    pub(super) before: usize,
    pub(super) begun: usize,
    /// Lines up to its end, and when they were acknowledged.
    pub(super) after: usize,
    pub(super) acknowledged: usize,
}

/// A checkpoint that anyone may have read.
pub(super) struct Signed {
    pub(super) begun: usize,
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Life {
    /// Plays a life on the remains of a disk, of which these lines are known to be there.
    pub(super) fn lead(
        left: &Left,
        kept: Vec<String>,
        dice: &mut Dice,
        omitted: Option<Flush>,
    ) -> Result<Self, String> {
        let root = temporary();
        write_to(root.path(), left);
        let settings = settings_in(root.path(), dice);
        let steps = Arc::new(Mutex::new(Steps::new(dice.fork())));
        let recorder = Recorder::new(&settings.folder, &steps, omitted);
        let Recovered { log, publisher, .. } =
            recover::recover(Box::new(recorder), &settings, key(), &*clock(0)).map_err(told)?;
        let mut living = Living {
            log,
            publisher,
            steps,
            folder: settings.folder,
            made: 0,
            life: Self::begin(kept),
        };
        living.life.lines = lines_of(&living.folder);
        living.acknowledge(0);
        for _ in 0..dice.below(ACTS) {
            living.act(dice);
        }
        let Living {
            log,
            publisher,
            steps,
            folder,
            mut life,
            ..
        } = living;
        drop((log, publisher));
        life.steps = steps.lock().unwrap().finish();
        assert_eq!(
            Disk::after(left, &life.steps).written(),
            found(&folder, AUDIT),
            "the recorder knows every step"
        );
        Ok(life)
    }

    fn begin(lines: Vec<String>) -> Self {
        let start = Batch {
            before: lines.len(),
            begun: 0,
            after: 0,
            acknowledged: 0,
        };
        Self {
            steps: Vec::new(),
            lines,
            batches: vec![start],
            signed: Vec::new(),
        }
    }

    /// Chooses the moment at which the power fails: any moment, before a sync, or before one of a
    /// batch of records.
    pub(super) fn last_moment(&self, dice: &mut Dice) -> usize {
        let is_sync = |step: &Step| matches!(step, Step::Sync(_) | Step::SyncFolder(_));
        let is_batch =
            |step: &Step| matches!(step, Step::Sync(name) if name.starts_with("audit/journal-"));
        let kinds: [&dyn Fn(&Step) -> bool; 4] = [&is_sync, &is_batch, &is_batch, &|_| true];
        let wanted = *dice.one_of(&kinds);
        let moments: Vec<_> = (0..self.steps.len())
            .filter(|moment| wanted(&self.steps[*moment]))
            .collect();
        if moments.is_empty() {
            self.steps.len()
        } else {
            *dice.one_of(&moments)
        }
    }

    /// Returns the remains if the power fails after this many steps.
    pub(super) fn power_fails(&self, found: &Left, moment: usize, dice: &mut Dice) -> Left {
        Disk::after(found, &self.steps[..moment]).lose_power(dice)
    }
}

/// A life that goes on.
struct Living {
    log: Log,
    publisher: Publisher,
    steps: Arc<Mutex<Steps>>,
    folder: PathBuf,
    /// Records so far.
    made: u64,
    life: Life,
}

impl Living {
    fn now(&self) -> usize {
        self.steps.lock().unwrap().now()
    }

    fn act(&mut self, dice: &mut Dice) {
        if dice.percent(25) {
            self.sign();
        } else {
            let count = *dice.one_of(&[1, 1, 2, 5, 12, 60]);
            let records: Vec<_> = (0..count).map(|_| self.record(count, dice)).collect();
            self.write(&records);
        }
    }

    fn write(&mut self, records: &[Record]) {
        let (begun, before) = (self.now(), self.life.lines.len());
        let first = self
            .log
            .append(&records.iter().collect::<Vec<_>>(), NOW)
            .unwrap();
        let head = (before == 0).then_some(&self.log.head);
        let lines = (first - u64::try_from(head.iter().len()).unwrap()..)
            .zip(head.into_iter().chain(records))
            .map(|(seq, record)| record.line(seq, NOW).unwrap());
        self.life
            .lines
            .extend(lines.map(|line| String::from_utf8(line).unwrap()));
        self.life.batches.push(Batch {
            before,
            begun,
            after: 0,
            acknowledged: 0,
        });
        self.acknowledge(begun);
    }

    fn acknowledge(&mut self, begun: usize) {
        let (now, lines) = (self.now(), self.life.lines.len());
        let batch = self.life.batches.last_mut().unwrap();
        *batch = Batch {
            begun,
            after: lines,
            acknowledged: now,
            ..*batch
        };
    }

    fn sign(&mut self) {
        let Checkpoint { size, root } = Checkpoint::of(&self.log.tree);
        self.life.signed.push(Signed {
            begun: self.now(),
            size,
            root,
        });
        // Every step of this comes some time later, beside those of the next batches.
        self.steps.lock().unwrap().beside();
        self.publisher.publish(self.log.unpublished()).unwrap();
        self.steps.lock().unwrap().before();
    }

    /// Makes a record of any size up to several pages, unless there are many of them already.
    fn record(&mut self, count: u64, dice: &mut Dice) -> Record {
        self.made += 1;
        let events = [
            Event::HostStarted,
            Event::CallOpened,
            Event::DownstreamOpened,
            Event::CallClosed,
        ];
        let call = format!("c{}-{}", self.life.batches[0].before, self.made / 3);
        let texts = if count > 20 {
            0
        } else {
            *dice.one_of(&[0, 0, 1, 4, 12, 30])
        };
        let detail: Map<String, Value> = (0..texts)
            .map(|n| (format!("d{n}"), json!("x".repeat(400))))
            .collect();
        match record(*dice.one_of(&events), &call) {
            Record::CallClosed(closed) => CallClosed {
                detail: Some(detail.into()),
                ..closed
            }
            .into(),
            // Other records are as long as their texts.
            Record::HostStarted(_) => HostStarted {
                detail: detail.into(),
            }
            .into(),
            other => other,
        }
    }
}

fn settings_in(root: &Path, dice: &mut Dice) -> Settings {
    let segment_bytes = *dice.one_of(&[700, 5000, 200_000, 200_000]);
    Settings {
        segment_bytes,
        ..settings(&root.join(AUDIT))
    }
}

/// Returns all records of a journal, in order, without the lines that end batches.
pub(super) fn lines_of(folder: &Path) -> Vec<String> {
    let text: String = segment_files(folder)
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    text.lines()
        .filter(|line| line.starts_with("{\"seq\":"))
        .map(str::to_owned)
        .collect()
}

/// Returns everything in a folder except the locks, which carry no information.
fn found(folder: &Path, name: &str) -> Left {
    let mut found = Left::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let below = entry.file_name().into_string().unwrap();
        let path = format!("{name}/{below}");
        if entry.path().is_dir() {
            found.extend(self::found(&entry.path(), &path));
        } else if !below.ends_with("lock") {
            found.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Returns an error with its causes.
pub(super) fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The time of every record.
const NOW: u64 = 1_763_712_000_000;

/// The most actions in one life.
const ACTS: u64 = 9;
