//! The official conformance suite, through real authorization, with tools, resources and prompts
//! that are a component's.
//!
//! `tests/clients/conformance/required.tsv` has every scenario that a revision requires, and
//! whether it passes. A scenario that passes may not be lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest};
use serde_json::{Value, json};

use crate::clients::{Dialogue, Runtime};

#[tokio::test]
async fn the_official_suite_passes_what_it_is_known_to_pass() -> Result<()> {
    if !Runtime::Conformance.is_there() {
        return Ok(());
    }
    let mut suites = [Suite::start().await?, Suite::start().await?];
    let origins = suites.each_ref().map(|suite| suite.origin.clone());
    let plan = Plan {
        // The suite names resources of `test`, and a component's URIs have its name.
        components: vec![("test.wasm".to_owned(), guest("conformer").await?)],
        ..Plan::config(move |config| {
            let allowed = format!("allowed_origins = {}\n", json!(origins));
            config.server.push_str(&allowed);
            config.server.push_str("sessions = true\n");
            config
                .components
                .push_str("[components.test]\nrelay_questions = [\"sampling\", \"roots\"]\n");
        })
    };
    let world = World::with(plan).await?;
    let [new, old] = &mut suites;
    let (new, old) = tokio::try_join!(
        new.verdicts(&world, "2026-07-28"),
        old.verdicts(&world, "2025-11-25")
    )?;
    let found: String = new.into_iter().chain(old).collect();
    if let Some(path) = std::env::var_os("BAILIWICK_CONFORMED") {
        let path = Path::new(&path);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(path, &found)?;
    }
    agree(&found, KNOWN)?;
    let records = world.records()?;
    ensure!(count(&records, "call.opened") > 0, "no calls");
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "calls",
    )
}

/// The suite behind its relay, before it knows the host.
struct Suite {
    origin: String,
    dialogue: Dialogue,
}

impl Suite {
    async fn start() -> Result<Self> {
        let mut dialogue = Dialogue::start(Runtime::Conformance.script("run.mjs")?)?;
        let first: Value = serde_json::from_str(&dialogue.line().await?)?;
        let origin = first.get("origin").and_then(Value::as_str);
        Ok(Self {
            origin: origin.context("no origin")?.to_owned(),
            dialogue,
        })
    }

    /// Runs the suite for a revision; returns a line for each required scenario.
    async fn verdicts(&mut self, world: &World, revision: &str) -> Result<Vec<String>> {
        let (url, token) = (world.host.url(), world.token("alice")?);
        let asked = json!({"url": url, "token": token, "revision": revision});
        let seen: Value = serde_json::from_str(&self.dialogue.ask(&asked).await?)?;
        let seen = seen.as_object().context("no verdicts")?;
        let line = |(name, passed): (&String, &Value)| {
            let verdict = if *passed == Value::Bool(true) {
                PASSED
            } else {
                FAILED
            };
            format!("{revision}\t{name}\t{verdict}\n")
        };
        Ok(seen.iter().map(line).collect())
    }
}

/// Checks that nothing is lost, and that the list says of everything what was found.
fn agree(found: &str, known: &str) -> Result<()> {
    let (found, known) = (read(found), read(known));
    let differs = |name: &&[&str; 2], verdict: &str| known.get(*name).copied() != Some(verdict);
    let names = |wanted: &'static str| -> Vec<_> {
        let of = found
            .iter()
            .filter(|(name, verdict)| **verdict == wanted && differs(name, wanted));
        of.map(|(name, _)| name.join(" ")).collect()
    };
    let lost = names(FAILED);
    ensure!(lost.is_empty(), "the suite no longer passes {lost:?}");
    let gained = names(PASSED);
    ensure!(
        gained.is_empty() && known.len() == found.len(),
        "the suite passes more than is known; call `cargo xtask conformance`: {gained:?}"
    );
    Ok(())
}

fn read(text: &str) -> BTreeMap<[&str; 2], &str> {
    let fields = |line| {
        let fields: Vec<&str> = str::split(line, '\t').collect();
        match fields.as_slice() {
            [revision, name, verdict] => Some(([*revision, *name], *verdict)),
            _ => None,
        }
    };
    text.lines().filter_map(fields).collect()
}

#[test]
fn a_lost_scenario_and_a_gained_one_are_both_told() -> Result<()> {
    let known = "a\tx\tpassed\na\ty\tfailed\n";
    agree(known, known)?;
    for (found, why) in [
        ("a\tx\tfailed\na\ty\tfailed\n", "no longer passes [\"a x\"]"),
        ("a\tx\tpassed\na\ty\tpassed\n", "more than is known"),
        (
            "a\tx\tpassed\na\ty\tfailed\na\tz\tfailed\n",
            "no longer passes [\"a z\"]",
        ),
        ("a\tx\tpassed\n", "more than is known"),
    ] {
        let error = agree(found, known).err().context("accepted")?.to_string();
        ensure!(error.contains(why), "{found:?}: {error}");
    }
    Ok(())
}

const PASSED: &str = "passed";
const FAILED: &str = "failed";
const KNOWN: &str = include_str!("../clients/conformance/required.tsv");
