//! A host on standard streams, and the program that started it.

use std::fs;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bailiwick_dev::{Config, Folder, Issuer, TokenSpec, journal};
use bailiwick_tests::{TRUST_DOMAIN, bailiwick, tools};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The revision whose requests name it.
pub(super) const MODERN: &str = "2026-07-28";
/// The audience of tokens. Nothing listens there.
const RESOURCE: &str = "http://127.0.0.1:9/mcp";
const DEADLINE: Duration = Duration::from_mins(1);
/// The time after which a full pipe is taken for one that stays full.
const PATIENCE: Duration = Duration::from_secs(3);

/// An issuer, and the folder of a host that desktop clients start.
pub(super) struct Desktop {
    pub(super) issuer: Issuer,
    pub(super) folder: Folder,
    _temp: TempDir,
}

impl Desktop {
    /// Makes a folder with the tool `whoami`.
    pub(super) async fn start() -> Result<Self> {
        Self::with(&[]).await
    }

    /// Makes a folder with more components.
    pub(super) async fn with(components: &[(&str, Vec<u8>)]) -> Result<Self> {
        let temp = TempDir::new()?;
        let folder = Folder::create(&temp.path().join("host"))?;
        let issuer = Issuer::start().await?;
        folder.add_tool(&tools()?.join("whoami.wasm"))?;
        let mut config = Config::new(issuer.url(), TRUST_DOMAIN);
        for (name, bytes) in components {
            let digest = folder.write_tool(name, bytes)?;
            let grant = format!(
                "[components.{}]\ndigest = \"{digest}\"\n",
                name.trim_end_matches(".wasm")
            );
            config.components.push_str(&grant);
        }
        config.server += "resource = \"";
        config.server += RESOURCE;
        config.server += "\"\n";
        config.limits.push_str("[limits]\ntime = \"4s\"\n");
        folder.write_config(&config)?;
        Ok(Self {
            issuer,
            folder,
            _temp: temp,
        })
    }

    /// Returns a good token.
    pub(super) fn good(&self) -> Result<String> {
        self.token(600)
    }

    /// Returns a token that is valid for so many seconds.
    pub(super) fn token(&self, seconds: i64) -> Result<String> {
        let spec = TokenSpec::of("alice").audience(RESOURCE).lifetime(seconds);
        Ok(self.issuer.token(&spec)?)
    }

    /// Starts a host with its token in the environment.
    pub(super) fn session(&self, token: &str) -> Result<Session> {
        self.session_with(&[("BAILIWICK_TOKEN", token)])
    }

    /// Starts a host with this environment.
    pub(super) fn session_with(&self, environment: &[(&str, &str)]) -> Result<Session> {
        let mut command = self.command()?;
        command.envs(environment.iter().copied());
        Session::start(command)
    }

    /// Returns the command that desktop clients run.
    pub(super) fn command(&self) -> Result<Command> {
        let mut command = Command::new(bailiwick()?);
        command
            .args(["serve", "--stdio", "--config"])
            .arg(self.folder.config());
        command
            .env_remove("BAILIWICK_TOKEN")
            .env_remove("BAILIWICK_TOKEN_FILE");
        Ok(command)
    }

    /// Returns the journal so far.
    pub(super) fn records(&self) -> Result<Vec<Value>> {
        journal::read(&self.folder.audit())
    }

    /// Removes a component.
    pub(super) fn remove(&self, component: &str) -> Result<()> {
        Ok(fs::remove_file(
            self.folder.path().join("tools").join(component),
        )?)
    }
}

/// A running host; ended when dropped.
pub(super) struct Session {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    said: JoinHandle<String>,
}

/// The end of a host.
#[derive(Debug)]
pub(super) struct End {
    pub(super) status: ExitStatus,
    /// The messages that had not been read.
    pub(super) lines: Vec<Value>,
    /// Everything on standard error.
    pub(super) said: String,
}

