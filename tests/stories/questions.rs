//! A tool asks its client: in sealed rounds, once each, and nothing that it may not ask.

mod states;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest, reasons};
use http::HeaderName;
use serde_json::{Value, json};

/// Returns a world with the tools that ask. The operator lists the origin of a page and relays to
/// the client if `relays`.
pub(super) async fn asking(relays: bool) -> Result<World> {
    asking_for(relays, "").await
}

/// Returns such a world with limits.
pub(super) async fn asking_for(relays: bool, limits: &str) -> Result<World> {
    let limits = format!("[limits]\n{limits}\n");
    let asker = guest("asker").await?;
    let digest = bailiwick_dev::folder::digest(&asker);
    let more = if relays {
        "question_origins = [\"https://pay.example.com\"]\nrelay_questions = [\"sampling\", \"roots\"]\n"
    } else {
        ""
    };
    World::with(Plan {
        components: vec![("asker.wasm".into(), asker)],
        config: Box::new(move |config| {
            let granted = config.clone();
            *config = granted.grant("asker", &digest, &[("orders_api", "on_behalf_of")]);
            config.components = config.components.trim_end().to_owned() + "\n" + more + "\n";
            let allowed = "allow = [\"POST /orders/{}\", ";
            config.limits = limits;
            config.services = config.services.replacen("allow = [", allowed, 1);
        }),
        ..Plan::default()
    })
    .await
}

/// A client that declares capabilities and calls a tool.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) capabilities: Value,
    pub(super) tool: &'static str,
    pub(super) arguments: Value,
}

impl Asked {
    /// Returns a client with forms that calls a tool.
    pub(super) fn of(tool: &'static str, arguments: Value) -> Self {
        let capabilities = json!({"elicitation": {}});
        Self {
            capabilities,
            tool,
            arguments,
        }
    }

    /// Returns the same client with these capabilities.
    fn declaring(self, capabilities: Value) -> Self {
        Self {
            capabilities,
            ..self
        }
    }

    /// Calls the tool, with more parameters.
    pub(super) async fn call(&self, world: &World, token: &str, more: &Value) -> Result<Answer> {
        let mut params = json!({"name": self.tool, "arguments": self.arguments});
        let members = params.as_object_mut().context("an object")?;
        members.extend(more.as_object().cloned().unwrap_or_default());
        let mut message = mcp::message("tools/call", &params);
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        *message.pointer_mut(place).context("no capabilities")? = self.capabilities.clone();
        let mut headers = mcp::headers("tools/call", Some(token))?;
        headers.insert(HeaderName::from_static("mcp-name"), self.tool.parse()?);
        mcp::post(&world.host.url(), headers, &message).await
    }
}

