//! The end of a journal: after the last whole batch.
//!
//! The writer makes each batch durable before it begins the next, so a crash or a loss of power
//! tears at most one, the last, which was not acknowledged. Any of its pages may be there and any
//! may be missing, so it is torn or intact as a whole: its remains may begin with whole lines, have
//! holes, and even end well. NULs at the very end are room that the host made ahead.
//!
//! Invariant: nothing of a batch that another one follows, nothing under a checkpoint, and nothing
//! that bears the right MAC (where its key is known) is torn. A fault there is damage, which the
//! walk reports; so are NULs before such a batch.

use std::io::{self, BufRead, BufReader, Read as _, SeekFrom};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::archive::ArchiveFile;
use super::batch::{BatchEnd, Batches};
use super::file::length_of;
use super::line::{Frame, MAX_LINE};
use super::lines::{Found, read_line};

/// The end of the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// The length of the whole batches.
    pub(super) length: u64,
    /// The length of the torn batch behind them, without NULs at its end.
    pub(super) torn: u64,
}

/// Finds the end in the last segment, from a position on, whose first record there has the number
/// `next`, where the first `signed` records are under a checkpoint. Returns `None` if the bytes
/// after the last whole batch are not one torn batch.
pub(super) fn find(
    file: &mut dyn ArchiveFile,
    from: u64,
    batches: &Batches,
    next: u64,
    signed: u64,
) -> io::Result<Option<Tail>> {
    // The blocks of a batch that a host is writing may appear in any order, and all of them while
    // this looks. What is damage is still there at the second look.
    match look(file, from, batches, next, signed)? {
        None => look(file, from, batches, next, signed),
        found => Ok(found),
    }
}

fn look(
    file: &mut dyn ArchiveFile,
    from: u64,
    batches: &Batches,
    next: u64,
    signed: u64,
) -> io::Result<Option<Tail>> {
    // A host may be writing: lines that arrive meanwhile are not read.
    let total = written_end(file, from)?;
    file.seek(SeekFrom::Start(from))?;
    let mut scan = Scan {
        batches: batches.structure(),
        next,
        at: from,
        good: from,
        good_records: next.saturating_sub(1),
    };
    let mut reader =
        BufReader::with_capacity(MAX_LINE, (&mut *file).take(total.saturating_sub(from)));
    let mut line = Vec::new();
    let mut rest = Rest::Torn;
    loop {
        match read_line(&mut reader, &mut line, MAX_LINE)? {
            Found::End => break,
            Found::Line if scan.follow(&line) => {}
            // The first wrong line is in the torn batch, which must be the last one.
            Found::Line => {
                rest = rest_of_one_batch(&mut reader, line)?;
                break;
            }
            Found::TooLong => {
                rest = rest_of_one_batch(&mut reader, Vec::new())?;
                break;
            }
            Found::Torn => break,
        }
    }
    let tail = Tail {
        length: scan.good,
        torn: total.saturating_sub(scan.good),
    };
    let torn = match rest {
        Rest::Torn => true,
        Rest::Ends(end) => !is_sealed(file, batches, &scan, &end, total)?,
        Rest::More => false,
    };
    file.seek(SeekFrom::Start(from))?;
    Ok((torn && scan.good_records >= signed).then_some(tail))
}

/// What the rest of a file is, from the first line on that is wrong.
enum Rest {
    /// Of one batch without its end.
    Torn,
    /// Of one batch, and its end.
    Ends(BatchEnd),
    /// Of more than one batch.
    More,
}

/// Reads the rest of a file, from this line on.
fn rest_of_one_batch(reader: &mut impl BufRead, mut line: Vec<u8>) -> io::Result<Rest> {
    let mut ended = BatchEnd::parse(without_break(&line));
    loop {
        match read_line(reader, &mut line, MAX_LINE)? {
            Found::End => return Ok(ended.map_or(Rest::Torn, Rest::Ends)),
            _ if ended.is_some() => return Ok(Rest::More),
            Found::Line => ended = BatchEnd::parse(without_break(&line)),
            Found::TooLong | Found::Torn => {}
        }
    }
}

/// Whether what follows the last good batch bears the right MAC: then it is what was written, to
/// the byte, so what is wrong with it is no work of a crash.
fn is_sealed(
    file: &mut dyn ArchiveFile,
    batches: &Batches,
    scan: &Scan,
    end: &BatchEnd,
    total: u64,
) -> io::Result<bool> {
    let first = scan.good_records.saturating_add(1);
    let Some(mut check) = batches.check_from(first, scan.batches.previous())? else {
        return Ok(false);
    };
    // A batch that is whole behind NULs was moved, or what was before it is gone.
    let (mut behind, mut begun) = (check.clone(), false);
    let lines = total
        .saturating_sub(scan.good)
        .saturating_sub(length_of(&end.line()?));
    file.seek(SeekFrom::Start(scan.good))?;
    let mut reader = BufReader::with_capacity(MAX_LINE, file.take(lines));
    loop {
        let chunk = reader.fill_buf()?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        let nuls = if begun { 0 } else { leading_nuls(chunk) };
        begun |= nuls < length;
        behind.update(chunk.get(nuls..).unwrap_or_default());
        check.update(chunk);
        reader.consume(length);
    }
    let is_right = |check: Hmac<Sha256>| check.verify_slice(&end.tag).is_ok();
    Ok(is_right(check) || is_right(behind))
}

fn leading_nuls(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len())
}

/// Returns the end of what was written behind a position; what follows is NULs.
pub(super) fn written_end(file: &mut dyn ArchiveFile, from: u64) -> io::Result<u64> {
    let (mut end, mut block) = (file.length()?, Vec::new());
    while end > from {
        let begins = end.saturating_sub(BLOCK).max(from);
        file.seek(SeekFrom::Start(begins))?;
        block.clear();
        // It may be less: a host cuts off its room when it ends a segment.
        (&mut *file).take(end - begins).read_to_end(&mut block)?;
        if let Some(last) = block.iter().rposition(|byte| *byte != 0) {
            return Ok(begins + length_of(block.get(..=last).unwrap_or_default()));
        }
        end = begins;
    }
    Ok(from)
}

/// The bytes that are looked at together, from the end on.
const BLOCK: u64 = 64 << 10;

struct Scan {
    batches: Batches,
    next: u64,
    at: u64,
    /// The end of the last whole batch.
    good: u64,
    good_records: u64,
}

impl Scan {
    /// Follows a line. Returns true if it is as it should be.
    fn follow(&mut self, line: &[u8]) -> bool {
        let text = without_break(line);
        let ends = if let Some(end) = BatchEnd::parse(text) {
            if self.batches.end(&end).is_err() {
                return false;
            }
            true
        } else {
            let frame = serde_json::from_slice::<Frame<'_>>(text);
            if frame.is_ok_and(|frame| frame.seq == self.next) {
                self.batches.record(self.next, line);
                self.next += 1;
            } else {
                return false;
            }
            false
        };
        self.at = self.at.saturating_add(length_of(line));
        if ends {
            (self.good, self.good_records) = (self.at, self.next.saturating_sub(1));
        }
        true
    }
}

fn without_break(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
