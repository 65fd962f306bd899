//! Facts for the operator's programs: health, metrics, and one line of the log for each call.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client::{self, Reply};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp;
use bailiwick_dev::process::{Host, serve};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, bailiwick, ensure_eq, tools};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// The section that opens an operations listener.
pub(super) const OPERATIONS: &str = "[operations]\nlisten = \"127.0.0.1:0\"\n";

/// Returns the usual world with an operations listener, and its URL.
async fn observed() -> Result<(World, String)> {
    let world = World::with(Plan::config(|config| config.limits += OPERATIONS)).await?;
    let url = url_of(&world)?;
    let ready = readiness(&url, |status, _| status == 200).await?;
    ensure_eq(ready, "ready\n".to_owned(), "readiness")?;
    Ok((world, url))
}

/// Asks `/readyz` of the operations listener until the answer is as `expected`.
pub(super) async fn readiness(url: &str, expected: impl Fn(u16, &str) -> bool) -> Result<String> {
    let mut last = String::new();
    for _ in 0..200 {
        let ready = client::fetch(&format!("{url}/readyz")).await?;
        last = ready.text();
        if expected(ready.status.as_u16(), &last) {
            return Ok(last);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("readiness stays: {last}")
}

/// Returns the URL of a world's operations listener.
pub(super) fn url_of(world: &World) -> Result<String> {
    let said = world.host.said();
    let line = said
        .lines()
        .find(|line| line.contains("health and metrics are served"))
        .with_context(|| said.clone())?;
    let (_, address) = line.rsplit_once("address=").context("no address")?;
    Ok(format!("http://{}", plain(address.trim())))
}

/// Returns the text without colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        plain + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

async fn metrics(url: &str) -> Result<String> {
    let reply = client::fetch(&format!("{url}/metrics")).await?;
    ensure_eq(reply.status, StatusCode::OK, "metrics")?;
    ensure!(
        reply
            .header("content-type")
            .starts_with("application/openmetrics-text"),
        "{:?}",
        reply.headers
    );
    Ok(reply.text())
}

/// Returns the memory that a host holds, in bytes.
pub(super) async fn allocated(url: &str) -> Result<u64> {
    let metrics = metrics(url).await?;
    let of = |line: &str| {
        line.strip_prefix("bailiwick_memory_allocated_bytes ")?
            .parse()
            .ok()
    };
    metrics.lines().find_map(of).context(metrics.clone())
}

fn ensure_line(metrics: &str, line: &str) -> Result<()> {
    ensure!(
        metrics.lines().any(|found| found == line),
        "no {line}:\n{metrics}"
    );
    Ok(())
}

#[tokio::test]
async fn calls_refusals_exchanges_loads_and_syncs_are_measured() -> Result<()> {
    let (world, url) = observed().await?;
    let token = world.token("alice")?;
    for _ in 0..2 {
        ensure!(world.order(&token, "A-1001").await?.is_success(), "a call");
    }
    mcp::call(&world.host.url(), None, ORDERS_TOOL, &json!({})).await?;
    let narrow = world
        .issuer
        .token(&world.spec("alice").scopes(&["other"]))?;
    world.order(&narrow, "A-1001").await?;
    let metrics = metrics(&url).await?;
    for line in [
        "bailiwick_calls_total{kind=\"tool\",target=\"get_order_status\",outcome=\"done\",reason=\"none\"} 2",
        "bailiwick_calls_running{kind=\"tool\",target=\"get_order_status\"} 0",
        "bailiwick_call_seconds_count{kind=\"tool\",target=\"get_order_status\"} 2",
        "bailiwick_refusals_total{kind=\"(other)\",target=\"(other)\",reason=\"token-missing\"} 1",
        "bailiwick_refusals_total{kind=\"tool\",target=\"get_order_status\",reason=\"insufficient-scope\"} 1",
        "bailiwick_token_exchanges_total{name=\"orders_api\",outcome=\"done\"} 1",
        "bailiwick_component_loads_total{name=\"orders\",outcome=\"loaded\"} 1",
        "bailiwick_places_used{part=\"calls\"} 0",
        "bailiwick_places_waiting{part=\"calls\"} 0",
        "bailiwick_journal_healthy 1",
        "bailiwick_journal_queue_records 0",
    ] {
        ensure_line(&metrics, line)?;
    }
    let syncs = metrics
        .lines()
        .find_map(|line| line.strip_prefix("bailiwick_journal_sync_seconds_count "))
        .context("no syncs")?;
    ensure!(syncs.parse::<u64>()? >= 4, "{syncs}");
    ensure!(
        metrics.contains("bailiwick_places_used{part=\"tasks\"}")
            && !metrics.contains("bailiwick_places{part=\"tasks\"}"),
        "tasks have no bound:\n{metrics}"
    );
    ensure!(
        !metrics.contains("alice"),
        "a subject is a label:\n{metrics}"
    );
    Ok(())
}

#[tokio::test]
async fn the_memory_of_the_host_is_measured() -> Result<()> {
    let (world, url) = observed().await?;
    let before = allocated(&url).await?;
    let token = world.token("alice")?;
    ensure!(world.order(&token, "A-1001").await?.is_success(), "a call");
    let metrics = metrics(&url).await?;
    let value = |name: &str| {
        let name = format!("bailiwick_memory_{name}_bytes ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        Ok::<u64, anyhow::Error>(line.with_context(|| metrics.clone())?.parse()?)
    };
    let [held, active] = [value("allocated")?, value("active")?];
    ensure!(held <= active, "{metrics}");
    for pages in ["resident", "mapped"] {
        ensure!(active <= value(pages)?, "{metrics}");
    }
    let (least, most) = (1 << 20, 256 << 20);
    ensure!((least..most).contains(&before), "{before}");
    ensure!((least..most).contains(&held), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn made_up_names_make_no_labels() -> Result<()> {
    let (world, url) = observed().await?;
    let token = world.token("alice")?;
    world.order(&token, "A-1001").await?;
    let before = metrics(&url).await?;
    for index in 0..200 {
        world
            .call(&token, &format!("made-up-{index}"), &json!({}))
            .await?;
        mcp::call(
            &world.host.url(),
            Some("a.b.c"),
            &format!("x{index}"),
            &json!({}),
        )
        .await?;
    }
    let after = metrics(&url).await?;
    ensure!(!after.contains("made-up"), "{after}");
    ensure_line(
        &after,
        "bailiwick_refusals_total{kind=\"(other)\",target=\"(other)\",reason=\"unknown-target\"} 200",
    )?;
    let new = after.lines().count().saturating_sub(before.lines().count());
    ensure!(new <= 8, "{new} new lines:\n{after}");
    Ok(())
}

#[tokio::test]
async fn each_door_answers_only_what_is_its_own() -> Result<()> {
    let (world, url) = observed().await?;
    let token = world.token("alice")?;
    for path in ["/healthz", "/readyz"] {
        let reply = client::fetch(&format!("{url}{path}")).await?;
        ensure_eq(reply.status, StatusCode::OK, path)?;
    }
    for path in ["/mcp", "/", "/.well-known/jwks.json"] {
        // To those without its token, the page does not say what there is.
        let reply = client::fetch(&format!("{url}{path}")).await?;
        ensure_eq(reply.status, StatusCode::UNAUTHORIZED, path)?;
    }
    let headers = mcp::headers("tools/list", Some(&token))?;
    let body = mcp::message("tools/list", &json!({}));
    let answer = mcp::post(&format!("{url}/mcp"), headers, &body).await?;
    ensure_eq(answer.status, StatusCode::METHOD_NOT_ALLOWED, "MCP")?;
    let reply = client::fetch(&world.host.at("/metrics")).await?;
    ensure_eq(reply.status, StatusCode::NOT_FOUND, "at the front door")?;

    let world = World::start().await?;
    ensure!(
        !world.host.said().contains("health and metrics"),
        "there is a listener that was not asked for"
    );
    Ok(())
}

#[tokio::test]
async fn a_host_without_an_issuers_keys_is_not_ready_before_and_after_the_first_token() -> Result<()>
{
    let world = World::with(Plan::config(|config| {
        config.issuers = config.issuers.replace("/jwks\"", "/nothing-here\"");
        config.limits += OPERATIONS;
    }))
    .await?;
    let url = url_of(&world)?;
    let unready = |status: u16, text: &str| {
        status == 503 && text == "not ready: no issuer's keys can be used\n"
    };
    let asked = || {
        let paths = world.issuer.requests();
        paths
            .iter()
            .filter(|path| path.contains("/nothing-here"))
            .count()
    };
    readiness(&url, unready).await?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    ensure_eq(answer.status.as_u16(), 503, "a call")?;
    let before = asked();
    ensure!(before > 0, "the keys are not looked for at the start");
    for _ in 0..50 {
        readiness(&url, unready).await?;
    }
    ensure_eq(asked(), before, "questions that health checks caused")
}

#[tokio::test]
async fn a_host_that_stops_is_not_ready() -> Result<()> {
    let (world, url) = observed().await?;
    let body = r#"{"id": "A-1001", "status": "shipped"}"#;
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    world.orders.answer_with(slow.after(Duration::from_secs(3)));
    let (at, token) = (world.host.url(), world.token("alice")?);
    let arguments = json!({"order_id": "A-1001"});
    let call =
        tokio::spawn(async move { mcp::call(&at, Some(&token), ORDERS_TOOL, &arguments).await });
    tokio::time::sleep(Duration::from_millis(600)).await;
    let stopping = readiness(&url, |status, _| status == 503);
    let (text, _remains) = tokio::try_join!(stopping, world.stop())?;
    ensure_eq(
        text.as_str(),
        "not ready: the host is stopping\n",
        "readiness",
    )?;
    let answer = call.await??;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(())
}

#[tokio::test]
async fn no_page_can_read_the_metrics_by_rebinding_a_name() -> Result<()> {
    let (_world, url) = observed().await?;
    for (name, value, status) in [
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("host", "evil.example:9464", StatusCode::FORBIDDEN),
        ("host", "localhost.evil.example", StatusCode::FORBIDDEN),
        ("origin", "http://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("host", "localhost:9464", StatusCode::OK),
        ("host", "127.0.0.1", StatusCode::OK),
        ("host", "[::1]:9464", StatusCode::OK),
    ] {
        for path in ["/metrics", "/healthz", "/readyz"] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value.parse()?);
            let reply = get(&format!("{url}{path}"), headers).await?;
            ensure_eq(reply.status, status, &format!("{name}: {value} {path}"))?;
        }
    }
    Ok(())
}

async fn get(url: &str, headers: HeaderMap) -> Result<Reply> {
    client::send(Method::GET, url, headers, "").await
}

#[tokio::test]
async fn a_slow_client_of_the_operations_listener_is_cut_off() -> Result<()> {
    let (_world, url) = observed().await?;
    let address = url.trim_start_matches("http://").parse()?;
    let mut stream = TcpSocket::new_v4()?.connect(address).await?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")
        .await?;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    ensure!(ended.is_ok(), "the head may take for ever");
    ensure!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
    metrics(&url).await.map(drop)
}

#[tokio::test]
async fn each_call_is_one_line_of_the_log_with_the_ids_of_the_journal() -> Result<()> {
    ensure!(tools().is_ok(), "no tools");
    let remains = World::start().await?.stop().await?;
    let mut command = serve(&bailiwick()?, &remains.folder.config());
    command.args(["--log-format", "json"]);
    let host = Host::start_command(command).await?;
    let spec = bailiwick_dev::issuer::TokenSpec::of("alice")
        .client(bailiwick_tests::AGENT)
        .audience(&host.url());
    let token = remains.issuer.token(&spec)?;
    let answer = mcp::call(&host.url(), Some(&token), "whoami", &json!({})).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let (_, said) = host.stop().await?;
    let lines: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line.get("message") == Some(&json!("a call ended")))
        .collect();
    let [line] = lines.as_slice() else {
        anyhow::bail!("{} lines:\n{said}", lines.len());
    };
    let records = remains.records()?;
    let opened = events(&records, "call.opened");
    let closed = events(&records, "call.closed");
    let (opened, closed) = (
        opened.last().context("no call.opened")?,
        closed.last().context("no call.closed")?,
    );
    for (member, expected) in [
        ("call.id", json!(text(opened, "call"))),
        ("call.trace", json!(text(opened, "trace_id"))),
        (
            "call.opened",
            opened.get("seq").cloned().unwrap_or_default(),
        ),
        (
            "call.closed",
            closed.get("seq").cloned().unwrap_or_default(),
        ),
        ("call.kind", json!("tool")),
        ("call.target", json!("whoami")),
        ("call.outcome", json!("done")),
    ] {
        ensure_eq(line.get(member), Some(&expected), member)?;
    }
    ensure!(line.get("call.ms").is_some_and(Value::is_u64), "{line}");
    ensure!(!line.to_string().contains("alice"), "{line}");
    Ok(())
}
