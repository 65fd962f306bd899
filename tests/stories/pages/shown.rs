//! What the pages show of real calls.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_tests::{ORDERS_TOOL, Plan, ensure_eq};
use http::StatusCode;
use serde_json::json;

use super::Site;

/// Returns the pages of the calls that the first page names.
fn calls(page: &str) -> BTreeSet<String> {
    let links = page.split("href=\"/calls/").skip(1);
    let keys = links.filter_map(|rest| rest.split('"').next());
    keys.map(|key| format!("/calls/{key}")).collect()
}

/// Reads every page, and those of all calls.
async fn everything(site: &Site) -> Result<String> {
    let first = site.read("/").await?.text();
    let mut all = first.clone();
    for path in calls(&first)
        .iter()
        .map(String::as_str)
        .chain(["/tools", "/health", "/sign-in"])
    {
        let reply = site.read(path).await?;
        ensure_eq(reply.status, StatusCode::OK, path)?;
        all += &reply.text();
    }
    Ok(all)
}

#[tokio::test]
async fn each_page_has_the_names_of_a_real_call() -> Result<()> {
    let site = Site::open().await?;
    let alice = site
        .world
        .spec("alice")
        .claim("preferred_username", "Alice Adams");
    let token = site.world.issuer.token(&alice)?;
    ensure!(
        site.world.order(&token, "A-1001").await?.is_success(),
        "a call"
    );
    let bob = site.world.spec("bob").scopes(&["other"]);
    site.world
        .order(&site.world.issuer.token(&bob)?, "A-1001")
        .await?;
    let page = site.until("/", "insufficient-scope").await?;
    for text in [
        "alice",
        "Alice Adams",
        "bob",
        ORDERS_TOOL,
        "orders_api",
        "done",
        "refused",
        ">200<",
        "on the user’s behalf",
    ] {
        ensure!(page.contains(text), "no {text}:\n{page}");
    }
    let records = site.world.records()?;
    let opened = bailiwick_dev::journal::events(&records, "call.opened");
    let opened = opened.first().context("no call")?;
    let id = opened
        .get("call")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let call = site
        .until(&format!("/calls/{id}"), "under checkpoint ")
        .await?;
    let digest = opened.get("component").and_then(serde_json::Value::as_str);
    for text in [
        "tools/call get_order_status",
        "GET orders_api /orders/{}",
        "exchange the user’s token",
        "a token for orders alone",
        "request, an exchanged token",
        "answer 200",
        "[components.orders]",
        digest.context("no component")?,
        "not signed",
        "downstream.opened",
        site.world.issuer.url(),
        &format!("--call {id}"),
    ] {
        ensure!(call.contains(text), "no {text}:\n{call}");
    }
    let tools = site.read("/tools").await?.text();
    for text in [
        ORDERS_TOOL,
        "whoami",
        "orders_api",
        "[components.orders]",
        "orders:read",
    ] {
        ensure!(tools.contains(text), "no {text}:\n{tools}");
    }
    let health = site.read("/health").await?.text();
    for text in [
        "host.started",
        "component.loaded",
        "can be written",
        site.world.issuer.url(),
    ] {
        ensure!(health.contains(text), "no {text}:\n{health}");
    }
    let gone = site.read("/calls/00000000000000000000000000000000").await?;
    ensure_eq(gone.status, StatusCode::NOT_FOUND, "an unknown call")?;
    let told = gone.text();
    ensure!(
        told.contains("--call 00000000000000000000000000000000"),
        "{told}"
    );
    Ok(())
}

#[tokio::test]
async fn a_click_shows_the_calls_that_have_a_value() -> Result<()> {
    let site = Site::open().await?;
    for who in ["alice", "bob"] {
        let token = site.world.token(who)?;
        site.world.call(&token, "whoami", &json!({})).await?;
        site.world.order(&token, "A-1001").await?;
    }
    site.world.call("a.b.c", "whoami", &json!({})).await?;
    let all = site.until("/", "token-invalid").await?;
    let rows = |page: &str| calls(page).len();
    ensure_eq(rows(&all), 5, "calls")?;
    for (query, expected) in [
        ("who=alice", 2),
        ("tool=whoami", 2),
        ("outcome=refused", 1),
        ("service=orders_api", 2),
        ("who=nobody", 0),
    ] {
        let link = format!("href=\"/?{query}\"");
        ensure_eq(all.contains(&link), expected > 0, &link)?;
        let page = site.read(&format!("/?{query}")).await?.text();
        ensure_eq(rows(&page), expected, query)?;
    }
    let alice = site.read("/?who=alice").await?.text();
    ensure!(
        alice.contains("href=\"/?who=alice&amp;tool=whoami\""),
        "{alice}"
    );
    let both = site.read("/?who=alice&tool=whoami").await?.text();
    ensure_eq(rows(&both), 1, "both")
}

#[tokio::test]
async fn a_page_goes_on_with_the_journal_after_a_restart() -> Result<()> {
    let site = Site::open().await?;
    let token = site.world.token("alice")?;
    ensure!(
        site.world.order(&token, "A-1001").await?.is_success(),
        "a call"
    );
    let before = calls(&site.until("/", "orders_api").await?);
    let world = site.world.stop().await?.restart().await?;
    let url = super::url_of(&world)?;
    let site = Site { world, url, ..site };
    let after = site.read("/").await?.text();
    ensure_eq(calls(&after), before, "calls")?;
    ensure!(after.contains("done"), "{after}");
    Ok(())
}

