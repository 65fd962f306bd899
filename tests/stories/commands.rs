//! The commands of the operator and of the author.

mod memory;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_dev::process;
use bailiwick_tests::{ORDERS_TOOL, Plan, World, bailiwick, ensure_eq, tools};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// The output of a command.
struct Said {
    good: bool,
    out: String,
    err: String,
}

async fn run(arguments: &[&str]) -> Result<Said> {
    let output = process::run(&bailiwick()?, arguments).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        good: output.status.success(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    })
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

#[tokio::test]
async fn check_passes_beside_a_serving_host_and_leaves_its_journal_alone() -> Result<()> {
    let world = World::start().await?;
    let before = world.records()?.len();
    let said = run(&["check", "--config", path(&world.folder.config())?]).await?;
    ensure!(said.good, "{}{}", said.out, said.err);
    for told in [
        ORDERS_TOOL,
        "whoami",
        "orders_api (on_behalf_of)",
        "orders:read",
    ] {
        ensure!(said.out.contains(told), "{told}: {}", said.out);
    }
    ensure!(!said.out.contains('\x1b'), "colour without a terminal");
    ensure_eq(world.records()?.len(), before, "records")
}

#[tokio::test]
async fn check_names_every_refused_component_and_fails() -> Result<()> {
    let nosy = wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.6" (instance)))"#)?;
    let components = vec![
        ("nosy.wasm".into(), nosy),
        ("broken.wasm".into(), b"\0asm".to_vec()),
    ];
    let world = World::with(Plan {
        components,
        ..Plan::default()
    })
    .await?;
    let said = run(&["check", "--config", path(&world.folder.config())?]).await?;
    ensure!(!said.good && said.err.contains("2 errors"), "{}", said.err);
    ensure!(
        said.out.contains("broken.wasm would be refused"),
        "{}",
        said.out
    );
    ensure!(
        said.out
            .contains("nosy.wasm would be refused: it imports wasi:sockets/tcp"),
        "{}",
        said.out
    );
    Ok(())
}

#[tokio::test]
async fn check_tells_all_mistakes_of_a_configuration_at_once() -> Result<()> {
    let temp = TempDir::new()?;
    let file = temp.path().join("bailiwick.toml");
    fs::write(&file, "[server]\nlisten = \"nowhere\"\ntool = 1\n")?;
    let said = run(&["check", "--config", path(&file)?]).await?;
    ensure!(!said.good, "{}", said.out);
    for told in [
        "bailiwick.toml:2: server.listen",
        "bailiwick.toml:3: server.tool is not a key",
        "[audit] is missing",
    ] {
        ensure!(said.err.contains(told), "{told}: {}", said.err);
    }
    Ok(())
}

#[tokio::test]
async fn inspect_tells_what_a_component_is_and_what_it_cannot_do() -> Result<()> {
    let orders = tools()?.join("orders.wasm");
    let said = run(&["inspect", path(&orders)?]).await?;
    ensure!(
        said.good && said.out.contains("It cannot open a socket"),
        "{}{}",
        said.out,
        said.err
    );
    ensure!(
        said.out.contains(ORDERS_TOOL) && said.out.contains("orders:read"),
        "{}",
        said.out
    );
    let said = run(&["inspect", "--json", path(&orders)?]).await?;
    let value: Value = serde_json::from_str(&said.out)?;
    ensure_eq(text(&value, "verdict"), "loads", "verdict")?;
    ensure!(text(&value, "digest").starts_with("sha256:"), "{value}");
    Ok(())
}

