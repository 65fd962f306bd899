//! The scenarios of the suite that no revision requires, and those of its open branches that are
//! about tokens. `cargo xtask deep conformance` runs them.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp;
use bailiwick_tests::World;
use serde_json::{Value, json};

use super::checks::{Check, PASSED, judged};
use super::{Suite, agree, challenges, keep, world};
use crate::clients::Runtime;

/// The revisions of the suite that the host speaks. The newest also runs the extensions.
const REVISIONS: [&str; 4] = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];

/// The revision of the scenarios of branches, in the list.
const BRANCH: &str = "(branch)";

#[tokio::test]
async fn what_no_revision_requires_ends_as_it_is_known_to_end() -> Result<()> {
    if std::env::var_os("BAILIWICK_UNSCORED").is_none() {
        return Ok(());
    }
    ensure!(
        Runtime::Conformance.is_there() && Runtime::Node.is_there(),
        "needs the packages of tests/clients/conformance and tests/clients/node"
    );
    let mut suites = Vec::new();
    for _ in REVISIONS {
        suites.push(Suite::start("unscored.mjs").await?);
    }
    let world = world(&suites).await?;
    let declared = declared(&world).await?;
    let [new, old, older, oldest] = suites.as_mut_slice() else {
        anyhow::bail!("not a suite for each revision");
    };
    let [newest, second, third, fourth] = REVISIONS;
    let (new, old, older, oldest) = tokio::try_join!(
        lines(new, &world, newest, &declared),
        lines(old, &world, second, &declared),
        lines(older, &world, third, &declared),
        lines(oldest, &world, fourth, &declared),
    )?;
    let mut found: Vec<String> = [new, old, older, oldest].concat();
    for (name, checks) in challenges::scenarios(&world).await? {
        found.push(judged(BRANCH, name, &checks, &declared)?);
    }
    found.sort_unstable();
    let passed = |line: &&String| line.ends_with(&format!("\t{PASSED}\n"));
    let (all, passed) = (found.len(), found.iter().filter(passed).count());
    let found = found.concat();
    keep("unscored.tsv", &found)?;
    // The figures of `cargo xtask deep`. The other end of standard error may be closed.
    let said = format!("{found}{passed} of {all} unscored scenarios passed\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    agree(&found, KNOWN)
}

/// Runs what a revision does not require; returns a line for each scenario.
async fn lines(
    suite: &mut Suite,
    world: &World,
    revision: &str,
    declared: &[String],
) -> Result<Vec<String>> {
    let seen = suite.run(world, revision).await?;
    let seen = seen.as_object().context("no scenarios")?;
    let line = |(name, checks): (&String, &Value)| {
        let checks = checks.as_array().context("no checks")?;
        let checks: Vec<Check> = checks.iter().map(Check::read).collect::<Result<_>>()?;
        judged(revision, name, &checks, declared)
    };
    seen.iter().map(line).collect()
}

/// Returns the extensions that the host declares.
async fn declared(world: &World) -> Result<Vec<String>> {
    let (url, token) = (world.host.url(), world.token("alice")?);
    let answer = mcp::request(&url, Some(&token), "server/discover", &json!({})).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let extensions = answer.result().pointer("/capabilities/extensions");
    let extensions = extensions.and_then(Value::as_object);
    Ok(extensions
        .into_iter()
        .flatten()
        .map(|(id, _)| id.clone())
        .collect())
}

const KNOWN: &str = include_str!("../../clients/conformance/unscored.tsv");
