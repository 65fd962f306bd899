//! Runs the commands in the documents as they are written, one after the other, and checks how they
//! end.
//!
//! A command that the table below does not know fails the story, so every documented command has
//! been run.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::remote::MODERN;
use bailiwick_tests::{ORDERS_TOOL, RemoteServer, Script, World, bailiwick, ensure_eq};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::remote::walk;

/// The time that a command may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// The way in which a command ends.
#[derive(Clone, Copy)]
enum Does {
    /// It ends, with this code.
    Ends(i32),
    /// It prints this, serves, and ends well when it is asked to.
    Serves(&'static str),
    /// Other stories run it: it takes minutes, or a state that is made for it.
    Elsewhere,
}

/// The beginnings of commands; the first that fits counts.
const TABLE: [(&str, Does); 22] = [
    ("bailiwick new ", Does::Ends(0)),
    ("bailiwick build ", Does::Elsewhere),
    ("bailiwick import ", Does::Ends(0)),
    ("bailiwick inspect ", Does::Ends(0)),
    ("bailiwick call ", Does::Elsewhere),
    // Of a project.
    ("bailiwick dev --port 0 orders", Does::Elsewhere),
    ("bailiwick dev ", Does::Serves("serving http")),
    ("bailiwick serve --stdio ", Does::Elsewhere),
    ("bailiwick serve ", Does::Serves("listening on")),
    (
        "bailiwick check --config bailiwick.toml --online",
        Does::Elsewhere,
    ),
    ("bailiwick check ", Does::Ends(0)),
    ("bailiwick explain ", Does::Ends(0)),
    ("bailiwick audit show ", Does::Ends(0)),
    ("bailiwick audit verify ", Does::Ends(0)),
    ("bailiwick audit adopt ", Does::Elsewhere),
    ("bailiwick sign ", Does::Ends(0)),
    ("bailiwick accept ", Does::Ends(0)),
    ("bailiwick deny ", Does::Elsewhere),
    ("bailiwick doctor ", Does::Elsewhere),
    ("bailiwick health ", Does::Elsewhere),
    ("bailiwick client ", Does::Ends(0)),
    ("bailiwick completions ", Does::Ends(0)),
];

/// The documents with commands for readers to run.
pub(crate) const DOCUMENTS: [&str; 14] = [
    "README.md",
    "docs/first-tool.md",
    "docs/migrating.md",
    "docs/desktop-clients.md",
    "docs/python.md",
    "docs/typescript.md",
    "docs/writing-tools.md",
    "docs/importing.md",
    "docs/remote-mcp-servers.md",
    "docs/other-languages.md",
    "docs/configuration.md",
    "docs/identity-providers.md",
    "docs/operations.md",
    "docs/journal.md",
];

/// Returns the commands of a document, in its order: lines of its blocks, and what stands in a
/// sentence with names of files in it, without which it is only the name of a command.
fn commands(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            let command = line
                .trim_start_matches(['$', ' '])
                .split(" #")
                .next()
                .unwrap_or_default()
                .trim();
            found.extend(
                command
                    .starts_with("bailiwick ")
                    .then(|| command.to_owned()),
            );
        } else {
            let quoted = line.split('`').skip(1).step_by(2);
            let whole = quoted
                .filter(|text| text.starts_with("bailiwick ") && text.split(' ').any(is_operand));
            found.extend(whole.map(str::to_owned));
        }
    }
    found
}

/// Returns true if a word is the name of a file, or stands for one, such as `FILE`.
fn is_operand(word: &str) -> bool {
    word.contains('.')
        || (word.len() > 1
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
}

/// Returns the command without its optional parts, such as `[--strict]`.
fn required(command: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for character in command.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            other if depth == 0 => kept.push(other),
            _ => {}
        }
    }
    kept
}

/// The folder of a host that has served one call, in which the words of the documents have a
/// meaning.
struct Place {
    folder: PathBuf,
    /// Words of the documents, and their meaning here.
    words: Vec<(&'static str, String)>,
    /// The output of the last command.
    printed: String,
    /// The commands that ran, so that a command that several documents show runs once.
    run: BTreeSet<String>,
}

impl Place {
    /// Makes the folder of a host of this world, which must be stopped; `call` is in its journal.
    fn of(folder: &Path, resource: &str, token: &str, call: &str, vendor: &str) -> Result<Self> {
        let set = format!("[server]\nresource = \"{resource}\"");
        let config =
            fs::read_to_string(folder.join("bailiwick.toml"))?.replacen("[server]", &set, 1);
        for name in ["bailiwick.toml", "keycloak.toml"] {
            fs::write(folder.join(name), &config)?;
        }
        fs::write(folder.join("token.txt"), token)?;
        fs::write(folder.join("secrets/vendor"), "a-token-of-the-vendor")?;
        fs::set_permissions(folder.join("secrets/vendor"), Permissions::from_mode(0o600))?;
        let users = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/dev/users.toml");
        fs::copy(users, folder.join("users.toml"))?;
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("descriptions/shop.json");
        fs::copy(shop, folder.join("shop.json"))?;
        for name in ["out", "programs"] {
            fs::create_dir(folder.join(name))?;
        }
        fs::copy(
            folder.join("tools/orders.wasm"),
            folder.join("out/orders.wasm"),
        )?;
        fs::copy(folder.join("audit/checkpoint"), folder.join("kept"))?;
        std::os::unix::fs::symlink(bailiwick()?, folder.join("programs/bailiwick"))?;
        let words = [
            ("bailiwick dev ", "bailiwick dev --port 0 "),
            ("--config FILE", "--config bailiwick.toml"),
            ("--token-file FILE", "--token-file token.txt"),
            ("FILE.wasm", "tools/orders.wasm"),
            ("inspect FILE", "inspect tools/orders.wasm"),
            ("TOOLS_FOLDER", "tools"),
            ("--tool TOOL", &format!("--tool {ORDERS_TOOL}")),
            (
                "explain --config bailiwick.toml",
                "explain --arguments '{\"order_id\": \"A-1001\"}' --config bailiwick.toml",
            ),
            ("--call ID", &format!("--call {call}")),
            ("4f2a", call),
            ("DIR", "audit"),
            ("--key KEY", "--key audit/key"),
            ("KEPT", "kept"),
            (walk::VENDOR, vendor),
            ("KEYFILE", "another.pem"),
            ("SHELL", "bash"),
            ("CLIENT", "vscode"),
            ("NAME", "a-name"),
            ("COMMAND", "explain"),
        ];
        Ok(Self {
            folder: folder.to_owned(),
            words: words
                .map(|(word, meaning)| (word, meaning.to_owned()))
                .into(),
            printed: String::new(),
            run: BTreeSet::new(),
        })
    }