#[tokio::test]
async fn no_page_has_a_token_an_argument_or_a_result() -> Result<()> {
    let site = Site::open().await?;
    let world = &site.world;
    let token = world.token("alice")?;
    let body = r#"{"id": "canary-of-the-service", "status": "canary-of-the-result"}"#;
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body));
    world.order(&token, "canary-of-an-argument").await?;
    let wrong = json!({"order_id": "1", "canary-of-a-name": "canary-of-a-value"});
    world.call(&token, ORDERS_TOOL, &wrong).await?;
    world.call(&token, "canary-of-a-tool", &json!({})).await?;
    let broken = world.issuer.token(&world.spec("alice").lifetime(-600))?;
    world.call(&broken, "whoami", &json!({})).await?;
    site.until("/", "token-invalid").await?;
    let all = everything(&site).await?;
    ensure!(
        all.contains("invalid-arguments"),
        "what was refused is shown"
    );
    let mut canaries = vec!["canary-of".to_owned(), site.token.clone()];
    canaries.push(site.cookie().await?);
    let exchanged = world.issuer.exchanges();
    ensure!(!exchanged.is_empty(), "nothing was exchanged");
    let issued = exchanged.into_iter().filter_map(|exchange| exchange.issued);
    for token in issued.chain([token, broken]) {
        canaries.extend(
            token
                .split('.')
                .filter(|part| part.len() > 40)
                .map(String::from),
        );
    }
    for secret in ["keys/mac.key", "keys/journal.pem", "secrets/exchange"] {
        let bytes = std::fs::read(world.folder.path().join(secret))?;
        canaries.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    for canary in &canaries {
        ensure!(
            !canary.is_empty() && !all.contains(canary),
            "{canary} is shown"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_a_stranger_chose_is_text_and_nothing_else() -> Result<()> {
    let hostile = "\"'><img src=x onerror=alert(1)>&amp;</title></pre>";
    let site = Site::open().await?;
    let world = &site.world;
    let spec = world
        .spec(hostile)
        .client(&format!("agent{hostile}"))
        .claim("name", format!("shown{hostile}\u{202e}\u{7}"))
        .tenant(&format!("tenant{hostile}"));
    let token = world.issuer.token(&spec)?;
    world.order(&token, "A-1001").await?;
    world.call(&token, hostile, &json!({})).await?;
    site.until("/", "onerror").await?;
    let mut all = everything(&site).await?;
    let hidden = format!("{hostile}\u{202e}\u{7}");
    let escaped: String = url::form_urlencoded::byte_serialize(hidden.as_bytes()).collect();
    for path in [
        format!("/?who={escaped}&tool={escaped}&issuer={escaped}"),
        format!("/calls/{escaped}"),
        "/calls/<img%20src=x>".to_owned(),
        format!("/nowhere/{escaped}"),
    ] {
        all += &site.read(&path).await?.text();
    }
    let form = format!("token=x&to=/{escaped}");
    all += &site
        .ask(http::Method::POST, "/sign-in", &[], &form)
        .await?
        .text();
    ensure!(all.contains("&lt;img src=x onerror=alert(1)&gt;"), "{all}");
    ensure!(
        all.contains("\\u{202e}"),
        "a hidden character is shown: {all}"
    );
    for raw in ["<img", "onerror=alert(1)>", "\u{202e}", "\u{7}"] {
        ensure!(!all.contains(raw), "{raw:?} is on a page:\n{all}");
    }
    Ok(())
}

#[tokio::test]
async fn a_notice_is_above_the_calls_for_as_long_as_its_file_has_text() -> Result<()> {
    let site = Site::with(Plan::default(), "notice = \"notice\"\n").await?;
    let file = site.world.folder.path().join("notice");
    let none = "<div id=\"notice\" role=\"status\"></div>";
    ensure!(site.read("/").await?.text().contains(none), "a notice");
    std::fs::write(&file, "work is <under> way\n  until noon\n")?;
    let page = site.read("/").await?.text();
    ensure!(
        page.contains("work is &lt;under&gt; way") && page.contains("  until noon"),
        "{page}"
    );
    std::fs::remove_file(&file)?;
    ensure!(site.read("/").await?.text().contains(none), "a notice");
    Ok(())
}

#[tokio::test]
async fn resources_and_prompts_have_their_rights_beside_the_tools() -> Result<()> {
    let site = Site::open().await?;
    let page = site.read("/tools").await?.text();
    let (_, resources) = page.split_once("Resources").context("no resources")?;
    let (resources, prompts) = resources.split_once("Prompts").context("no prompts")?;
    for (part, name) in [(resources, "orders://orders/{id}"), (prompts, "complain")] {
        for text in [name, "orders_api", "orders:read", "on the user’s behalf"] {
            ensure!(part.contains(text), "no {text}:\n{part}");
        }
    }
    Ok(())
}
