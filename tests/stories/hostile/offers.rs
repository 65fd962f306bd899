//! Guests whose resources, prompts and suggestions are too many, too large or not their own.

use anyhow::{Result, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::hostile::{
    Guest, Member, Message, Offers, Part, Prompt, Resource, Suggestions,
};
use bailiwick_tests::{Plan, World};
use serde_json::{Value, json};

/// Returns a world with a guest of this name.
async fn with(name: &str, guest: &Guest) -> Result<World> {
    let bytes = wat::parse_str(guest.text(name))?;
    World::with(Plan {
        components: vec![(format!("{name}.wasm"), bytes)],
        ..Plan::default()
    })
    .await
}

async fn ask(world: &World, (method, name): (&str, &str), params: &Value) -> Result<Answer> {
    let mut headers = mcp::headers(method, Some(&world.token("alice")?))?;
    if !name.is_empty() {
        headers.insert("mcp-name", name.parse()?);
    }
    mcp::post(&world.host.url(), headers, &mcp::message(method, params)).await
}

/// Returns what the host answers while pages follow each other, at most `most` of them.
async fn pages(world: &World, most: usize) -> Result<String> {
    let (mut seen, mut params) = (String::new(), json!({}));
    for _ in 0..most {
        let page = ask(world, ("resources/list", ""), &params).await?;
        seen.push_str(&page.raw);
        match page.result().get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => break,
        }
    }
    Ok(seen)
}

fn offers() -> Offers {
    Offers {
        resources: vec![Resource::new("odd://a/{id}")],
        prompts: vec![Prompt {
            arguments: vec![(b"city".into(), false)],
            ..Prompt::new("plan")
        }],
        ..Offers::default()
    }
}

async fn read(world: &World) -> Result<Answer> {
    let uri = "odd://a/1";
    ask(world, ("resources/read", uri), &json!({"uri": uri})).await
}

#[tokio::test]
async fn a_list_of_another_component_s_members_or_without_end_harms_nobody() -> Result<()> {
    for (uri, shown) in [
        ("odd://a/1", true),
        ("whoami://me", false),
        ("file:///x", false),
    ] {
        let offers = Offers {
            members: vec![Member::new(uri)],
            next: Some(b"again".into()),
            ..offers()
        };
        let world = with("odd", &Guest::new().offers(&offers)).await?;
        let seen = pages(&world, 5).await?;
        ensure!(
            seen.contains(&format!("\"{uri}\"")) == shown,
            "{uri}: {seen}"
        );
        ensure!(seen.len() < 100_000, "{} bytes", seen.len());
    }
    Ok(())
}

#[tokio::test]
async fn pages_contents_and_messages_that_are_too_large_end_the_call() -> Result<()> {
    let much = "(drop (memory.grow (i32.const 160)))";
    let set = |at: usize| {
        format!(
            "{much} (i32.store (i32.const {at}) (i32.const 524288)) \
             (i32.store (i32.const {}) (i32.const 100000))",
            at + 4
        )
    };
    let guest = Guest::new().offers(&offers());
    let guest = guest.fill("members", set(16_436)).fill("read", set(16_472));
    let guest = guest.fill("get", set(16_516));
    let world = with("odd", &guest).await?;
    ensure!(pages(&world, 5).await?.len() < 100_000, "a giant page");
    let answer = read(&world).await?;
    ensure!(answer.error_code().is_some(), "{}", answer.raw.len());
    let params = json!({"name": "plan"});
    let answer = ask(&world, ("prompts/get", "plan"), &params).await?;
    ensure!(answer.error_code().is_some(), "{}", answer.raw.len());
    Ok(())
}

#[tokio::test]
async fn contents_are_a_component_s_own_and_texts_control_nothing() -> Result<()> {
    let good = |uri: &str| Offers {
        contents: vec![Part::new(uri, b"gone\x1b[2J")],
        messages: vec![Message {
            role: 0,
            text: b"gone\x1b[2J".into(),
        }],
        suggestions: Some(Suggestions {
            values: vec![b"gone\x1b[2J".into()],
            ..Suggestions::default()
        }),
        ..offers()
    };
    let own = with("odd", &Guest::new().offers(&good("odd://a/1"))).await?;
    let answers = [
        read(&own).await?,
        ask(&own, ("prompts/get", "plan"), &json!({"name": "plan"})).await?,
    ];
    for answer in answers {
        ensure!(answer.error_code().is_none(), "{}", answer.raw);
        ensure!(answer.raw.contains("gone"), "{}", answer.raw);
        ensure!(!answer.raw.contains("\\u001b"), "{}", answer.raw);
    }
    let params = json!({
        "ref": {"type": "ref/prompt", "name": "plan"},
        "argument": {"name": "city", "value": ""},
    });
    let suggested = ask(&own, ("completion/complete", ""), &params).await?;
    ensure!(!suggested.raw.contains("\\u001b"), "{}", suggested.raw);
    for uri in ["whoami://me", "https://idp.example/login"] {
        let foreign = with("odd", &Guest::new().offers(&good(uri))).await?;
        let answer = read(&foreign).await?;
        ensure!(!answer.raw.contains("gone"), "{uri}: {}", answer.raw);
    }
    Ok(())
}

#[tokio::test]
async fn a_prompt_that_requires_a_capability_is_for_clients_that_declare_it() -> Result<()> {
    let requires = [b"requires".to_vec(), br#"["elicitation.form"]"#.to_vec()];
    let offers = Offers {
        facets: vec![(1, b"plan".into(), vec![requires])],
        ..offers()
    };
    let world = with("odd", &Guest::new().offers(&offers)).await?;
    for (declared, refused) in [
        (json!({}), true),
        (json!({"elicitation": {"url": {}}}), true),
        (json!({"elicitation": {}}), false),
    ] {
        let mut headers = mcp::headers("prompts/get", Some(&world.token("alice")?))?;
        headers.insert("mcp-name", "plan".parse()?);
        let mut message = mcp::message("prompts/get", &json!({"name": "plan"}));
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        if let Some(capabilities) = message.pointer_mut(place) {
            *capabilities = declared.clone();
        }
        let answer = mcp::post(&world.host.url(), headers, &message).await?;
        let code = answer.error_code();
        ensure!(
            (code == Some(-32021)) == refused,
            "{declared}: {}",
            answer.raw
        );
        ensure!(
            !refused || answer.raw.contains("requiredCapabilities"),
            "{}",
            answer.raw
        );
    }
    let records = world.records()?;
    let refused = records
        .iter()
        .filter(|one| one["reason"] == "capability-missing");
    ensure!(refused.count() == 2, "the refusals are not recorded");
    Ok(())
}
