//! Servers that want more than to answer. Each of them is asked once, and the next call of another
//! user is as good as ever.

mod acts;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp::Answer;
use bailiwick_tests::recorder::Reaction;
use bailiwick_tests::remote::{LEGACY, MODERN, Script};
use bailiwick_tests::{Recorder, ensure_eq};
use serde_json::json;

use super::place::{Place, TRACKER, Way};
use super::{issue, methods};
use acts::{ACTS, BAIT, Comes, Does, FOREIGN, PREPARING};

/// Lets the server do this with alice's messages of a method.
fn act(place: &Place, method: &'static str, does: Does, at: &str) {
    let at = at.to_owned();
    place.server.instead(move |message| {
        let is_alices = message.method == method && message.subject() == "alice";
        is_alices.then(|| does(message, &at))
    });
}

/// Returns a server of a revision, with sessions where there are any.
fn server(revision: &'static str) -> Script {
    Script {
        sessions: revision == LEGACY,
        ..Script::new(revision)
    }
}

const DEADLINES: &str =
    "deadlines = { first_byte = \"1s\", between_bytes = \"1s\", total = \"2s\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_to_a_call_makes_the_host_do_more_than_answer_or_harms_the_next_user()
-> Result<()> {
    let elsewhere = Recorder::start(|_| Reaction::default()).await?;
    let at = elsewhere.address().to_string();
    for revision in [MODERN, LEGACY] {
        let way = Way::Exchange("on_behalf_of");
        let place = Place::with(server(revision), way, DEADLINES).await?;
        for (name, does, comes) in ACTS {
            let what = format!("{revision}: {name}");
            act(&place, "tools/call", does, &at);
            let before = place.reasons()?.len();
            let (answer, messages) = place.call("alice", "create_issue", &issue()).await?;
            let calls = messages
                .iter()
                .filter(|message| message.method == "tools/call");
            ensure_eq(calls.count(), 1, &what)?;
            let reasons = place.reasons()?.split_off(before);
            came(comes, &answer, &reasons).with_context(|| what.clone())?;
            // Whatever went wrong after the call had left, nobody knows what it did.
            let unknown = matches!(comes, Comes::Fails(_));
            ensure_eq(outcome(&place)? == "unknown", unknown, &what)?;
            ensure!(!answer.raw.contains(BAIT), "{what}: {}", answer.raw);
            let (answer, _) = place.call("bob", "create_issue", &issue()).await?;
            ensure!(answer.is_success(), "after {what}: {}", answer.raw);
        }
        let messages = place.server.messages(0);
        let asked = methods(&messages).into_iter();
        let looks = asked.filter(|method| *method == "tools/list").count();
        // One of the importer, and one for each user.
        ensure!(looks <= 5, "{revision}: it looked {looks} times");
        ensure!(
            messages
                .iter()
                .all(|message| message.header("mcp-session-id") != Some(FOREIGN)),
            "{revision}: a session of another conversation"
        );
    }
    ensure_eq(elsewhere.heard().connections, 0, "connections elsewhere")
}

/// Returns the outcome in the last record of a request to the server.
fn outcome(place: &Place) -> Result<String> {
    let records = place.world.records()?;
    let closed = events(&records, "downstream.closed");
    let last = closed.last().context("no record")?;
    Ok(text(last, "outcome").to_owned())
}

fn came(comes: Comes, answer: &Answer, reasons: &[String]) -> Result<()> {
    match comes {
        Comes::Fails(reason) => {
            ensure!(answer.is_tool_error(), "{}", answer.raw);
            ensure_eq(reasons.to_vec(), vec![reason], "reasons")?;
        }
        Comes::Says(part) => {
            ensure!(answer.is_tool_error(), "{}", answer.raw);
            ensure!(answer.text().contains(part), "{}", answer.raw);
        }
        Comes::Passes(part) => {
            ensure!(answer.is_success(), "{}", answer.raw);
            ensure_eq(answer.text(), part, "text")?;
            for dropped in ["com.example/next", "resourceUri"] {
                ensure!(!answer.raw.contains(dropped), "{}", answer.raw);
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_before_a_call_calls_nothing_and_says_that_nothing_changed() -> Result<()> {
    let elsewhere = Recorder::start(|_| Reaction::default()).await?;
    let at = elsewhere.address().to_string();
    for revision in [LEGACY, MODERN] {
        // Every call looks, so that every message can go wrong.
        let always = format!("{DEADLINES}definitions_seconds = 0\n");
        let way = Way::Exchange("on_behalf_of");
        let place = Place::with(server(revision), way, &always).await?;
        for (method, name, does) in PREPARING {
            if revision == MODERN && method != "tools/list" {
                continue;
            }
            let what = format!("{revision}: {method} {name}");
            act(&place, method, does, &at);
            let before = place.reasons()?.len();
            let (answer, messages) = place
                .call("alice", "search", &json!({"query": "x"}))
                .await?;
            ensure!(answer.is_tool_error(), "{what}: {}", answer.raw);
            ensure!(
                !methods(&messages).contains(&"tools/call"),
                "{what}: called"
            );
            ensure!(messages.len() < 80, "{what}: {} messages", messages.len());
            let reasons = place.reasons()?.split_off(before);
            ensure_eq(reasons.len(), 1, &what)?;
            let (answer, _) = place.call("bob", "search", &json!({"query": "x"})).await?;
            ensure!(answer.is_success(), "after {what}: {}", answer.raw);
        }
        let records = place.world.records()?;
        let closed = events(&records, "downstream.closed");
        for record in closed
            .iter()
            .filter(|record| text(record, "service") == TRACKER)
        {
            ensure!(text(record, "outcome") != "unknown", "{record}");
        }
    }
    ensure_eq(elsewhere.heard().connections, 0, "connections elsewhere")
}
