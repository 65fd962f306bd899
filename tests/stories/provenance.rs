//! The origin of code: signatures, changed definitions, and the operator's acceptance.

mod files;
mod trust;
mod versions;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Config, process};
use bailiwick_tests::{Plan, World, bailiwick, ensure_eq, reasons, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::reload::{in_effect, until};

/// Runs the command; returns its success and its output.
async fn run(arguments: &[&str]) -> Result<(bool, String)> {
    let output = process::run(&bailiwick()?, arguments).await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

/// A signer of components.
struct Signer {
    folder: TempDir,
    /// `key = "..."`, for the configuration.
    line: String,
}

impl Signer {
    async fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let (good, said) =
            run(&["sign", "--new-key", path(&folder.path().join("key.pem"))?]).await?;
        let line = said
            .lines()
            .find(|line| line.starts_with("key = "))
            .map(str::to_owned);
        ensure!(good, "{said}");
        Ok(Self {
            folder,
            line: line.context(said)?,
        })
    }

    /// Returns the signature of a component of that name.
    async fn sign(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let file = self.folder.path().join(name).with_extension("wasm");
        fs::write(&file, bytes)?;
        let key = self.folder.path().join("key.pem");
        let (good, said) = run(&["sign", path(&file)?, "--key", path(&key)?]).await?;
        ensure!(good, "{said}");
        Ok(fs::read(file.with_extension("wasm.sig"))?)
    }

    /// Returns the signer's section of the configuration.
    fn section(&self, name: &str, components: &str, services: &str) -> String {
        format!(
            "[signers.{name}]\n{}\ncomponents = [{components}]\nservices = [{services}]\n\n",
            self.line
        )
    }
}

fn orders() -> Result<Vec<u8>> {
    Ok(fs::read(tools()?.join("orders.wasm"))?)
}

/// Returns a component in which a text was replaced by another of its length.
fn changed(bytes: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    ensure!(from.len() == to.len());
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .context("no such text")?;
    let mut bytes = bytes.to_vec();
    bytes.splice(at..at + from.len(), to.bytes());
    Ok(bytes)
}

fn reworded() -> Result<Vec<u8>> {
    changed(
        &orders()?,
        "Says where an order is.",
        "Told where an order is.",
    )
}

/// Returns the signature line of a `.sig` file.
fn last_line(signature: &[u8]) -> Result<Vec<u8>> {
    signature
        .split_inclusive(|byte| *byte == b'\n')
        .next_back()
        .map(<[u8]>::to_vec)
        .context("an empty signature")
}

/// Lets the signature decide in place of the pinned digest.
fn by_signature(config: &mut Config, signers: &str) {
    let pinned: String = config
        .components
        .lines()
        .filter(|line| line.starts_with("digest"))
        .collect();
    config.components = config.components.replace(&pinned, "digest = \"signed\"") + signers;
}

/// Starts a world in which the signature admits the orders component.
async fn signed_world(signers: String, signature: Option<Vec<u8>>) -> Result<World> {
    let components = signature
        .map(|signature| ("orders.wasm.sig".to_owned(), signature))
        .into_iter()
        .collect();
    let config = Box::new(move |config: &mut Config| by_signature(config, &signers));
    World::with(Plan {
        components,
        config,
        ..Plan::default()
    })
    .await
}

fn detail<'r>(record: &'r Value, name: &str) -> &'r Value {
    record
        .pointer(&format!("/detail/{name}"))
        .unwrap_or(&Value::Null)
}

/// Returns the newest record of an event about the orders component.
fn newest<'r>(records: &'r [Value], event: &str) -> Result<&'r Value> {
    let of_orders = |record: &&Value| detail(record, "name") == "orders";
    events(records, event)
        .into_iter()
        .rfind(of_orders)
        .with_context(|| format!("no {event}"))
}

