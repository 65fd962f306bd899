//! How a session on standard streams begins and ends: tokens, the end of input, signals.

use std::fs;

use anyhow::{Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::{count, ensure_eq, guest};
use serde_json::json;

use super::session::{Desktop, MODERN, call, code};

/// The exit code after a refused token.
const REFUSED: i32 = 77;

#[tokio::test]
async fn a_refused_token_ends_the_session_and_says_why() -> Result<()> {
    let desktop = Desktop::start().await?;
    let good = desktop.good()?;
    for (token, why) in [
        (desktop.token(-600)?, "the token has expired"),
        (format!("{good}x"), "the token's signature does not verify"),
        (
            "no-token-of-anyone".to_owned(),
            "expected `Authorization: Bearer`",
        ),
        ("x".repeat(20_000), "the token is larger than 16 KiB"),
    ] {
        let mut session = desktop.session(&token)?;
        let answer = session.ask(&call(1, "whoami", json!({}), MODERN)).await?;
        let end = session.ends().await?;
        ensure_eq(answer.get("id"), Some(&json!(1)), why)?;
        for text in [answer.to_string(), end.said.clone()] {
            let both = ["its access token is refused", why];
            ensure!(
                both.iter().all(|words| text.contains(words)),
                "{why}: {text}"
            );
            ensure!(!text.contains(&token), "the token is in {text}");
        }
        ensure_eq(end.status.code(), Some(REFUSED), why)?;
    }
    ensure_eq(count(&desktop.records()?, "call.opened"), 0, "calls")?;
    // Its twin.
    let mut session = desktop.session(&good)?;
    let answer = session.ask(&call(1, "whoami", json!({}), MODERN)).await?;
    ensure!(answer.get("result").is_some(), "{answer}");
    ensure_eq(
        session.close().await?.status.code(),
        Some(0),
        "the end of input",
    )
}

#[tokio::test]
async fn a_token_file_is_read_again_so_a_renewed_token_goes_on() -> Result<()> {
    let desktop = Desktop::start().await?;
    let path = desktop.folder.path().join("secrets/token");
    let path = path.to_string_lossy();
    let write = |token: &str| desktop.folder.write_secret("token", token);
    write(&desktop.token(-600)?)?;
    let mut session = desktop.session_with(&[("BAILIWICK_TOKEN_FILE", &path)])?;
    // The first message finds the token that was renewed after the start.
    write(&desktop.good()?)?;
    for id in 0..3 {
        let answer = session.ask(&call(id, "whoami", json!({}), MODERN)).await?;
        ensure!(answer.get("result").is_some(), "{answer}");
        write(&desktop.good()?)?;
    }
    // A file that is gone for a moment is not another token.
    fs::remove_file(&*path)?;
    let answer = session.ask(&call(4, "whoami", json!({}), MODERN)).await?;
    ensure!(answer.get("result").is_some(), "{answer}");
    write(&desktop.token(-600)?)?;
    let answer = session.ask(&call(5, "whoami", json!({}), MODERN)).await?;
    ensure_eq(code(&answer), Some(-32600), &answer.to_string())?;
    ensure_eq(
        session.ends().await?.status.code(),
        Some(REFUSED),
        "refused",
    )?;
    ensure_eq(count(&desktop.records()?, "call.closed"), 4, "calls")
}

#[tokio::test]
async fn a_host_without_exactly_one_place_for_the_token_does_not_start() -> Result<()> {
    let desktop = Desktop::start().await?;
    let good = desktop.good()?;
    desktop.folder.write_secret("token", "")?;
    let empty = desktop.folder.path().join("secrets/token");
    let empty = empty.to_string_lossy();
    for (environment, why) in [
        (vec![], "expected an access token"),
        (vec![("BAILIWICK_TOKEN", "")], "expected an access token"),
        (
            vec![
                ("BAILIWICK_TOKEN", good.as_str()),
                ("BAILIWICK_TOKEN_FILE", &empty),
            ],
            "not both",
        ),
        (
            vec![("BAILIWICK_TOKEN_FILE", &empty)],
            "expected one access token",
        ),
        (
            vec![("BAILIWICK_TOKEN_FILE", "/no/such/file")],
            "/no/such/file cannot be used",
        ),
        (
            vec![("BAILIWICK_TOKEN", "two words")],
            "expected one access token",
        ),
    ] {
        let end = desktop.session_with(&environment)?.ends().await?;
        ensure_eq(end.status.code(), Some(1), why)?;
        ensure!(
            end.said.contains(why) && end.lines.is_empty(),
            "{why}: {end:?}"
        );
        ensure!(!end.said.contains(&good), "{why}: {end:?}");
    }
    ensure!(
        desktop.session(&good)?.close().await?.status.success(),
        "its twin"
    );
    Ok(())
}

#[tokio::test]
async fn open_calls_are_answered_after_the_end_of_input_and_after_a_signal() -> Result<()> {
    let desktop = Desktop::with(&[("prober.wasm", guest("prober").await?)]).await?;
    for by_signal in [false, true] {
        let mut session = desktop.session(&desktop.good()?)?;
        // It computes until its time is over.
        session
            .send(&call("long", "spin", json!({}), MODERN))
            .await?;
        let answer = session.ask(&call(2, "whoami", json!({}), MODERN)).await?;
        ensure!(answer.get("result").is_some(), "{answer}");
        let end = if by_signal {
            session.terminate()?;
            session.ends().await?
        } else {
            session.close().await?
        };
        let ids: Vec<_> = end.lines.iter().filter_map(|line| line.get("id")).collect();
        ensure_eq(ids, [&json!("long")], &format!("{by_signal}: {end:?}"))?;
        ensure!(end.status.success(), "{end:?}");
    }
    let records = desktop.records()?;
    ensure_eq(count(&records, "call.opened"), 4, "opened")?;
    ensure_eq(count(&records, "call.closed"), 4, "closed")
}

#[tokio::test]
async fn calls_under_way_are_answered_after_the_next_token_is_refused() -> Result<()> {
    let desktop = Desktop::with(&[("prober.wasm", guest("prober").await?)]).await?;
    let path = desktop.folder.path().join("secrets/token");
    let path = path.to_string_lossy();
    desktop.folder.write_secret("token", &desktop.good()?)?;
    let mut session = desktop.session_with(&[("BAILIWICK_TOKEN_FILE", &path)])?;
    session
        .send(&call("long", "spin", json!({}), MODERN))
        .await?;
    let answer = session.ask(&call(2, "whoami", json!({}), MODERN)).await?;
    ensure!(answer.get("result").is_some(), "{answer}");
    desktop
        .folder
        .write_secret("token", &desktop.token(-600)?)?;
    let refused = session.ask(&call(3, "whoami", json!({}), MODERN)).await?;
    ensure_eq(refused.get("id"), Some(&json!(3)), "at once")?;
    let end = session.ends().await?;
    let ids: Vec<_> = end.lines.iter().filter_map(|line| line.get("id")).collect();
    ensure_eq(ids, [&json!("long")], &format!("{end:?}"))?;
    ensure_eq(end.status.code(), Some(REFUSED), "the end")?;
    let records = desktop.records()?;
    ensure_eq(count(&records, "call.opened"), 2, "opened")?;
    ensure_eq(count(&records, "call.closed"), 2, "closed")
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_keep_the_host_from_ending() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut session = desktop.session(&desktop.good()?)?;
    session.fill(&call(1, "whoami", json!({}), MODERN)).await?;
    session.terminate()?;
    ensure!(session.ends_unread().await?.success(), "it stops as always");
    let records = desktop.records()?;
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "calls",
    )
}

#[tokio::test]
async fn a_host_on_streams_opens_no_port_and_says_what_it_needs() -> Result<()> {
    let desktop = Desktop::start().await?;
    let config = fs::read_to_string(desktop.folder.config())?;
    let without: Vec<&str> = config
        .lines()
        .filter(|line| !line.starts_with("resource"))
        .collect();
    let mut session = desktop.session(&desktop.good()?)?;
    let answer = session.ask(&call(1, "whoami", json!({}), MODERN)).await?;
    ensure!(answer.get("result").is_some(), "{answer}");
    let end = session.close().await?;
    ensure!(
        end.said.contains("serving standard input and output"),
        "{end:?}"
    );
    ensure!(!end.said.contains("listening on"), "{end:?}");
    fs::write(desktop.folder.config(), without.join("\n"))?;
    let end = desktop.session(&desktop.good()?)?.ends().await?;
    ensure!(end.said.contains("server.resource is missing"), "{end:?}");
    let both = ["serve", "--stdio", "--until-stdin-closes", "--config", "x"];
    let refused = process::run(&bailiwick_tests::bailiwick()?, &both).await?;
    ensure!(
        !refused.status.success(),
        "the two ways to use standard input"
    );
    Ok(())
}
