//! Every flipped bit is found.

use super::*;

#[test]
fn every_flipped_bit_of_a_record_is_found_at_its_record() {
    let (folder, key) = made();
    for (path, at, seq) in bytes(folder.path(), |line| !is_batch(line)) {
        let good = fs::read(&path).unwrap();
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            fs::write(&path, &bad).unwrap();
            let found = damage(folder.path(), &key);
            assert_eq!(
                first_bad(&found),
                seq,
                "{} byte {at} bit {bit}: {found}",
                path.display()
            );
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(verify(folder.path(), Some(&key)).is_ok());
}

#[test]
fn every_flipped_bit_of_the_end_of_a_batch_is_found_by_its_mac() {
    let (folder, key) = made();
    let with_mac = || {
        verify_given(
            folder.path(),
            Given {
                key: Some(&key),
                mac: Some(keys().mac),
                kept: None,
            },
        )
    };
    assert_eq!(with_mac().unwrap().macs, Some(13));
    for (path, at, seq) in bytes(folder.path(), is_batch) {
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        let Err(VerifyError::Damaged { damage, .. }) = with_mac() else {
            panic!("{} byte {at}", path.display())
        };
        // The next line of records may be the first that does not fit.
        assert!(
            (seq..=seq + 1).contains(&(first_bad(&damage) + 1)),
            "byte {at}: {damage}"
        );
        fs::write(&path, &good).unwrap();
    }
    let other = Given {
        key: Some(&key),
        mac: Some(key_of(6).mac),
        kept: None,
    };
    assert!(matches!(
        verify_given(folder.path(), other),
        Err(VerifyError::Damaged { damage: Damage::Mac(place), .. }) if place.seq == Some(2)
    ));
}

/// Returns every byte of the lines of a kind: the segment, where in it, and the number of the
/// record there or next.
fn bytes(folder: &Path, of: impl Fn(&str) -> bool) -> Vec<(PathBuf, usize, u64)> {
    let (mut bytes, mut seq) = (Vec::new(), 1);
    for path in segment_files(folder) {
        let text = fs::read_to_string(&path).unwrap();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if of(line) {
                bytes.extend((at..at + line.len()).map(|at| (path.clone(), at, seq)));
            }
            at += line.len();
            seq += u64::from(!is_batch(line));
        }
    }
    bytes
}

#[test]
fn a_flipped_bit_beside_the_records_is_never_a_good_journal_with_less_in_it() {
    let (folder, key) = made();
    for name in [CHECKPOINTS, CHECKPOINT, KEY] {
        let path = folder.path().join(name);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            assert!(
                verify(folder.path(), Some(&key)).is_err(),
                "{name} byte {at}"
            );
        }
        fs::write(&path, &good).unwrap();
    }
}
