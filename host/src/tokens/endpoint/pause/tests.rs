//! Pauses over many refusals, proofs and clients, by a clock that the tests set.
#![expect(clippy::expect_used, reason = "tests")]

use super::*;

const SECRET: ProofDigest = [1; 32];
const NEW_SECRET: ProofDigest = [2; 32];
const OK: StatusCode = StatusCode::OK;
const BUSY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
const AWAY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
/// 1994-11-15 08:12:00 UTC.
const NOW_MS: u64 = 784_887_120_000;

fn with(retry_after: Option<&str>) -> HeaderMap {
    let value = |text: &str| (header::RETRY_AFTER, text.parse().expect("a value"));
    retry_after.map(value).into_iter().collect()
}

#[test]
fn a_server_says_in_seconds_or_by_date_how_long_it_is_left_alone_and_never_for_over_a_minute() {
    for (status, retry_after, seconds) in [
        (BUSY, Some("30"), 30),
        (BUSY, Some(" 30 "), 30),
        (BUSY, Some("0"), 0),
        (BUSY, Some("60"), 60),
        (BUSY, Some("61"), 60),
        (BUSY, Some("99999999999999999999999"), 60),
        (BUSY, Some("Tue, 15 Nov 1994 08:12:31 GMT"), 31),
        (BUSY, Some("Tue, 15 Nov 1994 09:12:31 GMT"), 60),
        (BUSY, Some("Tue, 15 Nov 1994 08:11:59 GMT"), 0),
        (BUSY, Some("-1"), 1),
        (BUSY, Some("soon"), 1),
        (BUSY, Some(""), 1),
        (BUSY, None, 1),
        (AWAY, Some("30"), 30),
        (AWAY, Some("soon"), 0),
        (AWAY, None, 0),
        (StatusCode::BAD_GATEWAY, Some("30"), 0),
        (StatusCode::BAD_REQUEST, Some("30"), 0),
        (OK, Some("30"), 0),
    ] {
        let what = format!("{status} {retry_after:?}");
        let pauses = Pauses::default();
        let headers = with(retry_after);
        let begun = pauses.answered((status, &headers), ProofStanding::Unsaid, &SECRET, NOW_MS);
        assert_eq!(begun.unwrap_or(0), seconds, "{what}");
        for other in [&pauses, &pauses.clone(), &pauses.of_another_client()] {
            let told = other.allow(&SECRET, NOW_MS).err();
            let expected = (seconds > 0).then_some(EndpointError::Paused(seconds));
            assert_eq!(told, expected, "{what}");
            assert_eq!(
                other.allow(&SECRET, NOW_MS + seconds * 1000),
                Ok(()),
                "{what}"
            );
        }
        let back = pauses.allow(&SECRET, NOW_MS - 3_600_000);
        assert_eq!(back, Ok(()), "{what}: a clock that was set back");
    }
}

#[test]
fn a_refused_proof_goes_out_once_after_each_pause_and_another_proof_at_once() {
    let pauses = Pauses::default();
    let refuse = |proof, now_ms| {
        let refused = (StatusCode::UNAUTHORIZED, &HeaderMap::new());
        pauses.answered(refused, ProofStanding::Refused, proof, now_ms)
    };
    let mut now_ms = NOW_MS;
    for lasts in [30, 60, 120, 240, 480, 900, 900] {
        assert_eq!(pauses.allow(&SECRET, now_ms), Ok(()), "the one request");
        assert_eq!(refuse(&SECRET, now_ms), Some(lasts));
        assert_eq!(refuse(&SECRET, now_ms), None, "it was under way meanwhile");
        for later in [0, lasts * 1000 - 1] {
            let told = pauses.allow(&SECRET, now_ms + later);
            assert!(
                matches!(told, Err(EndpointError::ClientPaused(_))),
                "{told:?}"
            );
            assert_eq!(pauses.allow(&NEW_SECRET, now_ms + later), Ok(()));
        }
        assert_eq!(pauses.of_another_client().allow(&SECRET, now_ms), Ok(()));
        now_ms += lasts * 1000;
    }
    assert_eq!(pauses.allow(&SECRET, now_ms), Ok(()));
    let told = pauses.allow(&SECRET, now_ms);
    assert_eq!(told, Err(EndpointError::ClientPaused(900)), "two at once");
    let good = (OK, &HeaderMap::new());
    assert_eq!(
        pauses.answered(good, ProofStanding::Known, &SECRET, now_ms),
        None
    );
    assert_eq!(
        pauses.allow(&SECRET, now_ms),
        Ok(()),
        "the server knows it again"
    );
    assert_eq!(refuse(&NEW_SECRET, now_ms), Some(30));
    assert_eq!(
        pauses.allow(&SECRET, now_ms),
        Ok(()),
        "only the other is refused"
    );
    let known = pauses.answered(good, ProofStanding::Known, &SECRET, now_ms);
    assert_eq!(known, None);
    assert_eq!(
        pauses.allow(&NEW_SECRET, now_ms),
        Err(EndpointError::ClientPaused(30)),
        "and remains so, although the server knows the one"
    );
}

