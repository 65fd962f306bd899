//! One journal of three calls, and the part of it that each question shows.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::*;

const ALICE: &str = r#""actor_sub":"alice","actor_iss":"https://a","tenant":"acme","agent_id":"bot","client_id":"web""#;
const ORDERS: &str = r#""service":"orders_api","method":"GET","path_template":"/orders/{}""#;

fn journal(folder: &Path) {
    let first = format!(
        r#""call":"aa11",{ALICE},"target":{{"kind":"tool","name":"get_order"}},"component":"sha256:0","grant":"support","mode":"per_service","modes":{{"mail":"service_identity","orders_api":"on_behalf_of"}}"#
    );
    let of_first = format!(
        r#""call":"aa11",{ALICE},"target":{{"kind":"tool","name":"get_order"}},"component":"sha256:0""#
    );
    let second = r#""call":"aa22","actor_sub":"bob","actor_iss":"https://a","target":{"kind":"tool","name":"whoami"}"#;
    let records = [
        r#""event":"journal.begun","format":2,"log":"a","previous":null"#.to_owned(),
        r#""event":"component.loaded","component":"sha256:0","detail":{"name":"orders"}"#.to_owned(),
        format!(r#""event":"call.opened",{first},"decision":"allow""#),
        format!(r#""event":"downstream.opened",{of_first},"mode":"on_behalf_of","decision":"allow",{ORDERS}"#),
        format!(
            r#""event":"token.exchanged",{of_first},{ORDERS},"scopes":["o"],"audience":"orders","credential_kind":"x""#
        ),
        format!(
            r#""event":"downstream.refused",{of_first},"outcome":"refused","reason":"not-granted","service":"x","method":"GET""#
        ),
        format!(
            r#""event":"downstream.closed",{of_first},"outcome":"done",{ORDERS},"status":200,"credential_kind":"token_exchange""#
        ),
        format!(r#""event":"call.closed",{first},"outcome":"done""#),
        format!(r#""event":"call.opened",{second},"mode":"service_identity","modes":{{}},"decision":"allow""#),
        format!(r#""event":"call.closed",{second},"outcome":"failed","reason":"trapped""#),
        r#""event":"call.refused","actor_sub":"eve\u001b[2J\u202e","outcome":"refused","reason":"unknown-target""#
            .to_owned(),
    ];
    write(folder, &records);
}

/// Writes records that are ten milliseconds apart.
fn write(folder: &Path, records: &[String]) {
    let line = |(index, members): (usize, &String)| {
        format!(
            "{{\"seq\":{},\"time\":\"2025-11-21T08:00:00.{:03}Z\",{members}}}\n",
            index + 1,
            index * 10
        )
    };
    let text: String = records.iter().enumerate().map(line).collect();
    std::fs::write(folder.join("journal-00000001.jsonl"), text).unwrap();
    std::fs::write(folder.join("key"), "").unwrap();
}

fn show(change: impl FnOnce(&mut Args)) -> anyhow::Result<String> {
    let temp = tempfile::tempdir().unwrap();
    journal(temp.path());
    let mut args = Args {
        folder: temp.path().to_owned(),
        ..Args::default()
    };
    change(&mut args);
    let mut bytes = Vec::new();
    run(&args, &mut Page::new(&mut bytes, false))?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn every_question_shows_its_records_and_no_others() {
    type Change = Box<dyn Fn(&mut Args)>;
    let some = |text: &str| Some(text.to_owned());
    let cases: Vec<(Change, usize)> = vec![
        (Box::new(|_| ()), 11),
        (Box::new(move |args| args.actor = some("alice")), 6),
        (Box::new(move |args| args.agent = some("bot")), 6),
        (Box::new(move |args| args.agent = some("web")), 6),
        (Box::new(move |args| args.target = some("whoami")), 2),
        (
            Box::new(move |args| args.event = vec!["call.opened".into(), "call.refused".into()]),
            3,
        ),
        (
            Box::new(move |args| args.outcome = vec!["failed".into()]),
            1,
        ),
        (
            Box::new(move |args| args.since = some("2025-11-21T08:00:00.070Z")),
            4,
        ),
        (Box::new(move |args| args.since = some("2025-11-22")), 0),
        (Box::new(move |args| args.limit = Some(2)), 2),
        (
            Box::new(move |args| {
                (args.actor, args.outcome) = (some("alice"), vec!["failed".into()]);
            }),
            0,
        ),
    ];
    for (number, (change, expected)) in cases.iter().enumerate() {
        let lines = show(|args| {
            change(args);
            args.json = true;
        });
        let lines = lines.unwrap();
        assert_eq!(
            lines.lines().count(),
            *expected,
            "question {number}: {lines}"
        );
        assert!(
            lines
                .lines()
                .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
        );
        let table = show(change).unwrap();
        let told = if *expected == 0 {
            "no record fits".to_owned()
        } else {
            counted(*expected, "record")
        };
        assert!(
            table.lines().any(|line| line == told),
            "question {number}: {table}"
        );
    }
}

#[test]
fn a_table_is_aligned_and_names_what_a_record_is_about() {
    let table = show(|_| ()).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let column = |name: &str| lines.first().and_then(|header| header.find(name)).unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("component.loaded") && line.contains("orders")),
        "{table}"
    );
    assert!(lines.iter().any(|line| {
        line.get(column("OUTCOME")..)
            .is_some_and(|rest| rest.starts_with("failed"))
    }));
    assert!(!table.contains("ISSUER"), "one issuer only: {table}");
    for (event, mode, status) in [
        ("downstream.opened", "on_behalf_of", ""),
        ("downstream.closed", "", "200"),
        ("call.closed", "per_service", ""),
    ] {
        let line = lines.iter().find(|line| line.contains(event)).unwrap();
        let cell = |name: &str| {
            line.get(column(name)..)
                .unwrap()
                .split("  ")
                .next()
                .unwrap()
        };
        assert_eq!((cell("MODE"), cell("STATUS")), (mode, status), "{table}");
    }
    assert!(
        !table.contains('\x1b')
            && !table.contains('\u{202e}')
            && table.contains("eve\\u{1b}[2J\\u{202e}"),
        "{table}"
    );
}

#[test]
fn what_is_left_out_is_said() {
    let table = show(|args| args.limit = Some(4)).unwrap();
    assert!(table.starts_with("(7 earlier ones are left out"), "{table}");
}

#[test]
fn a_call_is_a_tree() {
    let expected = "call aa11
├─ call.opened  2025-11-21T08:00:00.020Z
│  ├─ actor    alice of https://a tenant acme
│  ├─ agent    bot client web
│  ├─ target   tool get_order
│  ├─ code     orders sha256:0 not signed
│  ├─ grant    support
│  └─ mode     per_service (mail service_identity, orders_api on_behalf_of)
├─ downstream.opened  +10 ms
│  ├─ request  orders_api GET /orders/{}
│  ├─ mode     on_behalf_of
│  ├─ token.exchanged  +20 ms  x  audience orders  scopes o
│  └─ downstream.closed  +40 ms  done  status 200  token_exchange
├─ downstream.refused  +30 ms  refused  not-granted
│  └─ request  x GET
└─ call.closed  +50 ms  done
";
    assert_eq!(
        show(|args| args.call = Some("aa1".into())).unwrap(),
        expected
    );
}

#[test]
fn code_stands_with_the_name_and_the_signer_that_it_had_at_the_call() {
    let temp = tempfile::tempdir().unwrap();
    let loaded = |digest: &str, signer: &str| {
        format!(
            r#""event":"component.loaded","component":"sha256:{digest}","detail":{{"name":"orders"{signer}}}"#
        )
    };
    let call = |id: &str, digest: &str| {
        format!(r#""event":"call.opened","call":"{id}","component":"sha256:{digest}""#)
    };
    let signed = r#","signer":"release","signer_key":"k+1""#;
    let records = [
        r#""event":"journal.begun","format":2,"log":"a","previous":null"#.to_owned(),
        loaded("0", ""),
        loaded("1", signed),
        call("aa", "0"),
        call("bb", "1"),
        call("cc", "2"),
        loaded("0", signed),
        call("dd", "0"),
    ];
    write(temp.path(), &records);
    for (id, code) in [
        ("aa", "orders sha256:0 not signed"),
        ("bb", "orders sha256:1 signed by release (k+1)"),
        ("cc", "sha256:2"),
        ("dd", "orders sha256:0 signed by release (k+1)"),
    ] {
        let args = Args {
            folder: temp.path().to_owned(),
            call: Some(id.to_owned()),
            ..Args::default()
        };
        let mut bytes = Vec::new();
        run(&args, &mut Page::new(&mut bytes, false)).unwrap();
        let told = String::from_utf8(bytes).unwrap();
        assert!(told.ends_with(&format!("code     {code}\n")), "{told}");
    }
}

#[test]
fn a_question_that_makes_no_sense_is_told_what_to_change() {
    type Change = fn(&mut Args);
    let cases: [(Change, &str); 8] = [
        (
            |args| args.call = Some("aa".into()),
            "several calls begin with \"aa\", such as aa11 and aa22",
        ),
        (
            |args| args.call = Some("ff".into()),
            "no call's id begins with",
        ),
        (
            |args| args.call = Some(String::new()),
            "at least the beginning",
        ),
        (
            |args| (args.call, args.target) = (Some("aa1".into()), Some("whoami".into())),
            "--target leaves nothing of",
        ),
        (
            |args| {
                (args.call, args.actor, args.since) = (
                    Some("aa1".into()),
                    Some("bob".into()),
                    Some("2025-11-22".into()),
                );
            },
            "--actor and --since each leave nothing of",
        ),
        (
            |args| {
                (args.call, args.event, args.outcome) = (
                    Some("aa1".into()),
                    vec!["call.opened".into()],
                    vec!["done".into()],
                );
            },
            "--event and --outcome together leave nothing of",
        ),
        (
            |args| args.since = Some("yesterday".into()),
            "expected 2025-11-21T08:00",
        ),
        (
            |args| args.folder = "/nowhere".into(),
            "is not the folder of a journal",
        ),
    ];
    for (change, told) in cases {
        let error = format!("{:#}", show(change).unwrap_err());
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn damage_is_told_after_what_is_before_it() {
    let temp = tempfile::tempdir().unwrap();
    journal(temp.path());
    let file = temp.path().join("journal-00000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"seq\":8", "\"seq\":80")).unwrap();
    let mut bytes = Vec::new();
    let args = Args {
        folder: temp.path().to_owned(),
        json: true,
        ..Args::default()
    };
    let error = run(&args, &mut Page::new(&mut bytes, false)).unwrap_err();
    assert_eq!(String::from_utf8(bytes).unwrap().lines().count(), 7);
    assert!(
        format!("{error:#}").contains("bailiwick audit verify"),
        "{error:#}"
    );
}

#[test]
fn a_time_may_be_how_long_ago() {
    let now = 1_763_712_000_000;
    for (text, expected) in [
        ("90s", Some(now - 90_000)),
        ("30m", Some(now - 1_800_000)),
        ("8h", Some(now - 28_800_000)),
        ("7d", Some(now - 604_800_000)),
        ("99999999999d", Some(0)),
        ("2025-11-21", Some(1_763_683_200_000)),
        ("h", None),
        ("-1h", None),
    ] {
        assert_eq!(moment(text, now).ok(), expected, "{text}");
    }
}

#[test]
fn a_name_to_show_stands_beside_the_identifier_and_is_never_searched() {
    let temp = tempfile::tempdir().unwrap();
    let record = |seq: u32, names: &str| {
        format!(
            "{{\"seq\":{seq},\"time\":\"2025-11-21T08:00:00.000Z\",\"event\":\"call.refused\",{ALICE},\"outcome\":\"refused\"{names}}}\n"
        )
    };
    let begun = "{\"seq\":1,\"time\":\"2025-11-21T08:00:00.000Z\",\"event\":\"journal.begun\",\"format\":2,\"log\":\"a\",\"previous\":null}\n";
    let text = [
        begun.to_owned(),
        record(
            2,
            r#","display":{"actor":"bob\") \u202e","agent":"Support desk"}"#,
        ),
        record(3, r#","display":{"actor":"alice"}"#),
        record(4, r#","display":7"#),
        record(5, ""),
    ]
    .concat();
    std::fs::write(temp.path().join("journal-00000001.jsonl"), text).unwrap();
    std::fs::write(temp.path().join("key"), "").unwrap();
    let shown = |actor: Option<&str>| {
        let args = Args {
            folder: temp.path().to_owned(),
            actor: actor.map(str::to_owned),
            ..Args::default()
        };
        let mut bytes = Vec::new();
        run(&args, &mut Page::new(&mut bytes, false)).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let all = shown(None);
    assert_eq!(all.matches("not identity").count(), 2, "{all}");
    assert!(all.contains(r#"alice (shown as "bob\") "#), "{all}");
    assert!(
        all.contains(r#"bot (shown as "Support desk", not identity)"#),
        "{all}"
    );
    assert!(!all.contains('\u{202e}'), "{all}");
    assert!(
        shown(Some("alice")).contains("4 records"),
        "{}",
        shown(Some("alice"))
    );
    for name in ["bob", "Support desk", "bob\") \u{202e}"] {
        assert!(shown(Some(name)).contains("no record fits"), "{name}");
    }
}
