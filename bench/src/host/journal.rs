//! Counts calls in the files of a journal.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;

/// What the files of a journal have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) opened: u64,
    pub(super) closed: u64,
    pub(super) bytes: u64,
}

/// Counts the records of calls in a journal that was verified.
pub(super) fn count(folder: &Path) -> anyhow::Result<Journal> {
    let mut all = Journal::default();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("journal-") {
            all.bytes += entry.metadata()?.len();
            all.add(BufReader::with_capacity(1 << 20, File::open(entry.path())?))?;
        }
    }
    Ok(all)
}

impl Journal {
    fn add(&mut self, mut lines: BufReader<File>) -> anyhow::Result<()> {
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            match event(&line) {
                Some(b"call.opened") => self.opened += 1,
                Some(b"call.closed") => self.closed += 1,
                _ => {}
            }
            line.clear();
        }
        Ok(())
    }
}

/// Returns the event of a line. The host writes it before anything that a caller chose, so the
/// first one counts.
fn event(line: &[u8]) -> Option<&[u8]> {
    let from = line
        .windows(EVENT.len())
        .position(|window| window == EVENT)?;
    line.get(from + EVENT.len()..)?
        .split(|&byte| byte == b'"')
        .next()
}

const EVENT: &[u8] = br#""event":""#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_event_of_a_line_counts() {
        let line = br#"{"seq":7,"event":"call.opened","tool":"\"event\":\"call.closed"}"#;
        assert_eq!(event(line), Some(&b"call.opened"[..]));
        assert_eq!(event(br#"{"batch":7,"records":2,"mac":"l1K0"}"#), None);
    }
}
