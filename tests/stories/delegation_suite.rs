//! The delegation suite, against this host and against gateways that are naive.

mod naive;

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Config;
use bailiwick_tests::delegation::{Gateway, Settings, Stage, run};
use bailiwick_tests::{ORDERS_TOOL, Plan, TRUST_DOMAIN, World, ensure_eq};
use serde_json::json;
use tokio::process::Command;

use naive::{Flaw, Naive};

/// Returns one of the values that the suite prints.
fn printed(stage: &Stage, name: &str) -> Result<String> {
    let mut values = stage.configuration().into_iter();
    let found = values.find(|(printed, _)| *printed == name);
    Ok(found.with_context(|| format!("{name} is not printed"))?.1)
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
async fn this_host_passes_the_delegation_suite_with_what_the_suite_prints() -> Result<()> {
    let stage = Stage::start(Settings {
        client_id: "bailiwick".to_owned(),
        // A world has it in `secrets/exchange`.
        client_secret: "a secret of the host & only of it".to_owned(),
        ..Settings::default()
    })
    .await?;
    let (issuer, service) = (printed(&stage, "issuer")?, printed(&stage, "service")?);
    let world = World::with(Plan::config(move |config| {
        let own = Config::new(&issuer, TRUST_DOMAIN).with_orders(&issuer, &service);
        config.issuers = own.issuers;
        config.services = own.services;
    }))
    .await?;
    let order = json!({"order_id": "A-1001"});
    let gateway = Gateway::at(&world.host.url(), ORDERS_TOOL, order);
    let report = run(&stage, &gateway).await?;
    println!("{report}");
    ensure!(report.is_good(), "{report}");
    let [mix_ups, lies, fallbacks] = report.classes().map(|class| class.tried);
    ensure_eq([lies, fallbacks], [25, 6], "cases")?;
    // 20 users twice in turns and once together, and a good call after each case.
    ensure!(mix_ups >= 60 + 25 + 6, "{report}");
    ensure!(
        report
            .classes()
            .iter()
            .all(|class| class.not_tried.is_empty()),
        "{report}"
    );
    Ok(())
}

#[tokio::test]
async fn a_gateway_without_a_flaw_passes_and_each_flaw_is_found_in_its_class() -> Result<()> {
    for (flaw, faulty) in [
        (Flaw::None, [false, false, false]),
        (Flaw::Believes, [false, true, false]),
        (Flaw::PassesOn, [false, true, true]),
        (Flaw::FallsBackToItself, [false, true, true]),
        (Flaw::FallsBackToNothing, [false, true, true]),
        (Flaw::SharesItsCache, [true, true, true]),
    ] {
        let stage = Stage::start(Settings::default()).await?;
        let gateway = Naive::start(&stage.configuration(), flaw).await?;
        let gateway = Gateway {
            users: 3,
            ..Gateway::at(&gateway.url, "any", json!({}))
        };
        let report = run(&stage, &gateway).await;
        let report = report.with_context(|| format!("{flaw:?}"))?;
        let found = report.classes().map(|class| !class.wrong.is_empty());
        ensure_eq(found, faulty, &format!("{flaw:?}: {report}"))?;
        ensure_eq(report.is_good(), flaw == Flaw::None, &format!("{flaw:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_delegation_suite_ends_with_2_if_nothing_reaches_the_service() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_delegation-suite"))
        .args(["--url", "http://127.0.0.1:9/mcp", "--tool", "any"])
        .args(["--issuer-port", "0", "--service-port", "0", "--wait", "0"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure_eq(output.status.code(), Some(2), &said)?;
    for text in [
        "token endpoint",
        "client secret",
        "the gateway is not ready",
    ] {
        ensure!(said.contains(text), "{text}: {said}");
    }
    Ok(())
}
