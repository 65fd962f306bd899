//! The page for operators (`docs/remote-mcp-servers.md`), gone from its first command to its last.
//!
//! [`documented`](crate::documented) runs its commands too; here they run in the order of a reader,
//! and what they make is what the page shows.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::process;
use bailiwick_tests::remote::{MODERN, Script, tools};
use bailiwick_tests::{RemoteServer, bailiwick, ensure_eq};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use toml::Table;

use super::place::{Imported, Place, TRACKER, Way, import, serving};
use super::{issue, methods};

/// The server of the page.
pub(crate) const VENDOR: &str = "https://mcp.vendor.example/mcp";

fn page() -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok(fs::read_to_string(root.join("docs/remote-mcp-servers.md"))?)
}

/// Returns the first block of the page in a language.
fn block(page: &str, language: &str) -> Result<String> {
    let opening = format!("```{language}\n");
    let blocks = page.split(&opening).skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    let block = blocks.next().with_context(|| format!("no {language}"))?;
    Ok(block.to_owned())
}

/// Runs the importing commands of the page in a folder; returns what the last one printed.
async fn runs(page: &str, url: &str, folder: &TempDir) -> Result<String> {
    let mut printed = String::new();
    let commands = page
        .lines()
        .filter(|line| line.starts_with("bailiwick import "));
    let mut count = 0;
    for command in commands {
        let command = command.replace(VENDOR, url);
        let place = |word: &str| match word {
            "secrets/vendor" | "imported" => folder.path().join(word).display().to_string(),
            word => word.to_owned(),
        };
        let words: Vec<String> = command.split_whitespace().skip(1).map(place).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = process::run(&bailiwick()?, &words).await?;
        printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "{command}: {printed}");
        count += 1;
    }
    ensure!(count > 2, "only {count} commands");
    Ok(printed)
}

#[tokio::test]
async fn the_page_leads_from_nothing_to_the_journal_and_through_a_change() -> Result<()> {
    let page = page()?;
    let server = RemoteServer::start(Script::new(MODERN)).await?;
    let folder = TempDir::new()?;
    let secrets = folder.path().join("secrets");
    fs::create_dir(&secrets)?;
    fs::set_permissions(&secrets, Permissions::from_mode(0o700))?;
    fs::write(secrets.join("vendor"), "a-token-of-the-vendor")?;
    fs::set_permissions(secrets.join("vendor"), Permissions::from_mode(0o600))?;

    let (good, said) = import(&server.url(), &["--dry-run"]).await?;
    ensure!(good, "{said}");
    // The page quotes it.
    let shown = include_str!("../../descriptions/tracker.txt");
    ensure_eq(said.as_str(), shown, "the table")?;
    runs(&page, &server.url(), &folder).await?;
    let imported = Imported::read(&folder.path().join("imported"))?;
    let shown: Table = block(&page, "toml")?.parse()?;
    for name in ["kind", "revision", "allow", "definitions"] {
        let shown = shown
            .get("services")
            .and_then(|all| all.get(TRACKER)?.get(name));
        ensure_eq(shown, imported.service(name), name)?;
    }

    let way = Way::Exchange("on_behalf_of");
    let world = serving(&imported, &server.url(), way, "definitions_seconds = 0\n").await?;
    let place = Place { world, server };
    let (answer, _) = place.call("alice", "create_issue", &issue()).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let records = place.world.records()?;
    let closed = events(&records, "downstream.closed");
    let record = closed.first().context("no record")?;
    let shown: Map<String, Value> = serde_json::from_str(&block(&page, "json")?)?;
    for (name, value) in &shown {
        ensure_eq(record.get(name), Some(value), name)?;
    }

    let mut new = tools();
    for tool in new.iter_mut().take(1) {
        tool["description"] = json!("Creates an issue, for everyone to read.");
    }
    place.server.change(|script| script.tools = new);
    let (answer, messages) = place.call("alice", "create_issue", &issue()).await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure!(!methods(&messages).contains(&"tools/call"), "it was called");
    place.world.host.says(TRACKER).await?;
    let records = place.world.records()?;
    let closed = events(&records, "downstream.closed");
    let last = closed.last().context("no record")?;
    ensure_eq(text(last, "reason"), "definition-changed", "reason")?;

    let said = runs(&page, &place.server.url(), &folder).await?;
    ensure!(said.contains("changed create_issue"), "{said}");
    let imported = Imported::read(&folder.path().join("imported"))?;
    let world = serving(&imported, &place.server.url(), way, "").await?;
    let place = Place { world, ..place };
    let (answer, _) = place.call("alice", "create_issue", &issue()).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(())
}
