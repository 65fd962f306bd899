//! A service that is full, and an actor who would like it to be.

use super::*;
use crate::principal::Principal;

fn actor(sub: &str) -> ActorId {
    ActorId {
        principal: Principal::new("https://idp.example", sub),
        tenant: None,
        service: false,
    }
}

async fn enter<'b>(bulkhead: &'b Bulkhead, sub: &str) -> Result<ServicePlace<'b>, NoServicePlace> {
    bulkhead.enter(actor(sub), Duration::from_millis(5)).await
}

#[tokio::test]
async fn one_actor_has_a_quarter_of_the_places_and_all_of_them_come_back() {
    let bulkhead = Bulkhead::new(8);
    for _ in 0..3 {
        let mallory = [
            enter(&bulkhead, "mallory").await,
            enter(&bulkhead, "mallory").await,
        ];
        assert!(mallory.iter().all(Result::is_ok));
        let third = enter(&bulkhead, "mallory").await.err();
        assert_eq!(third, Some(NoServicePlace::Full));
        let mut others = Vec::new();
        for sub in ["a", "b", "c", "d", "e", "f"] {
            others.extend(enter(&bulkhead, sub).await.ok());
        }
        assert_eq!(others.len(), 6);
        assert_eq!(
            enter(&bulkhead, "g").await.err(),
            Some(NoServicePlace::Full)
        );
        drop(others);
        assert!(enter(&bulkhead, "g").await.is_ok());
    }
    assert!(bulkhead.state().shares.is_empty(), "nobody is remembered");
}

#[tokio::test]
async fn a_request_waits_for_a_place_that_is_given_back_in_time() {
    for next in ["alice", "bob"] {
        let bulkhead = Bulkhead::new(1);
        let first = enter(&bulkhead, "alice").await;
        let wait = Duration::from_secs(10);
        let second = bulkhead.enter(actor(next), wait);
        let (second, ()) = tokio::join!(second, async { drop(first) });
        assert!(second.is_ok(), "{next}");
    }
}

#[tokio::test]
async fn a_dead_service_is_told_from_a_full_one() {
    let bulkhead = Bulkhead::new(64);
    let mut change = None;
    while change.is_none() {
        let place = enter(&bulkhead, "alice").await.ok();
        change = place.and_then(|place| place.failed(Trouble::Unsent));
    }
    let asked = bulkhead.unless_paused(&actor("bob"), Instant::now());
    let entered = enter(&bulkhead, "bob").await.err();
    assert!(matches!(asked, Err(NoServicePlace::Paused(_))), "{asked:?}");
    assert!(
        matches!(entered, Some(NoServicePlace::Paused(_))),
        "{entered:?}"
    );
    for (rest_ms, told) in [
        (0, "until the request that tries it now"),
        (1, "for the next second"),
        (1000, "for the next second"),
        (1200, "for the next 2 seconds"),
    ] {
        let why = NoServicePlace::Paused(Duration::from_millis(rest_ms)).to_string();
        assert!(why.contains("no answer") && why.contains(told), "{why}");
    }
}
