//! `bailiwick client add`: what a client needs to find a host, printed or written into its file.

use std::fs;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use url::Url;

use super::NAME;
use super::settings::Entry;

/// Tells clients about a host.
#[derive(Parser, Debug)]
#[command(name = "bailiwick client")]
pub struct Clients {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print what a client needs to connect to a host and to log in there.
    Add(Add),
}

#[derive(clap::Args, Debug)]
struct Add {
    /// The client.
    client: Client,
    /// The host's URL; by default, that of `bailiwick dev`.
    #[arg(long, default_value = DEV)]
    url: Url,
    /// Write it into the client's file in this folder: .mcp.json, .vscode/mcp.json or
    /// .cursor/mcp.json. Other entries stay.
    #[arg(long)]
    write: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Client {
    ClaudeCode,
    #[value(name = "vscode")]
    VsCode,
    Cursor,
    ClaudeDesktop,
    Inspector,
}

/// The way in which a client takes a server.
enum Takes {
    /// From a file, in the folder that is open in the client.
    FileHere(&'static str, Entry),
    /// From a file of the user, whose place is the system's.
    FileElsewhere(&'static str, Entry),
    /// From its command line.
    Command(String),
}

impl Client {
    fn takes(self, url: &Url) -> Takes {
        let url = url.as_str();
        match self {
            Self::ClaudeCode => Takes::FileHere(".mcp.json", servers(http(url))),
            Self::VsCode => {
                let entry = Entry {
                    list: "servers",
                    ..servers(http(url))
                };
                Takes::FileHere(".vscode/mcp.json", entry)
            }
            Self::Cursor => Takes::FileHere(".cursor/mcp.json", servers(json!({"url": url}))),
            // It starts programs only.
            Self::ClaudeDesktop => Takes::FileElsewhere(
                "claude_desktop_config.json, which Settings, Developer, Edit Config opens",
                servers(json!({"command": "npx", "args": ["-y", "mcp-remote", url]})),
            ),
            Self::Inspector => Takes::Command(format!(
                "npx @modelcontextprotocol/inspector --transport http --server-url '{url}'"
            )),
        }
    }
}

fn servers(server: Value) -> Entry {
    Entry {
        list: "mcpServers",
        name: NAME,
        server,
    }
}

fn http(url: &str) -> Value {
    json!({"type": "http", "url": url})
}

/// Prints or writes what a client needs.
///
/// # Errors
/// The client has no file in a folder, or it has another entry of the same name or is not JSON.
pub fn clients(asked: &Clients) -> anyhow::Result<()> {
    let Command::Add(add) = &asked.command;
    let said = said(add, Path::new("."))?;
    writeln!(stdout(), "{}", said.trim_end())?;
    Ok(())
}

fn said(add: &Add, folder: &Path) -> anyhow::Result<String> {
    match (add.client.takes(&add.url), add.write) {
        (Takes::FileHere(file, entry), true) => {
            let changed = write(&folder.join(file), &entry)?;
            let done = if changed { "now has" } else { "already has" };
            Ok(format!("{file} {done} the server {NAME}"))
        }
        (_, true) => bail!("--write: this client has no file in a folder; leave --write out"),
        (Takes::FileHere(file, entry), false) => Ok(format!(
            "{file} (--write puts it there):\n{}",
            entry.alone()?
        )),
        (Takes::FileElsewhere(file, entry), false) => Ok(format!("{file}:\n{}", entry.alone()?)),
        (Takes::Command(line), false) => Ok(line),
    }
}

/// Adds an entry to a file, which may not be there yet. Returns false if it was in it.
fn write(file: &Path, entry: &Entry) -> anyhow::Result<bool> {
    let named = || file.display().to_string();
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        read => read.with_context(named)?,
    };
    let added = entry.added_to(&text);
    let added = added.with_context(|| format!("{}: nothing is written", file.display()))?;
    let Some(text) = added else {
        return Ok(false);
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(named)?;
    }
    fs::write(file, text).with_context(named)?;
    Ok(true)
}

/// The URL of `bailiwick dev` at its port.
pub(crate) const DEV: &str = "http://127.0.0.1:6280/mcp";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn run(line: &str, folder: &Path) -> anyhow::Result<String> {
        let words = ["client", "add"].into_iter().chain(line.split(' '));
        let asked = Clients::try_parse_from(words)?;
        let Command::Add(add) = &asked.command;
        said(add, folder)
    }

    #[test]
    fn every_client_is_told_the_hosts_url() {
        let folder = tempfile::tempdir().unwrap();
        for client in Client::value_variants() {
            let name = client.to_possible_value().unwrap();
            let name = name.get_name();
            for (more, url) in [("", DEV), (" --url https://h.example/mcp", "h.example")] {
                let said = run(&format!("{name}{more}"), folder.path()).unwrap();
                assert!(said.contains(url), "{name}: {said}");
            }
            assert!(run(&format!("{name} --url h"), folder.path()).is_err());
        }
        assert!(run("another", folder.path()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_clients_file_gets_the_entry_once_and_keeps_the_others() {
        let folder = tempfile::tempdir().unwrap();
        for (client, file, list) in [
            ("claude-code", ".mcp.json", "mcpServers"),
            ("vscode", ".vscode/mcp.json", "servers"),
            ("cursor", ".cursor/mcp.json", "mcpServers"),
        ] {
            let line = format!("{client} --write");
            let read = || fs::read_to_string(folder.path().join(file)).unwrap();
            assert!(run(&line, folder.path()).unwrap().contains("now has"));
            let written = read();
            let found: Value = serde_json::from_str(&written).unwrap();
            let url = found.pointer(&format!("/{list}/{NAME}/url"));
            assert_eq!(url, Some(&DEV.into()), "{client}");
            assert!(run(&line, folder.path()).unwrap().contains("already"));
            let other = format!("{line} --url http://127.0.0.1:1/mcp");
            let error = format!("{:#}", run(&other, folder.path()).unwrap_err());
            assert!(error.contains("remove it first"), "{error}");
            assert_eq!(read(), written, "{client}");
        }
    }

    #[test]
    fn a_client_without_a_file_here_is_not_written_for() {
        let folder = tempfile::tempdir().unwrap();
        for client in ["claude-desktop", "inspector"] {
            let error = run(&format!("{client} --write"), folder.path()).unwrap_err();
            assert!(error.to_string().contains("leave --write out"), "{error:#}");
        }
    }
}