/// Returns how often these proofs, all of them wrong, go out in a number of turns.
fn wrong_in_turns(
    pauses: &Pauses,
    proofs: impl Iterator<Item = ProofDigest>,
    now_ms: u64,
) -> usize {
    let refused = (StatusCode::UNAUTHORIZED, &HeaderMap::new());
    let goes_out = |proof: &ProofDigest| {
        let goes_out = pauses.allow(proof, now_ms).is_ok();
        if goes_out {
            pauses.answered(refused, ProofStanding::Refused, proof, now_ms);
        }
        goes_out
    };
    proofs.filter(goes_out).count()
}

#[test]
fn wrong_proofs_that_take_turns_end_no_pause_of_one_another() {
    let pauses = Pauses::default();
    let turns = || [SECRET, NEW_SECRET].into_iter().cycle().take(40);
    let mut now_ms = NOW_MS;
    for lasts in [30, 60, 120] {
        assert_eq!(wrong_in_turns(&pauses, turns(), now_ms), 2);
        let last_ms = now_ms + lasts * 1000 - 1;
        assert_eq!(wrong_in_turns(&pauses, turns(), last_ms), 0);
        now_ms = last_ms + 1;
    }
    let good = (OK, &HeaderMap::new());
    pauses.answered(good, ProofStanding::Known, &SECRET, now_ms);
    assert_eq!(pauses.allow(&SECRET, now_ms - 1), Ok(()));
    let told = pauses.allow(&NEW_SECRET, now_ms - 1);
    assert_eq!(told, Err(EndpointError::ClientPaused(1)), "to the end");
}

#[test]
fn many_wrong_proofs_hold_back_every_other_until_the_first_pause_ends() {
    let pauses = Pauses::default();
    let many = || (0..100).map(|number| [number; 32]);
    assert_eq!(wrong_in_turns(&pauses, many(), NOW_MS), MOST_PROOFS);
    assert_eq!(wrong_in_turns(&pauses, many(), NOW_MS), 0);
    let told = pauses.allow(&[200; 32], NOW_MS);
    assert_eq!(told, Err(EndpointError::ClientPaused(30)));
    assert_eq!(pauses.allow(&[200; 32], NOW_MS + 30_000), Ok(()));
    let known = lock(&pauses.client).refused.len();
    assert_eq!(known, MOST_PROOFS, "and no more are remembered");
    let another = pauses.of_another_client();
    assert_eq!(another.allow(&[200; 32], NOW_MS), Ok(()));
}

#[test]
fn a_refusal_in_doubt_stops_a_proof_only_if_the_server_has_not_accepted_it() {
    let pauses = Pauses::default();
    let noted = |standing, proof, now_ms| {
        let answer = (StatusCode::BAD_REQUEST, &HeaderMap::new());
        pauses.answered(answer, standing, proof, now_ms)
    };
    let (known, doubted) = (ProofStanding::Known, ProofStanding::Doubted);
    assert_eq!(noted(doubted, &SECRET, NOW_MS), Some(30), "at first");
    let now_ms = NOW_MS + 30_000;
    assert_eq!(pauses.allow(&SECRET, now_ms), Ok(()));
    assert_eq!(noted(known, &SECRET, now_ms), None);
    assert_eq!(noted(doubted, &SECRET, now_ms), None, "it is the request");
    assert_eq!(pauses.allow(&SECRET, now_ms), Ok(()));
    assert_eq!(noted(doubted, &NEW_SECRET, now_ms), Some(30), "another");
    assert_eq!(noted(doubted, &SECRET, now_ms), None, "it stays accepted");
    let refused = noted(ProofStanding::Refused, &SECRET, now_ms);
    assert_eq!(refused, Some(30), "no doubt");
    let now_ms = now_ms + 30_000;
    assert_eq!(pauses.allow(&SECRET, now_ms), Ok(()));
    assert_eq!(noted(doubted, &SECRET, now_ms), Some(60), "nor later");
}
