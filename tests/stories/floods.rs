//! Floods: a sender can make the host write only so much, and all of it is counted.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::issuer::Signer;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp;
use bailiwick_tests::{Plan, World, ensure_eq, wanted};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Returns the number of refusals of `reason` that the records stand for, of this actor or of
/// unknown callers, and the number of them with a record of their own.
pub(crate) fn refused(records: &[Value], reason: &str, actor: &str) -> (u64, usize) {
    let of = |event| {
        let all = events(records, event).into_iter();
        all.filter(|record| text(record, "reason") == reason && text(record, "actor_sub") == actor)
            .cloned()
            .collect::<Vec<_>>()
    };
    let (single, counted) = (of("call.refused"), of("refusals.counted"));
    let counts = counted
        .iter()
        .filter_map(|record| record.pointer("/detail/count").and_then(Value::as_u64));
    (
        u64::try_from(single.len()).unwrap_or_default() + counts.sum::<u64>(),
        single.len(),
    )
}

fn recorded_one_by_one(per_second: u32) -> Plan {
    Plan::config(move |config| {
        config.audit = format!("{}refusals_per_second = {per_second}\n", config.audit);
    })
}

#[tokio::test]
async fn refusals_of_a_known_caller_are_counted_exactly_under_their_name() -> Result<()> {
    let world = World::with(recorded_one_by_one(2)).await?;
    let mallory = world.issuer.token(&world.spec("mallory").scopes(&[]))?;
    let began = Instant::now();
    for _ in 0..40 {
        ensure_eq(
            world.order(&mallory, "A-1001").await?.status,
            StatusCode::FORBIDDEN,
            "without the scope",
        )?;
    }
    for _ in 0..20 {
        ensure_eq(
            world
                .call(&mallory, "no_such_tool", &json!({}))
                .await?
                .error_code(),
            Some(-32602),
            "unknown",
        )?;
    }
    let seconds = usize::try_from(began.elapsed().as_secs())?;
    let one = world
        .call(&world.token("alice")?, "no_such_tool", &json!({}))
        .await?;
    ensure_eq(one.error_code(), Some(-32602), "alice")?;
    let remains = world.stop().await?;
    let records = remains.records()?;
    let (scopes, unknown) = (
        refused(&records, "insufficient-scope", "mallory"),
        refused(&records, "unknown-target", "mallory"),
    );
    ensure_eq((scopes.0, unknown.0), (40, 20), "mallory's refusals")?;
    ensure!(
        scopes.1 + unknown.1 <= 2 * (seconds + 2),
        "{} of 60 have a record of their own",
        scopes.1 + unknown.1
    );
    ensure_eq(
        refused(&records, "unknown-target", "alice"),
        (1, 1),
        "alice's, which has a record of its own",
    )?;
    let named = events(&records, "refusals.counted")
        .into_iter()
        .all(|record| !text(record, "actor_iss").is_empty());
    ensure!(named, "a count without the issuer");
    let (verified, said) = remains.verify().await?;
    ensure!(verified, "{said}");
    Ok(())
}

#[tokio::test]
async fn forged_tokens_cost_a_few_log_lines_and_one_exact_number() -> Result<()> {
    let world = World::start().await?;
    let forged = world
        .issuer
        .token(&world.spec("alice").signed_by(Signer::Stranger))?;
    for _ in 0..60 {
        let answer = world.call(&forged, "whoami", &json!({})).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, "status")?;
    }
    let said = world.stop().await?.said;
    let lines = said
        .lines()
        .filter(|line| line.contains("a token was refused"))
        .count();
    let numbers: u64 = said
        .lines()
        .filter(|line| line.contains("more tokens were refused") && line.contains("token-invalid"))
        .filter_map(|line| {
            line.split("count=")
                .nth(1)?
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    ensure_eq(u64::try_from(lines)? + numbers, 60, &said)?;
    ensure!(lines <= 30, "{lines} lines");
    Ok(())
}

#[tokio::test]
async fn a_principal_has_a_rate_and_what_is_beyond_it_is_429_and_counted() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.limits = "[limits]\ncalls_per_minute = 6\ncalls_burst = 5\n".to_owned();
        config.audit.push_str("refusals_per_second = 2\n");
    }))
    .await?;
    let (mallory, bob) = (world.token("mallory")?, world.token("bob")?);
    let (mut done, mut refusals) = (0, 0);
    for _ in 0..30 {
        let answer = world.call(&mallory, "whoami", &json!({})).await?;
        match answer.status {
            StatusCode::OK => done += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                refusals += 1;
                let after = answer
                    .headers
                    .get("retry-after")
                    .context("Retry-After")?
                    .to_str()?
                    .parse::<u64>()?;
                ensure!((1..=11).contains(&after), "Retry-After: {after}");
            }
            status => anyhow::bail!("{status}"),
        }
    }
    ensure!((5..=12).contains(&done), "{done} calls of 30");
    let listed = mcp::list(&world.host.url(), Some(&mallory)).await?;
    ensure_eq(
        listed.status,
        StatusCode::TOO_MANY_REQUESTS,
        "tools/list is a request, too",
    )?;
    ensure!(
        world.call(&bob, "whoami", &json!({})).await?.is_success(),
        "bob pays for mallory"
    );
    let records = world.stop().await?.records()?;
    ensure_eq(
        refused(&records, "rate-limited", "mallory").0,
        refusals + 1,
        "rate-limited",
    )?;
    ensure_eq(events(&records, "call.opened").len(), done + 1, "calls")
}

