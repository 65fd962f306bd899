//! Tools cannot read a token, reach beyond their grant, or take more than their share.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest, header, reasons};
use serde_json::{Value, json};

/// Returns a world with the prober, which the operator lets reach the orders service.
pub(crate) async fn probed(limits: &'static str) -> Result<World> {
    let prober = guest("prober").await?;
    let digest = bailiwick_dev::folder::digest(&prober);
    World::with(Plan {
        components: vec![("prober.wasm".into(), prober)],
        config: Box::new(move |config| {
            *config = config
                .clone()
                .grant("prober", &digest, &[("orders_api", "on_behalf_of")]);
            config.limits = format!("[limits]\n{limits}\n");
        }),
        ..Plan::default()
    })
    .await
}

/// Returns the number of times that a text is in the memory of a tool that has just asked the
/// orders service.
async fn hunt(world: &World, token: &str, wanted: &str) -> Result<u64> {
    let pattern: Vec<u8> = wanted.bytes().map(|byte| byte.wrapping_add(1)).collect();
    let arguments = json!({"pattern": pattern, "after": ["orders", "A-1001"]});
    let answer = world.call(token, "hunt", &arguments).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let found = answer.structured();
    ensure!(
        found["searched"].as_u64() > Some(60_000),
        "it searched nothing: {found}"
    );
    found["times"].as_u64().context("no number")
}

#[tokio::test]
async fn a_tool_cannot_read_the_token() -> Result<()> {
    let world = probed("").await?;
    let token = world
        .issuer
        .token(&world.spec("alice").claim("sid", "find-me-if-you-can"))?;
    ensure!(
        hunt(&world, &token, "find-me-if-you-can").await? > 0,
        "it cannot hunt"
    );
    ensure!(
        hunt(&world, &token, "a brass telescope").await? > 0,
        "it did not get the answer"
    );
    let parts: Vec<&str> = token.split('.').collect();
    let mut wanted: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    for exchange in world.issuer.exchanges() {
        let issued = exchange.issued.context("nothing issued")?;
        wanted.extend(issued.rsplit('.').next().map(str::to_owned));
    }
    for request in world.orders.requests() {
        let transaction = header(&request, "txn-token");
        wanted.extend(transaction.rsplit('.').next().map(str::to_owned));
    }
    wanted.push("Bearer ".to_owned());
    wanted.push("a secret of the host".to_owned());
    for wanted in wanted {
        ensure!(wanted.len() >= 7);
        let times = hunt(&world, &token, &wanted).await?;
        ensure!(times == 0, "{wanted} is in the tool's memory");
    }
    Ok(())
}

