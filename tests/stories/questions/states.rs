//! States that a client may not go on with.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_tests::{World, accept, asker, ensure_eq, reasons};
use serde_json::json;

use super::client::{Asked, asking, asking_for, retry, state, stay};

#[tokio::test]
async fn a_state_is_used_once_by_whom_and_for_what_it_was_given() -> Result<()> {
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    let first = book.call(&world, &token, &json!({})).await?;
    let sealed = state(&first)?.to_owned();
    let answers = json!({"stay": stay()});
    let mut cut = sealed.clone();
    cut.pop();
    let turned: String = sealed.chars().rev().collect();
    let client = world.issuer.token(&world.spec("alice").client("phone"))?;
    let (bob, other_room) = (world.token("bob")?, Asked::of("book", json!({"room": 8})));
    let (own, survey) = (|| token.clone(), Asked::of("survey", json!({})));
    for (what, asked, token, text) in [
        ("another user", &book, bob, sealed.clone()),
        ("another client", &book, client, sealed.clone()),
        ("other arguments", &other_room, own(), sealed.clone()),
        ("another tool", &survey, own(), sealed.clone()),
        ("cut", &book, own(), cut),
        ("turned round", &book, own(), turned),
        ("longer", &book, own(), format!("{sealed}A")),
        ("made up", &book, own(), "AAAA".to_owned()),
        ("empty", &book, own(), String::new()),
        (
            "the guest's own",
            &book,
            own(),
            "2 nights with full board".to_owned(),
        ),
    ] {
        let refused = asked.call(&world, &token, &retry(&text, &answers)).await?;
        ensure_eq(
            refused.error_code(),
            Some(-32602),
            &format!("{what}: {}", refused.raw),
        )?;
        let told = reasons(&world.records()?, "call.refused").pop();
        ensure_eq(told.as_deref(), Some("state-refused"), what)?;
    }
    // No refusal used it up.
    let used = book.call(&world, &token, &retry(&sealed, &answers)).await?;
    let next = state(&used)?.to_owned();
    for _ in 0..2 {
        let replayed = book.call(&world, &token, &retry(&sealed, &answers)).await?;
        ensure_eq(replayed.error_code(), Some(-32602), &replayed.raw)?;
        ensure!(replayed.raw.contains("used already"), "{}", replayed.raw);
    }
    // Another process with the same keys goes on.
    let world = world.stop().await?.restart().await?;
    let sure = json!({"sure": accept(&json!({"sure": true}))});
    // It has another port, so the token is another.
    let token = world.token("alice")?;
    let done = book.call(&world, &token, &retry(&next, &sure)).await?;
    ensure!(
        done.text().starts_with("room 7 for 2 nights"),
        "{}",
        done.raw
    );
    Ok(())
}

#[tokio::test]
async fn a_state_is_of_one_tenant() -> Result<()> {
    let named = "tenant = { claim = \"tenant\" }\n";
    let world =
        World::with(asker(false, move |config| config.issuers.push_str(named)).await?).await?;
    let token = |tenant: &str| world.issuer.token(&world.spec("alice").tenant(tenant));
    let (own, other) = (token("acme")?, token("globex")?);
    let book = Asked::of("book", json!({"room": 7}));
    let first = book.call(&world, &own, &json!({})).await?;
    let more = retry(state(&first)?, &json!({"stay": stay()}));
    let refused = book.call(&world, &other, &more).await?;
    ensure_eq(refused.error_code(), Some(-32602), &refused.raw)?;
    let told = reasons(&world.records()?, "call.refused").pop();
    ensure_eq(told.as_deref(), Some("state-refused"), "the record")?;
    state(&book.call(&world, &own, &more).await?)?;
    Ok(())
}

#[tokio::test]
async fn of_two_requests_with_one_state_one_goes_on() -> Result<()> {
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    for _ in 0..5 {
        let first = book.call(&world, &token, &json!({})).await?;
        let more = retry(state(&first)?, &json!({"stay": stay()}));
        let once = || book.call(&world, &token, &more);
        let (one, two, three) = tokio::try_join!(once(), once(), once())?;
        let refused = [&one, &two, &three].map(|answer| answer.error_code() == Some(-32602));
        ensure_eq(
            refused.iter().filter(|refused| **refused).count(),
            2,
            "refused",
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_state_ends_with_its_time() -> Result<()> {
    for (time, accepted) in [("1s", false), ("1h", true)] {
        let world = asking_for(false, &format!("answer_time = \"{time}\"")).await?;
        let token = world.token("alice")?;
        let book = Asked::of("book", json!({"room": 7}));
        let first = book.call(&world, &token, &json!({})).await?;
        let more = retry(state(&first)?, &json!({"stay": stay()}));
        // The first ends in this time at the latest.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let answer = book.call(&world, &token, &more).await?;
        if accepted {
            state(&answer)?;
            continue;
        }
        ensure_eq(answer.error_code(), Some(-32602), &answer.raw)?;
        ensure!(answer.raw.contains("expired"), "{}", answer.raw);
    }
    Ok(())
}