/// Bytes a second that refusals may cost in the journal, and in the log, however many there are.
const REFUSALS_MAY_WRITE: u64 = 16 << 10;

/// Two seconds of each flood, or as many as `BAILIWICK_FLOOD_SECONDS` says, for the figures of
/// docs/operations.md.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "figures")]
async fn a_flood_of_refusals_writes_no_more_than_their_rate() -> Result<()> {
    let lasts = wanted("BAILIWICK_FLOOD_SECONDS")?.unwrap_or(2);
    let lasts = Duration::from_secs(u64::try_from(lasts)?);
    for (flood, calls_per_minute) in [
        ("no token", 0),
        ("forged token", 0),
        ("no scope", 0),
        ("unknown tool", 0),
        ("a call each", 60),
        ("calls", 0),
    ] {
        let world = World::with(Plan::config(move |config| {
            config.audit.push_str("refusals_per_second = 10\n");
            if calls_per_minute > 0 {
                config.limits =
                    format!("[limits]\ncalls_per_minute = {calls_per_minute}\ncalls_burst = 1\n");
            }
        }))
        .await?;
        let token = match flood {
            "no token" => None,
            "forged token" => Some(
                world
                    .issuer
                    .token(&world.spec("mallory").signed_by(Signer::Stranger))?,
            ),
            "no scope" => Some(world.issuer.token(&world.spec("mallory").scopes(&[]))?),
            _ => Some(world.token("mallory")?),
        };
        let tool = match flood {
            "no scope" => "get_order_status",
            "unknown tool" => "no_such_tool",
            _ => "whoami",
        };
        let written = || anyhow::Ok((size(&world.folder.audit())?, world.host.said().len()));
        let (before, began) = (written()?, Instant::now());
        let mut senders = JoinSet::new();
        for _ in 0..8 {
            let (url, token) = (world.host.url(), token.clone());
            senders.spawn(async move {
                let mut sent = 0_u64;
                while began.elapsed() < lasts {
                    let _ = mcp::call(&url, token.as_deref(), tool, &json!({})).await;
                    sent += 1;
                }
                sent
            });
        }
        let sent: u64 = senders.join_all().await.into_iter().sum();
        let (seconds, after) = (began.elapsed().as_secs().max(1), written()?);
        let mib_a_day = |bytes: u64| bytes * 86_400 / seconds / (1 << 20);
        let (journal, log) = (
            mib_a_day(after.0 - before.0),
            mib_a_day(u64::try_from(after.1 - before.1)?),
        );
        let rate = sent / seconds;
        if tool != "whoami" || flood.contains("token") {
            ensure!(sent > 40 * seconds, "{flood}: {sent} requests are no flood");
            let may = REFUSALS_MAY_WRITE * (seconds + 1);
            let log = u64::try_from(after.1 - before.1)?;
            ensure!(
                after.0 - before.0 < may && log < may,
                "{flood}: {} and {log} bytes",
                after.0 - before.0
            );
        }
        println!("{flood}: {rate}/s, journal {journal} MiB a day, log {log} MiB a day");
    }
    Ok(())
}

fn size(folder: &std::path::Path) -> Result<u64> {
    std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.metadata()?.len()))
        .sum()
}
