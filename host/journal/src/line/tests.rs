#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
use bailiwick_envelope::{CallKind, Delegation, DelegationMode};
use serde_json::{Value, json};

use super::super::reason::{DownstreamReason, EndReason, LoadReason, RefusalReason};
use super::super::record::{
    Call, CallClosed, CallOpened, CallRefused, ComponentLoaded, ComponentRefused, ComponentRemoved,
    ConfigLoaded, ConfigRefused, DenialAdded, DenialLifted, DenialsFound, DenialsLost,
    DownstreamClosed, DownstreamOpened, DownstreamRefused, HostStarted, HostStopped, InputAnswered,
    InputAsked, InputRound, JournalAdopted, JournalBegun, JournalCut, Modes, Outcome, Previous,
    RefusalsCounted, Request, Subject, Target, TokenExchanged,
};
use super::super::text::{Detail, MAX_TEXT, Scopes, Text};
use super::*;

fn line(record: &Record) -> String {
    String::from_utf8(record.line(7, 1_763_712_000_042).unwrap()).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "what records have is optional")]
fn some(text: &str) -> Option<Text> {
    Some(text.into())
}

/// Returns the members that all records of one call have, each with this text if one is given.
fn call(text: Option<&str>) -> Call {
    let or = |short: &str| Some(text.unwrap_or(short).into());
    Call {
        call: text.unwrap_or("c").into(),
        subject: Subject {
            actor_sub: or("u"),
            actor_iss: or("i"),
            tenant: or("t"),
            agent_id: or("a"),
            client_id: or("k"),
            session_id: or("s"),
            trace_id: or("r"),
        },
        target: Target {
            kind: CallKind::Tool,
            name: text.unwrap_or("o").into(),
        },
        component: or("d"),
        grant: or("g"),
    }
}

fn refused(reason: DownstreamReason) -> DownstreamRefused {
    DownstreamRefused::new(call(None), None, request(None), reason)
}

fn request(text: Option<&str>) -> Request {
    Request {
        service: text.unwrap_or("v").into(),
        method: text.unwrap_or("GET").into(),
        path_template: Some(text.unwrap_or("/{}").into()),
    }
}

/// Returns one record of each event, with everything that it can have.
fn every(text: Option<&str>) -> Vec<Record> {
    let long = text.unwrap_or("x").to_owned();
    let modes = (0..1000).map(|n| (format!("{n}{long}"), DelegationMode::OnBehalfOf));
    let modes: BTreeMap<String, _> = modes.take(if text.is_some() { 1000 } else { 2 }).collect();
    let detail = || {
        let members = (0..if text.is_some() { 1000 } else { 1 })
            .map(|n| (format!("{n}{long}"), json!([{"deep": long}])));
        members.collect::<Detail>()
    };
    let opened = CallOpened::new(call(text), Modes::of(&Delegation::new(modes)));
    let asked = DownstreamOpened::new(call(text), DelegationMode::RestrictedUser, request(text));
    let any = || Text::from(text.unwrap_or("n"));
    let subject = call(text).subject;
    let previous = Previous {
        size: Some(3),
        root: some(text.unwrap_or("r")),
        key: some(text.unwrap_or("k")),
        unverified: false,
    };
    vec![
        CallClosed {
            detail: Some(detail()),
            ..opened.closed(Outcome::TimedOut, Some(EndReason::TimedOut))
        }
        .into(),
        opened.into(),
        CallRefused::new(subject, RefusalReason::Overloaded)
            .about(call(text).target, Some(any()), Some(any()))
            .into(),
        RefusalsCounted::new(Some((any(), any())), RefusalReason::TokenInvalid, 3).into(),
        DownstreamRefused::new(
            call(text),
            None,
            request(text),
            DownstreamReason::DeniedByRule,
        )
        .by_rule(some(text.unwrap_or("r")))
        .into(),
        DownstreamClosed {
            status: Some(200),
            credential_kind: some(text.unwrap_or("z")),
            ..asked.closed(Outcome::Failed, Some(DownstreamReason::Unavailable))
        }
        .into(),
        asked.into(),
        TokenExchanged {
            call: call(text),
            mode: DelegationMode::OnBehalfOf,
            request: request(text),
            scopes: vec![long.clone(); 100].into_iter().collect(),
            audience: some(text.unwrap_or("e")),
            credential_kind: some(text.unwrap_or("z")),
            jti: some(text.unwrap_or("j")),
        }
        .into(),
        InputAsked {
            call: call(text),
            round: round(text),
        }
        .into(),
        InputAnswered {
            call: call(text),
            round: round(text),
        }
        .into(),
        ComponentLoaded {
            component: any(),
            detail: detail(),
        }
        .into(),
        ComponentRefused::new(Some(any()), LoadReason::NotLoadable, detail()).into(),
        ComponentRemoved {
            component: any(),
            detail: detail(),
        }
        .into(),
        ConfigLoaded { detail: detail() }.into(),
        ConfigRefused::new(detail()).into(),
        DenialAdded {
            denial: text.unwrap_or("d1").into(),
            detail: detail(),
        }
        .into(),
        DenialLifted {
            denial: text.unwrap_or("d1").into(),
            detail: detail(),
        }
        .into(),
        DenialsLost { detail: detail() }.into(),
        DenialsFound { detail: detail() }.into(),
        JournalBegun::new(text.unwrap_or("l"), Some(previous)).into(),
        JournalCut::new(12).into(),
        JournalAdopted { detail: detail() }.into(),
        HostStarted { detail: detail() }.into(),
        HostStopped {}.into(),
    ]
}

