//! Tests of the gate alone, with nothing behind it.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::call::CallClient;
use crate::call::client::NoPlace;
use crate::questions::AskBy;

fn user(name: &str) -> Count {
    Count::User(Principal::new("https://issuer.example", name))
}

fn call(name: &str, more: &[Count]) -> Vec<Count> {
    [Count::Host, user(name)]
        .into_iter()
        .chain(more.iter().cloned())
        .collect()
}

fn gate(bounds: Bounds) -> Gate {
    Gate::with(bounds, Duration::from_secs(600))
}

const WIDE: Bounds = Bounds {
    host: 100,
    script: 100,
    user: 100,
    tenant: 100,
    target: 100,
    queue: 0,
    waiting: 100,
    waiting_of_tenant: 100,
};

#[tokio::test]
async fn each_bound_holds_and_is_named() {
    let tenant = Count::Tenant(Tenant::new("https://issuer.example", "acme"));
    let tool = Count::Target(Kind::Tool, "t".into());
    for (bounds, more, full) in [
        (Bounds { host: 2, ..WIDE }, vec![], Full::Host),
        (
            Bounds { script: 2, ..WIDE },
            vec![Count::Script],
            Full::Script,
        ),
        (Bounds { user: 2, ..WIDE }, vec![], Full::User),
        (Bounds { tenant: 2, ..WIDE }, vec![tenant], Full::Tenant),
        (Bounds { target: 2, ..WIDE }, vec![tool], Full::Target),
    ] {
        let gate = gate(bounds);
        let one = gate.admit(call("alice", &more)).await;
        let two = gate.admit(call("alice", &more)).await;
        assert!(one.is_ok() && two.is_ok(), "{full:?}");
        assert_eq!(gate.admit(call("alice", &more)).await.err(), Some(full));
        let other = gate.admit(call("bob", &[])).await;
        assert_eq!(other.is_ok(), full != Full::Host, "{full:?}");
        drop((one, other));
        assert!(
            gate.admit(call("alice", &more)).await.is_ok(),
            "{full:?}: the place was not given back"
        );
    }
}

#[tokio::test]
async fn who_waits_is_let_in_by_turn_and_nobody_waits_for_somebody_elses_bound() {
    let gate = Arc::new(gate(Bounds {
        host: 2,
        user: 1,
        queue: 10,
        ..WIDE
    }));
    let alice = gate.admit(call("alice", &[])).await;
    let bob = gate.admit(call("bob", &[])).await;
    let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
    let wait = |name: &'static str| {
        let (gate, told) = (Arc::clone(&gate), told.clone());
        let waiting = gate.shared.lock().waiting.len();
        let task = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move {
                let place = gate.admit(call(name, &[])).await;
                let _ = told.send((name, place));
            }
        });
        (task, waiting, gate)
    };
    for name in ["alice", "carol", "dave"] {
        let (_task, before, gate) = wait(name);
        while gate.shared.lock().waiting.len() == before {
            tokio::task::yield_now().await;
        }
    }
    // Alice waits before Carol, but already has her one place, so Bob's goes to Carol.
    drop(bob);
    let (first, carol) = order.recv().await.unwrap_or(("", Err(Full::Host)));
    assert_eq!(first, "carol");
    drop(alice);
    let (second, alice) = order.recv().await.unwrap_or(("", Err(Full::Host)));
    assert_eq!(second, "alice");
    drop(carol);
    let (third, dave) = order.recv().await.unwrap_or(("", Err(Full::Host)));
    assert_eq!(third, "dave");
    drop((alice, dave));
    assert!(gate.shared.lock().running.is_empty());
}

#[tokio::test]
async fn the_queue_is_bounded_for_all_and_for_one_and_who_leaves_it_is_forgotten() {
    let gate = gate(Bounds {
        host: 1,
        user: 2,
        queue: 3,
        waiting: 2,
        ..WIDE
    });
    let place = gate.admit(call("alice", &[])).await;
    let mut waiting = Vec::new();
    for (name, queued) in [
        ("bob", true),
        ("bob", true),
        ("bob", false),
        ("carol", true),
        ("dave", false),
    ] {
        let mut asked = Box::pin(gate.admit(call(name, &[])));
        let polled = futures_util::poll!(&mut asked);
        assert_eq!(polled.is_pending(), queued, "{name}");
        if queued {
            waiting.push(asked);
        }
    }
    waiting.clear();
    assert!(gate.shared.lock().waiting.is_empty());
    drop(place);
    assert!(gate.shared.lock().running.is_empty());
    assert!(gate.admit(call("dave", &[])).await.is_ok());
}

