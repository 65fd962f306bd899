//! Short and long requests under rules: each denial has a twin that passes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::cell::RefCell;
use std::sync::mpsc;

use bailiwick_envelope::{Actor, ActorKind};
use futures_util::future::join;
use http::HeaderValue;
use serde_json::json;
use tokio::runtime;
use tokio::task::spawn_blocking;

use super::*;

/// A call under rules for `POST /refunds`.
struct Desk {
    rules: ContentRules,
    headers: HeaderMap,
    places: Bulkhead,
    patience: Duration,
    ended: CancellationToken,
}

impl Desk {
    fn new(conditions: &[&str], arguments: Value) -> Self {
        let rule = |(index, when): (usize, &&str)| {
            let request = "POST /refunds".parse().unwrap();
            DenyRule::new(&format!("deny[{}]", index + 1), None, request, when).unwrap()
        };
        let rules: Arc<[DenyRule]> = conditions.iter().enumerate().map(rule).collect();
        let json = HeaderValue::from_static("application/json");
        Self {
            rules: ContentRules::new(&rules, &Arc::new(arguments), false),
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
            places: Bulkhead::new(4),
            patience: Duration::from_secs(60),
            ended: CancellationToken::new(),
        }
    }

    /// Returns a request of `actor`.
    fn content<'p>(&'p self, actor: &'p Actor, body: &'p Bytes) -> Content<'p> {
        Content {
            service: "shop",
            method: "POST",
            target: "/refunds",
            headers: &self.headers,
            body,
            known: KnownActor {
                actor,
                alias: "corp",
            },
            agent: "desk",
        }
    }

    /// Returns the denial of a request, if it is denied.
    async fn judge(&self, actor: &Actor, body: &Bytes) -> Option<DeniedBy> {
        let turns = Turns {
            places: &self.places,
            patience: self.patience,
            ended: &self.ended,
        };
        match self.rules.check(&self.content(actor, body), &turns).await {
            Ok(()) => None,
            Err(DownstreamError::DeniedByRule(denied)) => Some(denied),
            Err(other) => panic!("{other}"),
        }
    }
}

fn actor(sub: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        sub: sub.into(),
        iss: "https://idp.example".into(),
        tenant: None,
        acr: None,
        auth_time: None,
    }
}

fn refund(amount: u32, pad: usize) -> Value {
    json!({"amount": amount, "note": "x".repeat(pad)})
}

fn body(amount: u32, pad: usize) -> Bytes {
    refund(amount, pad).to_string().into()
}

fn denied(rule: usize, unclear: Option<&str>) -> DeniedBy {
    DeniedBy {
        rule: format!("deny[{rule}]").into(),
        unclear: unclear.map(String::from),
    }
}

#[tokio::test]
async fn a_long_request_is_judged_as_a_short_one_is() {
    let sent = ["request.body.amount > 1000", "request.body.amount == 7"];
    let asked = ["arguments.amount > 1000", "arguments.amount == 7"];
    let alice = actor("alice");
    for pad in [0, SHORT, 1 << 20] {
        for (amount, expected) in [
            (5, None),
            (5000, Some(denied(1, None))),
            (7, Some(denied(2, None))),
        ] {
            let desk = Desk::new(&sent, Value::Null);
            let judged = desk.judge(&alice, &body(amount, pad)).await;
            assert_eq!(judged, expected, "{amount} is sent, with {pad} bytes");
            let desk = Desk::new(&asked, refund(amount, pad));
            let judged = desk.judge(&alice, &body(1, 0)).await;
            assert_eq!(judged, expected, "{amount} is asked, with {pad} bytes");
        }
        let desk = Desk::new(&["request.body.absent > 1"], Value::Null);
        let judged = desk.judge(&alice, &body(5, pad)).await;
        let why = "a member that it reads is not there";
        assert_eq!(judged, Some(denied(1, Some(why))), "{pad} bytes");
    }
}

