//! The workbench of a tool's author, and its end.

mod project;
mod services;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process::UNTIL_STDIN_CLOSES;
use bailiwick_dev::reports::Entry;
use bailiwick_dev::{Reports, client, mcp};
use bailiwick_tests::{bailiwick, ensure_eq, tools, workbench};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The time that a line may take to appear: a build is slow on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// A workbench and what it has printed so far.
pub(crate) struct Bench {
    child: Child,
    _alive: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    printed: String,
}

impl Bench {
    /// Starts it at any port.
    pub(crate) fn start(folder: &Path, temporary: &Path, more: &[&str]) -> Result<Self> {
        let mut child = Command::new(workbench()?)
            .arg(folder)
            .arg("--bailiwick")
            .arg(bailiwick()?)
            .args(["--port", "0"])
            .args(more)
            .arg(UNTIL_STDIN_CLOSES)
            .env("TMPDIR", temporary)
            .env("XDG_CACHE_HOME", folder.join(".caches"))
            // Open for as long as this process exists.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let alive = child.stdin.take();
        let stdout = child.stdout.take().context("no standard output")?;
        Ok(Self {
            child,
            _alive: alive,
            lines: BufReader::new(stdout).lines(),
            printed: String::new(),
        })
    }

    /// Reads the next line, on the way to the awaited text.
    async fn line(&mut self, awaited: &str) -> Result<String> {
        let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await;
        let line = line.with_context(|| format!("no {awaited} in:\n{}", self.printed))??;
        let line = line.with_context(|| format!("it ended:\n{}", self.printed))?;
        self.printed += &line;
        self.printed.push('\n');
        Ok(line)
    }

    /// Reads on until a line contains this.
    pub(crate) async fn prints(&mut self, text: &str) -> Result<()> {
        while !self.line(text).await?.contains(text) {}
        Ok(())
    }

    /// Reads on until it serves a tool; returns the URL.
    pub(crate) async fn serves(&mut self, tool: &str) -> Result<String> {
        loop {
            let line = self.line(tool).await?;
            if let Some((url, tools)) = line
                .strip_prefix("serving ")
                .and_then(|line| line.split_once(": "))
                && tools.split(", ").any(|served| served == tool)
            {
                return Ok(url.to_owned());
            }
        }
    }

    /// Returns the issuer's URL.
    pub(crate) fn issuer(&self) -> Result<&str> {
        let mut lines = self.printed.lines();
        let line = lines.find_map(|line| line.strip_prefix("login    "));
        let url = line.and_then(|line| line.split("/,").next());
        url.with_context(|| format!("no issuer in:\n{}", self.printed))
    }

    /// Returns the token that was printed last for this name.
    fn token(&self, name: &str) -> Result<&str> {
        let mut lines = self.printed.lines().rev();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .with_context(|| format!("no token for {name}"))
    }

    /// Returns true if its host had to compile something.
    pub(crate) fn has_compiled(&self) -> bool {
        self.printed.contains("cached=false")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).context("it ended by itself")?;
        Ok(kill_process(id, signal)?)
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await??;
        ensure!(status.success(), "{status}:\n{}", self.printed);
        Ok(())
    }
}

/// Returns an author's folder with these tools, and a place for temporary files.
pub(crate) fn scene(names: &[&str]) -> Result<(TempDir, TempDir)> {
    let folder = TempDir::new()?;
    for name in names {
        fs::copy(tools()?.join(name), folder.path().join(name))?;
    }
    Ok((folder, TempDir::new()?))
}

