//! States that no one may go on with, each family with the twin that is accepted.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::questions::{QuestionRule, RawQuestion, RelayedKind};
use crate::seams::SystemRandom;
use forged::texts;

mod forged;

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A host with this key, and its clock.
fn host(key: u8) -> (Rounds, Arc<Hand>) {
    let clock = Arc::new(Hand(AtomicU64::new(1_000_000_000)));
    let own: Arc<dyn Clock> = Arc::<Hand>::clone(&clock);
    let key = MacKey::new(Zeroizing::new(vec![key; 32])).unwrap();
    let rounds = Rounds::new(&key, Duration::from_secs(600), own, Arc::new(SystemRandom));
    (rounds, clock)
}

const FORM: &str =
    r#"{"type":"object","properties":{"size":{"type":"integer"}},"required":["size"]}"#;

fn asking(state: Option<&[u8]>) -> Questionnaire {
    let form = RawQuestion::Form("How large?".into(), FORM.into());
    let raw = vec![
        ("size".to_owned(), form.clone()),
        ("other".to_owned(), form),
    ];
    Questionnaire::check(raw, state.map(<[u8]>::to_vec), &QuestionRule::default()).unwrap()
}

fn binding(arguments: &Value) -> Binding<'_> {
    Binding {
        issuer: "https://idp.example",
        subject: "alice",
        tenant: Some("acme"),
        service: false,
        client: "desk",
        kind: "tool",
        name: "book",
        component: "sha256:aa",
        rule: &OWN_RULE,
        arguments,
    }
}

static OWN_RULE: LazyLock<QuestionRule> = LazyLock::new(|| rule(&["https://pay.example.com"], &[]));
static OTHER_RULES: LazyLock<[QuestionRule; 3]> = LazyLock::new(|| {
    [
        rule(&[], &[]),
        rule(&["https://pay.example.com", "https://b.example"], &[]),
        rule(&["https://pay.example.com"], &[RelayedKind::Roots]),
    ]
});

fn rule(origins: &[&str], relays: &[RelayedKind]) -> QuestionRule {
    QuestionRule {
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        relays: relays.into(),
    }
}

fn size(size: impl Into<Value>) -> Value {
    json!({"action": "accept", "content": {"size": size.into()}})
}

fn responses(pairs: &[(&str, Value)]) -> Map<String, Value> {
    let pair = |(key, value): &(&str, Value)| ((*key).to_owned(), value.clone());
    pairs.iter().map(pair).collect()
}