fn round(text: Option<&str>) -> InputRound {
    let any = |word| Text::from(text.unwrap_or(word));
    InputRound {
        round: any("n"),
        keys: vec![any("a"); if text.is_some() { 1000 } else { 1 }]
            .into_iter()
            .collect(),
        digest: any("n"),
    }
}

#[test]
fn a_line_has_the_agreed_names_in_their_order() {
    let modes = BTreeMap::from([
        ("v".to_owned(), DelegationMode::OnBehalfOf),
        ("w".to_owned(), DelegationMode::ServiceIdentity),
    ]);
    let opened = CallOpened::new(call(None), Modes::of(&Delegation::new(modes)));
    let asked = DownstreamOpened::new(call(None), DelegationMode::OnBehalfOf, request(None));
    let expected = [
        (
            opened.clone().into(),
            r#""event":"call.opened",CALL,"mode":"per_service","modes":{"v":"on_behalf_of","w":"service_identity"},"decision":"allow""#,
        ),
        (
            CallClosed {
                detail: Some([("m", 1)].into_iter().collect()),
                ..opened.closed(Outcome::TimedOut, Some(EndReason::TimedOut))
            }
            .into(),
            r#""event":"call.closed",CALL,"mode":"per_service","modes":{"v":"on_behalf_of","w":"service_identity"},"outcome":"timed-out","reason":"timed-out","detail":{"m":1}"#,
        ),
        (
            refused(DownstreamReason::NotGranted).into(),
            r#""event":"downstream.refused",CALL,"decision":"deny","outcome":"refused","reason":"not-granted",REQUEST"#,
        ),
        (
            refused(DownstreamReason::DeniedByRule)
                .by_rule(some("r"))
                .into(),
            r#""event":"downstream.refused",CALL,"decision":"deny","outcome":"refused","reason":"denied-by-rule",REQUEST,"rule":"r""#,
        ),
        (
            refused(DownstreamReason::PolicyUnavailable).into(),
            r#""event":"downstream.refused",CALL,"decision":"deny","outcome":"refused","reason":"policy-unavailable",REQUEST"#,
        ),
        (
            asked.clone().into(),
            r#""event":"downstream.opened",CALL,"mode":"on_behalf_of","decision":"allow",REQUEST"#,
        ),
        (
            DownstreamClosed {
                status: Some(200),
                credential_kind: some("z"),
                ..asked.closed(Outcome::Done, None)
            }
            .into(),
            r#""event":"downstream.closed",CALL,"mode":"on_behalf_of","outcome":"done",REQUEST,"status":200,"credential_kind":"z""#,
        ),
        (
            TokenExchanged {
                call: call(None),
                mode: DelegationMode::OnBehalfOf,
                request: request(None),
                scopes: ["x"].into_iter().collect(),
                audience: some("e"),
                credential_kind: some("z"),
                jti: some("j"),
            }
            .into(),
            r#""event":"token.exchanged",CALL,"mode":"on_behalf_of",REQUEST,"scopes":["x"],"audience":"e","credential_kind":"z","jti":"j""#,
        ),
        (
            InputAsked {
                call: call(None),
                round: round(None),
            }
            .into(),
            r#""event":"input.asked",CALL,"round":"n","keys":["a"],"digest":"n""#,
        ),
        (
            InputAnswered {
                call: call(None),
                round: round(None),
            }
            .into(),
            r#""event":"input.answered",CALL,"round":"n","keys":["a"],"digest":"n""#,
        ),
        (
            RefusalsCounted::new(
                Some(("i".into(), "u".into())),
                RefusalReason::TokenInvalid,
                3,
            )
            .into(),
            r#""event":"refusals.counted","actor_sub":"u","actor_iss":"i","decision":"deny","outcome":"refused","reason":"token-invalid","detail":{"count":3}"#,
        ),
        (
            JournalCut::new(12).into(),
            r#""event":"journal.cut","detail":{"bytes":12}"#,
        ),
    ];
    let whole = r#""call":"c","actor_sub":"u","actor_iss":"i","tenant":"t","agent_id":"a","client_id":"k","session_id":"s","trace_id":"r","target":{"kind":"tool","name":"o"},"component":"d","grant":"g""#;
    let asked = r#""service":"v","method":"GET","path_template":"/{}""#;
    for (record, members) in expected {
        let members = members.replace("CALL", whole).replace("REQUEST", asked);
        let expected = format!("{{\"seq\":7,\"time\":\"2025-11-21T08:00:00.042Z\",{members}}}");
        assert_eq!(line(&record), expected);
    }
}

