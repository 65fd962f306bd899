//! Beginnings and ends: of calls whose client disconnects or whose time runs out, and of the host.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::issuer::Misbehaviour;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Host, process};
use bailiwick_tests::{Plan, World, bailiwick, count, ensure_eq, probing};
use http::StatusCode;
use serde_json::{Value, json};

/// Lets the service take its time.
fn slow(world: &World, delay: Duration) {
    let body = r#"{"id": "A-1001", "status": "shipped"}"#;
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body).after(delay));
}

/// Waits for the one `call.closed`.
async fn closed(world: &World) -> Result<Value> {
    for _ in 0..80 {
        let records = world.records()?;
        if let Some(record) = events(&records, "call.closed").first() {
            return Ok((*record).clone());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the call is never closed")
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_call() -> Result<()> {
    let world = World::start().await?;
    slow(&world, Duration::from_secs(30));
    let token = world.token("alice")?;
    let call = tokio::time::timeout(Duration::from_millis(700), world.order(&token, "A-1001"));
    ensure!(call.await.is_err(), "the service was not slow");
    let closed = closed(&world).await?;
    ensure_eq(text(&closed, "outcome"), "cancelled", "outcome")?;
    let records = world.records()?;
    ensure_eq(
        count(&records, "downstream.opened"),
        count(&records, "downstream.closed"),
        "downstream",
    )
}

/// Returns a world with a tool that may change an order, and what becomes of that if its client
/// goes away.
async fn changing(policy: &'static str) -> Result<World> {
    let plan = probing("on_behalf_of", move |config| {
        let allow = format!("on_cancel = \"{policy}\"\nallow = [\"POST /orders/{{}}\", ");
        config.services = config.services.replacen("allow = [", &allow, 1);
    });
    World::with(plan.await?).await
}

fn asking(method: &str) -> Value {
    json!({"service": "orders_api", "method": method, "path": ["orders", "A-1001"]})
}

#[tokio::test]
async fn an_exchange_that_has_left_is_recorded_although_its_client_goes_away_and_nothing_follows()
-> Result<()> {
    // A change is finished once it was sent. This one was not.
    let world = changing("finish").await?;
    world.issuer.misbehave(Misbehaviour::SlowExchange);
    let token = world.token("alice")?;
    let exchanged = async {
        while world.issuer.exchanges().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let change = asking("POST");
    tokio::select! {
        answer = world.call(&token, "ask", &change) => anyhow::bail!("{answer:?}"),
        () = exchanged => {}
    }
    let closed = closed(&world).await?;
    ensure_eq(text(&closed, "outcome"), "cancelled", "outcome")?;
    ensure_eq(count(&world.records()?, "token.exchanged"), 1, "tokens")?;
    ensure!(world.orders.requests().is_empty(), "the service is asked");
    Ok(())
}

#[tokio::test]
async fn a_cancelled_call_tells_how_far_it_got_and_its_change_is_finished_or_given_up_by_policy()
-> Result<()> {
    for (policy, method, downstream, answered, reached) in [
        ("finish", "POST", "done", true, [1, 0, 0]),
        ("abort", "POST", "unknown", false, [0, 0, 1]),
        ("finish", "GET", "cancelled", false, [0, 1, 0]),
    ] {
        let world = changing(policy).await?;
        slow(&world, Duration::from_secs(2));
        let token = world.token("alice")?;
        let arguments = asking(method);
        let call = tokio::time::timeout(
            Duration::from_millis(700),
            world.call(&token, "ask", &arguments),
        );
        ensure!(call.await.is_err(), "the service was not slow");
        let closed = closed(&world).await?;
        ensure_eq(text(&closed, "outcome"), "cancelled", "outcome")?;
        let counts = ["done", "without_effect", "unknown"].map(|name| {
            closed
                .pointer(&format!("/detail/downstream_{name}"))
                .and_then(Value::as_i64)
                .unwrap_or(-1)
        });
        ensure_eq(
            counts,
            reached,
            &format!("{policy} {method}: how far it got"),
        )?;
        let records = world.records()?;
        let ended = *events(&records, "downstream.closed")
            .first()
            .context("no request was closed")?;
        ensure_eq(
            text(ended, "outcome"),
            downstream,
            &format!("{policy} {method}"),
        )?;
        ensure_eq(
            !ended["status"].is_null(),
            answered,
            &format!("{policy} {method}: answered"),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_call_whose_time_is_up_is_ended() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.limits = "[limits]\ntime = \"1s\"\ndownstream_time = \"20s\"\n".to_owned();
    }))
    .await?;
    slow(&world, Duration::from_secs(15));
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    let closed = closed(&world).await?;
    ensure_eq(text(&closed, "outcome"), "timed-out", "outcome")?;
    let records = world.records()?;
    ensure_eq(
        count(&records, "downstream.opened"),
        count(&records, "downstream.closed"),
        "downstream",
    )
}

#[tokio::test]
async fn a_host_that_is_told_to_stop_finishes_what_is_under_way() -> Result<()> {
    let world = World::start().await?;
    slow(&world, Duration::from_secs(2));
    let (url, token) = (world.host.url(), world.token("alice")?);
    let call = tokio::spawn(async move {
        let arguments = serde_json::json!({"order_id": "A-1001"});
        bailiwick_dev::mcp::call(&url, Some(&token), bailiwick_tests::ORDERS_TOOL, &arguments).await
    });
    tokio::time::sleep(Duration::from_millis(600)).await;
    let remains = world.stop().await?;
    let answer = call.await??;
    ensure!(answer.is_success(), "{}", answer.raw);
    let records = remains.records()?;
    ensure_eq(
        text(records.last().context("empty")?, "event"),
        "host.stopped",
        "the last record",
    )?;
    ensure_eq(events(&records, "call.closed").len(), 1, "closed")?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    Ok(())
}

#[tokio::test]
async fn one_journal_has_one_host() -> Result<()> {
    let world = World::start().await?;
    let second = Host::start(&bailiwick()?, &world.folder.config()).await;
    let error = second
        .err()
        .context("a second host writes the same journal")?
        .to_string();
    ensure!(error.contains("audit"), "{error}");
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the first suffers"
    );
    Ok(())
}

#[tokio::test]
async fn keys_and_journal_are_for_their_owner_only() -> Result<()> {
    let world = World::start().await?;
    for part in ["audit", "keys"] {
        let folder = world.folder.path().join(part);
        ensure_eq(mode(&folder)?, 0o700, part)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            ensure_eq(mode(&path)?, 0o600, &path.display().to_string())?;
        }
    }
    Ok(())
}

fn mode(path: &std::path::Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

#[tokio::test]
async fn a_tools_folder_that_others_can_write_is_refused() -> Result<()> {
    let remains = World::start().await?.stop().await?;
    let tools = remains.folder.path().join("tools");
    fs::set_permissions(&tools, Permissions::from_mode(0o777))?;
    let error = remains
        .restart()
        .await
        .err()
        .context("it starts")?
        .to_string();
    ensure!(error.contains("tools"), "{error}");
    Ok(())
}

#[tokio::test]
async fn keys_stay_the_same_over_a_restart_and_old_envelopes_verify() -> Result<()> {
    let world = World::start().await?;
    let jwks = |world: &World| world.host.at("/.well-known/jwks.json");
    let before = bailiwick_dev::client::fetch(&jwks(&world)).await?.json()?;
    let world = world.stop().await?.restart().await?;
    ensure_eq(
        bailiwick_dev::client::fetch(&jwks(&world)).await?.json()?,
        before,
        "keys",
    )
}

#[tokio::test]
async fn verification_without_a_key_says_so_and_strictly_fails() -> Result<()> {
    let remains = World::start().await?.stop().await?;
    let audit = remains.folder.audit();
    let audit = audit.to_string_lossy();
    let loose = process::run(&bailiwick()?, &["audit", "verify", &audit]).await?;
    ensure!(
        loose.status.success(),
        "{}",
        String::from_utf8_lossy(&loose.stderr)
    );
    let said = String::from_utf8_lossy(&loose.stdout).to_lowercase();
    ensure!(
        said.contains("not pinned") || said.contains("not given"),
        "{said}"
    );
    let strict = process::run(&bailiwick()?, &["audit", "verify", &audit, "--strict"]).await?;
    ensure!(!strict.status.success(), "strict without a key");
    Ok(())
}