/// Returns the bytes of a state, changed.
fn changed(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
    change(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_state_that_was_changed_in_any_way_is_not_ours() {
    let (host, _) = host(1);
    let arguments = json!({"room": 7});
    let seal = || {
        host.seal(&binding(&arguments), &asking(None))
            .unwrap()
            .state
    };
    let (state, other) = (seal(), seal());
    let open = |text: &str| host.open(&binding(&arguments), text, &Map::new());
    let texts = texts();
    assert!(texts.len() >= 35, "{}", texts.len());
    for (name, change) in texts {
        let refused = open(&change(&state, &other));
        assert_eq!(refused.err(), Some(NotResumed::NotIssued), "{name}");
    }
    // Every bit counts.
    for place in 0..URL_SAFE_NO_PAD.decode(&state).unwrap().len() {
        for bit in 0..8 {
            let text = changed(&state, |bytes| bytes[place] ^= 1 << bit);
            assert!(open(&text).is_err(), "bit {bit} of byte {place}");
        }
    }
    // Every beginning is another text.
    assert!((0..state.len()).all(|end| open(&state[..end]).is_err()));
    assert!(open(&state).is_ok() && open(&other).is_ok(), "the twins");
}

/// A call to which a state is moved.
type Move = fn(&mut Binding<'_>);

const MOVES: [(&str, Move); 22] = [
    ("another user", |call| call.subject = "bob"),
    ("a user in capitals", |call| call.subject = "Alice"),
    ("no user", |call| call.subject = ""),
    ("another issuer", |call| {
        call.issuer = "https://other.example";
    }),
    ("a longer issuer", |call| {
        call.issuer = "https://idp.example/";
    }),
    // The parts together are the same text.
    ("a shifted boundary", |call| {
        (call.issuer, call.subject) = ("https://idp.examplea", "lice");
    }),
    ("swapped parts", |call| {
        (call.issuer, call.subject) = (call.subject, call.issuer);
    }),
    ("another tenant", |call| call.tenant = Some("globex")),
    ("a longer tenant", |call| call.tenant = Some("acme2")),
    ("a tenant without a name", |call| call.tenant = Some("")),
    ("no tenant", |call| call.tenant = None),
    ("a service account of the same name", |call| {
        call.service = true;
    }),
    ("another client", |call| call.client = "phone"),
    ("no client", |call| call.client = ""),
    ("another kind", |call| call.kind = "prompt"),
    ("another tool", |call| call.name = "cancel"),
    ("a tool with a longer name", |call| call.name = "book2"),
    ("other code", |call| call.component = "sha256:ab"),
    ("no code", |call| call.component = ""),
    ("an origin that is no longer listed", |call| {
        call.rule = &OTHER_RULES[0];
    }),
    ("another origin beside it", |call| {
        call.rule = &OTHER_RULES[1];
    }),
    ("another request that is relayed", |call| {
        call.rule = &OTHER_RULES[2];
    }),
];

#[test]
fn a_state_belongs_to_one_actor_client_target_component_and_to_its_arguments() {
    let (host, _) = host(1);
    let arguments = json!({"room": 7, "at": "noon"});
    let own = binding(&arguments);
    let state = host.seal(&own, &asking(None)).unwrap().state;
    let others = [
        json!({"room": 8, "at": "noon"}),
        json!({"room": 7}),
        json!({}),
        json!({"room": "7", "at": "noon"}),
        json!([7, "noon"]),
    ];
    let moved = MOVES.map(|(name, change)| {
        let mut call = own;
        change(&mut call);
        (name.to_owned(), call)
    });
    let with = |arguments| (format!("{arguments}"), Binding { arguments, ..own });
    for (name, call) in moved.into_iter().chain(others.iter().map(with)) {
        let refused = host.open(&call, &state, &Map::new());
        assert_eq!(refused.err(), Some(NotResumed::NotIssued), "{name}");
        let own = host.seal(&call, &asking(None)).unwrap().state;
        let twin = host.open(&call, &own, &Map::new());
        assert!(twin.is_ok(), "{name}: the twin");
    }
    let reordered = json!({"at": "noon", "room": 7});
    let same = Binding {
        arguments: &reordered,
        ..own
    };
    assert!(host.open(&same, &state, &Map::new()).is_ok());
}

#[test]
fn a_state_ends_with_its_time() {
    let (host, clock) = host(1);
    let arguments = json!({});
    let state = host
        .seal(&binding(&arguments), &asking(None))
        .unwrap()
        .state;
    for (after, accepted) in [
        (0, true),
        (599_999, true),
        (600_000, false),
        (u64::MAX / 2, false),
    ] {
        clock.0.store(1_000_000_000 + after, Ordering::Relaxed);
        let opened = host.open(&binding(&arguments), &state, &Map::new());
        let expected = (!accepted).then_some(NotResumed::Expired);
        assert_eq!(opened.err(), expected, "after {after} ms");
    }
}

#[test]
fn every_host_with_the_key_goes_on_and_no_other_does() {
    let arguments = json!({});
    let (first, second, stranger) = (host(1).0, host(1).0, host(2).0);
    let state = first
        .seal(&binding(&arguments), &asking(Some(b"step 2")))
        .unwrap()
        .state;
    let given = responses(&[("size", size(2)), ("other", size(3))]);
    let open = |host: &Rounds| host.open(&binding(&arguments), &state, &given);
    let round = open(&second).unwrap();
    assert_eq!(
        (round.state(), round.again()),
        (Some(b"step 2".as_slice()), None)
    );
    assert_eq!(open(&stranger).err(), Some(NotResumed::NotIssued));
    let theirs = stranger
        .seal(&binding(&arguments), &asking(None))
        .unwrap()
        .state;
    assert!(
        first
            .open(&binding(&arguments), &theirs, &Map::new())
            .is_err()
    );
    assert!(
        stranger
            .open(&binding(&arguments), &theirs, &Map::new())
            .is_ok()
    );
}

#[tokio::test]
async fn a_round_is_used_once_in_a_process() {
    let (host, clock) = host(1);
    let arguments = json!({});
    let alice = || Principal::new("https://idp.example", "alice");
    let round = || {
        let state = host
            .seal(&binding(&arguments), &asking(None))
            .unwrap()
            .state;
        host.open(&binding(&arguments), &state, &Map::new())
            .unwrap()
    };
    let (first, second) = (round(), round());
    assert_eq!(host.spend(&first, alice()).await, Ok(()));
    assert_eq!(host.spend(&first, alice()).await, Err(NotSpent::Used));
    assert_eq!(host.spend(&second, alice()).await, Ok(()), "the twin");
    // Opened in time, and used too late: the mark of the first use is gone by then.
    clock.0.fetch_add(600_000, Ordering::Relaxed);
    assert_eq!(host.spend(&first, alice()).await, Err(NotSpent::Expired));
}

#[tokio::test]
async fn when_there_is_no_room_for_marks_nothing_goes_on() {
    let (host, clock) = host(1);
    let host = host.marking(Arc::new(MarksInMemory::bounded(3, 2)));
    let arguments = json!({});
    let round = || {
        let state = host
            .seal(&binding(&arguments), &asking(None))
            .unwrap()
            .state;
        host.open(&binding(&arguments), &state, &Map::new())
            .unwrap()
    };
    let user = |name: &str| Principal::new("https://idp.example", name);
    let spend = async |name: &str| host.spend(&round(), user(name)).await;
    assert_eq!(spend("alice").await, Ok(()));
    assert_eq!(spend("alice").await, Ok(()));
    assert_eq!(
        spend("alice").await,
        Err(NotSpent::Full),
        "one user's share"
    );
    assert_eq!(spend("bob").await, Ok(()), "which is no one else's");
    let waiting = round();
    assert_eq!(
        host.spend(&waiting, user("carol")).await,
        Err(NotSpent::Full)
    );
    clock.0.fetch_add(600_000, Ordering::Relaxed);
    assert_eq!(spend("carol").await, Ok(()), "expired marks make room");
    assert_eq!(
        host.spend(&waiting, user("carol")).await,
        Err(NotSpent::Expired)
    );
}

#[test]
fn answers_that_are_missing_or_do_not_fit_are_asked_again_and_others_are_ignored() {
    let (host, _) = host(1);
    let arguments = json!({});
    let state = host
        .seal(&binding(&arguments), &asking(Some(b"s")))
        .unwrap()
        .state;
    let open = |pairs: &[(&str, Value)]| {
        host.open(&binding(&arguments), &state, &responses(pairs))
            .unwrap()
    };
    let good = ("other", size(1));
    for (name, answer) in [
        ("text", size("2")),
        ("missing", json!({"action": "accept", "content": {}})),
        ("no content", json!({"action": "accept"})),
        (
            "content of another type",
            json!({"action": "accept", "content": [2]}),
        ),
        ("no action", json!({"content": {"size": 2}})),
        (
            "another action",
            json!({"action": "approve", "content": {"size": 2}}),
        ),
        ("a number", json!(2)),
        ("null", Value::Null),
        ("a list", json!([size(2)])),
    ] {
        let round = open(&[("size", answer), good.clone()]);
        let again = round.again().unwrap();
        assert_eq!(
            again.questions.keys().collect::<Vec<_>>(),
            ["size"],
            "{name}"
        );
        assert_eq!(again.state.as_deref(), Some(b"s".as_slice()));
        // What was answered need not be answered again.
        let next = host.seal(&binding(&arguments), &again).unwrap().state;
        let next = host
            .open(
                &binding(&arguments),
                &next,
                &responses(&[("size", size(2))]),
            )
            .unwrap();
        assert_eq!((next.again(), next.answers().len()), (None, 2), "{name}");
        assert_eq!(next.fresh(), ["size"], "{name}");
    }
    let extra =
        json!({"action": "accept", "content": {"size": 2, "admin": true}, "_meta": {"x": 1}});
    let round = open(&[("size", extra), good.clone(), ("asked_by_no_one", size(9))]);
    let told = round.answers();
    assert_eq!(told.len(), 2);
    let seen = told
        .iter()
        .find(|(key, _)| key == "size")
        .map(|(_, json)| json.as_str());
    assert_eq!(seen, Some(r#"{"action":"accept","content":{"size":2}}"#));
    for action in ["decline", "cancel"] {
        let round = open(&[("size", json!({"action": action})), good.clone()]);
        assert_eq!(round.again(), None, "a refusal is an answer");
    }
}

#[test]
fn a_state_shows_nothing_of_what_is_in_it() {
    let (host, _) = host(1);
    let arguments = json!({"room": "CANARY-A"});
    let mut asked = asking(Some(b"CANARY-B"));
    asked.given.insert("early".into(), json!("CANARY-C"));
    let seal = || host.seal(&binding(&arguments), &asked).unwrap();
    let (one, other) = (seal(), seal());
    let bytes = URL_SAFE_NO_PAD.decode(&one.state).unwrap();
    for canary in ["CANARY", "alice", "size", "How large?"] {
        assert!(
            !bytes
                .windows(canary.len())
                .any(|part| part == canary.as_bytes())
        );
    }
    assert!(one.state != other.state && one.id != other.id);
    let digest = host.digest(&json!({"size": 2}));
    assert!(digest.starts_with("hmac-sha256:") && digest == host.digest(&json!({"size": 2})));
    assert!(digest != host.digest(&json!({"size": 3})));
}
