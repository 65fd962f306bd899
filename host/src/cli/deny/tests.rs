#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;

use anyhow::bail;
use bailiwick::audit::parse_time;
use clap::Parser as _;
use serde_json::Value;

use super::super::testing::{CONFIG, Site};
use super::*;

/// Runs `bailiwick deny` with these options; returns what it prints: findings, then remarks.
fn deny(site: &Site, options: &[&str]) -> anyhow::Result<String> {
    let ([findings, remarks], result) = told(site, options)?;
    result.map(|()| findings + &remarks)
}

/// Runs `bailiwick deny` with these options; returns its findings and its remarks, and how it ends.
fn told(site: &Site, options: &[&str]) -> anyhow::Result<([String; 2], anyhow::Result<()>)> {
    let config = site.config();
    let words = ["bailiwick", "deny", "--config", config.to_str().unwrap()];
    let words = [&words[..], options].concat();
    let cli = crate::Cli::try_parse_from(words)?;
    let crate::Command::Deny(args) = cli.command else {
        bail!("that is another command")
    };
    let (mut findings, mut remarks) = (Vec::new(), Vec::new());
    let result = super::deny(
        &args,
        &mut Page::new(&mut findings, false),
        &mut Page::new(&mut remarks, false),
    );
    let texts = [findings, remarks].map(|bytes| String::from_utf8(bytes).unwrap());
    Ok((texts, result))
}

/// Makes the folder of the site's journal.
fn journal(site: &Site) -> PathBuf {
    let settings = config::deny_settings(&site.config()).unwrap();
    fs::create_dir(&settings.journal.folder).unwrap();
    settings.journal.folder
}