    /// Restores the folder, except for journal and keys: a document does not go on where another
    /// one ended.
    fn clear(&self) -> Result<()> {
        for name in [
            "tools/orders.wasm.sig",
            "out/orders.wasm.sig",
            "accepted.json",
        ] {
            if let Err(error) = fs::remove_file(self.folder.join(name))
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error.into());
            }
        }
        fs::copy(
            self.folder.join("bailiwick.toml"),
            self.folder.join("bailiwick.next.toml"),
        )?;
        Ok(())
    }

    /// Returns the command with the meaning of its words filled in.
    fn meant(&self, command: &str) -> String {
        let mut meant = required(command);
        for (word, meaning) in &self.words {
            meant = meant.replace(word, meaning);
        }
        let digest = self
            .printed
            .split_whitespace()
            .find(|word| word.starts_with("sha256:"));
        meant.replace("sha256:...", digest.unwrap_or("sha256:..."))
    }

    fn start(&self, command: &str) -> Result<Child> {
        let mut shell = Command::new("sh");
        let script = format!("PATH=\"$PWD/programs:$PATH\"; {command}");
        shell
            .arg("-c")
            .arg(script)
            .current_dir(&self.folder)
            .env("NO_COLOR", "1");
        shell
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(shell.spawn()?)
    }

    async fn run(&mut self, command: &str) -> Result<()> {
        let command = self.meant(command);
        if !self.run.insert(command.clone()) {
            return Ok(());
        }
        // Documents show the same name for several languages.
        if let Some(name) = command.strip_prefix("bailiwick new ") {
            let name = name.split(' ').next().unwrap_or_default();
            let _absent = fs::remove_dir_all(self.folder.join(name));
        }
        let row = TABLE
            .iter()
            .find(|(beginning, _)| command.starts_with(beginning));
        match row
            .with_context(|| format!("nobody has said what this does: {command}"))?
            .1
        {
            Does::Elsewhere => Ok(()),
            Does::Ends(code) => {
                let output =
                    tokio::time::timeout(DEADLINE, self.start(&command)?.wait_with_output())
                        .await??;
                self.printed = String::from_utf8_lossy(&output.stdout).into_owned();
                let told = String::from_utf8_lossy(&output.stderr);
                ensure_eq(
                    output.status.code(),
                    Some(code),
                    &format!("{command}\n{}{told}", self.printed),
                )
            }
            Does::Serves(sign) => self.serve(&command, sign).await,
        }
    }

    async fn serve(&self, command: &str, sign: &str) -> Result<()> {
        let mut child = self.start(&format!("exec {command} 2>&1"))?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let mut printed = String::new();
        while !printed.contains(sign) {
            let line = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
            printed += &line.with_context(|| format!("{command} ends:\n{printed}"))?;
            printed.push('\n');
        }
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        kill_process(id.context("it has ended")?, Signal::TERM)?;
        while tokio::time::timeout(DEADLINE, lines.next_line())
            .await??
            .is_some()
        {}
        ensure_eq(child.wait().await?.code(), Some(0), command)
    }
}

/// Checks that the record in the README is that of such a request.
fn shows(record: &Value) -> Result<()> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme)?;
    let blocks = readme.split("```json\n").skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    let shown = blocks.find(|block| block.contains("\"event\""));
    let shown: Map<String, Value> = serde_json::from_str(shown.context("no record")?)?;
    for (name, value) in shown {
        let real = record.get(&name).with_context(|| format!("no {name}"))?;
        if name == "component" {
            ensure!(text(record, &name).starts_with("sha256:"), "{real}");
        } else {
            ensure_eq(real, &value, &name)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_command_in_the_documents_does_what_they_say() -> Result<()> {
    let world = World::start().await?;
    let (token, resource) = (world.token("alice")?, world.host.url());
    world.order(&token, "A-1001").await?;
    let records = world.records()?;
    let closed = events(&records, "call.closed");
    let call = text(closed.first().context("no call")?, "call").to_owned();
    let answered = events(&records, "downstream.closed");
    shows(answered.first().context("no request")?)?;
    let world = world.stop().await?;
    let vendor = RemoteServer::start(Script::new(MODERN)).await?;
    let folder = world.folder.path();
    let mut place = Place::of(folder, &resource, &token, &call, &vendor.url())?;

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut count, mut wrong) = (0, Vec::new());
    for document in DOCUMENTS {
        place.clear()?;
        for command in commands(&fs::read_to_string(root.join(document))?) {
            if let Err(error) = place.run(&command).await {
                wrong.push(format!("{document}: {command}: {error:#}"));
            }
            count += 1;
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} of {count} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    ensure!(count > 30, "only {count} commands were found");
    Ok(())
}
