//! A vendor's MCP server behind the host: what reaches it, with whose authority, and what is
//! recorded.
//!
//! The server is a script that keeps every message, so the wire is the evidence.

mod definitions;
mod hostile;
mod imports;
mod place;
mod policy;
mod reached;
mod servers;
pub(crate) mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp;
use bailiwick_tests::ensure_eq;
use bailiwick_tests::remote::says::silence;
use bailiwick_tests::remote::{LEGACY, MODERN, Message, Script, did};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use place::{KEY, Place, TRACKER, Way};

/// What a call sends; each member must arrive as it is.
fn issue() -> Value {
    json!({"title": "It says \"é\" & <b>, \\u0000", "labels": ["a", "", "b/c"], "points": 2.5})
}

/// Returns the methods of messages.
fn methods(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.method.as_str())
        .collect()
}

/// Returns the methods of a conversation, with or without a look at the definitions.
fn conversation(script: &Script, looks: bool) -> Vec<&'static str> {
    let is_legacy = script.revision == LEGACY;
    let parts: [(bool, &[&str]); 4] = [
        (is_legacy, &["initialize", "notifications/initialized"]),
        (looks, &["tools/list"]),
        (true, &["tools/call"]),
        (script.sessions, &["DELETE"]),
    ];
    let said = parts.into_iter().filter(|(there, _)| *there);
    said.flat_map(|(_, methods)| methods.iter().copied())
        .collect()
}

#[tokio::test]
async fn a_remote_tool_is_called_in_each_revision_with_and_without_sessions_and_streams()
-> Result<()> {
    for script in Script::ways() {
        let name = script.name();
        let place = Place::of(script.clone(), Way::Exchange("on_behalf_of")).await?;
        for (sub, looks) in [("alice", true), ("alice", false), ("bob", true)] {
            let (answer, messages) = place.call(sub, "create_issue", &issue()).await?;
            ensure!(answer.is_success(), "{name}: {}", answer.raw);
            let expected = conversation(&script, looks);
            ensure_eq(methods(&messages), expected, &format!("{name}: {sub}"))?;
            let called = messages
                .iter()
                .find(|message| message.method == "tools/call");
            let called = called.context("no call")?;
            ensure_eq(answer.text(), did(called), &name)?;
            ensure_eq(
                called.body.pointer("/params/arguments"),
                Some(&issue()),
                &name,
            )?;
            ensure_eq(members(called), expected_members(&script), &name)?;
            for message in &messages {
                of_one_user(&name, sub, &place.token(sub)?, message)?;
                declares_nothing(message)?;
            }
        }
        ends_of_sessions(&name, &place)?;
        let refused = place
            .call("alice", "create_issue", &json!({"title": 1}))
            .await?;
        ensure!(refused.0.is_tool_error() && refused.1.is_empty(), "{name}");
    }
    Ok(())
}

/// Returns the names of what a call has beside the method.
fn members(called: &Message) -> Vec<String> {
    let params = called.body.get("params").and_then(Value::as_object);
    let names: BTreeSet<&String> = params.into_iter().flat_map(Map::keys).collect();
    names.into_iter().cloned().collect()
}

fn expected_members(script: &Script) -> Vec<&'static str> {
    let all = ["_meta", "arguments", "name"];
    let from = usize::from(script.revision == LEGACY);
    all.into_iter().skip(from).collect()
}

/// Checks that a message has one credential: a token that was issued for this user and this server.
fn of_one_user(name: &str, sub: &str, callers: &str, message: &Message) -> Result<()> {
    let what = format!("{name}: {} of {sub}", message.method);
    ensure_eq(message.times("authorization"), 1, &what)?;
    let claims = message.claims();
    for (claim, expected) in [("sub", sub), ("aud", TRACKER)] {
        ensure_eq(claims.get(claim), Some(&json!(expected)), &what)?;
    }
    let actor = claims.get("act").and_then(|act| act.get("sub"));
    ensure_eq(actor, Some(&json!("bailiwick")), &what)?;
    lacks_the_callers(&what, callers, message)
}

/// Checks that the caller's token is nowhere in a message.
fn lacks_the_callers(what: &str, callers: &str, message: &Message) -> Result<()> {
    let signature = callers.rsplit('.').next().unwrap_or(callers);
    ensure!(!message.raw.contains(signature), "{what}: {}", message.raw);
    Ok(())
}