#[test]
fn a_head_links_the_log_before_or_says_that_there_was_none() {
    let begun = |previous| line(&JournalBegun::new("example/audit", previous).into());
    let head = r#"{"seq":7,"time":"2025-11-21T08:00:00.042Z","event":"journal.begun","format":2,"log":"example/audit","previous":PREVIOUS}"#;
    let previous = Previous {
        size: Some(3),
        root: some("R="),
        key: some("example/audit+00"),
        unverified: false,
    };
    for (before, text) in [
        (None, "null"),
        (Some(Previous::default()), "{}"),
        (
            Some(previous),
            r#"{"size":3,"root":"R=","key":"example/audit+00"}"#,
        ),
    ] {
        assert_eq!(begun(before), head.replace("PREVIOUS", text));
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    for (record, members) in [
        (HostStopped {}.into(), r#""event":"host.stopped""#),
        (
            CallRefused::new(Subject::default(), RefusalReason::TokenMissing).into(),
            r#""event":"call.refused","decision":"deny","outcome":"refused","reason":"token-missing""#,
        ),
        (
            CallRefused::new(Subject::default(), RefusalReason::Denied)
                .because_of(some("d1"))
                .into(),
            r#""event":"call.refused","decision":"deny","outcome":"refused","reason":"denied","denial":"d1""#,
        ),
    ] {
        let expected = format!("{{\"seq\":7,\"time\":\"2025-11-21T08:00:00.042Z\",{members}}}");
        assert_eq!(line(&record), expected);
    }
}

#[test]
fn every_record_is_read_as_it_was_written() {
    let events: Vec<_> = every(None).iter().map(Record::event).collect();
    assert_eq!(events.len(), super::super::record::Event::ALL.len());
    for record in every(None) {
        let text = line(&record);
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        let frame: Frame<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((frame.seq, &*frame.event), (7, record.event().as_str()));
    }
}

#[test]
fn text_from_outside_cannot_break_hide_or_flood_a_line() {
    let hostile = "a\n\r\0\u{7f}\u{85}\u{9b}31m\u{202e}\u{2028}\u{feff}\u{ad}\u{61c}\u{3164}\u{fe0f}\u{e0041}\"\\é";
    let subject = Subject {
        actor_sub: some(hostile),
        ..Subject::default()
    };
    let text = line(&CallRefused::new(subject, RefusalReason::Overloaded).into());
    assert!(
        text.chars().all(|character| !is_unseen(character)),
        "{text}"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap()["actor_sub"],
        hostile
    );
    for filler in ["x", "é", "\u{1f600}", "\u{0}"] {
        let long = filler.repeat(100_000);
        for record in every(Some(&long)) {
            let text = line(&record);
            assert!(
                text.len() <= MAX_LINE,
                "{} of {}",
                text.len(),
                record.event()
            );
            let value: Value = serde_json::from_str(&text).unwrap();
            if let Some(tenant) = value["tenant"].as_str() {
                assert!(
                    tenant.len() <= MAX_TEXT
                        && tenant.ends_with('…')
                        && long.starts_with(tenant.trim_end_matches('…'))
                );
            }
            assert!(serde_json::from_str::<Record>(&text).is_ok());
            let left_out = matches!(value["left_out"], Value::Bool(true));
            let opened = record.event() == super::super::record::Event::CallOpened;
            assert!(left_out || !opened, "a thousand services do not fit");
        }
    }
}

#[test]
fn more_scopes_than_fit_are_left_out() {
    let scopes: Scopes = (0..100).map(|n| n.to_string()).collect();
    let written = serde_json::to_value(scopes).unwrap();
    assert_eq!(written.as_array().unwrap().len(), 32);
}

#[test]
fn commitments_have_one_shape() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let frame = |commitments: &Value| {
        let line = json!({"seq": 1, "time": "t", "event": "e", "commitments": commitments});
        serde_json::from_str::<Frame<'_>>(&line.to_string()).is_ok()
    };
    for good in [
        json!(null),
        json!({}),
        json!({"actor_sub": digest}),
        json!({"tenant": digest, "trace_id": digest}),
    ] {
        assert!(frame(&good), "{good}");
    }
    for bad in [
        json!("x"),
        json!([digest]),
        json!({"target": digest}),
        json!({"actor_sub": null}),
        json!({"actor_sub": "sha256:0a"}),
        json!({"actor_sub": digest.to_uppercase()}),
        json!({"actor_sub": digest.replace("sha256", "sha512")}),
        json!({"actor_sub": digest.replace('0', "g")}),
    ] {
        assert!(!frame(&bad), "{bad}");
    }
}
