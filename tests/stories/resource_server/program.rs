//! The suite as a program: its exit codes, its report, and the mint command of its README.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Issuer;
use bailiwick_dev::http::{Answer, Bound};
use bailiwick_tests::{SCOPE, ensure_eq};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::careless::{Careless, Flaw};
use crate::clients::python;

#[tokio::test]
async fn the_program_ends_with_what_it_found() -> Result<()> {
    let issuer = Issuer::start().await?;
    let server = Careless::start(issuer.url(), &issuer.jwks(), Flaw::None).await?;
    let order = bailiwick_tests::resource_server::Order::good("alice", &server.url, &[]);
    let good = issuer.token(&super::spec(&order))?;
    for (mint, code, told) in [
        // A mint that makes good tokens alone lies about the others, which the server lets in.
        (
            format!("cat >&2; echo {good}"),
            1,
            "failed     MUST   an expired token is refused",
        ),
        (
            "exit 3".to_owned(),
            2,
            "no good token, so nothing can be checked",
        ),
        (
            "echo broken >&2; exit 7".to_owned(),
            2,
            "expected exit code 0 or 3: broken",
        ),
        ("echo other".to_owned(), 2, "the good token is not accepted"),
    ] {
        let (ended, said) = suite(&["--url", &server.url, "--mint", &mint]).await?;
        ensure_eq(ended, Some(code), &said)?;
        ensure!(said.contains(told), "{told:?}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn the_mint_of_the_readme_makes_every_token() -> Result<()> {
    let Some(python) = python() else {
        return Ok(());
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("resource-server/mint.py");
    let (python, script) = (python.display(), script.display());
    let folder = TempDir::new()?;
    let (key, report) = (
        folder.path().join("key.pem"),
        folder.path().join("report.json"),
    );
    let (key, report) = (key.display().to_string(), report.display().to_string());
    let make = format!("'{python}' '{script}' --new-key >'{key}'");
    shell(&make).await?;
    let keys = shell(&format!("ISSUER_KEY='{key}' '{python}' '{script}' --jwks")).await?;
    let keys: Value = serde_json::from_str(&keys)?;

    let bound = Bound::to(0).await?;
    let issuer = bound.url();
    let metadata = json!({"issuer": issuer});
    let _issuer = bound.serve(std::sync::Arc::new(move |_| {
        let answer = Answer::json(StatusCode::OK, &metadata);
        Box::pin(async move { answer })
    }));
    let server = Careless::start(&issuer, &keys, Flaw::None).await?;
    let mint = format!("ISSUER='{issuer}' ISSUER_KEY='{key}' '{python}' '{script}'");
    let arguments = ["--url", &server.url, "--mint", &mint, "--scopes", SCOPE];
    let more = ["--tool", "any", "--json", &report];
    let (ended, said) = suite(&[&arguments[..], &more[..]].concat()).await?;
    ensure_eq(ended, Some(0), &said)?;
    let report: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
    ensure_eq(report.pointer("/failed/must"), Some(&json!(0)), &said)?;
    let cases = report.get("cases").and_then(Value::as_array);
    let cases = cases.context("cases")?;
    let not_tried = cases.iter().filter(|case| case["outcome"] == "not tried");
    let not_tried: Vec<_> = not_tried.map(|case| &case["name"]).collect();
    ensure_eq(not_tried, super::OF_OTHER_TYPES, &said)
}

/// Runs the suite; returns its exit code and all of its output.
pub(super) async fn suite(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_resource-server-suite"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

async fn shell(command: &str) -> Result<String> {
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-c", command])
        .kill_on_drop(true)
        .output()
        .await?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command}: {complaint}");
    Ok(String::from_utf8(output.stdout)?)
}
