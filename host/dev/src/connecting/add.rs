//! `bailiwick client add`: what a client needs to find a host, printed or written into its file.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write as _, stdout};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use url::Url;

use super::NAME;
use super::settings::Entry;

/// Tells clients about a host.
#[derive(Parser, Debug)]
#[command(name = "bailiwick client", bin_name = "bailiwick client")]
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
    #[arg(long, default_value = DEV, value_parser = of_host)]
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
            // With an older Node than the newest asks for, npx takes one that is years old.
            Self::Inspector => Takes::Command(format!(
                "npx @modelcontextprotocol/inspector@latest --transport http --server-url '{quoted}'\n\
                 # in the terminal, with the same login:\n\
                 npx @modelcontextprotocol/inspector@latest --cli '{quoted}' --transport http \
                 --method tools/list",
                // As a shell reads a quote within quotes.
                quoted = url.replace('\'', r"'\''")
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

/// Reads a URL that can be written down: it goes into files and onto command lines.
fn of_host(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let web = ["http", "https"].contains(&url.scheme());
    let secret = !url.username().is_empty() || url.password().is_some();
    if !web || secret || url.fragment().is_some() {
        return Err("expected http:// or https://, without a user, a password and a #".to_owned());
    }
    Ok(url)
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
    for path in file.ancestors().take(2) {
        // A project of a stranger could have one that leads to the user's own files.
        ensure!(
            !path.is_symlink(),
            "{} is a link, and links are not followed: put the entry in by hand, as it is printed \
             without --write",
            path.display()
        );
    }
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        read => read.with_context(named)?,
    };
    let added = entry.added_to(&text);
    let added = added.with_context(|| format!("{}: nothing is written", file.display()))?;
    let Some(text) = added else {
        return Ok(false);
    };
    replace(file, &text).with_context(named)?;
    Ok(true)
}

/// Writes a file beside the old one and renames it, so that one of them is there in any case. It
/// has the old one's permissions, since such files may hold keys.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let old = match fs::metadata(file) {
        Ok(old) => Some(old.permissions()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // Of a new file, less what the user's mask takes away.
    let usual = Permissions::from_mode(0o666);
    let mut beside = tempfile::Builder::new()
        .prefix(".bailiwick-")
        .suffix(".tmp")
        .permissions(old.clone().unwrap_or(usual))
        .tempfile_in(folder)?;
    beside.write_all(text.as_bytes())?;
    if let Some(old) = old {
        beside.as_file().set_permissions(old)?;
    }
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}

/// The URL of `bailiwick dev` at its port.
pub(crate) const DEV: &str = "http://127.0.0.1:6280/mcp";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::symlink;
    use std::process::Command as Shell;

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
    fn a_file_is_replaced_whole_with_its_own_mode_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let file = folder.path().join(".mcp.json");
        fs::write(&file, r#"{"mcpServers": {"a": {"env": {"KEY": "x"}}}}"#).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let opened_before = fs::File::open(&file).unwrap();
        run("claude-code --write", folder.path()).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let old = std::io::read_to_string(opened_before).unwrap();
        assert!(!old.contains(NAME), "the old file is never changed: {old}");

        let target = other.path().join("settings.json");
        fs::write(&target, "{}").unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&target, &file).unwrap();
        symlink(
            other.path().join("new.json"),
            folder.path().join("dangling"),
        )
        .unwrap();
        symlink(other.path(), folder.path().join(".cursor")).unwrap();
        symlink(
            folder.path().join("dangling"),
            folder.path().join(".vscode"),
        )
        .unwrap();
        for client in ["claude-code", "cursor", "vscode"] {
            let error = format!(
                "{:#}",
                run(&format!("{client} --write"), folder.path()).unwrap_err()
            );
            assert!(error.contains("is a link"), "{client}: {error}");
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "{}");
        assert_eq!(
            fs::read_dir(other.path()).unwrap().count(),
            1,
            "nothing new"
        );
        let mut left = fs::read_dir(folder.path()).unwrap();
        let temporary = |name: &std::ffi::OsStr| name.to_string_lossy().ends_with(".tmp");
        assert!(!left.any(|entry| temporary(&entry.unwrap().file_name())));
    }

    #[test]
    fn a_hosts_url_is_of_the_web_and_has_no_secret_and_no_shell_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for url in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://user@h.example/mcp",
            "http://:secret@h.example/mcp",
            "http://h.example/mcp#part",
        ] {
            let error = run(&format!("cursor --url {url}"), folder.path()).unwrap_err();
            assert!(error.to_string().contains("--url"), "{url}: {error}");
        }
        let url = "http://h.example/';ls;'";
        let said = run(&format!("inspector --url {url}"), folder.path()).unwrap();
        let line = said.replacen("npx", "printf '%s\\n'", 1);
        let mut shell = Shell::new("sh");
        shell.arg("-c").arg(line).current_dir(folder.path());
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        assert_eq!(printed.lines().last(), Some(url), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
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
