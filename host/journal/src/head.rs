//! The head of a log: its first record names the format of all records.

use std::io::BufReader;

use serde::Deserialize;
use serde::de::Error as _;

use super::archive::{Archive, segment_name};
use super::damage::{Damage, Place};
use super::line::MAX_LINE;
use super::lines::{Found, read_line};
use super::record::{Event, FORMAT, JournalBegun};

/// The members of a first line that matter, in any format.
#[derive(Deserialize)]
struct Any {
    #[serde(default)]
    seq: u64,
    event: String,
    #[serde(default)]
    format: Option<u32>,
}

/// Checks that this is not the journal of another format. The walk reports what cannot be read.
pub(super) fn check_archive(archive: &dyn Archive) -> Result<(), Damage> {
    let (file, mut line) = (segment_name(1), Vec::new());
    let read = archive
        .open(&file)
        .and_then(|file| read_line(&mut BufReader::new(file), &mut line, MAX_LINE));
    if !matches!(read, Ok(Found::Line)) {
        return Ok(());
    }
    let place = Place {
        file,
        line: 1,
        seq: Some(1),
    };
    match check(line.strip_suffix(b"\n").unwrap_or(&line), &place) {
        Err(other @ Damage::Format(_)) => Err(other),
        _ => Ok(()),
    }
}

/// Checks that a first line begins a log in the format that this version reads.
pub(super) fn check(line: &[u8], place: &Place) -> Result<(), Damage> {
    let not_a_record = |source| Damage::NotARecord {
        place: place.clone(),
        source,
    };
    let any: Any = serde_json::from_slice(line).map_err(not_a_record)?;
    let begins = any.event == Event::JournalBegun.as_str();
    match any.format {
        Some(FORMAT) if begins => serde_json::from_slice::<JournalBegun>(line)
            .map(drop)
            .map_err(not_a_record),
        Some(format) if begins => Err(Damage::Format(format)),
        // Format 1 had no head, and no `format` in any record. It began with record 1, as every
        // format does, so a later record is what is left of a journal.
        None if !begins && any.seq == 1 => Err(Damage::Format(1)),
        _ if any.seq > 1 => Err(Damage::NoBeginning {
            place: place.clone(),
            found: any.seq,
        }),
        _ => Err(not_a_record(serde_json::Error::custom(
            "expected the head of a journal",
        ))),
    }
}