#[tokio::test]
async fn a_place_that_nobody_takes_any_more_is_free() {
    let gate = gate(Bounds {
        host: 1,
        queue: 3,
        ..WIDE
    });
    let place = gate.admit(call("alice", &[])).await;
    let mut asked = Box::pin(gate.admit(call("bob", &[])));
    assert!(futures_util::poll!(&mut asked).is_pending());
    // Bob is given the place, and then stops waiting before he sees it.
    drop(place);
    drop(asked);
    assert!(gate.shared.lock().running.is_empty());
    assert!(gate.admit(call("carol", &[])).await.is_ok());
}

#[tokio::test]
async fn a_wait_ends_with_what_was_full() {
    let gate = Gate::with(
        Bounds {
            target: 1,
            queue: 3,
            ..WIDE
        },
        Duration::from_millis(1),
    );
    let tool = [Count::Target(Kind::Tool, "t".into())];
    let _place = gate.admit(call("alice", &tool)).await;
    assert_eq!(
        gate.admit(call("bob", &tool)).await.err(),
        Some(Full::Target)
    );
    assert!(gate.shared.lock().waiting.is_empty());
}

#[tokio::test]
async fn costly_checks_of_one_user_wait_for_each_other_and_nobody_else_for_them() {
    let checks = Gate::of_checks(&Limits {
        concurrent_calls_per_user: 3,
        ..Limits::default()
    });
    let running = checks.admit(call("mallory", &[])).await;
    assert!(running.is_ok());
    let mut waiting: Vec<_> = (0..3)
        .map(|_| Box::pin(checks.admit(call("mallory", &[]))))
        .collect();
    for turn in &mut waiting {
        assert!(futures_util::poll!(turn).is_pending());
    }
    assert_eq!(
        checks.admit(call("mallory", &[])).await.err(),
        Some(Full::User),
        "one more than may wait"
    );
    let mut alice = Box::pin(checks.admit(call("alice", &[])));
    assert!(
        futures_util::poll!(&mut alice).is_ready(),
        "alice waits for mallory"
    );
}

#[tokio::test]
async fn a_client_that_leaves_gives_up_its_place_in_the_queue_and_takes_none_that_is_free() {
    let gate = gate(Bounds {
        user: 1,
        queue: 10,
        ..WIDE
    });
    for stops in [false, true] {
        let (cancelled, stopping) = (CancellationToken::new(), CancellationToken::new());
        let client = CallClient {
            cancelled: cancelled.clone(),
            stopping: stopping.clone(),
            reports: None,
            view: Arc::default(),
            ask_by: AskBy::Nothing,
        };
        let wait = || client.wait_for(gate.admit(call("alice", &[])));
        let first = wait().await;
        let leaves = async {
            while gate.part("checks").waiting == 0 {
                tokio::task::yield_now().await;
            }
            if stops { &stopping } else { &cancelled }.cancel();
        };
        let (waited, ()) = tokio::join!(wait(), leaves);
        assert_eq!(waited.err(), Some(NoPlace::Gone), "{stops}");
        assert_eq!(gate.part("checks").waiting, 0, "{stops}");
        assert!(first.is_ok(), "{stops}");
        drop(first);
        assert_eq!(wait().await.err(), Some(NoPlace::Gone), "{stops}");
        assert_eq!(gate.part("checks").used, 0, "{stops}");
    }
}

fn of_tenant(name: &str, user: &str) -> Vec<Count> {
    let tenant = Tenant::new("https://issuer.example", name);
    call(user, &[Count::Tenant(tenant)])
}

#[tokio::test]
async fn a_tenant_that_floods_with_many_users_leaves_places_and_queue_to_others() {
    let gate = gate(Bounds {
        host: 8,
        tenant: 4,
        queue: 8,
        waiting_of_tenant: 4,
        ..WIDE
    });
    let mut running = Vec::new();
    let mut waiting = Vec::new();
    let mut refused = 0;
    for user in 0..1000 {
        match gate.ask(of_tenant("flood", &format!("user{user}"))) {
            Ok(AdmissionState::Taken(place)) => running.push(place),
            Ok(AdmissionState::Waiting(id, place, full)) => {
                assert_eq!(full, Full::Tenant);
                waiting.push((id, place));
            }
            Err(full) => {
                assert_eq!(full, Full::Tenant);
                refused += 1;
            }
        }
    }
    assert_eq!((running.len(), waiting.len(), refused), (4, 4, 992));
    let mut others = Vec::new();
    for user in ["a", "b", "c", "d"] {
        others.push(gate.admit(of_tenant("acme", user)).await.ok());
    }
    assert!(
        others.iter().all(Option::is_some),
        "another tenant has no place"
    );
    let fifth = gate.ask(of_tenant("acme", "e"));
    assert!(
        matches!(fifth, Ok(AdmissionState::Waiting(..))),
        "another tenant has no room in the queue"
    );
    // A place that another tenant gives back does not go to the flood.
    drop(others.pop());
    let fits = matches!(
        gate.ask(of_tenant("third", "f")),
        Ok(AdmissionState::Taken(_))
    );
    assert!(!fits, "a newcomer overtakes");
}

