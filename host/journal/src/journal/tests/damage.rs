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

#[tokio::test]
async fn a_torn_last_batch_is_cut_and_recorded_and_nothing_else() {
    let hole = "\0".repeat(4096)
        + "call.closed\"}\n{\"seq\":3,\"time\":\"t\",\"event\":\"e\"}\n{\"batch\":2,\"records\":2";
    for rest in [
        "{\"seq\":2",
        "\0\0\0\0",
        &"\0".repeat(200_000),
        &hole,
        &(hole.clone() + "}\n"),
    ] {
        let folder = temporary();
        let (journal, _) = open(folder.path());
        journal
            .record(record(Event::HostStarted, "c"))
            .await
            .unwrap();
        let crashed = crashed_copy(folder.path());
        let segment = segment_files(crashed.path()).remove(0);
        let torn = std::fs::read_to_string(&segment).unwrap() + rest;
        std::fs::write(&segment, torn).unwrap();
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
async fn a_damaged_or_foreign_journal_is_not_gone_on_with() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    journal
        .record(record(Event::HostStarted, "here"))
        .await
        .unwrap();
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
