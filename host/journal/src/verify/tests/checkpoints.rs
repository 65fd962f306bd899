//! The list of checkpoints, and its proof about a journal that goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[test]
fn without_the_list_or_the_newest_checkpoint_nothing_verifies() {
    let (folder, key) = made();
    for (gone, said) in [
        (CHECKPOINTS, "lacks the newest checkpoint"),
        (CHECKPOINT, "is neither the last checkpoint"),
    ] {
        let copy = crashed_copy(folder.path());
        fs::remove_file(copy.path().join(gone)).unwrap();
        let error = verify(copy.path(), Some(&key)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let copy = crashed_copy(folder.path());
    for gone in [CHECKPOINTS, CHECKPOINT] {
        fs::remove_file(copy.path().join(gone)).unwrap();
    }
    let found = damage(copy.path(), &key);
    assert!(matches!(found, Damage::NoCheckpoint(14)), "{found}");
}

#[test]
fn a_journal_extends_the_checkpoints_that_it_had_and_no_other() {
    let (folder, key) = made();
    let list = fs::read_to_string(folder.path().join(CHECKPOINTS)).unwrap();
    let note = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["note"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let given = |kept: &str| {
        verify_given(
            folder.path(),
            Given {
                key: Some(&key),
                mac: None,
                kept: Some(kept),
            },
        )
    };
    for line in list.lines() {
        let report = given(&note(line)).unwrap();
        assert!(report.to_string().contains(&format!(
            "it extends the kept checkpoint of {} records",
            report.kept.unwrap()
        )));
    }
    for other in [
        Checkpoint {
            size: 14,
            root: [7; 32],
        },
        Checkpoint {
            size: 3,
            root: [7; 32],
        },
        Checkpoint {
            size: 99,
            root: [7; 32],
        },
    ] {
        let found = given(&other.sign(&key, &keys().signing));
        let Err(VerifyError::Damaged {
            damage: Damage::NotExtended { size },
            ..
        }) = found
        else {
            panic!("{found:?}")
        };
        assert_eq!(size, other.size);
    }
    let foreign = Checkpoint {
        size: 3,
        root: [7; 32],
    }
    .sign(&key, &key_of(6).signing);
    assert!(matches!(given(&foreign), Err(VerifyError::Kept)));
    assert!(matches!(given("no note"), Err(VerifyError::Kept)));
}

#[test]
fn a_list_that_ends_before_the_newest_checkpoint_is_found() {
    let (folder, key) = made();
    let list = fs::read_to_string(folder.path().join(CHECKPOINTS)).unwrap();
    let entries: Vec<_> = list.split_inclusive('\n').collect();
    for kept in 0..entries.len() - 1 {
        fs::write(folder.path().join(CHECKPOINTS), entries[..kept].concat()).unwrap();
        let error = verify(folder.path(), Some(&key)).unwrap_err().to_string();
        assert!(
            error.contains("lacks the newest checkpoint: the file `checkpoint` covers 14 records"),
            "{error}"
        );
        assert!(error.ends_with(
            "records 1 to 14 are as they were signed (the last checkpoint before the damage)"
        ));
    }
    // What a crash leaves: a `checkpoint` that lags behind the list by one.
    fs::write(folder.path().join(CHECKPOINTS), &list).unwrap();
    let note: Value = serde_json::from_str(entries[entries.len() - 2]).unwrap();
    fs::write(
        folder.path().join(CHECKPOINT),
        note["note"].as_str().unwrap(),
    )
    .unwrap();
    assert_eq!(verify(folder.path(), Some(&key)).unwrap().signed, 14);
    let note: Value = serde_json::from_str(entries[entries.len() - 3]).unwrap();
    fs::write(
        folder.path().join(CHECKPOINT),
        note["note"].as_str().unwrap(),
    )
    .unwrap();
    assert!(matches!(
        damage(folder.path(), &key),
        Damage::Lags { listed: 14, .. }
    ));
}

#[test]
fn two_checkpoints_of_one_size_and_different_records_are_found() {
    let (folder, verifier) = made();
    let other = Checkpoint {
        size: 14,
        root: [7; 32],
    };
    fs::write(
        folder.path().join(CHECKPOINT),
        other.sign(&verifier, &keys().signing),
    )
    .unwrap();
    let found = damage(folder.path(), &verifier);
    assert!(matches!(found, Damage::Contradiction(_)), "{found}");
}

#[test]
fn checkpoints_in_another_order_are_found() {
    let (folder, key) = made();
    let path = folder.path().join(CHECKPOINTS);
    let text = fs::read_to_string(&path).unwrap();
    let mut entries: Vec<_> = text.lines().collect();
    entries.swap(1, 2);
    fs::write(&path, entries.join("\n") + "\n").unwrap();
    let found = damage(folder.path(), &key);
    assert!(matches!(found, Damage::CheckpointHashes(place) if place.line == 2));
    let entries = text.lines().map(without_leaves).collect::<Vec<_>>();
    fs::write(&path, [&*entries[1], &*entries[0]].concat()).unwrap();
    assert!(
        matches!(damage(folder.path(), &key), Damage::CheckpointOrder(place) if place.line == 2)
    );
}

#[test]
fn another_log_of_the_same_key_is_not_this_one() {
    let (_, verifier) = made();
    let other = temporary();
    sample(
        &Settings {
            origin: "example/other".to_owned(),
            ..settings(other.path())
        },
        keys,
    );
    assert!(matches!(
        verify(other.path(), Some(&verifier)),
        Err(VerifyError::OtherKey { .. })
    ));
    fs::write(other.path().join(KEY), verifier.to_string()).unwrap();
    assert!(matches!(
        damage(other.path(), &verifier),
        Damage::BadCheckpoint(_)
    ));
}

#[test]
fn a_record_that_was_taken_out_is_named_although_the_records_then_end_too_early() {
    let (folder, key) = made();
    let path = folder.path().join(CHECKPOINTS);
    let text = fs::read_to_string(&path).unwrap();
    let entries: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let leaves: Vec<_> = entries
        .iter()
        .flat_map(|entry| {
            STANDARD
                .decode(entry["leaves"].as_str().unwrap_or_default())
                .unwrap()
        })
        .collect();
    let note = entries.last().unwrap()["note"].as_str().unwrap();
    // One checkpoint over everything, as a slow disk makes them.
    fs::write(
        &path,
        crate::checkpoints::line(note, leaves.as_chunks().0).unwrap(),
    )
    .unwrap();
    assert!(verify(folder.path(), Some(&key)).is_ok());
    let good = lines(folder.path());
    for at in (0..good.len() - 2)
        .filter(|at| !is_batch(&good[*at].1))
        .skip(2)
    {
        let seq: Value = serde_json::from_str(&good[at].1).unwrap();
        let mut removed = good.clone();
        removed.drain(at..at + 2);
        renumber(&mut removed);
        rewrite(folder.path(), &removed);
        let found = damage(folder.path(), &key);
        assert!(matches!(found, Damage::Changed(_)), "{found}");
        assert_eq!(first_bad(&found), seq["seq"].as_u64().unwrap());
    }
    rewrite(folder.path(), &good[..good.len() - 2]);
    let found = damage(folder.path(), &key);
    assert!(
        matches!(
            found,
            Damage::Missing {
                first: 14,
                last: 14
            }
        ),
        "{found}"
    );
}
