//! A note of the journal that another reader of signed notes refuses is damage, and one that it
//! accepts is not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;

use super::super::journal::{Journal, JournalError};
use super::super::record::{Event, HostStopped};
use super::super::testing::{clock, crashed_copy, key, record, settings, temporary};
use super::super::verify::{VerifyError, verify};
use super::*;

/// Returns a journal with several checkpoints, and its key.
fn made() -> (tempfile::TempDir, VerifierKey) {
    let folder = temporary();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut verifier = None;
    for _ in 0..3 {
        let (journal, opened) = Journal::open(settings(folder.path()), key(), clock(0)).unwrap();
        runtime
            .block_on(journal.record(record(Event::CallRefused, "c")))
            .unwrap();
        runtime.block_on(journal.close(HostStopped {})).unwrap();
        verifier = Some(opened.key.parse().unwrap());
    }
    (folder, verifier.unwrap())
}

/// A change to one note of a journal.
type Edit = fn(&Notes) -> String;

/// The material of an edit.
struct Notes {
    /// The note to change: its text and its signature line.
    note: String,
    text: String,
    line: String,
    /// A line that names the journal's key but signs something else.
    forged: String,
    /// A line of a key that the journal does not know.
    witness: String,
}

impl Notes {
    fn of(note: &str, other: &str) -> Self {
        let (text, line) = note.split_once("\n\n").unwrap();
        let witness = bailiwick_envelope::SigningKey::from_seed(&[8; 32]);
        let witnessed = VerifierKey::new("example/witness", witness.public())
            .unwrap()
            .sign("else\n", &witness);
        Self {
            note: note.to_owned(),
            text: text.to_owned(),
            line: line.to_owned(),
            forged: other.split_once("\n\n").unwrap().1.to_owned(),
            witness: witnessed.split_once("\n\n").unwrap().1.to_owned(),
        }
    }
}

const REFUSED: [(&str, Edit); 9] = [
    ("a line at the end", |n| {
        format!("{}Unexpected line.\n", n.note)
    }),
    ("a line before the signature", |n| {
        format!("{}\n\nUnexpected line.\n{}", n.text, n.line)
    }),
    ("an empty line at the end", |n| format!("{}\n", n.note)),
    ("an empty line before the signature", |n| {
        format!("{}\n\n\n{}", n.text, n.line)
    }),
    ("a forged line before the good one", |n| {
        format!("{}\n\n{}{}", n.text, n.forged, n.line)
    }),
    ("a forged line after the good one", |n| {
        format!("{}{}", n.note, n.forged)
    }),
    ("another note after it", |n| n.note.repeat(2)),
    ("an unsigned text after it", |n| {
        format!("{}more\n\n{}", n.note, n.line)
    }),
    ("a tab", |n| n.note.replace("\n\n", "\t\n\n")),
];

const ACCEPTED: [(&str, Edit); 3] = [
    ("nothing changed", |n| n.note.clone()),
    ("a witness after it", |n| format!("{}{}", n.note, n.witness)),
    ("a witness before it", |n| {
        format!("{}\n\n{}{}", n.text, n.witness, n.line)
    }),
];

/// Returns the notes of the list, in order.
fn listed(folder: &Path) -> Vec<String> {
    let list = fs::read_to_string(folder.join(CHECKPOINTS)).unwrap();
    list.lines()
        .map(|line| serde_json::from_str::<Entry>(line).unwrap().note)
        .collect()
}

/// Changes the note of a line of the list.
fn change_line(folder: &Path, at: usize, edit: Edit) {
    let list = fs::read_to_string(folder.join(CHECKPOINTS)).unwrap();
    let mut entries: Vec<Entry> = list
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    entries[at].note = edit(&Notes::of(&entries[at].note, &entries[at - 1].note));
    let lines = entries
        .iter()
        .map(|entry| serde_json::to_string(entry).unwrap() + "\n");
    fs::write(folder.join(CHECKPOINTS), lines.collect::<String>()).unwrap();
}

fn change_file(folder: &Path, edit: Edit) {
    let notes = Notes::of(
        &fs::read_to_string(folder.join(CHECKPOINT)).unwrap(),
        &listed(folder)[0],
    );
    fs::write(folder.join(CHECKPOINT), edit(&notes)).unwrap();
}

/// Returns whether the verifier names a bad checkpoint in that file, and whether the host refuses
/// to start.
fn refused(folder: &Path, key: &VerifierKey, file: &str) -> (bool, bool) {
    let names =
        |damage: &Damage| matches!(damage, Damage::BadCheckpoint(place) if place.file == file);
    let verifier = verify(folder, Some(key));
    let host = Journal::open(settings(folder), super::super::testing::key(), clock(0));
    (
        matches!(&verifier, Err(VerifyError::Damaged { damage, .. }) if names(damage)),
        matches!(&host, Err(JournalError::Damaged { .. })),
    )
}

#[test]
fn a_note_that_other_readers_refuse_is_damage_in_the_file_and_in_the_list() {
    let (folder, key) = made();
    let last = listed(folder.path()).len() - 1;
    for (case, edit) in REFUSED {
        let copy = crashed_copy(folder.path());
        change_file(copy.path(), edit);
        assert_eq!(
            refused(copy.path(), &key, CHECKPOINT),
            (true, true),
            "{case}"
        );
        let copy = crashed_copy(folder.path());
        change_line(copy.path(), last, edit);
        assert_eq!(
            refused(copy.path(), &key, CHECKPOINTS),
            (true, true),
            "{case}, in the list"
        );
    }
}

#[test]
fn what_others_sign_beside_the_journal_changes_nothing() {
    let (folder, key) = made();
    let last = listed(folder.path()).len() - 1;
    for (case, edit) in ACCEPTED {
        let copy = crashed_copy(folder.path());
        change_file(copy.path(), edit);
        Journal::open(
            settings(copy.path()),
            super::super::testing::key(),
            clock(0),
        )
        .unwrap();
        let copy = crashed_copy(folder.path());
        change_file(copy.path(), edit);
        change_line(copy.path(), last, edit);
        let report =
            verify(copy.path(), Some(&key)).unwrap_or_else(|error| unreachable!("{case}: {error}"));
        assert_eq!(report.unsigned, 0, "{case}");
    }
}

#[test]
fn a_line_of_the_list_that_is_written_otherwise_is_damage() {
    type Edit = fn(&str) -> String;
    let (folder, key) = made();
    let edits: [(&str, Edit); 4] = [
        ("a space", |line| line.replace(':', ": ")),
        ("a line break of another system", |line| format!("{line}\r")),
        ("an escape that is not needed", |line| {
            line.replace("audit", "\\u0061udit")
        }),
        ("an empty member", |line| {
            line.replace('}', ",\"leaves\":\"\"}")
        }),
    ];
    for (case, edit) in edits {
        let copy = crashed_copy(folder.path());
        let list = fs::read_to_string(folder.path().join(CHECKPOINTS)).unwrap();
        let (before, last) = list.trim_end().rsplit_once('\n').unwrap();
        fs::write(
            copy.path().join(CHECKPOINTS),
            format!("{before}\n{}\n", edit(last)),
        )
        .unwrap();
        assert_eq!(
            refused(copy.path(), &key, CHECKPOINTS),
            (true, true),
            "{case}"
        );
    }
}
