//! What the host starts on, the verifier accepts, and the other way round.

use std::fs;

use super::super::super::batch::{BatchEnd, Seal};
use super::super::super::verify::{Given, verify_given};
use super::*;
use crate::note::VerifierKey;

/// A journal of three records in two batches that no checkpoint covers, as a crash leaves it.
async fn made() -> (tempfile::TempDir, VerifierKey) {
    let folder = temporary();
    // This clock stands still, so nothing is signed before the end.
    let (journal, opened) = open(folder.path());
    for call in ["alice", "bob"] {
        let refused = record(Event::CallRefused, call);
        journal.record(refused).await.unwrap();
    }
    (crashed_copy(folder.path()), opened.key.parse().unwrap())
}

/// How the host and the verifier, who has both keys, take the journal; they must agree.
fn taken(folder: &Path, verifier: &VerifierKey) -> Result<(), String> {
    let given = Given {
        key: Some(verifier),
        mac: Some(key().mac),
        kept: None,
    };
    let verified = verify_given(folder, given).map(drop);
    let examined = examine(&settings(folder), key(), &*clock(0)).map(drop);
    let copy = crashed_copy(folder);
    let started = Journal::open(settings(copy.path()), key(), clock(0)).map(drop);
    let told = |result: &Result<(), JournalError>| result.as_ref().err().map(ToString::to_string);
    let of_copy = copy.path().display().to_string();
    let of_folder = folder.display().to_string();
    assert_eq!(
        told(&examined).map(|told| told.replace(&of_folder, "HERE")),
        told(&started).map(|told| told.replace(&of_copy, "HERE")),
        "the doctor and the start"
    );
    match (started, verified) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(started), Err(verified)) => {
            let cause = std::error::Error::source(&started).map(ToString::to_string);
            Err(format!("{started}: {cause:?}; {verified}"))
        }
        (started, verified) => unreachable!("start: {started:?}, verify: {verified:?}"),
    }
}

#[tokio::test]
async fn the_key_beside_the_records_may_be_missing_or_end_in_any_line_breaks() {
    let (folder, verifier) = made().await;
    let path = folder.path().join("key");
    for text in [
        format!("{verifier}\n"),
        verifier.to_string(),
        format!("{verifier}\n\n"),
        format!("{verifier}\r\n"),
    ] {
        fs::write(&path, &text).unwrap();
        assert_eq!(taken(folder.path(), &verifier), Ok(()), "{text:?}");
    }
    fs::write(&path, "no key\n").unwrap();
    let refused = taken(folder.path(), &verifier).unwrap_err();
    assert!(refused.contains("holds no key"), "{refused}");
    fs::remove_file(&path).unwrap();
    assert_eq!(taken(folder.path(), &verifier), Ok(()), "without");
    let refused = verify(folder.path(), None).unwrap_err().to_string();
    assert!(
        refused.contains("lacks its file `key`; give the journal's key with --key"),
        "{refused}"
    );
    let (journal, _) = open(folder.path());
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{verifier}\n"),
        "it is there again"
    );
    journal.close(stopped()).await.unwrap();
}

/// Adds a batch of one record with the MAC that the host would give it.
fn add(folder: &Path, line: &str) {
    let segment = segment_files(folder).pop().unwrap();
    let text = written(&segment);
    let last = text.lines().last().unwrap();
    let before = BatchEnd::parse(last.as_bytes()).unwrap();
    let line = format!("{line}\n");
    let seal = Seal::new(key().mac, "example/audit");
    let tag = seal.tag(4, &before.tag, line.as_bytes()).unwrap();
    let end = BatchEnd {
        first: 4,
        records: 1,
        tag,
    };
    let end = String::from_utf8(end.line().unwrap()).unwrap();
    fs::write(&segment, text + &line + &end).unwrap();
}

#[tokio::test]
async fn a_last_batch_with_the_right_mac_is_never_torn() {
    let time = "\"time\":\"2025-11-21T08:00:00.000Z\"";
    let cases = [
        (
            format!("{{\"seq\":4,{time},\"event\":\"e\",\"commitments\":{{\"tenant\":\"x\"}}}}"),
            "not a record",
        ),
        (
            format!("{{\"seq\":5,{time},\"event\":\"e\"}}"),
            "sequence number 5",
        ),
        (
            format!("{{\"seq\":4,{time},\"event\":\"e\",\"event\":\"f\"}}"),
            "not a record",
        ),
        ("\0".repeat(100_000), "longer than a record"),
    ];
    for (line, said) in cases {
        let (folder, verifier) = made().await;
        add(folder.path(), &line);
        let refused = taken(folder.path(), &verifier).unwrap_err();
        assert_eq!(refused.matches(said).count(), 2, "{refused}");
        // With another MAC it is what a crash left.
        let segment = segment_files(folder.path()).pop().unwrap();
        let text = fs::read_to_string(&segment).unwrap();
        let at = text.rfind("\"mac\":\"").unwrap() + 7;
        let other = if text[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        fs::write(
            &segment,
            format!("{}{other}{}", &text[..at], &text[at + 1..]),
        )
        .unwrap();
        assert_eq!(taken(folder.path(), &verifier), Ok(()), "{said}");
    }
}

#[tokio::test]
async fn a_time_that_the_host_does_not_write_is_damage() {
    for (time, good) in [
        ("2025-11-21T08:00:00.000Z", true),
        ("yesterday", false),
        ("2025-11-21", false),
        ("2025-11-21T08:00:00Z", false),
        ("2025-11-21T10:00:00.000+02:00", false),
        ("2025-02-30T08:00:00.000Z", false),
    ] {
        let (folder, verifier) = made().await;
        let line = format!("{{\"seq\":4,\"time\":\"{time}\",\"event\":\"e\"}}");
        add(folder.path(), &line);
        let taken = taken(folder.path(), &verifier);
        assert_eq!(taken.is_ok(), good, "{time}: {taken:?}");
        if let Err(refused) = taken {
            let said = "journal-00000001.jsonl line 6 (record 4): the line is not a record";
            assert!(refused.contains(said), "{refused}");
        }
    }
}

#[tokio::test]
async fn files_that_are_not_named_as_the_host_names_segments_are_no_segments() {
    let (folder, verifier) = made().await;
    for stray in [
        "journal-1.jsonl",
        "journal-00000000.jsonl",
        "journal-000000002.jsonl",
        "journal-+0000002.jsonl",
    ] {
        fs::write(folder.path().join(stray), "a note\n").unwrap();
        assert_eq!(taken(folder.path(), &verifier), Ok(()), "{stray}");
    }
    fs::write(folder.path().join("journal-00000003.jsonl"), "").unwrap();
    let refused = taken(folder.path(), &verifier).unwrap_err();
    assert!(
        refused.contains("journal-00000002.jsonl is missing"),
        "{refused}"
    );
}
