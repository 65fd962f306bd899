//! The official conformance suite, through real authorization, with tools, resources and prompts
//! that are a component's.
//!
//! `tests/clients/conformance/required.tsv` has every scenario that a revision requires, and
//! whether it passes; `unscored.tsv` has the others. A scenario that passes may not be lost.

mod challenges;
mod checks;
mod unscored;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest};
use serde_json::{Value, json};

use crate::clients::{Dialogue, Runtime};
use checks::{FAILED, PASSED};

#[tokio::test]
async fn the_official_suite_passes_what_it_is_known_to_pass() -> Result<()> {
    if !Runtime::Conformance.is_there() {
        return Ok(());
    }
    let mut suites = [
        Suite::start("run.mjs").await?,
        Suite::start("run.mjs").await?,
    ];
    let world = world(&suites).await?;
    let [new, old] = &mut suites;
    let (new, old) = tokio::try_join!(
        verdicts(new, &world, "2026-07-28"),
        verdicts(old, &world, "2025-11-25")
    )?;
    let found: String = new.into_iter().chain(old).collect();
    keep("required.tsv", &found)?;
    agree(&found, KNOWN)?;
    let records = world.records()?;
    ensure!(count(&records, "call.opened") > 0, "no calls");
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "calls",
    )
}

/// Runs the suite for a revision; returns a line for each required scenario.
async fn verdicts(suite: &mut Suite, world: &World, revision: &str) -> Result<Vec<String>> {
    let seen = suite.run(world, revision).await?;
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

/// Starts a host that has the suite's component and lets these suites in.
async fn world(suites: &[Suite]) -> Result<World> {
    let origins: Vec<String> = suites.iter().map(|suite| suite.origin.clone()).collect();
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
    World::with(plan).await
}

/// The suite behind its relay, before it knows the host.
struct Suite {
    origin: String,
    dialogue: Dialogue,
}

impl Suite {
    async fn start(script: &str) -> Result<Self> {
        let mut dialogue = Dialogue::start(Runtime::Conformance.script(script)?)?;
        let first: Value = serde_json::from_str(&dialogue.line().await?)?;
        let origin = first.get("origin").and_then(Value::as_str);
        Ok(Self {
            origin: origin.context("no origin")?.to_owned(),
            dialogue,
        })
    }

    /// Runs the suite for a revision; returns what the script prints.
    async fn run(&mut self, world: &World, revision: &str) -> Result<Value> {
        let (url, token) = (world.host.url(), world.token("alice")?);
        let asked = json!({"url": url, "token": token, "revision": revision});
        Ok(serde_json::from_str(&self.dialogue.ask(&asked).await?)?)
    }
}

/// Writes what was found for `cargo xtask conformance`, if it asks for it.
fn keep(name: &str, found: &str) -> Result<()> {
    if let Some(folder) = std::env::var_os("BAILIWICK_CONFORMED") {
        fs::create_dir_all(&folder)?;
        fs::write(Path::new(&folder).join(name), found)?;
    }
    Ok(())
}

/// Checks that nothing is lost, and that the list says of everything what was found.
fn agree(found: &str, known: &str) -> Result<()> {
    let (found, known) = (read(found), read(known));
    let is_passed = |verdict: Option<&&str>| verdict.is_some_and(|verdict| *verdict == PASSED);
    let names = |chosen: &dyn Fn(&[&str; 2]) -> bool| -> Vec<String> {
        let all = found.keys().chain(known.keys());
        let mut names: Vec<String> = all
            .filter(|name| chosen(name))
            .map(|name| name.join(" "))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let lost = names(&|name| is_passed(known.get(name)) && !is_passed(found.get(name)));
    let reason = |name: &String| {
        let (revision, name) = name.split_once(' ').unwrap_or_default();
        found.get(&[revision, name]).copied().unwrap_or("not run")
    };
    let reasons: Vec<&str> = lost.iter().map(reason).collect();
    ensure!(
        lost.is_empty(),
        "the suite no longer passes {lost:?}: {reasons:?}"
    );
    let other = names(&|name| found.get(name) != known.get(name));
    ensure!(
        other.is_empty(),
        "the list says something else; call `cargo xtask conformance`: {other:?}"
    );
    Ok(())
}

/// Reads lines of a revision, a scenario, a verdict and perhaps its reason.
fn read(text: &str) -> BTreeMap<[&str; 2], &str> {
    let fields = |line| {
        let (revision, rest) = str::split_once(line, '\t')?;
        let (name, verdict) = rest.split_once('\t')?;
        Some(([revision, name], verdict))
    };
    text.lines().filter_map(fields).collect()
}

#[test]
fn a_lost_scenario_and_a_gained_one_are_both_told() -> Result<()> {
    let known = "a\tx\tpassed\na\ty\tfailed\tit must\n";
    agree(known, known)?;
    for (found, why) in [
        (
            known.replace("passed", "failed\tnow"),
            "no longer passes [\"a x\"]: [\"failed\\tnow\"]",
        ),
        (
            "a\ty\tfailed\tit must\n".to_owned(),
            "no longer passes [\"a x\"]: [\"not run\"]",
        ),
        (
            known.replace("failed\tit must", "passed"),
            "something else; call `cargo xtask conformance`: [\"a y\"]",
        ),
        (known.replace("it must", "it may"), "something else"),
        (known.to_owned() + "a\tz\tfailed\n", "[\"a z\"]"),
        ("a\tx\tpassed\n".to_owned(), "[\"a y\"]"),
    ] {
        let error = agree(&found, known).err().context("accepted")?.to_string();
        ensure!(error.contains(why), "{found:?}: {error}");
    }
    Ok(())
}

const KNOWN: &str = include_str!("../clients/conformance/required.tsv");