#[tokio::test]
async fn an_author_edits_builds_and_calls() -> Result<()> {
    let (folder, temporary) = scene(&["whoami.wasm"])?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &["--tokens"])?;
    let url = bench.serves("whoami").await?;
    ensure!(
        bench.printed.contains("DEVELOPMENT ONLY"),
        "no warning:\n{}",
        bench.printed
    );
    let config = bench
        .printed
        .lines()
        .find_map(|line| line.strip_prefix("config   "));
    ensure!(
        config.is_some_and(|config| Path::new(config).is_file()),
        "no configuration:\n{}",
        bench.printed
    );
    ensure!(
        bench.printed.contains("Mcp-Name: whoami"),
        "no curl:\n{}",
        bench.printed
    );
    for (name, kind) in [("ALICE", "user"), ("BOB", "user"), ("NIGHTLY", "service")] {
        let answer = mcp::call(&url, Some(bench.token(name)?), "whoami", &json!({})).await?;
        let actor = answer.structured().get("actor").context("no envelope")?;
        ensure_eq(actor.get("sub"), Some(&json!(name.to_lowercase())), "who")?;
        ensure_eq(actor.get("type"), Some(&json!(kind)), "kind")?;
    }

    ensure_eq(
        fs::read_dir(temporary.path())?.count(),
        1,
        "temporary folders",
    )?;
    let early = bench.token("ALICE")?.to_owned();
    fs::copy(
        tools()?.join("orders.wasm"),
        folder.path().join("orders.wasm"),
    )?;
    ensure_eq(
        bench.serves("get_order_status").await?.as_str(),
        url.as_str(),
        "URL after a change",
    )?;
    let order = json!({"order_id": "A-1001"});
    let answer = mcp::call(
        &url,
        Some(bench.token("ALICE")?),
        "get_order_status",
        &order,
    )
    .await?;
    ensure!(answer.text().contains("shipped"), "{}", answer.raw);
    let answer = mcp::call(&url, Some(&early), "whoami", &json!({})).await?;
    ensure!(
        answer.is_success(),
        "an earlier token is not good any more: {}",
        answer.raw
    );

    fs::copy(
        tools()?.join("billing.wasm"),
        folder.path().join("orders.wasm"),
    )?;
    bench.serves("get_balance").await?;
    let list = mcp::list(&url, Some(bench.token("ALICE")?)).await?;
    ensure!(
        list.raw.contains("get_balance") && !list.raw.contains("get_order_status"),
        "{}",
        list.raw
    );

    // A build that failed halfway: the author sees why, and the last good version serves.
    fs::write(
        folder.path().join("orders.wasm"),
        "\0asm, but not a component",
    )?;
    bench.prints("a component is refused").await?;
    let list = mcp::list(&url, Some(bench.token("ALICE")?)).await?;
    ensure!(list.raw.contains("get_balance"), "{}", list.raw);
    fs::remove_file(folder.path().join("orders.wasm"))?;
    bench.prints("a component is removed").await?;

    bench.stop().await?;
    ensure!(
        mcp::call(&url, Some(&early), "whoami", &json!({}))
            .await
            .is_err(),
        "the host serves on"
    );
    ensure_eq(
        fs::read_dir(temporary.path())?.count(),
        0,
        "temporary files left",
    )
}

