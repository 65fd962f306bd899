//! Resources, prompts and completion: each caller gets their own, under the rules of tools.
#![expect(clippy::indexing_slicing, reason = "tests")]

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::{Plan, SCOPE, World, ensure_eq};
use serde_json::{Value, json};

/// Sends a request whose header `Mcp-Name` is `name`.
async fn ask(
    world: &World,
    token: &str,
    (method, name): (&str, &str),
    params: &Value,
) -> Result<Answer> {
    let mut headers = mcp::headers(method, Some(token))?;
    if !name.is_empty() {
        headers.insert("mcp-name", name.parse()?);
    }
    mcp::post(&world.host.url(), headers, &mcp::message(method, params)).await
}

async fn read(world: &World, token: &str, uri: &str) -> Result<Answer> {
    ask(world, token, ("resources/read", uri), &json!({"uri": uri})).await
}

async fn complain(world: &World, token: &str, order: &str) -> Result<Answer> {
    let params = json!({"name": "complain", "arguments": {"order": order}});
    ask(world, token, ("prompts/get", "complain"), &params).await
}

async fn complete(world: &World, token: &str, value: &str) -> Result<Answer> {
    let params = json!({
        "ref": {"type": "ref/resource", "uri": FAMILY},
        "argument": {"name": "id", "value": value},
    });
    ask(world, token, ("completion/complete", ""), &params).await
}

/// Returns the URIs of all pages of the resources that a caller sees.
async fn resources(world: &World, token: &str) -> Result<Vec<String>> {
    let (mut uris, mut params) = (Vec::new(), json!({}));
    for _page in 0..10 {
        let page = ask(world, token, ("resources/list", ""), &params).await?;
        let result = page.result();
        ensure_eq(&result["cacheScope"], &json!("private"), &page.raw)?;
        let listed = result["resources"].as_array().context("no resources")?;
        let own = listed.iter().filter_map(|one| one["uri"].as_str());
        uris.extend(own.map(String::from));
        match result.get("nextCursor") {
            None => return Ok(uris),
            Some(cursor) => params = json!({"cursor": cursor}),
        }
    }
    anyhow::bail!("the list has no end")
}

#[tokio::test]
async fn two_callers_have_their_own_resources_prompts_and_suggestions() -> Result<()> {
    let world = World::start().await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let hers = resources(&world, &alice).await?;
    let his = resources(&world, &bob).await?;
    ensure!(
        !hers.is_empty() && !his.is_empty() && hers.iter().all(|uri| !his.contains(uri)),
        "{hers:?} {his:?}"
    );
    for (token, own, foreign) in [(&alice, &hers, &his), (&bob, &his, &hers)] {
        for uri in own {
            let answer = read(&world, token, uri).await?;
            let contents = &answer.result()["contents"];
            ensure_eq(&contents[0]["uri"], &json!(uri), &answer.raw)?;
            let number = uri.rsplit('/').next().unwrap_or_default();
            let prompt = complain(&world, token, number).await?;
            ensure!(
                prompt.raw.contains(&format!("Order {number} is")),
                "{}",
                prompt.raw
            );
        }
        for uri in foreign {
            let answer = read(&world, token, uri).await?;
            ensure!(answer.error_code().is_some(), "{}", answer.raw);
            let number = uri.rsplit('/').next().unwrap_or_default();
            let prompt = complain(&world, token, number).await?;
            ensure!(prompt.error_code().is_some(), "{}", prompt.raw);
        }
        let suggested = complete(&world, token, "").await?;
        let values = &suggested.result()["completion"]["values"];
        let expected: Vec<_> = own
            .iter()
            .filter_map(|uri| uri.rsplit('/').next())
            .collect();
        ensure_eq(values, &json!(expected), &suggested.raw)?;
    }
    let records = world.records()?;
    let opened = bailiwick_dev::journal::events(&records, "call.opened");
    for kind in ["resource", "prompt", "completion"] {
        let mut of_kind = opened.iter().filter(|one| one["target"]["kind"] == kind);
        ensure!(of_kind.next().is_some(), "no call of a {kind} is recorded");
    }
    let closed = bailiwick_dev::journal::events(&records, "call.closed");
    ensure_eq(opened.len(), closed.len(), "each call has two records")?;
    Ok(())
}

