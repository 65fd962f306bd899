//! MCP over the standard streams: `bailiwick serve --stdio`, as a desktop client starts it.

mod clients;
mod ends;
mod session;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{count, ensure_eq, guest};
use serde_json::{Value, json};

use session::{Desktop, MODERN, call, code, request};

#[tokio::test]
async fn a_client_of_each_revision_lists_and_calls() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut session = desktop.session(&desktop.good()?)?;
    let listed = session
        .ask(&request(1, "tools/list", json!({}), MODERN))
        .await?;
    let called = session.ask(&call(2, "whoami", json!({}), MODERN)).await?;
    let actor = "/result/structuredContent/actor/sub";
    ensure_eq(called.pointer(actor), Some(&json!("alice")), "modern")?;
    ensure_eq(
        called.pointer("/result/resultType"),
        Some(&json!("complete")),
        "modern",
    )?;
    for (revision, result_type) in [
        ("2025-11-25", None),
        ("2025-06-18", None),
        ("2024-11-05", None),
    ] {
        let capabilities = json!({"protocolVersion": revision, "capabilities": {},
            "clientInfo": {"name": "story", "version": "1"}});
        let opened = session
            .ask(&request(3, "initialize", capabilities, ""))
            .await?;
        let settled = opened.pointer("/result/protocolVersion");
        ensure_eq(settled, Some(&json!(revision)), "settled")?;
        session
            .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await?;
        let old = session
            .ask(&request(4, "tools/list", json!({}), ""))
            .await?;
        let names = |answer: &Value| answer.pointer("/result/tools/0/name").cloned();
        ensure_eq(names(&old), names(&listed), revision)?;
        let called = session.ask(&call(5, "whoami", json!({}), "")).await?;
        ensure_eq(called.pointer("/result/resultType"), result_type, revision)?;
        ensure_eq(
            called.pointer("/result/isError"),
            Some(&json!(false)),
            revision,
        )?;
    }
    let ping = session.ask(&request("six", "ping", json!({}), "")).await?;
    ensure_eq(ping.get("id"), Some(&json!("six")), "an id of text")?;
    let end = session.close().await?;
    ensure!(end.status.success() && end.lines.is_empty(), "{end:?}");
    let records = desktop.records()?;
    ensure_eq(count(&records, "call.opened"), 4, "opened")?;
    ensure_eq(count(&records, "call.closed"), 4, "closed")?;
    ensure_eq(count(&records, "host.stopped"), 1, "stopped")
}

