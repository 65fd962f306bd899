//! The end of a journal after a crash or a loss of power: a batch or a line that was never
//! acknowledged.

use super::super::super::batch::BatchEnd;
use super::*;

#[test]
fn the_last_batch_is_torn_or_intact_as_a_whole() {
    let (folder, key) = made();
    // One more batch of two records, which no checkpoint covers.
    let good = crashed_copy(folder.path());
    let segment = segment_files(good.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let lines = |seq: u64| {
        record(Event::CallRefused, &"x".repeat(300))
            .line(seq, 0)
            .unwrap()
    };
    let batch = [lines(15), lines(16)]
        .map(|line| [&line[..], b"\n"].concat())
        .concat();
    let end = BatchEnd {
        first: 15,
        records: 2,
        tag: [0; 32],
    }
    .line()
    .unwrap();
    let batch = [batch, end].concat();
    let torn = |rest: &[u8]| {
        fs::write(&segment, [&whole[..], rest].concat()).unwrap();
        verify(good.path(), Some(&key))
    };
    assert_eq!(torn(&batch).unwrap().unsigned, 2);
    let mut holes: Vec<Vec<u8>> = (1..batch.len())
        .step_by(7)
        .map(|at| batch[..at].to_vec())
        .collect();
    for at in (0..batch.len() - 40).step_by(13) {
        let mut hole = batch.clone();
        hole[at..at + 40].fill(0);
        holes.push(hole);
    }
    // Room that the host made ahead may follow.
    let behind = holes.iter().map(|hole| [&hole[..], &[0; 9000]].concat());
    holes.extend(behind.collect::<Vec<_>>());
    holes.push(vec![0; 200_000]);
    for hole in holes {
        let report = torn(&hole)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&hole)));
        let torn = hole
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        assert_eq!(
            (report.records, report.torn_bytes),
            (14, u64::try_from(torn).unwrap())
        );
    }
    // Nothing was ever written behind a torn batch.
    let mut hole = batch.clone();
    hole[5..50].fill(0);
    let found = torn(&[&hole[..], &batch[..]].concat())
        .unwrap_err()
        .to_string();
    assert!(found.contains("(record 15)"), "{found}");
}

#[test]
fn a_torn_last_line_of_the_list_is_as_if_it_were_not_there() {
    let (folder, key) = made();
    let path = folder.path().join(CHECKPOINTS);
    let list = fs::read_to_string(&path).unwrap();
    let mut entries: Vec<_> = list.split_inclusive('\n').collect();
    let last = entries.pop().unwrap();
    let note: Value = serde_json::from_str(entries.last().unwrap()).unwrap();
    fs::write(
        folder.path().join(CHECKPOINT),
        note["note"].as_str().unwrap(),
    )
    .unwrap();
    let zeros = "\0".repeat(50) + &last[50..];
    for torn in ["", &last[..20], &zeros, &"\0".repeat(9000)] {
        fs::write(&path, entries.concat() + torn).unwrap();
        assert!(verify(folder.path(), Some(&key)).is_ok(), "{torn:?}");
    }
    fs::write(&path, entries.concat() + &zeros + last).unwrap();
    assert!(
        matches!(damage(folder.path(), &key), Damage::BadCheckpoint(_)),
        "another line follows"
    );
}
