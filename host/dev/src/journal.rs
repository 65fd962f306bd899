//! Reads a host's journal: JSON lines in segments, in order.
//!
//! Checks nothing; `bailiwick audit verify` says whether the journal is whole.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// Returns every complete record of the journal in a folder, in order.
///
/// # Errors
/// The folder cannot be read, or a complete line is not JSON.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Value>> {
    let mut segments = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            segments.push(path);
        }
    }
    segments.sort();
    let mut records = Vec::new();
    for segment in segments {
        let text = fs::read_to_string(&segment)?;
        // A host may be writing the last lines now: room that is not written yet has NULs.
        let text = text.split('\0').next().unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
        for line in whole.lines() {
            let line: Value = serde_json::from_str(line)
                .with_context(|| format!("{} is not JSON lines", segment.display()))?;
            // The line that ends a batch is not a record.
            if line.get("batch").is_none() {
                records.push(line);
            }
        }
    }
    Ok(records)
}

/// Returns a text field of a record; empty if absent.
pub fn text<'r>(record: &'r Value, field: &str) -> &'r str {
    record
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Returns the name of what a record is about, such as a tool; empty if absent.
pub fn target(record: &Value) -> &str {
    record
        .get("target")
        .map(|target| text(target, "name"))
        .unwrap_or_default()
}

/// Returns the records of one event.
pub fn events<'r>(records: &'r [Value], event: &str) -> Vec<&'r Value> {
    records
        .iter()
        .filter(|record| text(record, "event") == event)
        .collect()
}