impl Session {
    fn start(mut command: Command) -> Result<Self> {
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.kill_on_drop(true).spawn()?;
        let mut stderr = child.stderr.take().context("no standard error")?;
        let said = async move {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said).await;
            String::from_utf8_lossy(&said).into_owned()
        };
        Ok(Self {
            input: child.stdin.take().context("no standard input")?,
            output: BufReader::new(child.stdout.take().context("no standard output")?).lines(),
            said: tokio::spawn(said),
            child,
        })
    }

    /// Writes bytes as they are.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.input.write_all(bytes).await?)
    }

    /// Writes a message.
    pub(super) async fn send(&mut self, message: &Value) -> Result<()> {
        self.write(format!("{message}\n").as_bytes()).await
    }

    /// Writes a message; returns the next message of the host.
    pub(super) async fn ask(&mut self, message: &Value) -> Result<Value> {
        self.send(message).await?;
        self.line().await
    }

    /// Returns the next message.
    pub(super) async fn line(&mut self) -> Result<Value> {
        let line = timeout(DEADLINE, self.output.next_line())
            .await
            .context("no answer")??;
        message(&line.context("the output ended")?)
    }

    /// Ends the input; returns what comes until the host has ended.
    pub(super) async fn close(self) -> Result<End> {
        let Self {
            mut child,
            input,
            mut output,
            said,
        } = self;
        drop(input);
        Self::ended(&mut child, &mut output, said).await
    }

    /// Waits until the host has ended by itself.
    pub(super) async fn ends(self) -> Result<End> {
        let Self {
            mut child,
            input: _input,
            mut output,
            said,
        } = self;
        Self::ended(&mut child, &mut output, said).await
    }

    /// Writes a message again and again until the host takes no more.
    pub(super) async fn fill(&mut self, message: &Value) -> Result<()> {
        while let Ok(sent) = timeout(PATIENCE, self.send(message)).await {
            sent?;
        }
        Ok(())
    }

    /// Waits until the host has ended, and reads nothing.
    pub(super) async fn ends_unread(mut self) -> Result<ExitStatus> {
        let ended = timeout(DEADLINE, self.child.wait());
        Ok(ended.await.context("the host does not end")??)
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) -> Result<()> {
        let id = self.child.id().context("no process")?;
        let id = Pid::from_raw(id.try_into()?).context("no process")?;
        Ok(kill_process(id, Signal::TERM)?)
    }

    async fn ended(
        child: &mut Child,
        output: &mut Lines<BufReader<ChildStdout>>,
        said: JoinHandle<String>,
    ) -> Result<End> {
        let mut lines = Vec::new();
        let rest = async {
            while let Some(line) = output.next_line().await? {
                lines.push(message(&line)?);
            }
            anyhow::Ok(child.wait().await?)
        };
        let status = timeout(DEADLINE, rest)
            .await
            .context("the host does not end")??;
        let said = said.await?;
        Ok(End {
            status,
            lines,
            said,
        })
    }
}

/// Reads a line, which has to be one message of JSON-RPC.
fn message(line: &str) -> Result<Value> {
    let message: Value =
        serde_json::from_str(line).with_context(|| format!("not JSON: {line:?}"))?;
    anyhow::ensure!(
        message.get("jsonrpc") == Some(&json!("2.0")),
        "no message: {line}"
    );
    Ok(message)
}

/// Returns a request of a revision, or of none.
pub(super) fn request(id: impl Into<Value>, method: &str, params: Value, revision: &str) -> Value {
    let mut params = params;
    if let (false, Some(params)) = (revision.is_empty(), params.as_object_mut()) {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        params.insert("_meta".to_owned(), meta);
    }
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// Returns a call of a tool.
pub(super) fn call(id: impl Into<Value>, tool: &str, arguments: Value, revision: &str) -> Value {
    let params = Map::from_iter([
        ("name".to_owned(), json!(tool)),
        ("arguments".to_owned(), arguments),
    ]);
    request(id, "tools/call", params.into(), revision)
}

/// Returns the code of an error.
pub(super) fn code(answer: &Value) -> Option<i64> {
    answer.pointer("/error/code")?.as_i64()
}