#[tokio::test]
async fn explain_decides_as_the_host_would_and_calls_nothing() -> Result<()> {
    let world = World::start().await?;
    let (temp, config) = (TempDir::new()?, world.folder.config());
    // The host may use any port, so the resource that a token must name is known only while it
    // runs, and is set here.
    let text = fs::read_to_string(&config)?;
    let fixed = config.with_file_name("fixed.toml");
    fs::write(
        &fixed,
        text.replacen(
            "[server]",
            &format!("[server]\nresource = \"{}\"", world.host.url()),
            1,
        ),
    )?;
    let token = world.token("alice")?;
    let file = temp.path().join("token");
    fs::write(&file, &token)?;
    let (config, file, before) = (path(&fixed)?, path(&file)?, world.records()?.len());
    let base = [
        "explain",
        "--config",
        config,
        "--token-file",
        file,
        "--tool",
    ];
    let said = run(&[
        &base[..],
        &[ORDERS_TOOL, "--arguments", r#"{"order_id":"A-1001"}"#],
    ]
    .concat())
    .await?;
    ensure!(
        said.good && said.out.contains("allowed"),
        "{}{}",
        said.out,
        said.err
    );
    ensure!(
        said.out.contains("alice") && said.out.contains("orders_api  on_behalf_of"),
        "{}",
        said.out
    );
    ensure!(!said.out.contains(&token), "the token is printed");
    let said = run(&[&base[..], &[ORDERS_TOOL, "--arguments", "{}"]].concat()).await?;
    ensure!(
        !said.good && said.out.contains("invalid-arguments"),
        "{}{}",
        said.out,
        said.err
    );
    let said = run(&[&base[..], &["absent"]].concat()).await?;
    ensure!(
        !said.good && said.out.contains("unknown-target"),
        "{}{}",
        said.out,
        said.err
    );
    ensure!(
        world.orders.requests().is_empty() && world.issuer.exchanges().is_empty(),
        "something was called"
    );
    ensure_eq(world.records()?.len(), before, "records")
}

#[tokio::test]
async fn audit_show_finds_a_call_and_shows_it_as_a_tree() -> Result<()> {
    let world = World::start().await?;
    for who in ["alice", "bob"] {
        world.order(&world.token(who)?, "A-1001").await?;
    }
    let folder = world.folder.audit();
    let show = ["audit", "show", path(&folder)?];
    let lines = run(&[
        &show[..],
        &["--json", "--actor", "alice", "--event", "call.closed"],
    ]
    .concat())
    .await?;
    let records: Vec<Value> = lines
        .out
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure_eq(records.len(), 1, "alice's calls")?;
    let call = records
        .first()
        .map(|record| text(record, "call").to_owned())
        .context("a record")?;
    let tree = run(&[&show[..], &["--call", &call]].concat()).await?.out;
    for told in [
        &call,
        "├─ call.opened",
        "alice",
        "├─ token.exchanged",
        "└─ downstream.closed",
        "└─ call.closed",
    ] {
        ensure!(tree.contains(told), "{told}: {tree}");
    }
    let table = run(&show).await?.out;
    ensure!(table.contains("bob") && !table.contains('\x1b'), "{table}");
    let said = run(&[&show[..], &["--outcome", "perfect"]].concat()).await?;
    ensure!(
        !said.good && said.err.contains("timed-out"),
        "the outcomes are named: {}",
        said.err
    );
    Ok(())
}

#[tokio::test]
async fn every_shell_gets_its_completions() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let said = run(&["completions", shell]).await?;
        ensure!(
            said.good && said.out.contains("explain"),
            "{shell}: {}",
            said.err
        );
    }
    Ok(())
}

/// Runs a command as a person types it, in a folder.
async fn typed(folder: &Path, line: &str) -> Result<Said> {
    let output = Command::new(bailiwick()?)
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        good: output.status.success(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    })
}

#[tokio::test]
async fn commands_take_the_bare_names_of_files_that_the_documents_write() -> Result<()> {
    let temp = TempDir::new()?;
    let said = typed(temp.path(), "sign --new-key release.pem").await?;
    ensure!(
        said.good && said.out.contains("[signers.NAME]") && said.out.contains("key = \""),
        "{}{}",
        said.out,
        said.err
    );
    let again = typed(temp.path(), "sign --new-key release.pem").await?;
    ensure!(
        !again.good && again.err.contains("never replaced"),
        "{}",
        again.err
    );
    let said = typed(temp.path(), "sign --new-key absent/release.pem").await?;
    ensure!(
        !said.good && !temp.path().join("absent").exists(),
        "{}",
        said.err
    );
    fs::copy(
        tools()?.join("whoami.wasm"),
        temp.path().join("whoami.wasm"),
    )?;
    for (line, told) in [
        (
            "sign whoami.wasm --key release.pem",
            "whoami.wasm.sig signs whoami",
        ),
        ("inspect whoami.wasm", "bailiwick-component+"),
    ] {
        let said = typed(temp.path(), line).await?;
        ensure!(
            said.good && said.out.contains(told),
            "{line}: {}{}",
            said.out,
            said.err
        );
    }
    let remains = World::start().await?.stop().await?;
    for line in [
        "check --config bailiwick.toml",
        "accept whoami --config bailiwick.toml",
        "audit verify audit --key audit/key",
        "audit show audit",
    ] {
        let said = typed(remains.folder.path(), line).await?;
        ensure!(said.good, "{line}: {}{}", said.out, said.err);
    }
    Ok(())
}