#[test]
fn a_tenant_has_a_share_of_its_own_as_long_as_the_operator_gives_it() {
    let gate = gate(Bounds { tenant: 3, ..WIDE });
    let small = Tenant::new("https://issuer.example", "small");
    gate.share(HashMap::from([(small, 1)]));
    let enter = |name: &str| match gate.ask(of_tenant(name, "user")) {
        Ok(AdmissionState::Taken(place)) => Some(place),
        _ => None,
    };
    let places = [enter("small"), enter("other"), enter("other")];
    assert!(places.iter().all(Option::is_some));
    assert!(enter("small").is_none() && enter("other").is_some());
    let elsewhere = Count::Tenant(Tenant::new("https://partner.example", "small"));
    let elsewhere = || gate.ask(call("user", std::slice::from_ref(&elsewhere)));
    let two = (elsewhere(), elsewhere());
    assert!(matches!(
        two,
        (Ok(AdmissionState::Taken(_)), Ok(AdmissionState::Taken(_)))
    ));
    gate.share(HashMap::new());
    assert!(enter("small").is_some(), "the usual share again");
}

/// Lets calls of as many users of one tenant come as there are; returns how many run and wait.
fn flood(gate: &Gate, more: &[Count]) -> (Vec<Place>, usize) {
    let (mut running, mut waiting) = (Vec::new(), Vec::new());
    for user in 0..1000 {
        let wanted = [of_tenant("flood", &format!("user{user}")), more.to_vec()].concat();
        match gate.ask(with_parts(wanted)) {
            Ok(AdmissionState::Taken(place)) => running.push(place),
            Ok(AdmissionState::Waiting(_, place, _)) => waiting.push(place),
            Err(_) => {}
        }
    }
    (running, waiting.len())
}

#[tokio::test]
async fn a_tenant_leaves_a_place_and_half_of_the_queue_whatever_the_limits_say() {
    let all = Capacity {
        compact: 768,
        script: 256,
    };
    // Fewer places than were wanted, because there is no memory for more.
    let few = Capacity { compact: 4, ..all };
    for (concurrent, queued, capacity, expected) in [
        (8, 8, all, (7, 4)),
        (8, 3, all, (7, 1)),
        (8, 1, all, (7, 1)),
        (8, 0, all, (7, 0)),
        (2, 8, all, (1, 4)),
        (8, 8, few, (3, 4)),
        (512, 256, all, (256, 128)),
    ] {
        let gate = Gate::new(
            &Limits {
                concurrent_calls: concurrent,
                queued_calls: queued,
                ..Limits::default()
            },
            capacity,
        );
        let shares = [None, Some(768)];
        for share in shares {
            let flooding = Tenant::new("https://issuer.example", "flood");
            gate.share(share.map(|share| (flooding, share)).into_iter().collect());
            let (running, waiting) = flood(&gate, &[]);
            let expected = match share {
                Some(_) if concurrent == 512 => (511, 128),
                _ => expected,
            };
            assert_eq!((running.len(), waiting), expected, "{concurrent} {queued}");
            let other = gate.admit(of_tenant("acme", "alice")).await;
            assert!(other.is_ok(), "{concurrent} {queued}: another has no place");
            drop((running, other));
            // Those who waited have gone.
            gate.shared.lock().waiting.clear();
        }
    }
    let single = gate(Bounds { host: 1, ..WIDE });
    assert_eq!(flood(&single, &[]).0.len(), 1, "the only place");
}

#[test]
fn a_tenant_leaves_a_place_of_the_script_tier_and_of_each_tool() {
    let tool = |name: &str| Count::Target(Kind::Tool, name.into());
    for (bounds, group) in [
        (Bounds { script: 3, ..WIDE }, Count::Script),
        (Bounds { target: 3, ..WIDE }, tool("t")),
    ] {
        let gate = gate(bounds);
        let (running, _) = flood(&gate, std::slice::from_ref(&group));
        assert_eq!(running.len(), 2, "{group:?}");
        let wanted = [of_tenant("acme", "alice"), vec![group.clone()]].concat();
        let fits = gate.ask(with_parts(wanted));
        assert!(matches!(fits, Ok(AdmissionState::Taken(_))), "{group:?}");
        drop((running, fits));
        assert!(gate.shared.lock().running.is_empty(), "{group:?}");
    }
}
