//! The judge: compares the remains of a journal with the promises.

use super::disk::{Left, LeftIn, write_to};
use super::life::{Life, lines_of, told};
use super::recorder::{AUDIT, MEMORY};
use super::*;
use crate::archive::key_text;
use crate::journal::recover::{self, Recovered};
use crate::testing::lock;
use crate::testing::memory;
use crate::tree::{Tree, leaf_hash};
use crate::verify::{Given, verify_in};

/// Returns the lines that the journal keeps of the remains, or the promise that it breaks. It
/// starts. Every acknowledged record is there; any other batch is there as a whole or not at all.
/// The verifier accepts the journal before and after, and a second start finds the state that the
/// first one left.
pub(super) fn judge(left: &Left, life: &Life, moment: usize) -> Result<Vec<String>, String> {
    let verified = verify_left(left, life, moment);
    let root = temporary();
    write_to(root.path(), left);
    let folder = root.path().join(AUDIT);
    let says = |verified: &Result<Option<usize>, String>| match verified {
        Ok(_) => "verify accepts it".to_owned(),
        Err(error) => error.clone(),
    };
    let started = start(&folder)
        .map_err(|error| format!("the journal does not start: {error} ({})", says(&verified)));
    let started = started?;
    let Started { records, written } = started;
    let verified = verified.map_err(|error| format!("the journal starts, but {error}"))?;
    let lines = lines_of(&folder);
    ensure(lines.len() == records, || {
        format!("{} lines of {records} records", lines.len())
    })?;
    unmarked(left, started, &lines)?;
    let kept = records - written;
    let alike = verified.is_none_or(|count| count == kept);
    ensure(alike, || {
        format!("verify counts {verified:?} records, a start {kept}")
    })?;
    promised(life, moment, &lines[..kept])?;
    unforked(life, moment, &lines)?;
    finished(&folder, records)?;
    let again =
        start(&folder).map_err(|error| format!("the journal does not start again: {error}"))?;
    ensure(
        again
            == Started {
                records,
                written: 0,
            },
        || format!("{records} records after a start, then {again:?}"),
    )?;
    ensure(lines_of(&folder) == lines, || {
        "a second start changes records".to_owned()
    })?;
    Ok(lines[..kept].to_vec())
}

/// Checks that a start without the milestone finds and leaves the same.
fn unmarked(left: &Left, started: Started, lines: &[String]) -> Result<(), String> {
    let milestone = memory(Path::new(AUDIT)).milestone();
    let mut left = left.clone();
    if left.remove(&format!("{MEMORY}/{milestone}")).is_none() {
        return Ok(());
    }
    let root = temporary();
    write_to(root.path(), &left);
    let folder = root.path().join(AUDIT);
    let other = start(&folder)
        .map_err(|error| format!("the journal starts only with its milestone: {error}"))?;
    ensure(other == started && lines_of(&folder) == lines, || {
        format!("without the milestone a start finds {other:?}, with it {started:?}")
    })
}

/// Returns the verifier's count before the host starts; `None` if the disk has no key yet.
fn verify_left(left: &Left, life: &Life, moment: usize) -> Result<Option<usize>, String> {
    let audit = LeftIn(AUDIT, left);
    if key_text(&audit).map_err(told)?.is_none() {
        let (sure, _) = bounds(life, moment);
        ensure(sure == 0, || {
            format!("the key is gone, and {sure} records were acknowledged")
        })?;
        return Ok(None);
    }
    let report = verify_in(&audit, Given::default())
        .map_err(|error| format!("verify refuses what is left: {}", told(error)))?;
    Ok(Some(usize::try_from(report.records).unwrap()))
}

/// The findings of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Started {
    records: usize,
    /// The number of records that it wrote itself.
    written: usize,
}

/// Starts, signs and stops.
fn start(folder: &Path) -> Result<Started, String> {
    let settings = settings(folder);
    let Recovered {
        mut log,
        mut publisher,
        opened,
        ..
    } = recover::recover(Box::new(lock(folder)), &settings, key(), &*clock(0)).map_err(told)?;
    publisher.publish(log.unpublished()).map_err(told)?;
    let count = |number: u64| usize::try_from(number).unwrap();
    let cut = u64::from(opened.cut_bytes > 0);
    // If even the first batch was torn, the record of that begins the log, after its head.
    let head = u64::from(opened.records == 1 + cut && cut > 0);
    Ok(Started {
        records: count(opened.records),
        written: count(opened.closed + cut + head),
    })
}

/// Checks that the lines are the written ones: all acknowledged ones, and whole batches.
fn promised(life: &Life, moment: usize, kept: &[String]) -> Result<(), String> {
    let (sure, possible) = bounds(life, moment);
    ensure(kept.len() >= sure, || {
        format!(
            "{} records of {sure} acknowledged ones are left",
            kept.len()
        )
    })?;
    let whole = kept.len() == sure || kept.len() == possible;
    ensure(whole, || {
        format!(
            "{} records are left; a batch begins after {sure} and ends at {possible}",
            kept.len()
        )
    })?;
    let changed = kept
        .iter()
        .zip(&life.lines)
        .position(|(found, written)| found != written);
    ensure(changed.is_none(), || {
        format!("line {changed:?} is not the one that was written")
    })
}

/// Returns the number of acknowledged lines, and the number with the batch that was under way.
fn bounds(life: &Life, moment: usize) -> (usize, usize) {
    let acknowledged = life
        .batches
        .iter()
        .filter(|batch| batch.acknowledged <= moment);
    let sure = acknowledged
        .map(|batch| batch.after)
        .max()
        .unwrap_or(life.batches[0].before);
    let under_way = life
        .batches
        .iter()
        .find(|batch| batch.begun <= moment && moment < batch.acknowledged);
    (sure, under_way.map_or(sure, |batch| batch.after))
}

/// Checks that every checkpoint that anyone may have read is one of these lines.
fn unforked(life: &Life, moment: usize, lines: &[String]) -> Result<(), String> {
    let mut tree = Tree::default();
    let mut signed = life
        .signed
        .iter()
        .filter(|signed| signed.begun < moment)
        .peekable();
    for line in lines.iter().map(Some).chain([None]) {
        while let Some(signed) = signed.next_if(|signed| signed.size == tree.size()) {
            ensure(signed.root == tree.root(), || {
                format!("the first {} records were signed otherwise", signed.size)
            })?;
        }
        if let Some(line) = line {
            tree.push(leaf_hash(line.as_bytes()));
        }
    }
    ensure(signed.peek().is_none(), || {
        "records that were signed are gone".to_owned()
    })
}

/// Checks that after a start and a checkpoint everything is signed and nothing is open.
fn finished(folder: &Path, records: usize) -> Result<(), String> {
    let report = verify(folder, None)
        .map_err(|error| format!("verify refuses what started: {}", told(error)))?;
    let found = (
        usize::try_from(report.records).unwrap(),
        report.unsigned,
        report.open_calls,
        report.torn_bytes,
    );
    ensure(found == (records, 0, 0, 0), || {
        format!("(records, unsigned, open, torn) is {found:?}")
    })
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
