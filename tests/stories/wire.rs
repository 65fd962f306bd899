//! Services that misbehave on the wire, and tools that try to reach another target than theirs.
//!
//! The service is a [`Recorder`], so the bytes on the wire are the evidence. Everything that it
//! does, and everything that tools try, is data: `tests/vectors/services.json`.

mod answers;
mod targets;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::recorder::{Reaction, Then};
use bailiwick_tests::{Recorder, World, ensure_eq, probing};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use answers::{Case, SLOW};
use targets::{Attempt, Place};

/// A list of the table. `answers`: what a service does. Each has a `name`, and changes a good
/// answer (`status`, `headers`, `body`, `base64`, `coding`, what follows: `then`) or is everything
/// (`raw`). `method` and `user` are those of the request. The tool gets a status (`gets`), in whose
/// answer it `sees` a text, or is `refused` with an error that is `told`; it never sees `canary`.
///
/// `texts`: what tools put into every place of a request. `headers`, `free_headers`, `methods`:
/// those that no tool may set, those that it may, and methods that there are not.
fn list(name: &str) -> Result<Vec<Value>> {
    let table: Value = serde_json::from_str(include_str!("../vectors/services.json"))?;
    let list = table.get(name).and_then(Value::as_array);
    Ok(list.with_context(|| format!("no {name}"))?.clone())
}

/// Returns a list of texts of the table, in which these addresses have their places.
fn texts(name: &str, elsewhere: &Recorder, service: &Recorder) -> Result<Vec<String>> {
    let texts = list(name)?.into_iter().map(|text| {
        let text = text.as_str().context("a text")?;
        let text = text.replace("ELSEWHERE", &elsewhere.address().to_string());
        Ok(text.replace("SERVICE", &service.address().to_string()))
    });
    texts.collect()
}

/// Starts a world whose prober asks a service at this URL, with these settings.
async fn world(url: String, more: &'static str) -> Result<World> {
    let plan = probing("on_behalf_of", move |config| {
        LIMITS.clone_into(&mut config.limits);
        let own = config.services.split_once("private_addresses");
        let own = own
            .map_or("", |(_, own)| own)
            .replacen("allow = [", ALLOW, 1);
        config.services =
            format!("[services.orders_api]\nurl = \"{url}\"\n{more}private_addresses{own}");
    });
    let world = World::with(plan.await?).await?;
    world.issuer.open("orders", &["orders:read".to_owned()]);
    Ok(world)
}

/// Returns what became of the prober's request: a status, or the name of an error with its text.
fn became(answer: &Answer) -> Option<&str> {
    answer.structured().pointer("/each/0")?.as_str()
}

#[tokio::test]
async fn no_answer_of_a_service_gives_a_tool_more_than_it_may_see_or_harms_the_next_user()
-> Result<()> {
    try_all("", |then| !SLOW.contains(&then)).await
}

#[tokio::test]
async fn no_service_that_never_ends_holds_a_tool_beyond_its_deadlines() -> Result<()> {
    let deadlines =
        "deadlines = { first_byte = \"500ms\", between_bytes = \"500ms\", total = \"1s\" }\n";
    try_all(deadlines, |then| SLOW.contains(&then)).await
}

