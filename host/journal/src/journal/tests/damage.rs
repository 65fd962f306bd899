//! The remains of a crash, and journals with which the host does not go on.

use super::*;

#[tokio::test]
async fn what_a_crash_left_open_is_closed_as_unknown() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    for call in ["a", "b", "c"] {
        journal
            .record(record(Event::CallOpened, call))
            .await
            .unwrap();
    }
    journal
        .record(record(Event::CallClosed, "a"))
        .await
        .unwrap();
    for event in [
        Event::DownstreamOpened,
        Event::DownstreamOpened,
        Event::DownstreamClosed,
    ] {
        journal.record(record(event, "b")).await.unwrap();
    }
    let crashed = crashed_copy(folder.path());
    assert_eq!(
        verify(crashed.path(), None).map_or(2, |report| report.open_calls),
        2
    );
    let (journal, opened) = open(crashed.path());
    assert_eq!(opened.closed, 3);
    journal.close(stopped()).await.unwrap();
    let closed: Vec<_> = lines(crashed.path()).split_off(8);
    let told = |line: &Value| {
        ["event", "call", "outcome", "reason"].map(|name| line[name].as_str().unwrap().to_owned())
    };
    let unknown =
        |event: &str, call: &str| [event, call, "unknown", "host-crashed"].map(str::to_owned);
    let expected = [
        unknown("downstream.closed", "b"),
        unknown("call.closed", "b"),
        unknown("call.closed", "c"),
    ];
    assert_eq!(
        closed.iter().take(3).map(told).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(closed[0]["service"], "orders_api");
    assert_eq!(verify(crashed.path(), None).unwrap().open_calls, 0);
}

/// Returns a journal of one record for each name, a batch each, that is still open.
async fn started(names: &[&str]) -> (tempfile::TempDir, Journal) {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    for name in names {
        let started = record(Event::HostStarted, name);
        journal.record(started).await.unwrap();
    }
    (folder, journal)
}

/// Returns a copy of a folder as a crash leaves it, and its only segment.
fn crashed(folder: &Path) -> (tempfile::TempDir, PathBuf) {
    let copy = crashed_copy(folder);
    let segment = segment_files(copy.path()).remove(0);
    (copy, segment)
}

#[tokio::test]
async fn a_torn_last_batch_is_cut_and_recorded_and_nothing_else() {
    let hole = "\0".repeat(4096)
        + "call.closed\"}\n{\"seq\":3,\"time\":\"t\",\"event\":\"e\"}\n{\"batch\":2,\"records\":2";
    for (rest, room) in [
        ("{\"seq\":2", ""),
        ("{\"seq\":2", &*"\0".repeat(200_000)),
        (&hole, ""),
        (&hole, "\0\0\0\0"),
        (&(hole.clone() + "}\n"), ""),
    ] {
        let (folder, _journal) = started(&["c"]).await;
        let (crashed, segment) = crashed(folder.path());
        std::fs::write(&segment, written(&segment) + rest + room).unwrap();
        let (journal, opened) = open(crashed.path());
        assert_eq!(
            (opened.records, opened.cut_bytes),
            (3, u64::try_from(rest.len()).unwrap())
        );
        assert_eq!(journal.record(record(Event::HostStarted, "c")).await, Ok(4));
        journal.close(stopped()).await.unwrap();
        assert_eq!(verify(crashed.path(), None).unwrap().signed, 5);
        assert_eq!(events(crashed.path())[2], "journal.cut");
        assert_eq!(lines(crashed.path())[2]["detail"]["bytes"], rest.len());
    }
}

#[tokio::test]
async fn room_behind_the_last_batch_is_cut_and_is_no_loss() {
    let (folder, _journal) = started(&["c"]).await;
    for room in [0, 1, 4, 4095, 4096, 100_000, 200_000] {
        let (crashed, segment) = crashed(folder.path());
        let whole = written(&segment);
        std::fs::write(&segment, whole.clone() + &"\0".repeat(room)).unwrap();
        let report = verify(crashed.path(), None).unwrap();
        assert_eq!((report.records, report.torn_bytes), (2, 0), "{room}");
        let (journal, opened) = open(crashed.path());
        assert_eq!((opened.records, opened.cut_bytes), (2, 0), "{room}");
        assert_eq!(std::fs::read_to_string(&segment).unwrap(), whole, "{room}");
        journal.close(stopped()).await.unwrap();
        assert_eq!(
            events(crashed.path()),
            ["journal.begun", "host.started", "host.stopped"]
        );
    }
}

#[tokio::test]
async fn nothing_but_a_torn_batch_is_behind_nuls() {
    let (folder, _journal) = started(&["a", "b"]).await;
    let whole = written(&segment_files(folder.path())[0]);
    let ends: Vec<_> = whole
        .match_indices("{\"batch\"")
        .map(|(at, _)| at)
        .collect();
    let [first, last] = ends[..] else {
        unreachable!("{ends:?}")
    };
    let begins = first + whole[first..].find('\n').unwrap() + 1;
    // NULs before a batch that is whole: they cannot be the work of a crash.
    for nuls in [1, 4096, 100_000] {
        for (what, at) in [("before the last batch", begins), ("before the first", 0)] {
            let (crashed, segment) = crashed(folder.path());
            let (before, behind) = whole.split_at(at);
            let moved = format!("{before}{}{behind}\0\0", "\0".repeat(nuls));
            std::fs::write(&segment, moved).unwrap();
            let error = Journal::open(settings(crashed.path()), key(), clock(0)).map(drop);
            let error = error.unwrap_err();
            assert!(
                matches!(error, JournalError::Damaged { .. }),
                "{what}: {error}"
            );
        }
    }
    // NULs inside the last batch may be.
    let (crashed, segment) = crashed(folder.path());
    let hole = format!("{}\0\0{}", &whole[..last - 2], &whole[last..]);
    std::fs::write(&segment, hole).unwrap();
    let (_, opened) = open(crashed.path());
    assert_eq!(opened.records, 3, "with the record of the cut");
    assert!(opened.cut_bytes > 0);
}

#[tokio::test]
async fn a_damaged_or_foreign_journal_is_not_gone_on_with() {
    let (folder, journal) = started(&["here"]).await;
    journal.close(stopped()).await.unwrap();
    let refused = |folder: &Path, settings: Settings, key| {
        let _ = folder;
        Journal::open(settings, key, clock(0))
            .map(|_| ())
            .unwrap_err()
    };
    let other = key_of(6);
    let error = refused(folder.path(), settings(folder.path()), other);
    assert!(matches!(error, JournalError::OtherKey { .. }), "{error}");
    let elsewhere = Settings {
        origin: "example/other".to_owned(),
        ..settings(folder.path())
    };
    let error = refused(folder.path(), elsewhere, key());
    assert!(matches!(error, JournalError::OtherKey { .. }), "{error}");
    let unnamed = Settings {
        origin: "two words".to_owned(),
        ..settings(folder.path())
    };
    let error = refused(folder.path(), unnamed, key());
    assert!(matches!(error, JournalError::Origin(_)), "{error}");

    let segment = segment_files(folder.path()).remove(0);
    let text = std::fs::read_to_string(&segment).unwrap();
    for changed in [
        text.replace("here", "hera"),
        text.lines().next().unwrap().to_owned() + "\n",
        String::new(),
    ] {
        std::fs::write(&segment, changed).unwrap();
        let error = refused(folder.path(), settings(folder.path()), key());
        assert!(
            matches!(
                error,
                JournalError::Damaged { .. } | JournalError::Older { .. }
            ),
            "{error}"
        );
    }
}