/// Lets the prober ask; returns its result for each time.
async fn ask(world: &World, arguments: &Value) -> Result<(Vec<String>, String)> {
    let mut whole = json!({"service": "orders_api", "method": "GET", "path": ["orders", "A-1001"]});
    let members = whole.as_object_mut().context("an object")?;
    for (name, value) in arguments.as_object().context("an object")? {
        members.insert(name.clone(), value.clone());
    }
    let answer = world.call(&world.token("alice")?, "ask", &whole).await?;
    ensure!(answer.is_success(), "{arguments}: {}", answer.raw);
    let each: Vec<String> = serde_json::from_value(answer.structured()["each"].clone())?;
    Ok((
        each,
        answer.structured()["last"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    ))
}

#[tokio::test]
async fn a_tool_reaches_only_what_its_grant_names() -> Result<()> {
    let world = probed("").await?;
    let refused = [
        (
            json!({"service": "billing_api"}),
            "UnknownService",
            "unknown-service",
        ),
        (json!({"method": "POST"}), "NotGranted", "not-granted"),
        (json!({"path": ["orders"]}), "NotGranted", "not-granted"),
        (
            json!({"path": ["orders", "A-1001", "notes"]}),
            "NotGranted",
            "not-granted",
        ),
        (
            json!({"query": [["customer", "bob"]]}),
            "NotGranted",
            "not-granted",
        ),
        (
            json!({"path": ["customers", "bob", "orders"]}),
            "NotGranted",
            "not-granted",
        ),
        (
            json!({"path": ["orders", ".."]}),
            "InvalidRequest",
            "invalid-request",
        ),
        (
            json!({"path": ["orders", "A-1001/../A-2001"]}),
            "InvalidRequest",
            "invalid-request",
        ),
        (
            json!({"path": ["orders", ""]}),
            "InvalidRequest",
            "invalid-request",
        ),
        (
            json!({"method": "TRACE"}),
            "InvalidRequest",
            "invalid-request",
        ),
        (
            json!({"path": ["customers", "{actor.tenant}", "orders"]}),
            "",
            "",
        ),
    ];
    for (arguments, error, reason) in refused {
        let before = world.records()?.len();
        let (each, _) = ask(&world, &arguments).await?;
        let got = each.first().map(String::as_str).unwrap_or_default();
        ensure!(
            got.starts_with(error) && !got.starts_with('2'),
            "{arguments}: {got}"
        );
        let records = world.records()?;
        let new = records.get(before..).unwrap_or_default();
        ensure_eq(
            count(new, "downstream.refused"),
            1,
            &format!("{arguments}: records"),
        )?;
        ensure_eq(
            count(new, "downstream.opened"),
            0,
            &format!("{arguments}: opened"),
        )?;
        if !reason.is_empty() {
            ensure_eq(
                reasons(new, "downstream.refused"),
                vec![reason.to_owned()],
                error,
            )?;
        }
    }
    ensure!(
        world.orders.requests().is_empty(),
        "the service heard something"
    );
    ensure!(
        world.issuer.exchanges().is_empty(),
        "the issuer heard something"
    );
    let mine =
        json!({"path": ["customers", "{actor.sub}", "orders"], "query": [["status", "packed"]]});
    let (each, last) = ask(&world, &mine).await?;
    ensure_eq(each, vec!["200".to_owned()], "its own orders")?;
    ensure!(
        last.contains("sea charts") && !last.contains("telescope"),
        "{last}"
    );
    let requests = world.orders.requests();
    ensure_eq(
        requests.first().map(|request| request.path.as_str()),
        Some("/customers/alice/orders"),
        "path",
    )
}

#[tokio::test]
async fn downstream_calls_of_one_call_are_counted() -> Result<()> {
    let world = probed("downstream_calls = 5").await?;
    let (each, _) = ask(&world, &json!({"times": 8})).await?;
    let allowed = each.iter().filter(|got| *got == "200").count();
    ensure_eq(allowed, 5, "allowed")?;
    ensure!(
        each.iter().skip(5).all(|got| got == "QuotaExhausted"),
        "{each:?}"
    );
    ensure_eq(world.orders.requests().len(), 5, "requests")
}

#[tokio::test]
async fn every_call_gets_a_fresh_instance() -> Result<()> {
    let world = probed("").await?;
    for user in ["alice", "bob", "alice"] {
        let answer = world.call(&world.token(user)?, "count", &json!({})).await?;
        ensure_eq(answer.text().as_str(), "1", &answer.raw)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_that_takes_more_than_its_share_is_ended_and_the_host_goes_on() -> Result<()> {
    let world =
        probed("cpu = \"200ms\"\nmemory = \"8MiB\"\ntime = \"5s\"\noutput = \"64KiB\"").await?;
    let token = world.token("alice")?;
    for (tool, reason) in [
        ("spin", "cpu-exceeded"),
        ("hog", "memory-exceeded"),
        ("shout", ""),
        ("crash", "trapped"),
    ] {
        let (before, began) = (world.records()?.len(), Instant::now());
        let answer = world.call(&token, tool, &json!({})).await?;
        ensure!(!answer.is_success(), "{tool}: {}", answer.raw);
        ensure!(answer.raw.len() < 10_000, "{tool}: a long answer");
        ensure!(
            !answer.raw.contains("secret-of-the-guest"),
            "{tool}: {}",
            answer.raw
        );
        ensure!(
            began.elapsed() < Duration::from_secs(6),
            "{tool}: {:?}",
            began.elapsed()
        );
        let records = world.records()?;
        let closed = events(records.get(before..).unwrap_or_default(), "call.closed");
        let closed = *closed.first().context("not closed")?;
        ensure!(text(closed, "outcome") != "done", "{tool}: {closed}");
        if !reason.is_empty() {
            ensure_eq(text(closed, "reason"), reason, tool)?;
        }
        ensure!(
            world.call(&token, "whoami", &json!({})).await?.is_success(),
            "after {tool}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_whose_stack_runs_out_is_ended_and_the_log_says_what_to_raise() -> Result<()> {
    let world = probed("").await?;
    let token = world.token("alice")?;
    let at = async |depth: u32| {
        let arguments = json!({ "depth": depth });
        world.call(&token, "descend", &arguments).await
    };
    let answer = at(200).await?;
    ensure_eq(answer.text().as_str(), "200", &answer.raw)?;
    let before = world.records()?.len();
    ensure!(!at(100_000).await?.is_success(), "it answered");
    let records = world.records()?;
    let closed = events(records.get(before..).unwrap_or_default(), "call.closed");
    let closed = *closed.first().context("not closed")?;
    ensure_eq(text(closed, "reason"), "trapped", "the reason")?;
    ensure_eq(at(3).await?.text().as_str(), "3", "after it")?;
    let said = world.stop().await?.said;
    ensure!(said.contains("stack-kib"), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_is_nested_as_deeply_as_can_be_parsed_fits_a_tools_stack() -> Result<()> {
    let world = probed("").await?;
    let token = world.token("alice")?;
    // A service's answer is parsed by the tool alone, up to the depth that serde_json allows.
    let deepest = json!({"value": "core", "more": 127});
    let answer = world.call(&token, "fold", &deepest).await?;
    ensure_eq(answer.text().as_str(), "127", &answer.raw)?;
    let (mut value, mut levels) = (json!("core"), 0);
    loop {
        let arguments = json!({"value": value, "more": 0});
        let answer = world.call(&token, "fold", &arguments).await?;
        if !answer.is_success() {
            ensure!(answer.raw.contains("nested too deeply"), "{}", answer.raw);
            // The request around the arguments takes some of the 64 levels.
            ensure!(levels >= 60, "it refused {levels} levels");
            return Ok(());
        }
        ensure_eq(answer.text(), levels.to_string(), &answer.raw)?;
        (value, levels) = (json!([value]), levels + 1);
    }
}
