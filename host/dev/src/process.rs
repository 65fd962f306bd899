//! Runs `bailiwick serve` as a child: starts it, waits until it listens, reads its output, ends it.
//!
//! The child is ended by its own handle: SIGTERM and wait, or SIGKILL when dropped. If this process
//! is killed, the child notices that its standard input closes, and stops.
//!
//! Invariant: a host that was started here does not outlive this process.

mod interrupts;
mod other;

pub use interrupts::{Interrupts, UNTIL_STDIN_CLOSES, stdin_closes};
pub use other::Other;

use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// The longest time until a host listens: it may have to compile a language's engine on a small
/// machine.
const START: Duration = Duration::from_mins(5);

/// The longest time until it ends.
const DEADLINE: Duration = Duration::from_mins(1);

/// The text in the line with the address of the operator's page.
const PAGE: &str = "the operator's page is served";

/// The text before the address.
const LISTENING: &str = "listening on ";

/// Returns the command `bailiwick serve --config FILE`, for a host that ends with this process.
pub fn serve(bailiwick: &Path, config: &Path) -> Command {
    let mut command = Command::new(bailiwick);
    command
        .arg("serve")
        .arg("--config")
        .arg(config)
        .arg(UNTIL_STDIN_CLOSES);
    command
}

/// A running host.
pub struct Host {
    child: Child,
    // Closed when this process ends, however it ends. Not taken by `wait`, which closes the
    // standard input that a child still has.
    _alive: Option<ChildStdin>,
    url: Url,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Host {
    /// Starts `bailiwick serve --config FILE` and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, ends, or prints no address in time; the error has its output.
    pub async fn start(bailiwick: &Path, config: &Path) -> anyhow::Result<Self> {
        Self::start_command(serve(bailiwick, config)).await
    }

    /// As [`Host::start`] with the caller's command, such as for another environment; see
    /// [`serve`].
    ///
    /// # Errors
    /// As [`Host::start`].
    pub async fn start_command(mut command: Command) -> anyhow::Result<Self> {
        // In its own process group: Ctrl-C then reaches only this process, which stops the host,
        // once.
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start {}", command.as_std().get_program().display())
            })?;
        let alive = child.stdin.take();
        let said = Arc::new(Mutex::new(String::new()));
        let (announce, mut announced) = watch::channel(None);
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(tokio::spawn(listen(stdout, Arc::clone(&said), None)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(listen(
                stderr,
                Arc::clone(&said),
                Some(announce),
            )));
        }
        let found = tokio::time::timeout(START, announced.wait_for(Option::is_some)).await;
        let url = found
            .ok()
            .and_then(Result::ok)
            .and_then(|found| found.clone());
        let Some(url) = url else {
            drop(child.start_kill());
            let status = child.wait().await?;
            for reader in readers {
                drop(reader.await);
            }
            bail!(
                "the host does not listen ({status}). It said:\n{}",
                text(&said)
            );
        };
        Ok(Self {
            child,
            _alive: alive,
            url,
            said,
            readers,
        })
    }

    /// Returns the MCP endpoint.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Returns the port that it listens on.
    pub fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Returns another path of the same server, such as `/.well-known/jwks.json`.
    pub fn at(&self, path: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(path);
        url.to_string()
    }

    /// Returns the process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns its exit status, if it has ended.
    ///
    /// # Errors
    /// The system cannot say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Returns the address of its operator's page, if it has said so.
    pub fn page(&self) -> Option<String> {
        let said = self.said();
        let line = said.lines().find(|line| line.contains(PAGE))?;
        let (_, rest) = line.split_once("url=\"")?;
        Some(rest.split('"').next()?.to_owned())
    }

    /// Returns everything that it wrote to standard error and standard output so far.
    pub fn said(&self) -> String {
        text(&self.said)
    }

    /// Returns the same without the first `heard` bytes.
    pub fn said_since(&self, heard: usize) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(heard..).unwrap_or_default().to_owned()
    }

    /// Waits until it has written `what`. The log is written beside the work, so a line can come
    /// after the answer that it is about.
    ///
    /// # Errors
    /// It does not write that in time; the error has everything that it wrote.
    pub async fn says(&self, what: &str) -> anyhow::Result<()> {
        let written = async {
            while !self.said().contains(what) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, written).await;
        waited.with_context(|| format!("it does not say {what:?}:\n{}", self.said()))
    }

    /// Ends it with SIGTERM and waits; returns its exit status and all of its output.
    ///
    /// # Errors
    /// It does not end in time; then it is killed.
    pub async fn stop(mut self) -> anyhow::Result<(ExitStatus, String)> {
        self.signal(Signal::TERM)?;
        let status = tokio::time::timeout(DEADLINE, self.child.wait())
            .await
            .context("the host does not stop on SIGTERM")??;
        Ok((status, self.last_words().await))
    }

    /// Ends it with SIGKILL, whatever it is doing, and waits.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(mut self) -> anyhow::Result<String> {
        self.child.kill().await?;
        Ok(self.last_words().await)
    }

    /// Sends a signal, unless it has already ended.
    ///
    /// # Errors
    /// The system refuses.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            kill_process(pid, signal)?;
        }
        Ok(())
    }

    async fn last_words(&mut self) -> String {
        for reader in self.readers.drain(..) {
            drop(reader.await);
        }
        text(&self.said)
    }
}

