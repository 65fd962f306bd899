//! The ends of sessions, and their bounds.

use std::time::Instant;

use anyhow::{Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::{World, bailiwick, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;

use super::client::{Client, SOON, asked, world};

/// Returns the status of a request in a session.
async fn status(client: &Client) -> Result<StatusCode> {
    Ok(client.ask("tools/list", &json!({})).await?.status)
}

#[tokio::test]
async fn a_session_ends_when_its_client_ends_it_and_another_does_not() -> Result<()> {
    let world = world("").await?;
    let token = world.token("alice")?;
    let (one, two) = (
        Client::open(&world, &token).await?,
        Client::open(&world, &token).await?,
    );
    let mut stream = one.stream().await?;
    let mut waiting = one.call("book", &json!({"room": 7})).await?;
    asked(&mut waiting, "elicitation/create").await?;
    let ended = one.end().await?;
    ensure_eq(ended.status, StatusCode::NO_CONTENT, "the end")?;
    ensure!(stream.next(SOON).await?.is_none(), "its stream goes on");
    let cut = waiting.next(SOON).await?.unwrap_or_default();
    ensure!(cut["method"] == "notifications/cancelled", "{cut}");
    let last = waiting.next(SOON).await?.unwrap_or_default();
    ensure!(last["result"]["isError"] == true, "{last}");
    ensure_eq(status(&one).await?, StatusCode::NOT_FOUND, "after its end")?;
    ensure_eq(one.end().await?.status, StatusCode::NOT_FOUND, "twice")?;
    ensure_eq(status(&two).await?, StatusCode::OK, "the other")
}

#[tokio::test]
async fn a_session_that_is_old_ends_with_its_stream() -> Result<()> {
    for (limits, ends) in [("session_time = \"1s\"", true), ("", false)] {
        let world = world(limits).await?;
        let client = Client::open(&world, &world.token("alice")?).await?;
        let mut stream = client.stream().await?;
        if !ends {
            ensure_eq(status(&client).await?, StatusCode::OK, "a young one")?;
            continue;
        }
        ensure!(stream.next(SOON).await?.is_none(), "its stream goes on");
        ensure_eq(status(&client).await?, StatusCode::NOT_FOUND, "an old one")?;
    }
    Ok(())
}

/// Changes the denials, and sees that the running host follows.
async fn deny(world: &World, options: &[&str]) -> Result<()> {
    let config = world.folder.config();
    let config = config.to_string_lossy();
    let words = [&["deny", "--config", config.as_ref()], options].concat();
    let output = process::run(&bailiwick()?, &words).await?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(said.contains("the running host has followed"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_denial_ends_the_sessions_of_whom_it_stops_for_good() -> Result<()> {
    let world = world("").await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let (own, other) = (
        Client::open(&world, &alice).await?,
        Client::open(&world, &bob).await?,
    );
    let mut waiting = own.call("book", &json!({"room": 7})).await?;
    let (id, _) = asked(&mut waiting, "elicitation/create").await?;
    let mut stream = own.stream().await?;
    deny(
        &world,
        &["--subject", "alice", "--reason", "left the company"],
    )
    .await?;
    ensure!(stream.next(SOON).await?.is_none(), "its stream goes on");
    let refused = own.answer(&id, &json!({"action": "decline"})).await?;
    ensure_eq(refused, StatusCode::FORBIDDEN, "an answer")?;
    let mut last = json!(null);
    while let Some(message) = waiting.next(SOON).await? {
        last = message;
    }
    ensure!(
        last["error"]["data"]["reason"] == "denied" || last["result"]["isError"] == true,
        "{last}"
    );
    deny(&world, &["--lift", "d1"]).await?;
    let began = Instant::now();
    while status(&own).await? == StatusCode::FORBIDDEN && began.elapsed() < SOON {}
    ensure_eq(status(&own).await?, StatusCode::NOT_FOUND, "it is over")?;
    ensure_eq(status(&other).await?, StatusCode::OK, "another's")?;
    Client::open(&world, &alice).await?;
    Ok(())
}

#[tokio::test]
async fn one_principal_has_so_many_sessions_and_no_more() -> Result<()> {
    let world = world("sessions_per_user = 2").await?;
    let token = world.token("alice")?;
    let one = Client::open(&world, &token).await?;
    Client::open(&world, &token).await?;
    let (third, refused) = Client::initialize(&world, &token, &json!({})).await?;
    ensure_eq(refused.status, StatusCode::SERVICE_UNAVAILABLE, "a third")?;
    ensure!(
        third.session.is_none() && refused.raw.contains("sessions_per_user"),
        "{}",
        refused.raw
    );
    let told = reasons(&world.records()?, "call.refused");
    ensure_eq(
        told.last().map(String::as_str),
        Some("overloaded"),
        "record",
    )?;
    Client::open(&world, &world.token("bob")?).await?;
    ensure_eq(status(&one).await?, StatusCode::OK, "the first")?;
    ensure_eq(one.end().await?.status, StatusCode::NO_CONTENT, "an end")?;
    Client::open(&world, &token).await?;
    Ok(())
}
