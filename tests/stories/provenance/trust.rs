//! Trust that is withdrawn.

use std::fs;

use anyhow::{Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons, tools};
use serde_json::json;

use super::{Signer, detail, orders, signed_world};
use crate::reload::{in_effect, rewrite};

#[tokio::test]
async fn of_two_components_with_one_tool_name_the_signed_one_wins_at_the_start() -> Result<()> {
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;
    let signer = Signer::new().await?;
    let signature = signer.sign("whoami", &whoami).await?;
    for (is_signed, refused) in [(false, "whoami"), (true, "aaa")] {
        let section = signer.section("release", "\"whoami\"", "");
        let mut components = vec![("aaa.wasm".to_owned(), whoami.clone())];
        components.extend(is_signed.then(|| ("whoami.wasm.sig".to_owned(), signature.clone())));
        let world = World::with(Plan {
            components,
            config: Box::new(move |config| config.components += &section),
            ..Plan::default()
        })
        .await?;
        let records = world.records()?;
        let found = events(&records, "component.refused");
        let names = found.iter().map(|record| detail(record, "name"));
        ensure_eq(names.collect::<Vec<_>>(), vec![&json!(refused)], "refused")?;
    }
    Ok(())
}

#[tokio::test]
async fn trust_that_is_taken_back_is_gone_without_a_restart() -> Result<()> {
    let signer = Signer::new().await?;
    let signature = signer.sign("orders", &orders()?).await?;
    let section = signer.section("release", "\"orders\"", "\"orders_api\"");
    let world = signed_world(section.clone(), Some(signature.clone())).await?;
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "it is not served"
    );

    // The signature goes, and the component with it; both come back.
    let file = world.folder.path().join("tools/orders.wasm.sig");
    fs::remove_file(&file)?;
    in_effect(&world, 1).await?;
    ensure!(
        !world.order(&token, "A-1001").await?.is_success(),
        "it is served without its signature"
    );
    ensure_eq(count(&world.records()?, "component.removed"), 1, "removed")?;
    world.folder.write_tool("orders.wasm.sig", &signature)?;
    in_effect(&world, 2).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "it does not come back"
    );

    // The signer goes, and comes back.
    rewrite(&world, |text| text.replace(&section, ""))?;
    in_effect(&world, 3).await?;
    ensure!(
        !world.order(&token, "A-1001").await?.is_success(),
        "it is served without its signer"
    );
    ensure!(
        reasons(&world.records()?, "component.refused")
            .iter()
            .all(|reason| reason == "signature-refused")
    );
    rewrite(&world, |text| {
        text.replace("[audit]", &(section + "[audit]"))
    })?;
    in_effect(&world, 4).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "it does not come back"
    );
    Ok(())
}