/// Checks that the host offers the server nothing.
fn declares_nothing(message: &Message) -> Result<()> {
    let meta = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
    for pointer in ["/params/capabilities", meta] {
        let declared = message.body.pointer(pointer);
        ensure!(
            declared.is_none_or(|declared| *declared == json!({})),
            "{declared:?}"
        );
    }
    Ok(())
}

/// Checks that each session belongs to one user, and to one conversation.
fn ends_of_sessions(name: &str, place: &Place) -> Result<()> {
    let mut ended: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for message in place.server.messages(0) {
        let Some(session) = message.header("mcp-session-id") else {
            continue;
        };
        let (subject, ends) = ended.entry(session.to_owned()).or_default();
        if subject.is_empty() {
            *subject = message.subject();
        }
        ensure_eq(subject.as_str(), message.subject().as_str(), name)?;
        ensure_eq(*ends, 0, "a message after the end")?;
        *ends += usize::from(message.method == "DELETE");
    }
    ensure!(
        ended.values().all(|(_, ends)| *ends == 1),
        "{name}: {ended:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_journal_names_the_remote_tool_before_it_is_called_and_after() -> Result<()> {
    for script in [Script::new(MODERN), Script::new(LEGACY)] {
        let name = script.name();
        let place = Place::of(script, Way::Exchange("on_behalf_of")).await?;
        place
            .call("alice", "search", &json!({"query": "secret-of-alice"}))
            .await?;
        let records = place.world.records()?;
        let about = |event| -> Result<&Value> {
            let found = events(&records, event).into_iter();
            let mut found = found.filter(|record| text(record, "service") == TRACKER);
            found.next().with_context(|| format!("{name}: no {event}"))
        };
        let (opened, closed) = (about("downstream.opened")?, about("downstream.closed")?);
        for record in [opened, closed] {
            ensure_eq(text(record, "method"), "tools/call", &name)?;
            ensure_eq(text(record, "path_template"), "search", &name)?;
            ensure_eq(text(record, "mode"), "on_behalf_of", &name)?;
        }
        ensure!(opened["seq"].as_u64() < closed["seq"].as_u64(), "{name}");
        ensure_eq(text(closed, "credential_kind"), "token_exchange", &name)?;
        ensure_eq(closed["status"].as_u64(), Some(200), &name)?;
        ensure!(
            !json!(records).to_string().contains("secret-of-alice"),
            "{name}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_dies_in_a_call_has_recorded_it_before_the_server_hears_it() -> Result<()> {
    let never = |message: &Message| {
        let is_call = message.method == "tools/call";
        is_call.then(silence)
    };
    let place = Place::of(
        Script::new(MODERN).instead(never),
        Way::Exchange("on_behalf_of"),
    )
    .await?;
    let (url, token) = (place.world.host.url(), place.token("alice")?);
    let call = tokio::spawn(async move {
        let arguments = json!({"query": "x"});
        mcp::call(&url, Some(&token), "search", &arguments).await
    });
    let hears = async {
        while !methods(&place.server.messages(0)).contains(&"tools/call") {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), hears).await?;
    let Place { world, server } = place;
    let remains = world.kill().await?;
    call.abort();
    let records = remains.records()?;
    let opened = events(&records, "downstream.opened");
    let opened = opened
        .iter()
        .filter(|record| text(record, "service") == TRACKER);
    ensure_eq(opened.count(), 1, "records of the call")?;
    let calls = server.messages(0);
    let calls = calls
        .iter()
        .filter(|message| message.method == "tools/call");
    ensure_eq(calls.count(), 1, "calls")
}

#[tokio::test]
async fn each_mode_shows_the_server_its_own_credential_on_every_message() -> Result<()> {
    for way in [
        Way::Exchange("on_behalf_of"),
        Way::Exchange("restricted_user"),
        Way::Own,
        Way::Key,
    ] {
        let what = format!("{way:?}");
        // Sessions belong to a subject, which only a token names.
        let script = Script {
            sessions: !matches!(way, Way::Key),
            ..Script::new(LEGACY)
        };
        let place = Place::of(script, way).await?;
        for sub in ["alice", "bob"] {
            let (answer, messages) = place.call(sub, "create_issue", &issue()).await?;
            ensure!(answer.is_success(), "{what}: {}", answer.raw);
            ensure!(messages.len() >= 3, "{what}: {:?}", methods(&messages));
            for message in &messages {
                shows(way, sub, message).with_context(|| message.raw.clone())?;
                lacks_the_callers(&what, &place.token(sub)?, message)?;
                ensure_eq(message.header("txn-token"), None, "a transaction token")?;
            }
        }
        let records = place.world.records()?;
        let closed = events(&records, "downstream.closed");
        let modes = closed.iter().map(|record| text(record, "mode"));
        ensure_eq(modes.collect::<Vec<_>>(), vec![way.mode(); 2], &what)?;
    }
    Ok(())
}

/// Checks the credential of a message.
fn shows(way: Way, sub: &str, message: &Message) -> Result<()> {
    let claims = message.claims();
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let (sub, actor) = match way {
        Way::Exchange("on_behalf_of") => (sub, Some(json!("bailiwick"))),
        Way::Exchange(_) => (sub, None),
        Way::Own => ("bailiwick", None),
        Way::Key => {
            ensure_eq(message.times("authorization"), 0, "a token")?;
            ensure_eq(message.times("x-api-key"), 1, "keys")?;
            return ensure_eq(message.header("x-api-key"), Some(KEY), "key");
        }
    };
    ensure_eq(claim("sub"), Some(sub), "subject")?;
    ensure_eq(claim("aud"), Some(TRACKER), "audience")?;
    let found = claims.get("act").and_then(|act| act.get("sub")).cloned();
    ensure_eq(found, actor, "actor")?;
    ensure_eq(message.times("authorization"), 1, "credentials")?;
    ensure_eq(message.times("x-api-key"), 0, "keys")
}

#[tokio::test]
async fn many_users_at_once_never_share_a_session_or_an_answer() -> Result<()> {
    let script = Script {
        sessions: true,
        streams: true,
        ..Script::new(LEGACY)
    };
    let place = Place::of(script, Way::Exchange("on_behalf_of")).await?;
    let mut callers = JoinSet::new();
    for number in 0..16 {
        let sub = if number % 2 == 0 { "alice" } else { "bob" };
        let (url, token) = (place.world.host.url(), place.token(sub)?);
        callers.spawn(async move {
            let arguments = json!({"query": format!("number {number}")});
            let answer = mcp::call(&url, Some(&token), "search", &arguments).await?;
            let expected = format!("search for {sub}: {arguments}");
            ensure_eq(answer.text(), expected, &answer.raw)
        });
    }
    for answered in callers.join_all().await {
        answered?;
    }
    place.sessions_end().await?;
    ends_of_sessions("at once", &place)
}

#[tokio::test]
async fn a_rule_about_content_reads_the_arguments_of_a_remote_tool() -> Result<()> {
    let deny = "[component]\n\
                deny = [{ request = \"tools/call create_issue\", when = \"request.body.points > 8\" }]\n";
    let way = Way::Exchange("on_behalf_of");
    let place = Place::with(Script::new(MODERN), way, deny).await?;
    for (points, is_good) in [(8, true), (9, false), (1, true)] {
        let arguments = json!({"title": "x", "points": points});
        let (answer, messages) = place.call("alice", "create_issue", &arguments).await?;
        ensure_eq(answer.is_success(), is_good, &answer.raw)?;
        ensure_eq(messages.is_empty(), !is_good, "messages")?;
    }
    ensure_eq(place.reasons()?, vec!["denied-by-rule"], "reasons")
}

#[tokio::test]
async fn an_argument_that_the_server_wants_in_a_header_is_there_too() -> Result<()> {
    let tool = json!({
        "name": "list_issues", "description": "Lists issues.",
        "inputSchema": {"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "open": {"type": "boolean"},
        }},
    });
    for (revision, mirrored) in [(MODERN, Some("eu-1")), (LEGACY, None)] {
        let script = Script {
            tools: vec![tool.clone()],
            ..Script::new(revision)
        };
        let place = Place::of(script, Way::Exchange("on_behalf_of")).await?;
        let arguments = json!({"region": "eu-1", "open": true});
        let (answer, messages) = place.call("alice", "list_issues", &arguments).await?;
        ensure!(answer.is_success(), "{revision}: {}", answer.raw);
        let called = messages
            .iter()
            .find(|message| message.method == "tools/call");
        let called = called.context("no call")?;
        ensure_eq(called.header("mcp-param-region"), mirrored, revision)?;
        ensure_eq(called.header("mcp-param-open"), None, revision)?;
        ensure_eq(
            called.body.pointer("/params/arguments"),
            Some(&arguments),
            revision,
        )?;
    }
    Ok(())
}