/// Runs a command of the host to its end, such as `bailiwick audit verify`.
///
/// # Errors
/// It cannot be started.
pub async fn run(bailiwick: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    Command::new(bailiwick)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", bailiwick.display()))
}

/// Reads and keeps lines until the end, and announces the address when it appears.
async fn listen(
    from: impl AsyncRead + Unpin,
    said: Arc<Mutex<String>>,
    announce: Option<watch::Sender<Option<Url>>>,
) {
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        if let (Some(announce), Some(url)) = (&announce, address(&line)) {
            announce.send_replace(Some(url));
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(&line);
        said.push('\n');
    }
}

/// Returns the MCP endpoint in a line that announces it; `/mcp` if the line names only the server.
fn address(line: &str) -> Option<Url> {
    let (_, rest) = line.split_once(LISTENING)?;
    let text: String = rest
        .chars()
        .take_while(|character| !character.is_whitespace() && !character.is_control())
        .collect();
    let mut url = Url::parse(&text).ok()?;
    if url.path() == "/" {
        url.set_path("/mcp");
    }
    Some(url)
}

fn text(said: &Mutex<String>) -> String {
    said.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn the_address_is_what_follows_the_words() {
        let cases = [
            (
                "listening on http://127.0.0.1:80/mcp",
                Some("http://127.0.0.1/mcp"),
            ),
            (
                "INFO x: listening on http://127.0.0.1:8080 now",
                Some("http://127.0.0.1:8080/mcp"),
            ),
            (
                "listening on http://[::1]:8080/a\u{1b}[0m",
                Some("http://[::1]:8080/a"),
            ),
            ("listening", None),
        ];
        for (line, expected) in cases {
            assert_eq!(address(line).as_ref().map(Url::as_str), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn a_child_is_stopped_by_its_handle_and_heard_to_the_end() {
        let script = "trap 'echo bye >&2; exit 0' TERM; \
            echo listening on http://127.0.0.1:9/mcp >&2; while :; do sleep 0.05; done";
        let host = Host::start_command(shell(script)).await.unwrap();
        assert_eq!(host.at("/healthz"), "http://127.0.0.1:9/healthz");
        let (status, said) = host.stop().await.unwrap();
        assert!(status.success());
        assert!(said.ends_with("bye\n"), "{said}");
    }

    #[tokio::test]
    async fn a_child_that_ends_is_an_error_with_its_words() {
        let started = Host::start_command(shell("echo no config >&2; exit 2")).await;
        let error = started.err().unwrap().to_string();
        assert!(error.contains("no config"), "{error}");
    }
}
