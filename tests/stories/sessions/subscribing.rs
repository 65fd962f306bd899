//! A session hears of the resources that it subscribes to.

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{World, ensure_eq, guest, reasons};
use serde_json::{Value, json};

use super::client::{Client, next, plan};

const WATCHED: &str = "test://watched-resource";
const ORDER: &str = "orders://orders/A-1001";

#[tokio::test]
async fn a_session_hears_of_changed_resources_that_its_caller_sees_and_subscribed_to() -> Result<()>
{
    let component = guest("conformer").await?;
    let mut plan = plan("", |_| ()).await?;
    plan.components
        .push(("test.wasm".into(), component.clone()));
    let world = World::with(plan).await?;
    let alice = world.token("alice")?;
    let (client, opened) = Client::initialize(&world, &alice, &json!({})).await?;
    let resources = &opened.result()["capabilities"]["resources"];
    let promised = json!({"subscribe": true, "listChanged": true});
    ensure_eq(resources, &promised, "what it promises")?;
    let few = world.issuer.token(&world.spec("bob").scopes(&[]))?;
    let bob = Client::open(&world, &few).await?;
    for (who, uri, code) in [
        (&client, json!(WATCHED), None),
        (&client, json!("test://static-text"), None),
        (&client, json!(ORDER), None),
        (&bob, json!(ORDER), Some(-32002)),
        (&client, json!("test://nothing"), Some(-32002)),
        (&client, json!(7), Some(-32602)),
        (&client, Value::Null, Some(-32602)),
    ] {
        let asked = who.ask("resources/subscribe", &json!({"uri": uri})).await?;
        ensure_eq(asked.error_code(), code, &format!("{uri}: {}", asked.raw))?;
        if code.is_some() {
            let told = reasons(&world.records()?, "call.refused").pop();
            ensure_eq(told.as_deref(), Some("invalid-request"), "the record")?;
        }
    }
    let other = json!({"uri": "test://static-text"});
    let ended = client.ask("resources/unsubscribe", &other).await?;
    ensure_eq(ended.result(), &json!({}), &ended.raw)?;
    let mut stream = client.stream().await?;
    let (from, to) = (
        b"This is the content of the w",
        b"That is the content of the w",
    );
    let at = component.windows(from.len()).position(|part| part == from);
    let at = at.context("the component has other words")?;
    let mut changed = component.clone();
    let place = changed.get_mut(at..at + to.len()).context("words")?;
    place.copy_from_slice(to);
    world.folder.write_tool("test.wasm", &changed)?;
    let expected = json!({
        "jsonrpc": "2.0", "method": "notifications/resources/updated",
        "params": {"uri": WATCHED},
    });
    ensure_eq(&next(&mut stream).await?, &expected, "the message")?;
    let read = client
        .ask("resources/read", &json!({"uri": WATCHED}))
        .await?;
    ensure!(read.raw.contains("That is"), "told too early: {}", read.raw);
    // What changes while no one listens is told to the next stream.
    drop(stream);
    world.folder.write_tool("test.wasm", &component)?;
    while !client
        .ask("resources/read", &json!({"uri": WATCHED}))
        .await?
        .raw
        .contains("This is")
    {}
    let mut stream = client.stream().await?;
    ensure_eq(&next(&mut stream).await?, &expected, "the next stream")
}