#[tokio::test]
async fn whoever_lacks_the_scope_sees_nothing_and_gets_nothing() -> Result<()> {
    let world = World::start().await?;
    let good = world.token("alice")?;
    let weak = world.issuer.token(&world.spec("alice").scopes(&[]))?;
    for (method, member) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let none = ask(&world, &weak, (method, ""), &json!({})).await?;
        ensure_eq(&none.result()[member], &json!([]), &none.raw)?;
        ensure!(none.result().get("nextCursor").is_none(), "{}", none.raw);
    }
    let family = ask(&world, &good, ("resources/templates/list", ""), &json!({})).await?;
    let templates = &family.result()["resourceTemplates"];
    ensure_eq(&templates[0]["uriTemplate"], &json!(FAMILY), &family.raw)?;
    let first = ask(&world, &good, ("resources/list", ""), &json!({})).await?;
    let cursor = &first.result()["nextCursor"];
    let members = json!({"cursor": cursor});
    for (token, status) in [(&weak, 403), (&good, 200)] {
        let uri = "orders://orders/A-1001";
        let answers = [
            read(&world, token, uri).await?,
            complain(&world, token, "A-1001").await?,
            complete(&world, token, "A-1").await?,
            ask(&world, token, ("resources/list", ""), &members).await?,
        ];
        for answer in answers {
            ensure_eq(answer.status.as_u16(), status, &answer.raw)?;
            ensure_eq(
                answer.challenge().contains(SCOPE),
                status == 403,
                &answer.raw,
            )?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_or_does_not_fit_is_refused_before_anything_runs() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let before = bailiwick_dev::journal::events(&world.records()?, "call.opened").len();
    for uri in [
        "orders://orders/",
        "orders://orders/A-1001/x",
        "orders://orders/..",
        "orders://orders/%2e%2E",
        "orders://orders/%00",
        "billing://orders/A-1001",
        "file:///etc/passwd",
        FAMILY,
    ] {
        let unknown = read(&world, &token, uri).await?;
        ensure_eq(unknown.error_code(), Some(-32602), &unknown.raw)?;
        let told: Value = serde_json::from_str(&unknown.raw)?;
        ensure_eq(&told["error"]["data"]["uri"], &json!(uri), &unknown.raw)?;
    }
    let wrong = [
        json!({}),
        json!({"order": 1001}),
        json!({"order": "A-1001", "user_id": "bob"}),
    ];
    for arguments in wrong {
        let params = json!({"name": "complain", "arguments": arguments});
        let refused = ask(&world, &token, ("prompts/get", "complain"), &params).await?;
        ensure_eq(refused.error_code(), Some(-32602), &refused.raw)?;
    }
    let after = bailiwick_dev::journal::events(&world.records()?, "call.opened").len();
    ensure_eq(after, before, "nothing ran")?;
    ensure!(
        read(&world, &token, "orders://orders/A-1001")
            .await?
            .is_success(),
        "the twin"
    );
    ensure!(
        complain(&world, &token, "A-1001").await?.is_success(),
        "the twin"
    );
    Ok(())
}

#[tokio::test]
async fn the_operator_narrows_a_resource_and_disables_a_prompt() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.components.push_str(
            "[components.orders.resources.\"orders://orders/{id}\"]\nscopes = [\"archive\"]\n\
             [components.orders.prompts.complain]\nenabled = false\n",
        );
    }))
    .await?;
    let token = world.token("alice")?;
    let refused = read(&world, &token, "orders://orders/A-1001").await?;
    ensure!(refused.challenge().contains("archive"), "{}", refused.raw);
    let gone = complain(&world, &token, "A-1001").await?;
    ensure_eq(gone.error_code(), Some(-32602), &gone.raw)?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the tool"
    );
    Ok(())
}

const FAMILY: &str = "orders://orders/{id}";