#[tokio::test]
async fn what_a_message_must_not_be_is_answered_and_the_next_is_served() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut session = desktop.session(&desktop.good()?)?;
    let giant = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}",
        "x".repeat(2 << 20)
    );
    let unknown = call(7, "no_such_tool", json!({}), MODERN).to_string();
    let two_revisions = request(7, "tools/list", json!({}), "2099-01-01").to_string();
    for (line, expected, id) in [
        (&b"{"[..], -32700, Value::Null),
        (b"\xff\xfe{}", -32700, Value::Null),
        (b"\"text\"", -32600, Value::Null),
        (b"[]", -32600, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":7}", -32600, json!(7)),
        (
            b"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}",
            -32600,
            json!(7),
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
            -32600,
            Value::Null,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
            -32600,
            json!(7),
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no/such\"}",
            -32601,
            json!(7),
        ),
        (giant.as_bytes(), -32600, Value::Null),
        (unknown.as_bytes(), -32602, json!(7)),
        (two_revisions.as_bytes(), -32022, json!(7)),
    ] {
        session.write(&[line, b"\n"].concat()).await?;
        let answer = session.line().await?;
        let what = format!(
            "{:?}: {answer}",
            String::from_utf8_lossy(line.get(..40).unwrap_or(line))
        );
        ensure_eq(code(&answer), Some(expected), &what)?;
        ensure_eq(answer.get("id"), Some(&id), &what)?;
        // Its twin.
        let answer = session.ask(&call(8, "whoami", json!({}), MODERN)).await?;
        ensure!(answer.get("result").is_some(), "{what}: {answer}");
    }
    // Blank lines, and two messages in one write, the second without the end of its line.
    let (first, second) = (
        call(1, "whoami", json!({}), MODERN),
        request(2, "tools/list", json!({}), MODERN),
    );
    session
        .write(format!("\n  \r\n{first}\r\n{second}").as_bytes())
        .await?;
    let end = session.close().await?;
    let mut ids: Vec<_> = end
        .lines
        .iter()
        .filter_map(|line| line.get("id")?.as_u64())
        .collect();
    ids.sort_unstable();
    ensure!(end.status.success(), "{end:?}");
    ensure_eq(ids, [1, 2], "both are answered")?;

    let mut session = desktop.session(&desktop.good()?)?;
    session
        .write(br#"{"jsonrpc":"2.0","id":1,"method":"tools/ca"#)
        .await?;
    let end = session.close().await?;
    ensure_eq(
        end.lines.iter().filter_map(code).collect::<Vec<_>>(),
        [-32700],
        "half a line",
    )?;
    ensure!(end.status.success(), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn nothing_but_answers_is_on_standard_output_and_no_token_anywhere() -> Result<()> {
    let desktop = Desktop::with(&[("prober.wasm", guest("prober").await?)]).await?;
    let good = desktop.good()?;
    for trace in ["info", "trace"] {
        let mut session =
            desktop.session_with(&[("BAILIWICK_TOKEN", &good), ("RUST_LOG", trace)])?;
        let forged = r#"{"jsonrpc":"2.0","id":2,"result":{"forged":true}}"#;
        let arguments = json!({"text": format!("\n{forged}\n"), "times": 3});
        let said = session.ask(&call(1, "say", arguments, MODERN)).await?;
        ensure!(said.get("result").is_some(), "{said}");
        let answer = session.ask(&call(2, "whoami", json!({}), MODERN)).await?;
        ensure!(answer.pointer("/result/forged").is_none(), "{answer}");
        let refused = session
            .ask(&call(3, "no_such_tool", json!({}), MODERN))
            .await?;
        let end = session.close().await?;
        ensure!(
            end.said.contains("forged"),
            "the log is on standard error: {end:?}"
        );
        ensure!(end.lines.is_empty(), "{end:?}");
        let journal: String = desktop.records()?.iter().map(ToString::to_string).collect();
        let signature = good.rsplit('.').next().context("a token")?;
        for text in [&end.said, &journal, &said.to_string(), &refused.to_string()] {
            ensure!(!text.contains(signature), "the token is in {trace}: {text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn several_calls_run_at_once_and_a_cancelled_one_is_not_answered() -> Result<()> {
    let parts = [
        ("prober.wasm", guest("prober").await?),
        ("test.wasm", guest("conformer").await?),
    ];
    let desktop = Desktop::with(&parts).await?;
    let mut session = desktop.session(&desktop.good()?)?;
    session
        .send(&call("long", "spin", json!({}), MODERN))
        .await?;
    let mut reporting = call(2, "test_tool_with_progress", json!({}), MODERN);
    if let Some(meta) = reporting
        .pointer_mut("/params/_meta")
        .and_then(Value::as_object_mut)
    {
        meta.insert("progressToken".into(), json!("p"));
    }
    let mut seen = vec![session.ask(&reporting).await?];
    while seen.last().is_some_and(|line| line.get("id").is_none()) {
        seen.push(session.line().await?);
    }
    let progress: Vec<_> = seen
        .iter()
        .filter_map(|line| line.pointer("/params/progress")?.as_f64())
        .collect();
    ensure_eq(progress.first().copied(), Some(0.0), &format!("{seen:?}"))?;
    // The id is in use, so an answer with it would be taken for that of the call.
    let again = session
        .ask(&call("long", "whoami", json!({}), MODERN))
        .await?;
    ensure_eq(
        (code(&again), again.get("id")),
        (Some(-32600), Some(&Value::Null)),
        "again",
    )?;
    for id in [json!("other"), json!("long"), json!("long")] {
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": id, "reason": "enough"}});
        session.send(&cancel).await?;
    }
    let free = session
        .ask(&call("long", "whoami", json!({}), MODERN))
        .await?;
    ensure!(free.get("result").is_some(), "{free}");
    let end = session.close().await?;
    ensure!(end.status.success() && end.lines.is_empty(), "{end:?}");
    let records = desktop.records()?;
    let cancelled = records
        .iter()
        .filter(|record| record.to_string().contains("\"cancelled\""));
    ensure_eq(cancelled.count(), 1, "recorded as cancelled")?;
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "closed",
    )
}

#[tokio::test]
async fn a_listener_hears_changes_and_ends_with_the_input() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut session = desktop.session(&desktop.good()?)?;
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let first = session
        .ask(&request(1, "subscriptions/listen", filter, MODERN))
        .await?;
    let method = |line: &Value| line.get("method").cloned();
    let acknowledged = json!("notifications/subscriptions/acknowledged");
    ensure_eq(method(&first), Some(acknowledged), "first")?;
    desktop.remove("whoami.wasm")?;
    let told = session.line().await?;
    ensure_eq(
        method(&told),
        Some(json!("notifications/tools/list_changed")),
        "then",
    )?;
    let end = session.close().await?;
    ensure!(end.status.success(), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_client_of_an_earlier_revision_hears_changes_once_it_is_ready() -> Result<()> {
    for revision in ["2025-11-25", "2024-11-05"] {
        let desktop = Desktop::start().await?;
        let mut session = desktop.session(&desktop.good()?)?;
        let params = json!({"protocolVersion": revision, "capabilities": {},
            "clientInfo": {"name": "story", "version": "1"}});
        let opened = session.ask(&request(1, "initialize", params, "")).await?;
        let promised = |name: &str| opened.pointer(&format!("/result/capabilities/{name}"));
        ensure_eq(
            promised("tools"),
            Some(&json!({"listChanged": true})),
            revision,
        )?;
        ensure_eq(promised("logging"), Some(&json!({})), revision)?;
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        session.send(&ready).await?;
        for (level, code_of) in [("debug", None), ("loud", Some(-32602))] {
            let level = json!({"level": level});
            let set = session
                .ask(&request(2, "logging/setLevel", level, ""))
                .await?;
            ensure_eq(code(&set), code_of, &set.to_string())?;
        }
        desktop.remove("whoami.wasm")?;
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        ensure_eq(session.line().await?, changed, revision)?;
        let listed = session
            .ask(&request(3, "tools/list", json!({}), ""))
            .await?;
        let tools = listed.pointer("/result/tools");
        ensure_eq(tools, Some(&json!([])), "told too early")?;
        let end = session.close().await?;
        ensure!(end.status.success() && end.lines.is_empty(), "{end:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_of_an_earlier_revision_is_asked_on_its_lines() -> Result<()> {
    let desktop = Desktop::with(&[("asker.wasm", guest("asker").await?)]).await?;
    for (revision, capabilities, asks) in [
        ("2025-11-25", json!({"elicitation": {}}), true),
        ("2025-06-18", json!({"elicitation": {}}), true),
        ("2025-03-26", json!({"elicitation": {}}), false),
        ("2025-11-25", json!({}), false),
    ] {
        let mut session = desktop.session(&desktop.good()?)?;
        let params = json!({"protocolVersion": revision, "capabilities": capabilities,
            "clientInfo": {"name": "story", "version": "1"}});
        session.ask(&request(1, "initialize", params, "")).await?;
        let mut next = session
            .ask(&call(2, "book", json!({"room": 7}), ""))
            .await?;
        if !asks {
            let reason = next.pointer("/result/_meta/io.bailiwick~1reason");
            ensure_eq(reason, Some(&json!("input-unsupported")), revision)?;
            continue;
        }
        let unknown = json!({"jsonrpc": "2.0", "id": "made up", "result": {"action": "decline"}});
        session.send(&unknown).await?;
        for content in [json!({"nights": 2, "board": "Full"}), json!({"sure": true})] {
            let method = next.get("method");
            ensure_eq(method, Some(&json!("elicitation/create")), revision)?;
            let result = json!({"action": "accept", "content": content});
            let answer = json!({"jsonrpc": "2.0", "id": next.get("id"), "result": result});
            next = session.ask(&answer).await?;
        }
        ensure_eq(next.get("id"), Some(&json!(2)), revision)?;
        let text = next.pointer("/result/content/0/text");
        let booked = json!("room 7 for 2 nights with full board");
        ensure_eq(text, Some(&booked), revision)?;
        // A request of 2026-07-28 says for itself what its client can do.
        let modern = session
            .ask(&call(4, "book", json!({"room": 7}), MODERN))
            .await?;
        ensure_eq(code(&modern), Some(-32021), &modern.to_string())?;
        // One that still waits when the input ends is not answered any more.
        session
            .ask(&call(3, "book", json!({"room": 7}), ""))
            .await?;
        let end = session.close().await?;
        ensure!(end.status.success(), "{end:?}");
    }
    let records = desktop.records()?;
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "calls",
    )
}
