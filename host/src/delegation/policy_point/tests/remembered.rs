//! How long a decision counts, and how many questions it costs.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_decision_is_remembered_for_its_seconds_and_a_failure_not_at_all() {
    let scripted = started().await;
    for (body, is_decision) in [(ALLOWS, true), (DENIES, true), ("{}", false)] {
        says(&scripted, body);
        let (point, clock) = point_at(&scripted);
        let asked = Asked::usual();
        let before = scripted.asked();
        for (forward, kept) in [(0, 1), (4_999, 1), (1, 2), (4_999, 2)] {
            clock.forward(forward);
            let decided = asked.decide(&point).await;
            assert_eq!(decided.is_ok(), is_decision, "{body}");
            if is_decision {
                assert_eq!(scripted.asked() - before, kept, "{body} {forward}");
            }
        }
        if !is_decision {
            assert_eq!(scripted.asked() - before, 4, "{body}");
        }
        // A clock that was set back does not make it last.
        let before = scripted.asked();
        clock.back(60_000);
        let _decided = asked.decide(&point).await;
        assert_eq!(scripted.asked() - before, 1, "{body}");
    }
}

#[tokio::test]
async fn a_point_whose_answer_may_not_be_remembered_is_asked_each_time() {
    let scripted = started().await;
    let clock = Hands::at(NOW);
    let settings = PolicyPointSettings {
        remember: Duration::ZERO,
        ..settings_of(&scripted)
    };
    let (point, asked) = (of(settings, &clock), Asked::usual());
    for count in 1..=3 {
        assert_eq!(asked.decide(&point).await, Ok(PolicyDecision::Allowed));
        assert_eq!(scripted.asked(), count);
    }
}

#[tokio::test]
async fn a_hundred_who_miss_one_decision_at_once_cost_one_question() {
    let scripted = started().await;
    let (point, _clock) = point_at(&scripted);
    let asked = Asked::usual();
    scripted.hold(true);
    let asking = (0..100).map(|_| asked.decide(&point));
    let release = async {
        scripted.came.notified().await;
        scripted.hold(false);
    };
    let (answers, ()) = tokio::join!(join_all(asking), release);
    let allowed = |answer: &Result<_, _>| *answer == Ok(PolicyDecision::Allowed);
    assert_eq!((answers.len(), answers.iter().all(allowed)), (100, true));
    assert_eq!(scripted.asked(), 1, "questions during 100 misses");
}

#[tokio::test]
async fn one_user_whose_questions_take_long_has_a_quarter_of_the_places() {
    let scripted = started().await;
    let clock = Hands::at(NOW);
    let settings = PolicyPointSettings {
        concurrency: 4,
        deadlines: Deadlines {
            connect: Duration::from_millis(50),
            ..Duration::from_secs(5).into()
        },
        ..settings_of(&scripted)
    };
    let point = Arc::new(of(settings, &clock));
    scripted.hold(true);
    let begin = |asked: Asked| {
        let point = Arc::clone(&point);
        tokio::spawn(async move { asked.decide(&point).await })
    };
    let first = begin(Asked::of("mallory"));
    scripted.came.notified().await;
    let mut second = Asked::of("mallory");
    second.digest = [8; 32];
    assert_eq!(second.decide(&point).await, Err(NoDecision::Full));
    let alices = begin(Asked::usual());
    scripted.came.notified().await;
    scripted.hold(false);
    for asked in [first, alices] {
        assert_eq!(asked.await.expect("an end"), Ok(PolicyDecision::Allowed));
    }
}