/// Returns a form's answer.
pub(super) fn accept(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// Returns the answer to `stay`.
pub(super) fn stay() -> Value {
    accept(&json!({"nights": 2, "board": "Full", "note": CANARY}))
}

/// Returns the state of an answer that asks.
pub(super) fn state(answer: &Answer) -> Result<&str> {
    let result = answer.result();
    ensure!(result["resultType"] == "input_required", "{}", answer.raw);
    result["requestState"].as_str().context("no state")
}

/// Returns the parameters of a retry.
pub(super) fn retry(state: &str, responses: &Value) -> Value {
    json!({"requestState": state, "inputResponses": responses})
}

#[tokio::test]
async fn a_tool_asks_in_two_rounds_and_its_questions_and_answers_are_recorded() -> Result<()> {
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    let first = book.call(&world, &token, &json!({})).await?;
    let request = &first.result()["inputRequests"]["stay"];
    ensure_eq(
        &request["method"],
        &json!("elicitation/create"),
        "the method",
    )?;
    let form = json!({
        "type": "object",
        "properties": {
            "nights": {"type": "integer", "minimum": 0, "description": "The number of nights."},
            "board": {"type": "string", "oneOf": [
                {"const": "Breakfast", "title": "Breakfast alone."},
                {"const": "Full", "title": "All meals."},
            ]},
            "note": {"type": "string", "description": "Anything else."},
        },
        "required": ["nights", "board"],
    });
    ensure_eq(&request["params"]["requestedSchema"], &form, "the form")?;
    let answers = json!({"stay": stay()});
    let second = book
        .call(&world, &token, &retry(state(&first)?, &answers))
        .await?;
    let keys = second.result()["inputRequests"]
        .as_object()
        .context("no questions")?;
    ensure!(keys.keys().eq(["sure"]), "{}", second.raw);
    let sure = json!({"sure": accept(&json!({"sure": true}))});
    let third = book
        .call(&world, &token, &retry(state(&second)?, &sure))
        .await?;
    ensure_eq(
        third.text().as_str(),
        "room 7 for 2 nights with full board, noted",
        "the result",
    )?;
    let records = world.records()?;
    let events: Vec<_> = records
        .iter()
        .filter_map(|record| record["event"].as_str())
        .collect();
    let calls: Vec<_> = events
        .into_iter()
        .filter(|event| event.starts_with("call.") || event.starts_with("input."))
        .collect();
    let expected = [
        "call.opened",
        "input.asked",
        "call.closed",
        "call.opened",
        "input.answered",
        "input.asked",
        "call.closed",
        "call.opened",
        "input.answered",
        "call.closed",
    ];
    ensure_eq(calls.as_slice(), &expected[..], "the records")?;
    let of = |event: &str| bailiwick_dev::journal::events(&records, event);
    let (asked, answered) = (of("input.asked"), of("input.answered"));
    let member = |record: &Value, name: &str| record[name].clone();
    ensure_eq(member(asked[0], "keys"), json!(["stay"]), "the keys")?;
    ensure_eq(
        member(asked[0], "round"),
        member(answered[0], "round"),
        "the round",
    )?;
    ensure!(
        asked[0]["digest"]
            .as_str()
            .is_some_and(|text| text.starts_with("hmac-sha256:"))
    );
    ensure_eq(
        reasons(&records, "call.closed")[0].as_str(),
        "input-required",
        "the end",
    )?;
    let call = asked[0]["call"].as_str().context("no call")?;
    let (shown, page) = bailiwick_tests::audit(&[
        "show",
        &world.folder.audit().to_string_lossy(),
        "--call",
        call,
    ])
    .await?;
    ensure!(
        shown && page.contains("input.asked") && page.contains("keys stay"),
        "{page}"
    );
    nowhere(world, &[CANARY]).await
}

/// Checks that texts are neither in the journal nor in the host's log.
async fn nowhere(world: World, texts: &[&str]) -> Result<()> {
    let remains = world.stop().await?;
    let records: Vec<_> = remains.records()?.iter().map(Value::to_string).collect();
    for text in texts {
        ensure!(
            !records.iter().any(|record| record.contains(text)),
            "a record has {text}"
        );
        ensure!(!remains.said.contains(text), "the log has {text}");
    }
    Ok(())
}

#[tokio::test]
async fn answers_that_are_missing_or_do_not_fit_are_asked_again_without_their_values() -> Result<()>
{
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    let mut told = String::new();
    for answers in [
        json!({}),
        json!({"other": stay()}),
        json!({"stay": CANARY}),
        json!({"stay": accept(&json!({"nights": CANARY, "board": "Full"}))}),
        json!({"stay": accept(&json!({"nights": 2, "board": CANARY}))}),
        json!({"stay": {"action": CANARY}}),
    ] {
        let first = book.call(&world, &token, &json!({})).await?;
        let again = book
            .call(&world, &token, &retry(state(&first)?, &answers))
            .await?;
        let asks = &again.result()["inputRequests"];
        ensure!(asks.get("stay").is_some(), "{answers}: {}", again.raw);
        ensure!(state(&again)? != state(&first)?, "a round is used once");
        let good = json!({"stay": stay(), "extra": CANARY});
        let next = book
            .call(&world, &token, &retry(state(&again)?, &good))
            .await?;
        ensure!(
            next.result()["inputRequests"].get("sure").is_some(),
            "{}",
            next.raw
        );
        told = told + &first.raw + &again.raw + &next.raw;
    }
    // Without a state, nothing was asked, so nothing is answered.
    let more = json!({"inputResponses": {"stay": stay()}});
    let afresh = book.call(&world, &token, &more).await?;
    ensure!(
        afresh.result()["inputRequests"].get("stay").is_some(),
        "{}",
        afresh.raw
    );
    let declined = json!({"stay": {"action": "decline"}});
    let no = book
        .call(&world, &token, &retry(state(&afresh)?, &declined))
        .await?;
    ensure_eq(
        no.text().as_str(),
        "nothing was booked",
        "a refusal is an answer",
    )?;
    for bad in [
        json!({"requestState": 7}),
        json!({"inputResponses": [CANARY]}),
    ] {
        let refused = book.call(&world, &token, &bad).await?;
        ensure_eq(refused.error_code(), Some(-32602), &refused.raw)?;
        told += &refused.raw;
    }
    ensure!(
        !told.contains(CANARY),
        "an answer repeats an answer: {told}"
    );
    nowhere(world, &[CANARY]).await
}

#[tokio::test]
async fn a_client_is_asked_only_what_it_declared_and_learns_what_it_lacks() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    let survey = Asked::of("survey", json!({}));
    for (declared, keys, needed) in [
        (
            json!({"elicitation": {}, "sampling": {}, "roots": {}}),
            &["model", "roots", "sure"][..],
            None,
        ),
        (json!({"elicitation": {"form": {}}}), &["sure"], None),
        (json!({"sampling": {}}), &["model"], None),
        (
            json!({}),
            &[],
            Some(json!({"elicitation": {"form": {}}, "sampling": {}, "roots": {}})),
        ),
    ] {
        let asked = survey.clone().declaring(declared.clone());
        let answer = asked.call(&world, &token, &json!({})).await?;
        let Some(needed) = needed else {
            let requests = answer.result()["inputRequests"].as_object();
            let requests = requests.with_context(|| answer.raw.clone())?;
            ensure!(requests.keys().eq(keys), "{declared}: {}", answer.raw);
            continue;
        };
        ensure_eq(answer.status.as_u16(), 400, "the status")?;
        ensure_eq(answer.error_code(), Some(-32021), &answer.raw)?;
        let data = &answer.body["error"]["data"]["requiredCapabilities"];
        ensure_eq(data, &needed, "what it lacks")?;
        let told = reasons(&world.records()?, "call.closed").pop();
        ensure_eq(told.as_deref(), Some("input-unsupported"), "the record")?;
    }
    let all = survey.declaring(json!({"elicitation": {}, "sampling": {}, "roots": {}}));
    let asked = all.call(&world, &token, &json!({})).await?;
    let answers = json!({
        "sure": accept(&json!({"sure": true})),
        "model": {"role": "assistant", "content": {"type": "text", "text": CANARY}, "model": "m"},
        "roots": {"roots": [{"uri": "file:///home", "name": CANARY}]},
    });
    let done = all
        .call(&world, &token, &retry(state(&asked)?, &answers))
        .await?;
    ensure_eq(done.text().as_str(), "3 answers", "the result")?;
    nowhere(world, &[CANARY]).await
}