/// Holds the site's journal, as a running host does. It makes nothing of a change.
fn in_use(site: &Site) -> fs::File {
    let lock = fs::File::create(journal(site).join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

fn listed(site: &Site) -> Vec<Value> {
    let list: Value = serde_json::from_str(&deny(site, &["--json"]).unwrap()).unwrap();
    let denials = list.get("denials").and_then(Value::as_array);
    denials.unwrap().clone()
}

#[test]
fn what_is_denied_is_listed_until_it_is_lifted_and_no_id_is_given_twice() {
    let site = Site::new(CONFIG, &[]);
    assert!(deny(&site, &[]).unwrap().contains("nothing is denied"));
    assert!(
        !site.names().contains(&"denials.json".to_owned()),
        "a list is made"
    );
    let said = deny(&site, &["--subject", "alice", "--reason", "left"]).unwrap();
    assert!(said.contains("d1 subject alice of https://"), "{said}");
    assert!(said.contains("no host runs here"), "{said}");
    let options = [
        "--tool",
        "get_order",
        "--reason",
        "it repeats",
        "--for",
        "8h",
    ];
    assert!(
        deny(&site, &options)
            .unwrap()
            .contains("d2 tool get_order until 2")
    );
    assert_eq!(listed(&site).len(), 2);
    deny(&site, &["--lift", "d2"]).unwrap();
    let error = deny(&site, &["--lift", "d2"]).unwrap_err().to_string();
    assert!(error.contains("there is no denial \"d2\""), "{error}");
    let said = deny(&site, &["--agent", "clerk", "--reason", "odd"]).unwrap();
    assert!(said.starts_with("d4 "), "{said}");
    let latest = ["--until", "9999-12-31T23:59:59.999Z"];
    let options = [&["--tool", "t", "--reason", "x"], &latest[..]].concat();
    assert!(deny(&site, &options).unwrap().starts_with("d5 "));
    deny(&site, &["--lift", "d5"]).unwrap();
    let left: Vec<_> = listed(&site).iter().map(|one| one["id"].clone()).collect();
    assert_eq!(left, ["d1", "d4"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn nothing_is_denied_that_could_stop_less_or_something_else() {
    let site = Site::new(CONFIG, &[]);
    let reason = ["--reason", "x"];
    let digest = format!("sha256:{}", "A".repeat(64));
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    deny(&site, &["--subject", "bob", "--reason", "x"]).unwrap();
    for (options, expected) in [
        (&["--subject", "bob"][..], "--reason is missing"),
        (
            &["--subject", "bob", "--reason", "y", "--for", "1h"],
            "denied already as d1",
        ),
        (&["--subject", "al\u{200b}ice", "--reason", "x"], "U+200B"),
        (&["--subject", "", "--reason", "x"], "its name is empty"),
        (
            &["--subject", "a", "--reason", "two\nlines"],
            "not one plain line",
        ),
        (
            &["--subject", "a", "--reason", "\u{202e}x"],
            "not one plain line",
        ),
        (
            &["--subject", "a", "--issuer", "corq", "--reason", "x"],
            "--issuer: expected ",
        ),
        (
            &["--tool", "t", "--issuer", "corq", "--reason", "x"],
            "--issuer: expected ",
        ),
        (
            &["--subject", "a", "--reason", "x", "--for", "8"],
            "--for: expected 30m",
        ),
        (
            &["--subject", "a", "--reason", "x", "--for", "99999999999d"],
            "--for: expected",
        ),
        (
            &["--subject", "a", "--reason", "x", "--until", "2020-01-01"],
            "expected a time that is to come",
        ),
        (
            &[
                "--subject",
                "a",
                "--reason",
                "x",
                "--until",
                "9999-12-31T23:59-01:00",
            ],
            "--until: expected 2026",
        ),
        (&["--component", &digest, "--reason", "x"], "64 lower-case"),
        (
            &["--component", text, "--reason", "x"],
            "no WebAssembly component",
        ),
        (
            &["--tool", "*", "--reason", "x"],
            "expected one tool's name",
        ),
        (
            &["--tool", "a,b", "--reason", "x"],
            "expected one tool's name",
        ),
        (
            &["--component", "missing.wasm", "--reason", "x"],
            "nor a file",
        ),
        (
            &["--subject", "a", "--tool", "t", "--reason", "x"],
            "cannot be used with",
        ),
        (
            &["--reason", "x"],
            "--reason belongs to a denial: say also what",
        ),
        (&["--for", "8h"], "--for belongs to a denial: say also what"),
        (
            &["--lift", "d1", "--reason", "x"],
            "--reason belongs to a new denial: leave it out with --lift",
        ),
        (
            &["--adopt", "--issuer", "corp"],
            "--issuer belongs to a new denial: leave it out with --adopt",
        ),
        (&["--lift", "d1", "--adopt"], "cannot be used with"),
    ] {
        let error = format!("{:#}", deny(&site, options).unwrap_err());
        assert!(error.contains(expected), "{options:?}: {error}");
    }
    assert_eq!(listed(&site).len(), 1);
    let long = "x".repeat(201);
    assert!(deny(&site, &["--subject", "a", "--reason", &long]).is_err());
    assert!(deny(&site, &["--subject", "a", "--reason", &long[1..]]).is_ok());
    site.write("code.wasm", b"\0asm");
    let code = site.config().with_file_name("code.wasm");
    let said = deny(
        &site,
        &[&["--component", code.to_str().unwrap()], &reason[..]].concat(),
    );
    assert!(
        said.unwrap().contains("component sha256:cd5d4935"),
        "the digest of the file"
    );
}

#[test]
fn a_denial_needs_only_the_parts_of_the_configuration_that_are_about_it() {
    let broken = CONFIG.replace("[components", "unknown = 1\n[components");
    let site = Site::new(&broken, &[]);
    assert!(config::load(&site.config()).is_err());
    assert!(deny(&site, &["--subject", "alice", "--reason", "x"]).is_ok());
    let site = Site::new(&CONFIG.replace("[audit]", "[audi]"), &[]);
    let error = format!(
        "{:#}",
        deny(&site, &["--subject", "a", "--reason", "x"]).unwrap_err()
    );
    assert!(error.contains("[audit] is missing"), "{error}");
}

#[test]
fn a_list_that_was_lost_is_only_begun_anew_on_request() {
    let site = Site::new(CONFIG, &[]);
    deny(&site, &["--subject", "alice", "--reason", "x"]).unwrap();
    let file = config::deny_settings(&site.config()).unwrap().file;
    let good = fs::read(file.path()).unwrap();
    fs::remove_file(file.path()).unwrap();
    for options in [
        &[][..],
        &["--tool", "t", "--reason", "x"],
        &["--lift", "d1"],
    ] {
        let error = format!("{:#}", deny(&site, options).unwrap_err());
        assert!(
            error.contains("bailiwick deny --adopt"),
            "{options:?}: {error}"
        );
    }
    fs::write(file.path(), b"{").unwrap();
    assert!(deny(&site, &[]).is_err(), "damaged");
    let said = deny(&site, &["--adopt"]).unwrap();
    assert!(
        said.contains("with 0 denials") && said.contains(".damaged"),
        "{said}"
    );
    fs::write(file.path(), good).unwrap();
    let error = format!("{:#}", deny(&site, &[]).unwrap_err());
    assert!(
        error.contains("change 1, but change 2 was there before"),
        "{error}"
    );
    let said = deny(&site, &["--adopt"]).unwrap();
    assert!(said.contains("with 1 denial"), "{said}");
    assert_eq!(listed(&site).len(), 1);
}

#[test]
fn a_change_is_told_as_json_with_what_the_host_made_of_it() {
    let site = Site::new(CONFIG, &[]);
    let json = |options: &[&str]| {
        let ([findings, remarks], result) = told(&site, &[options, &["--json"]].concat()).unwrap();
        assert_eq!(remarks, "", "{options:?}");
        let mut value: Value = serde_json::from_str(&findings).unwrap();
        let times = value.pointer_mut("/added/added").into_iter();
        times.for_each(|time| assert!(parse_time(time.take().as_str().unwrap()).is_some()));
        (value, result.is_ok())
    };
    let alice = json!({"id": "d1", "of": "subject", "issuer": "https://idp.example.com",
        "name": "alice", "reason": "left", "added": null, "until": "9999-12-31T08:00:00.000Z"});
    let options = ["--subject", "alice", "--reason", "left"];
    let options = [&options[..], &["--until", "9999-12-31T08:00"]].concat();
    let expected = json!({"change": 1, "added": alice, "host": "none"});
    assert_eq!(json(&options), (expected, true));
    let _in_use = in_use(&site);
    let tool = ["--tool", "get_order", "--reason", "x"];
    let get_order = json!({"id": "d2", "of": "tool", "name": "get_order", "reason": "x",
        "added": null});
    let expected = json!({"change": 2, "added": get_order, "host": "not_followed"});
    assert_eq!(json(&tool), (expected, false));
    let (lifted, _) = json(&["--lift", "d1", "--lift", "d2"]);
    let ids = ["/lifted/0/id", "/lifted/1/id"].map(|place| lifted.pointer(place).unwrap().clone());
    assert_eq!(
        (&lifted["change"], ids),
        (&json!(3), ["d1", "d2"].map(Value::from))
    );
    let adopted = json!({"change": 4, "adopted": {"denials": []}, "host": "not_followed"});
    assert_eq!(json(&["--adopt"]), (adopted, false));
}

#[test]
fn a_host_that_does_not_follow_is_an_error_and_the_denial_stands() {
    let site = Site::new(CONFIG, &[]);
    let lock = in_use(&site);
    for options in [
        &["--subject", "alice", "--reason", "x"][..],
        &["--lift", "d1"],
        &["--subject", "bob", "--reason", "x"],
        &["--adopt"],
    ] {
        let error = deny(&site, options).unwrap_err().to_string();
        assert!(error.contains("has not followed"), "{options:?}: {error}");
    }
    let names: Vec<_> = listed(&site)
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["bob"]);
    lock.unlock().unwrap();
    assert!(deny(&site, &["--lift", "d3"]).is_ok(), "no host runs");
}

#[test]
fn a_journal_that_cannot_be_judged_is_said_and_does_not_hold_up_a_denial() {
    let site = Site::new(CONFIG, &[]);
    fs::write(journal(&site).join("checkpoint"), "nothing of the kind").unwrap();
    let said = deny(&site, &["--tool", "t", "--reason", "x"]).unwrap();
    assert!(
        said.contains("the journal cannot say") && said.contains("d1 tool t"),
        "{said}"
    );
}