#[tokio::test]
async fn what_a_trusted_signer_signed_gets_its_services_and_the_journal_names_the_signer()
-> Result<()> {
    let signer = Signer::new().await?;
    let signature = signer.sign("orders", &orders()?).await?;
    let world = signed_world(
        signer.section("release", "\"ord*\"", "\"orders_api\""),
        Some(signature),
    )
    .await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let records = world.records()?;
    ensure_eq(
        detail(newest(&records, "component.loaded")?, "signer"),
        &json!("release"),
        "signer",
    )?;
    let (good, said) = run(&["check", "--config", path(&world.folder.config())?]).await?;
    ensure!(
        good && said.contains("SIGNED BY") && said.contains("release"),
        "{said}"
    );
    let file = world.folder.path().join("tools/orders.wasm");
    let (good, said) = run(&["inspect", path(&file)?]).await?;
    ensure!(
        good && said.contains("names bailiwick-component+") && said.contains("not verified here"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn a_signature_that_does_not_count_refuses_the_component_and_nothing_else() -> Result<()> {
    let (signer, stranger) = (Signer::new().await?, Signer::new().await?);
    let (orders, whoami) = (orders()?, fs::read(tools()?.join("whoami.wasm"))?);
    let good = signer.sign("orders", &orders).await?;
    let all = signer.section("release", "\"*\"", "\"orders_api\"");
    let garbage = good.iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
    // The signer's line for other bytes names its key, but does not sign these.
    let forged = last_line(&signer.sign("orders", &whoami).await?)?;
    let cases: Vec<(&str, String, Option<Vec<u8>>, &str)> = vec![
        (
            "unknown key",
            all.clone(),
            Some(stranger.sign("orders", &orders).await?),
            "not a signer in the configuration",
        ),
        (
            "no signers",
            String::new(),
            Some(good.clone()),
            "not a signer in the configuration",
        ),
        (
            "other bytes",
            all.clone(),
            Some(signer.sign("orders", &whoami).await?),
            "other bytes",
        ),
        (
            "other name",
            all.clone(),
            Some(signer.sign("whoami", &orders).await?),
            "its signature is for whoami",
        ),
        (
            "garbage",
            all.clone(),
            Some(garbage),
            "signature file is malformed",
        ),
        (
            "a line more",
            all.clone(),
            Some([&*good, b"more\n"].concat()),
            "signature file is malformed",
        ),
        (
            "a forged line beside it",
            all.clone(),
            Some([&*good, &*forged].concat()),
            "but that key did not sign it",
        ),
        (
            "too large",
            all.clone(),
            Some([good.clone(), vec![b'\n'; 5000]].concat()),
            "larger than",
        ),
        ("none", all, None, "it is not signed"),
        (
            "component",
            signer.section("release", "\"billing\"", "\"orders_api\""),
            Some(good.clone()),
            "does not cover",
        ),
        (
            "service",
            signer.section("release", "\"orders\"", ""),
            Some(good),
            "does not cover orders_api",
        ),
    ];
    for (what, signers, signature, told) in cases {
        let world = signed_world(signers, signature).await?;
        let records = world.records()?;
        ensure_eq(
            reasons(&records, "component.refused"),
            vec!["signature-refused".to_owned()],
            what,
        )?;
        let cause = detail(newest(&records, "component.refused")?, "cause")
            .as_str()
            .unwrap_or_default();
        ensure!(cause.contains(told), "{what}: {cause}");
        let token = world.token("alice")?;
        ensure!(
            !world.order(&token, "A-1001").await?.is_success(),
            "{what}: it is served"
        );
        ensure!(
            world.call(&token, "whoami", &json!({})).await?.is_success(),
            "{what}: the others suffer"
        );
        ensure!(
            world.issuer.exchanges().is_empty() && world.orders.requests().is_empty(),
            "{what}: something left"
        );
    }
    Ok(())
}

#[tokio::test]
async fn changed_definitions_wait_until_they_are_accepted_and_stay_accepted_over_a_restart()
-> Result<()> {
    let new = reworded()?;
    let plan = Plan::config(|config| {
        let pinned: String = config
            .components
            .lines()
            .filter(|line| line.starts_with("digest"))
            .collect();
        config.components = config
            .components
            .replace(&pinned, "digest = \"any\"\nrequire_acceptance = true");
    });
    let world = World::with(plan).await?;
    let token = world.token("alice")?;
    let config = world.folder.config();
    let config = path(&config)?.to_owned();

    // Trust on first use is not acceptance.
    ensure!(
        !world.order(&token, "A-1001").await?.is_success(),
        "it is served before it is accepted"
    );
    ensure_eq(
        reasons(&world.records()?, "component.refused"),
        vec!["definition-changed".to_owned()],
        "reasons",
    )?;
    accept(&world, &config).await?;
    in_effect(&world, 1).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "accepting has no effect"
    );

    // A new description: the old version serves until the new one is accepted.
    world.folder.write_tool("orders.wasm", &new)?;
    let records = until(&world, "component.refused", 2).await?;
    let refused = newest(&records, "component.refused")?;
    ensure_eq(text(refused, "reason"), "definition-changed", "reason")?;
    ensure!(
        detail(refused, "changes")
            .to_string()
            .contains("get_order_status: description changed"),
        "{refused}"
    );
    in_effect(&world, 2).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the accepted version is gone"
    );

    // Not so after a restart: the old version is forgotten, and the new one is not accepted.
    let world = world.stop().await?.restart().await?;
    let token = world.token("alice")?;
    ensure!(
        !world.order(&token, "A-1001").await?.is_success(),
        "a restart accepts"
    );
    accept(&world, &config).await?;
    in_effect(&world, 1).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "accepting has no effect"
    );
    let world = world.stop().await?.restart().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the acceptance is forgotten"
    );

    // Going back is a change too.
    world.folder.write_tool("orders.wasm", &orders()?)?;
    let records = until(&world, "component.refused", 4).await?;
    ensure_eq(
        text(newest(&records, "component.refused")?, "reason"),
        "definition-changed",
        "a rollback",
    )
}

/// Runs the command that the newest refusal names.
async fn accept(world: &World, config: &str) -> Result<()> {
    let records = world.records()?;
    let cause = detail(newest(&records, "component.refused")?, "cause")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let (_, command) = cause
        .split_once("run: bailiwick ")
        .with_context(|| cause.clone())?;
    let words: Vec<&str> = command
        .split(' ')
        .map(|word| word.trim_matches('"'))
        .collect();
    ensure!(words.last() == Some(&config), "{command}");
    let (good, said) = run(&words).await?;
    ensure!(good && said.contains("accepted: "), "{said}");
    Ok(())
}