#[tokio::test]
async fn what_may_not_be_asked_is_the_tools_error_and_says_why_to_its_author() -> Result<()> {
    let everything = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let change = |method, state| Asked::of("change", json!({"method": method, "state": state}));
    let pay = |url: &str| Asked::of("pay", json!({"url": url}));
    let (listed, good) = (asking(true).await?, "https://pay.example.com/7");
    let unlisted = asking(false).await?;
    for (world, asked, refused) in [
        (
            &listed,
            Asked::of("phish", json!({})),
            Some("a form never asks"),
        ),
        (&listed, pay(good), None),
        (
            &listed,
            pay("https://pay.example.com.evil.example/"),
            Some("question_origins"),
        ),
        (
            &listed,
            pay("http://pay.example.com/7"),
            Some("question_origins"),
        ),
        (&unlisted, pay(good), Some("question_origins")),
        (&listed, Asked::of("survey", json!({})), None),
        (
            &unlisted,
            Asked::of("survey", json!({})),
            Some("relay_questions"),
        ),
        (&listed, change("GET", false), None),
        (&listed, change("POST", true), None),
        (&listed, change("POST", false), Some("give a state")),
    ] {
        let token = world.token("alice")?;
        let asked = asked.declaring(everything.clone());
        let answer = asked.call(world, &token, &json!({})).await?;
        let Some(why) = refused else {
            state(&answer)?;
            continue;
        };
        ensure!(
            answer.is_tool_error() && answer.text().contains(why),
            "{}",
            answer.raw
        );
        let told = reasons(&world.records()?, "call.closed").pop();
        ensure_eq(told.as_deref(), Some("question-refused"), "the record")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_of_an_earlier_revision_gets_an_error_or_the_page() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    let good = "https://pay.example.com/7";
    for (revision, tool, arguments, pages) in [
        ("2025-11-25", "pay", json!({"url": good}), true),
        ("2025-11-25", "book", json!({"room": 7}), false),
        ("2025-11-25", "survey", json!({}), false),
        ("2025-06-18", "pay", json!({"url": good}), false),
        ("2025-06-18", "book", json!({"room": 7}), false),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}});
        let mut headers = mcp::headers("tools/call", Some(&token))?;
        headers.insert(
            HeaderName::from_static("mcp-protocol-version"),
            revision.parse()?,
        );
        let answer = mcp::post(&world.host.url(), headers, &body).await?;
        if pages {
            ensure_eq(answer.error_code(), Some(-32042), &answer.raw)?;
            let page = &answer.body["error"]["data"]["elicitations"][0];
            ensure_eq(&page["url"], &json!(good), "the page")?;
            ensure!(page["elicitationId"].is_string() && page["mode"] == "url");
            continue;
        }
        let told = &answer.result()["_meta"]["io.bailiwick/reason"];
        ensure_eq(
            told,
            &json!("input-unsupported"),
            &format!("{revision} {tool}"),
        )?;
    }
    ensure_eq(
        count(&world.records()?, "input.asked"),
        1,
        "questions that left",
    )
}

/// A value of an answer that must be nowhere.
pub(super) const CANARY: &str = "canary-4e1f";
