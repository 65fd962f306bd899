//! An operator's own policy point: what it does not allow does not leave, whatever keeps it from
//! answering, and the journal says which of the two it was.
#![expect(clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Bound, Request, Server, Service};
use bailiwick_dev::process;
use bailiwick_tests::{World, bailiwick, ensure_eq, explained, probe, probing, reasons};
use http::StatusCode;
use serde_json::{Value, json};

/// A policy point that answers as the story says, and keeps what it was told.
pub(crate) struct Point {
    pub(crate) url: String,
    state: Arc<State>,
    _server: Server,
}

struct State {
    answer: Mutex<Answer>,
    told: Mutex<Vec<Request>>,
}

impl Point {
    pub(crate) async fn start() -> Result<Self> {
        let bound = Bound::to(0).await?;
        let url = format!("{}/access/v1/evaluation", bound.url());
        let state = Arc::new(State {
            answer: Mutex::new(decision(&json!({"decision": true}))),
            told: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        let service: Service = Arc::new(move |request| {
            let state = Arc::clone(&serving);
            Box::pin(async move {
                lock(&state.told).push(request);
                lock(&state.answer).clone()
            })
        });
        Ok(Self {
            url,
            state,
            _server: bound.serve(service),
        })
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *lock(&self.state.answer) = answer;
    }

    /// Returns the questions so far.
    pub(crate) fn told(&self) -> Vec<Request> {
        lock(&self.state.told).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn decision(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

/// Returns a world whose prober may make these requests, under a policy point.
async fn judged(point: &Point, more: &'static str) -> Result<World> {
    let url = point.url.clone();
    let plan = probing("on_behalf_of", move |config| {
        let rule = r#"deny = [{ request = "POST /notes", when = "request.body.n > 9" }]"#;
        config.components = format!("{}\n{rule}\n", config.components.trim_end());
        let allow = r#"allow = ["POST /notes", "#;
        config.services = config.services.replacen("allow = [", allow, 1);
        let private = r#"private_addresses = ["127.0.0.0/8"]"#;
        config.services += &["[policy_point]\nendpoint = \"", &url, "\"\n"].concat();
        config.services += &[private, "\n", more, "\n\n"].concat();
    });
    World::with(plan.await?).await
}

fn order() -> Value {
    json!({"method": "GET", "path": ["orders", "A-1001"]})
}

fn note(number: u64) -> Value {
    json!({"method": "POST", "path": ["notes"], "body": json!({"n": number}).to_string()})
}

#[tokio::test]
async fn nothing_leaves_that_the_policy_point_does_not_allow_and_the_journal_says_why() -> Result<()>
{
    let point = Point::start().await?;
    let world = judged(&point, "remember_seconds = 0").await?;
    let token = world.token("alice")?;
    let denial = json!({
        "decision": false,
        "context": {"id": "refunds/limit", "reason_user": {"en": "their-own-words"}},
    });
    for (answer, reason, rule) in [
        (decision(&denial), "denied-by-policy", Some("refunds/limit")),
        (
            decision(&json!({"decision": false})),
            "denied-by-policy",
            None,
        ),
        (decision(&json!({})), "policy-unavailable", None),
        (
            decision(&json!({"decision": "true"})),
            "policy-unavailable",
            None,
        ),
        (
            Answer::json(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({"decision": true}),
            ),
            "policy-unavailable",
            None,
        ),
        (
            Answer::new(StatusCode::OK, "text/html", "<html>their-own-words</html>"),
            "policy-unavailable",
            None,
        ),
    ] {
        point.answer(answer);
        let before = (world.orders.requests().len(), point.told().len());
        let said = probe(&world, &token, &order()).await?;
        ensure!(
            said.contains("NotGranted") && said.contains("policy point"),
            "{said}"
        );
        ensure!(!said.contains("their-own-words"), "{said}");
        ensure_eq(world.orders.requests().len(), before.0, "nothing leaves")?;
        ensure_eq(point.told().len(), before.1 + 1, "one question")?;
        let records = world.records()?;
        let record = records
            .iter()
            .rfind(|one| one["event"] == "downstream.refused");
        let record = record.context("no record")?;
        ensure_eq(&record["reason"], &json!(reason), "the reason")?;
        ensure_eq(record["rule"].as_str(), rule, "the rule")?;
        ensure_eq(
            &record["path_template"],
            &json!("/orders/{}"),
            "the template",
        )?;
        ensure!(
            !records
                .iter()
                .any(|one| one["event"] == "downstream.opened"),
            "a request was recorded as sent"
        );
        ensure!(
            !json!(records).to_string().contains("their-own-words"),
            "{record}"
        );
    }
    // The twin: what it allows leaves.
    point.answer(decision(&json!({"decision": true})));
    ensure_eq(
        probe(&world, &token, &order()).await?.as_str(),
        "200",
        "allowed",
    )?;
    ensure_eq(world.orders.requests().len(), 1, "it leaves")
}

#[tokio::test]
async fn the_policy_point_is_asked_once_for_each_user_after_the_rules_and_gets_no_token()
-> Result<()> {
    let point = Point::start().await?;
    let world = judged(&point, "remember_seconds = 60").await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let said = probe(&world, &alice, &note(10)).await?;
    ensure!(said.contains("components.prober.deny[1]"), "{said}");
    ensure_eq(
        point.told().len(),
        0,
        "what a rule denies is not asked about",
    )?;
    for token in [&alice, &alice, &bob, &bob] {
        probe(&world, token, &order()).await?;
    }
    probe(&world, &alice, &note(1)).await?;
    let told = point.told();
    ensure_eq(told.len(), 3, "one question for each user and request")?;
    let bodies: Vec<Value> = told
        .iter()
        .map(|request| Ok(serde_json::from_slice(&request.body)?))
        .collect::<Result<_>>()?;
    let subjects: Vec<_> = bodies
        .iter()
        .map(|body| body["subject"]["id"].clone())
        .collect();
    ensure_eq(
        subjects,
        vec![json!("alice"), json!("bob"), json!("alice")],
        "subjects",
    )?;
    let note = bodies.last().context("no question")?;
    ensure_eq(&note["action"]["name"], &json!("POST /notes"), "the action")?;
    ensure_eq(
        &note["resource"]["id"],
        &json!("orders_api"),
        "the resource",
    )?;
    ensure_eq(
        &note["context"]["request"]["body"],
        &json!({"n": 1}),
        "the body",
    )?;
    ensure_eq(
        &note["context"]["agent"]["id"],
        &json!("clerk"),
        "the agent",
    )?;
    for request in &told {
        ensure!(request.header("authorization").is_none(), "a credential");
        let body = String::from_utf8_lossy(&request.body).into_owned();
        ensure!(
            !body.contains(&alice) && !body.contains(&bob),
            "a token: {body}"
        );
        let id = request.header("x-request-id").context("no call")?;
        ensure!(
            json!(world.records()?).to_string().contains(id),
            "not a call: {id}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_ends_before_the_policy_point_decides_sends_nothing_and_the_journal_has_it()
-> Result<()> {
    let point = Point::start().await?;
    let world = judged(&point, "[limits]\ntime = \"2s\"").await?;
    let slow = decision(&json!({"decision": true}));
    point.answer(slow.after(Duration::from_secs(60)));
    let mut whole = order();
    whole["service"] = json!("orders_api");
    let answer = world.call(&world.token("alice")?, "ask", &whole).await?;
    ensure!(!answer.is_success(), "{}", answer.raw);
    ensure_eq(point.told().len(), 1, "questions")?;
    ensure_eq(world.orders.requests().len(), 0, "nothing leaves")?;
    let records = world.records()?;
    let told = |event| reasons(&records, event);
    ensure_eq(
        told("downstream.refused"),
        vec!["cancelled".to_owned()],
        "request",
    )?;
    ensure_eq(told("call.closed"), vec!["timed-out".to_owned()], "call")
}

#[tokio::test]
async fn explain_says_that_a_policy_point_decides_and_neither_it_nor_check_asks_it() -> Result<()> {
    let point = Point::start().await?;
    let world = judged(&point, "").await?;
    let said = explained(&world).await?;
    let must = format!(
        "the policy point at {}, which must allow each request",
        point.url
    );
    ensure!(said.contains(&must), "{said}");
    let config = world.folder.config();
    let check = ["check", "--config", &config.to_string_lossy()];
    let ran = process::run(&bailiwick()?, &check).await?;
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    ensure!(ran.status.success(), "{said}");
    ensure_eq(point.told().len(), 0, "questions")
}