#[test]
fn a_request_is_long_by_what_its_rules_read() {
    let (short, long) = (body(5, 0), body(5, SHORT));
    let (few, many) = (
        refund(5, 0),
        json!({"amount": 5, "items": vec![0; SHORT / 4]}),
    );
    let wordy = format!("actor.sub != '{}'", "x".repeat(900));
    let wordy = [wordy.as_str(); 20];
    for (conditions, body, arguments, expected) in [
        (&["request.body.amount > 1"][..], &long, &few, true),
        (&["request.body.amount > 1"], &short, &many, false),
        (&["arguments.amount > 1"], &short, &many, true),
        (&["arguments.amount > 1"], &long, &few, false),
        (&["actor.sub == 'x'"], &long, &many, false),
        (
            &["actor.sub == 'x'", "arguments.amount > 1"],
            &short,
            &many,
            true,
        ),
        (&wordy[..9], &short, &few, false),
        (&wordy, &short, &few, true),
        (&[], &long, &many, false),
    ] {
        let desk = Desk::new(conditions, arguments.clone());
        let alice = actor("alice");
        let content = desk.content(&alice, body);
        let asked = desk.rules.facts(&content);
        let count = conditions.len();
        let first = conditions.first();
        assert_eq!(
            desk.rules.takes_long(&asked),
            expected,
            "{count}: {first:?}"
        );
        let elsewhere = RequestFacts {
            target: "/orders",
            ..asked
        };
        assert!(!desk.rules.takes_long(&elsewhere), "no rule is about it");
    }
}

/// Returns what happens in turn where all tasks have one thread, and the only thread for work apart
/// is free once another task has run.
fn in_turn(pad: usize) -> Vec<&'static str> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = mpsc::channel();
        let busy = spawn_blocking(move || released.recv().is_ok());
        let happened = RefCell::new(Vec::new());
        let desk = Desk::new(&["request.body.amount > 1000"], Value::Null);
        let judge = async {
            let judged = desk.judge(&actor("alice"), &body(5, pad)).await;
            assert_eq!(judged, None);
            happened.borrow_mut().push("judged");
        };
        let other = async {
            happened.borrow_mut().push("other");
            release.send(()).unwrap();
        };
        join(judge, other).await;
        assert!(busy.await.unwrap());
        happened.into_inner()
    })
}

#[test]
fn other_tasks_go_on_while_a_long_request_is_judged() {
    assert_eq!(in_turn(1 << 20), ["other", "judged"]);
    assert_eq!(in_turn(0), ["judged", "other"], "a short one takes no time");
}

#[tokio::test]
async fn a_rule_that_has_not_judged_in_time_denies() {
    let (alice, bob) = (actor("alice"), actor("bob"));
    let mut desk = Desk::new(&["request.body.amount > 1000"], Value::Null);
    let (short, long) = (body(5, 0), body(5, SHORT));
    let late = Some(denied(1, Some(LATE)));
    assert_eq!(desk.judge(&alice, &long).await, None);
    // No turn comes, however long this waits.
    desk.places = Bulkhead::new(0);
    desk.patience = Duration::from_millis(1);
    assert_eq!(desk.judge(&alice, &long).await, late);
    assert_eq!(desk.judge(&alice, &short).await, None, "it needs no turn");
    desk.patience = Duration::from_secs(60);
    desk.ended.cancel();
    assert_eq!(desk.judge(&alice, &long).await, late, "the call has ended");
    // An actor's only turn is taken, and nobody else's.
    desk.ended = CancellationToken::new();
    desk.places = Bulkhead::new(4);
    let taken = desk.places.enter((&alice).into(), desk.patience).await;
    assert!(taken.is_ok());
    assert_eq!(desk.judge(&bob, &long).await, None);
    let waits = desk.judge(&alice, &long);
    let freed = async { drop(taken) };
    assert_eq!(join(waits, freed).await.0, None, "the turn came");
}
