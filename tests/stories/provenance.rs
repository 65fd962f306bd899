//! The origin of code: signatures, changed definitions, and the operator's acceptance.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Config, process};
use bailiwick_tests::{Plan, World, bailiwick, count, ensure_eq, reasons, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::reload::{in_effect, rewrite, until};

/// Runs the command; what it said, and whether it was content.
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

/// Somebody who signs components.
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

    /// The signature of a component of that name.
    async fn sign(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let file = self.folder.path().join(name).with_extension("wasm");
        fs::write(&file, bytes)?;
        let key = self.folder.path().join("key.pem");
        let (good, said) = run(&["sign", path(&file)?, "--key", path(&key)?]).await?;
        ensure!(good, "{said}");
        Ok(fs::read(file.with_extension("wasm.sig"))?)
    }

    /// Its section of the configuration.
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

/// A component in which a text was replaced by another of its length.
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

/// The signature line of a `.sig` file.
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

/// A world whose orders component goes by its signature.
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

/// The newest record of an event about the orders component.
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
    let answer = world.order(&world.token("alice")?, "1001").await?;
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
    // The signer's line of other bytes names its key, and does not sign this.
    let forged = last_line(&signer.sign("orders", &whoami).await?)?;
    let cases: Vec<(&str, String, Option<Vec<u8>>, &str)> = vec![
        (
            "unknown key",
            all.clone(),
            Some(stranger.sign("orders", &orders).await?),
            "no signer of this configuration",
        ),
        (
            "no signers",
            String::new(),
            Some(good.clone()),
            "no signer of this configuration",
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
        ("garbage", all.clone(), Some(garbage), "is not a signature"),
        (
            "a line more",
            all.clone(),
            Some([&*good, b"more\n"].concat()),
            "is not a signature",
        ),
        (
            "a forged line beside it",
            all.clone(),
            Some([&*good, &*forged].concat()),
            "which did not make it",
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
            !world.order(&token, "1001").await?.is_success(),
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
async fn trust_that_is_taken_back_is_gone_without_a_restart() -> Result<()> {
    let signer = Signer::new().await?;
    let signature = signer.sign("orders", &orders()?).await?;
    let section = signer.section("release", "\"orders\"", "\"orders_api\"");
    let world = signed_world(section.clone(), Some(signature.clone())).await?;
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "1001").await?.is_success(),
        "it is not served"
    );

    // The signature goes: so does the component, and it comes back with it.
    let file = world.folder.path().join("tools/orders.wasm.sig");
    fs::remove_file(&file)?;
    in_effect(&world, 1).await?;
    ensure!(
        !world.order(&token, "1001").await?.is_success(),
        "it is served without its signature"
    );
    ensure_eq(count(&world.records()?, "component.removed"), 1, "removed")?;
    world.folder.write_tool("orders.wasm.sig", &signature)?;
    in_effect(&world, 2).await?;
    ensure!(
        world.order(&token, "1001").await?.is_success(),
        "it does not come back"
    );

    // The signer goes, and comes back.
    rewrite(&world, |text| text.replace(&section, ""))?;
    in_effect(&world, 3).await?;
    ensure!(
        !world.order(&token, "1001").await?.is_success(),
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
        world.order(&token, "1001").await?.is_success(),
        "it does not come back"
    );
    Ok(())
}

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
        world.order(&token, "1001").await?.is_success(),
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
        world.order(&token, "1001").await?.is_success(),
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
        !world.order(&token, "1001").await?.is_success(),
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
        world.order(&token, "1001").await?.is_success(),
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
        world.order(&token, "1001").await?.is_success(),
        "the accepted version is gone"
    );

    // Not so after a restart: nobody remembers the old version, and the new one is not accepted.
    let world = world.stop().await?.restart().await?;
    let token = world.token("alice")?;
    ensure!(
        !world.order(&token, "1001").await?.is_success(),
        "a restart accepts"
    );
    accept(&world, &config).await?;
    in_effect(&world, 1).await?;
    ensure!(
        world.order(&token, "1001").await?.is_success(),
        "accepting has no effect"
    );
    let world = world.stop().await?.restart().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "1001")
            .await?
            .is_success(),
        "the acceptance is forgotten"
    );

    // The way back is a change too.
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

#[tokio::test]
async fn what_is_no_file_is_passed_with_a_reason_and_never_waited_for() -> Result<()> {
    let world = World::start().await?;
    let folder = world.folder.path().join("tools");
    let at = |name: &str| folder.join(name).with_extension("wasm");
    let began = Instant::now();
    fs::create_dir(at("folder"))?;
    symlink("/dev/zero", at("device"))?;
    symlink("/", at("link"))?;
    let _socket = UnixListener::bind(at("socket"))?;
    let made = process::run(Path::new("mkfifo"), &[path(&at("pipe"))?]).await?;
    ensure!(made.status.success(), "no pipe");
    fs::write(at("open"), "x")?;
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o666))?;
    fs::write(at("closed"), "x")?;
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o000))?;
    fs::create_dir(at("whoami").with_extension("wasm.sig"))?;
    let names = [
        "folder", "device", "link", "socket", "pipe", "open", "closed", "whoami",
    ];
    // Each is taken up on its own.
    let records = loop {
        let records = world.records()?;
        let refused = events(&records, "component.refused");
        if names
            .iter()
            .all(|name| refused.iter().any(|record| detail(record, "name") == *name))
        {
            break records;
        }
        ensure!(
            began.elapsed() < Duration::from_secs(15),
            "something was waited for: {:?}",
            began.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (name, told) in
        names.into_iter().zip(
            ["regular file"; 5]
                .into_iter()
                .chain(["chmod go-w", "", ".sig"]),
        )
    {
        let of_it = |record: &&&Value| detail(record, "name") == name;
        let refused = events(&records, "component.refused");
        let refused = refused
            .iter()
            .find(of_it)
            .with_context(|| format!("{name} is not refused"))?;
        ensure!(
            detail(refused, "cause").to_string().contains(told),
            "{name}: {refused}"
        );
        let reason = if name == "whoami" {
            "signature-refused"
        } else {
            "not-loadable"
        };
        ensure_eq(text(refused, "reason"), reason, name)?;
    }
    ensure!(
        world
            .call(&world.token("alice")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "the last good version"
    );
    Ok(())
}

#[tokio::test]
async fn a_tools_folder_that_others_could_replace_is_not_used() -> Result<()> {
    let world = World::start().await?;
    let (config, above) = (world.folder.config(), world.folder.path().to_owned());
    fs::set_permissions(&above, fs::Permissions::from_mode(0o777))?;
    let (good, said) = run(&["check", "--config", path(&config)?]).await?;
    fs::set_permissions(&above, fs::Permissions::from_mode(0o1777))?;
    ensure!(
        !good && said.contains("who could replace what is below it; run: chmod go-w"),
        "{said}"
    );
    let (good, said) = run(&["check", "--config", path(&config)?]).await?;
    ensure!(good, "sticky folders are in order: {said}");
    Ok(())
}