/// Lets a service of these settings misbehave in each way that is `chosen` by what follows the
/// answer. After each, another user gets a good answer.
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
async fn try_all(more: &'static str, chosen: impl Fn(Then) -> bool) -> Result<()> {
    let elsewhere = Recorder::start(|_| Reaction::default()).await?;
    let script: Arc<Mutex<Case>> = Arc::default();
    let acts = Arc::clone(&script);
    let service = Recorder::start(move |request| {
        let case = acts.lock().unwrap_or_else(PoisonError::into_inner);
        case.reaction(request)
    })
    .await?;
    let world = world(service.url(), more).await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let (mut tried, mut refused, mut wrong) = (0, 0, 0);
    for (number, row) in list("answers")?.into_iter().enumerate() {
        let members = row.as_object().context("a row")?.clone();
        let mut case = Case {
            members,
            mark: format!("mark-{number}"),
            elsewhere: elsewhere.address().to_string(),
            subject: alice.clone(),
        };
        if !chosen(case.then()) {
            continue;
        }
        if let Some(user) = case.text("user") {
            case.subject = world.token(user)?;
        }
        let twin = case.twin(bob.clone());
        for case in [case, twin] {
            *script.lock().unwrap_or_else(PoisonError::into_inner) = case.clone();
            let before = service.heard();
            let arguments = json!({
                "service": "orders_api", "path": ["orders", case.mark],
                "method": case.text("method").unwrap_or("GET"),
            });
            let answer = world.call(&case.subject, "ask", &arguments).await?;
            case.judge(&answer)?;
            let heard = service.heard();
            let new = heard.requests.len() - before.requests.len();
            ensure_eq(new, 1, &format!("{}: requests", case.name()))?;
            let came = heard.requests.last().map_or(0, String::len);
            wrong += (heard.bytes - before.bytes).abs_diff(came);
            refused += usize::from(case.text("refused").is_some());
        }
        tried += 1;
    }
    wrong += elsewhere.heard().bytes;
    println!("{tried} misbehaviours of a service, {refused} refused, {wrong} bytes left wrongly");
    ensure_eq(wrong, 0, "bytes that left wrongly")?;
    ensure_eq(elsewhere.heard().connections, 0, "connections elsewhere")?;
    ensure!(refused > 0, "nothing was refused");
    Ok(())
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
async fn whatever_a_tool_puts_into_a_request_goes_to_the_target_that_the_operator_named()
-> Result<()> {
    let elsewhere = Recorder::start(|_| Reaction::default()).await?;
    let service = Recorder::start(|_| Reaction {
        bytes: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
        then: Then::Next,
    })
    .await?;
    let world = world(service.url(), "").await?;
    let mut attempts = Vec::new();
    for text in texts("texts", &elsewhere, &service)? {
        attempts.extend(Place::ALL.map(|place| Attempt::with(place, &text)));
    }
    for (name, is_free) in [("headers", false), ("free_headers", true)] {
        let all = texts(name, &elsewhere, &service)?;
        attempts.extend(all.iter().map(|header| Attempt::header(header, is_free)));
    }
    let methods = texts("methods", &elsewhere, &service)?;
    let methods = methods.iter();
    attempts.extend(methods.map(|method| Attempt::with(Place::Method, method)));
    let tried = attempts.len();

    let (mut passed, mut refused) = (Vec::new(), 0);
    let mut running = JoinSet::new();
    let mut waiting = attempts.into_iter();
    loop {
        while running.len() < AT_ONCE
            && let Some(attempt) = waiting.next()
        {
            let (url, token) = (world.host.url(), world.token("alice")?);
            running.spawn(async move {
                let answer = mcp::call(&url, Some(&token), "ask", &attempt.arguments).await;
                (attempt, answer)
            });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (attempt, answer) = ended?;
        let answer = answer?;
        match became(&answer) {
            Some("200") => passed.push(attempt),
            became => {
                attempt.judge(became)?;
                refused += 1;
            }
        }
    }
    let wrong = targets::wrong(&service, &passed)? + elsewhere.heard().bytes;
    println!("{tried} hostile targets tried, {refused} refused, {wrong} bytes left wrongly");
    ensure_eq(wrong, 0, "bytes that left wrongly")?;
    ensure_eq(elsewhere.heard().connections, 0, "connections elsewhere")?;
    ensure!(
        refused > passed.len() && !passed.is_empty(),
        "{refused} refused"
    );
    Ok(())
}

/// What the tool may ask of the service.
const ALLOW: &str =
    r#"allow = ["POST /orders/{}", "HEAD /orders/{}", "GET /files/{**}", "GET /search?q={}", "#;
/// An answer just below the limit must fit into the result of a tool.
const LIMITS: &str = "[limits]\ndownstream_bytes = \"128KiB\"\noutput = \"4MiB\"\n";
const AT_ONCE: usize = 8;
