//! The number of the last change of the denials that a journal records.
//!
//! The list of denials lies with the host's keys, where a backup can be put back. The journal then
//! still has the records of newer changes, so the host compares its list with their number.

use serde::Deserialize;

use super::line::Frame;
use super::record::{Event, Record};

#[derive(Deserialize)]
struct Changing {
    detail: Change,
}

#[derive(Deserialize)]
struct Change {
    change: u64,
}

/// Returns the number of the change that a record is about; 0 if it is about none.
pub(super) fn of(record: &Record) -> u64 {
    let detail = match record {
        Record::DenialAdded(added) => &added.detail,
        Record::DenialLifted(lifted) => &lifted.detail,
        Record::DenialsFound(found) => &found.detail,
        _ => return 0,
    };
    detail.number("change").unwrap_or(0)
}

/// Returns the number of the change that a line is about; 0 if it is about none.
pub(super) fn read(frame: &Frame<'_>, line: &[u8]) -> u64 {
    let events = [Event::DenialAdded, Event::DenialLifted, Event::DenialsFound];
    if !events.iter().any(|event| frame.event == event.as_str()) {
        return 0;
    }
    serde_json::from_slice(line).map_or(0, |changing: Changing| changing.detail.change)
}
