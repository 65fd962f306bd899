//! Restrictions of single tools: one that names no tool restricts none, so its component is not
//! offered.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::hostile::Guest;
use bailiwick_tests::{ORDERS_TOOL, Plan, World, ensure_eq};
use serde_json::json;

use crate::reload::{in_effect, rewrite, until};

const MISTYPED: &str = "\n[components.whoami.tools.whomai]\nenabled = false\n";
const REMEDY: &str = "[components.whoami.tools.whomai] restricts what this component does not \
                      have; expected whoami; correct the name, or remove the table if it is gone";

async fn serves(world: &World, tool: &str) -> Result<bool> {
    let token = world.token("alice")?;
    let arguments = if tool == ORDERS_TOOL {
        json!({"order_id": "A-1001"})
    } else {
        json!({})
    };
    Ok(world.call(&token, tool, &arguments).await?.is_success())
}

#[tokio::test]
async fn a_live_change_that_restricts_a_tool_that_is_not_there_is_refused_whole() -> Result<()> {
    let world = World::start().await?;
    let good = fs::read_to_string(world.folder.config())?;
    rewrite(&world, |text| text + MISTYPED)?;
    let records = until(&world, "config.refused", 1).await?;
    let last = events(&records, "config.refused").pop().context("record")?;
    ensure!(last.to_string().contains("whomai"), "{last}");
    ensure!(world.host.said().contains(REMEDY), "{}", world.host.said());
    ensure!(
        serves(&world, "whoami").await?,
        "the settings in effect stay"
    );
    let right = MISTYPED.replace("whomai", "whoami");
    rewrite(&world, |_| good + &right)?;
    world.host.says("a change is in effect").await?;
    ensure!(!serves(&world, "whoami").await?, "the right name");
    ensure!(serves(&world, ORDERS_TOOL).await?, "the others");
    Ok(())
}

#[tokio::test]
async fn a_host_starts_without_the_component_and_says_how_to_mend_it() -> Result<()> {
    let plan = Plan::config(|config| config.components.push_str(MISTYPED));
    let world = World::with(plan).await?;
    ensure!(world.host.said().contains(REMEDY), "{}", world.host.said());
    let records = world.records()?;
    let refused = events(&records, "component.refused");
    let reasons: Vec<_> = refused
        .iter()
        .map(|record| text(record, "reason"))
        .collect();
    ensure_eq(reasons, vec!["definition-refused"], "records")?;
    ensure!(!serves(&world, "whoami").await?, "nothing of it is offered");
    ensure!(serves(&world, ORDERS_TOOL).await?, "the others");
    // Another change of the settings is not held up by it.
    rewrite(&world, |text| {
        text + "\n[components.orders.tools.get_order_status]\nenabled = false\n"
    })?;
    world.host.says("a change is in effect").await?;
    ensure!(!serves(&world, ORDERS_TOOL).await?, "another restriction");
    rewrite(&world, |text| {
        text.replace("whomai", "whoami")
            .replace("enabled = false", "")
    })?;
    until(&world, "component.loaded", 2).await?;
    in_effect(&world, 2).await?;
    ensure!(serves(&world, "whoami").await?, "mended");
    Ok(())
}

#[tokio::test]
async fn a_new_version_without_a_restricted_tool_leaves_the_old_one_serving() -> Result<()> {
    let restricted = "\n[components.whoami.tools.whoami]\nscopes = [\"orders:read\"]\n";
    let world = World::with(Plan::config(move |config| {
        config.components.push_str(restricted);
    }))
    .await?;
    ensure!(serves(&world, "whoami").await?, "before");
    let tools = world.folder.path().join("tools");
    let other = wat::parse_str(Guest::new().text("other"))?;
    fs::write(tools.join("new"), other)?;
    fs::rename(tools.join("new"), tools.join("whoami.wasm"))?;
    let records = until(&world, "component.refused", 1).await?;
    let last = events(&records, "component.refused")
        .pop()
        .context("record")?;
    let told = "[components.whoami.tools.whoami] restricts what this component does not have";
    ensure!(last.to_string().contains(told), "{last}");
    world.host.says("the last good version stays").await?;
    ensure!(serves(&world, "whoami").await?, "the last good version");
    fs::remove_file(tools.join("whoami.wasm"))?;
    until(&world, "component.removed", 1).await?;
    // The record comes before the effect.
    while serves(&world, "whoami").await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