#[tokio::test]
async fn an_authors_own_services_take_the_place_of_the_samples() -> Result<()> {
    let (folder, temporary) = scene(&["billing.wasm"])?;
    let entry = Entry::Key {
        header: "x-api-key".into(),
        value: "k-1".into(),
    };
    let reports = Reports::start(entry, None).await?;
    let mine = TempDir::new()?;
    fs::write(mine.path().join("key"), "k-1")?;
    fs::set_permissions(
        mine.path().join("key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )?;
    let file = mine.path().join("services.toml");
    let text = format!(
        "[services.reports_api]\nurl = \"{}\"\nprivate_addresses = [\"127.0.0.0/8\"]\nshared_data = true\n\
         allow = [\"GET /reports/{{}}\"]\n\
         auth = {{ kind = \"static\", header = \"X-Api-Key\", secret_file = \"key\" }}\n\
         [components.billing]\nservices = {{ reports_api = \"service_identity\" }}\n",
        reports.url()
    );
    fs::write(&file, text)?;
    let file = file.to_string_lossy();
    let mut bench = Bench::start(
        folder.path(),
        temporary.path(),
        &["--tokens", "--services", &file],
    )?;
    let url = bench.serves("monthly_report").await?;
    let month = json!({"month": "2026-10"});
    let answer = mcp::call(
        &url,
        Some(bench.token("NIGHTLY")?),
        "monthly_report",
        &month,
    )
    .await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    ensure_eq(reports.log().len(), 1, "visits")?;
    let answer = mcp::call(&url, Some(bench.token("ALICE")?), "get_balance", &json!({})).await?;
    ensure!(
        answer.is_tool_error(),
        "a sample service is still there: {}",
        answer.raw
    );
    bench.stop().await
}

#[tokio::test]
async fn the_first_screen_says_how_to_log_in_and_has_one_call_that_works() -> Result<()> {
    let (folder, temporary) = scene(&["whoami.wasm"])?;
    let users = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/dev/users.toml");
    let users = users.to_string_lossy();
    let mut bench = Bench::start(folder.path(), temporary.path(), &["--users", &users])?;
    let url = bench.serves("whoami").await?;
    // What comes before it is the host's.
    let (_, screen) = bench
        .printed
        .split_once("DEVELOPMENT")
        .context("no screen")?;
    let screen = screen.to_owned();
    ensure!(screen.lines().count() <= 26, "too long:\n{screen}");
    ensure!(!screen.contains("ALICE="), "a token:\n{screen}");
    let connects = format!("claude mcp add --transport http bailiwick {url}");
    ensure!(screen.contains(&connects), "no {connects}:\n{screen}");
    let page = client::fetch(&format!("{}/", bench.issuer()?))
        .await?
        .text();
    ensure!(page.contains(&connects) && page.contains("dana"), "{page}");
    let call = screen
        .lines()
        .find(|line| line.starts_with("bailiwick call "));
    let call = call.context("no call")?;
    let programs = bailiwick()?;
    let programs = programs.parent().context("a program lies in a folder")?;
    let typed = format!("PATH='{}':$PATH; {call}", programs.display());
    let shell = Command::new("sh")
        .args(["-c", &typed])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, shell).await??;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(printed.contains("alice"), "{call}: {printed}");
    bench.stop().await
}

#[tokio::test]
async fn a_port_in_use_is_said_with_the_way_out() -> Result<()> {
    let (folder, temporary) = scene(&["whoami.wasm"])?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    for option in ["--port", "--issuer-port"] {
        let output = Command::new(workbench()?)
            .arg(folder.path())
            .arg("--bailiwick")
            .arg(bailiwick()?)
            .args(["--port", "0"])
            .args([option, &port])
            .env("TMPDIR", temporary.path())
            .env("XDG_CACHE_HOME", folder.path().join(".caches"))
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(DEADLINE, output).await??;
        let words = String::from_utf8_lossy(&output.stderr);
        let way_out = format!("any with {option} 0");
        let said = words.contains(&way_out) && words.contains(&port);
        ensure!(!output.status.success() && said, "{words}");
    }
    Ok(())
}

#[tokio::test]
async fn a_mistake_in_the_authors_file_is_said_and_nothing_is_served() -> Result<()> {
    let (folder, temporary) = scene(&["whoami.wasm"])?;
    let file = temporary.path().join("services.toml");
    for (text, said) in [
        ("[server]\nlisten = \"0.0.0.0:1\"\n", "only"),
        (
            "[services.crm]\nulr = \"x\"\n",
            "services.toml:2: unknown field `ulr`",
        ),
    ] {
        fs::write(&file, text)?;
        let output = Command::new(workbench()?)
            .arg(folder.path())
            .arg("--bailiwick")
            .arg(bailiwick()?)
            .args(["--port", "0"])
            .arg("--services")
            .arg(&file)
            .env("XDG_CACHE_HOME", folder.path().join(".caches"))
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(DEADLINE, output).await??;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && words.contains(said), "{words}");
    }
    Ok(())
}
