//! A new version needs a new signature, and its changes are recorded.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_tests::{Plan, World, ensure_eq};
use serde_json::{Value, json};

use super::{Signer, detail, newest, orders, path, reworded, run, signed_world};
use crate::reload::{in_effect, until};

#[tokio::test]
async fn a_new_version_needs_a_new_signature_and_the_old_one_serves_until_then() -> Result<()> {
    let signer = Signer::new().await?;
    let (old, new) = (orders()?, reworded()?);
    let section = signer.section("release", "\"orders\"", "\"orders_api\"");
    let world = signed_world(section, Some(signer.sign("orders", &old).await?)).await?;
    let token = world.token("alice")?;
    world.folder.write_tool("orders.wasm", &new)?;
    let records = until(&world, "component.refused", 1).await?;
    ensure_eq(
        text(newest(&records, "component.refused")?, "reason"),
        "signature-refused",
        "reason",
    )?;
    in_effect(&world, 1).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the last good version is gone"
    );
    world
        .folder
        .write_tool("orders.wasm.sig", &signer.sign("orders", &new).await?)?;
    in_effect(&world, 2).await?;
    let records = world.records()?;
    let loaded = newest(&records, "component.loaded")?;
    ensure_eq(
        text(loaded, "component"),
        bailiwick_dev::folder::digest(&new).as_str(),
        "the code in effect",
    )?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the new version does not serve"
    );
    Ok(())
}

#[tokio::test]
async fn a_change_is_recorded_with_what_changed_and_so_is_the_way_back() -> Result<()> {
    let (old, new) = (orders()?, reworded()?);
    let plan = Plan::config(|config| {
        let pinned: String = config
            .components
            .lines()
            .filter(|line| line.starts_with("digest"))
            .collect();
        config.components = config.components.replace(&pinned, "digest = \"any\"");
    });
    let world = World::with(plan).await?;
    let [old_digest, new_digest] = [&old, &new].map(|bytes| bailiwick_dev::folder::digest(bytes));
    let mut described = Vec::new();
    let steps = [
        (&new, &new_digest, &old_digest),
        (&old, &old_digest, &new_digest),
    ];
    for (index, (bytes, now, before)) in steps.into_iter().enumerate() {
        world.folder.write_tool("orders.wasm", bytes)?;
        in_effect(&world, index + 1).await?;
        let records = world.records()?;
        let record = newest(&records, "component.loaded")?;
        ensure_eq(text(record, "component"), now.as_str(), "the new digest")?;
        ensure_eq(detail(record, "previous"), &json!(before), "the old digest")?;
        let changes = detail(record, "changes").as_array().context("no changes")?;
        let change = changes.first().and_then(Value::as_str).unwrap_or_default();
        ensure_eq(changes.len(), 1, &format!("{changes:?}"))?;
        ensure!(
            change.starts_with("get_order_status: description changed from sha256:"),
            "{change}"
        );
        ensure!(
            !record.to_string().contains("where an order is"),
            "a text of the component: {record}"
        );
        described.push(
            change
                .split_whitespace()
                .filter(|word| word.starts_with("sha256:"))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    let back: Vec<_> = described
        .iter()
        .map(|pair| pair.split(' ').rev().collect::<Vec<_>>().join(" "))
        .collect();
    ensure_eq(
        described.first(),
        back.last(),
        "the way back is the way there, reversed",
    )?;
    let (_, said) = run(&[
        "audit",
        "show",
        path(&world.folder.audit())?,
        "--event",
        "component.loaded",
    ])
    .await?;
    ensure!(
        said.contains("in place of sha256:")
            && said.contains("changed     get_order_status: description"),
        "{said}"
    );
    Ok(())
}
