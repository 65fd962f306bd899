//! A program's children end with it, however it ends: nothing serves on, and no folder with keys
//! remains.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client;
use bailiwick_dev::journal::text;
use bailiwick_dev::process::{Other, UNTIL_STDIN_CLOSES};
use bailiwick_tests::{World, bailiwick, demo, ensure_eq, tools, workbench};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The time in which something must happen by itself.
const DEADLINE: Duration = Duration::from_secs(60);

/// A program that serves, and the processes that it started.
struct Family {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    started: Vec<Relative>,
}

struct Relative {
    id: u32,
    command: String,
    process: Other,
}

impl Family {
    /// Starts a program and waits until it prints `sign`.
    async fn start(mut command: Command, sign: &str) -> Result<Self> {
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let mut printed = String::new();
        while !printed.contains(sign) {
            let line = tokio::time::timeout(DEADLINE, lines.next_line()).await;
            let line = line.with_context(|| format!("{sign:?} does not come:\n{printed}"))??;
            printed += &line.with_context(|| format!("it ended:\n{printed}"))?;
            printed.push('\n');
        }
        let started = descendants(child.id().context("it has ended")?)?;
        Ok(Self {
            child,
            lines,
            started,
        })
    }

    /// Returns the process of this program with this first argument.
    fn relative(&self, program: &str, argument: &str) -> Result<&Relative> {
        let is = |command: &str| {
            let mut words = command.split(' ');
            words
                .next()
                .is_some_and(|word| word.rsplit('/').next() == Some(program))
                && words.next() == Some(argument)
        };
        let found = self.started.iter().find(|relative| is(&relative.command));
        found.with_context(|| format!("nothing runs {program} {argument}"))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        send(self.child.id().context("it has ended")?, signal)
    }

    /// Waits until all that it started has ended.
    async fn all_end(mut self) -> Result<()> {
        let status = tokio::time::timeout(DEADLINE, self.child.wait())
            .await
            .context("it runs on")??;
        for relative in self.started {
            let ended =
                tokio::task::spawn_blocking(move || relative.process.ends(DEADLINE)).await??;
            ensure!(ended, "after {status} there is still: {}", relative.command);
        }
        drop(self.lines);
        Ok(())
    }
}

fn send(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .context("not the number of a process")?;
    Ok(kill_process(pid, signal)?)
}

/// Returns every process below this one.
fn descendants(id: u32) -> Result<Vec<Relative>> {
    let mut known = vec![id];
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(parent) = known.get(next).copied() {
        next += 1;
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let Some(id) = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok())
            else {
                continue;
            };
            // A process can end while it is looked at.
            let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
            let of = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split(' ').nth(2)?.parse::<u32>().ok());
            if of != Some(parent) {
                continue;
            }
            let command = fs::read_to_string(path.join("cmdline"))
                .unwrap_or_default()
                .replace('\0', " ");
            if let Ok(process) = Other::of(id) {
                known.push(id);
                found.push(Relative {
                    id,
                    command,
                    process,
                });
            }
        }
    }
    Ok(found)
}

/// Returns the demo and the workbench: the command, and the line that it prints when it serves.
fn programs(folder: &Path, temporary: &Path) -> Result<[(Command, &'static str); 2]> {
    let mut first = Command::new(demo()?);
    first
        .arg("--bailiwick")
        .arg(bailiwick()?)
        .arg("--tools")
        .arg(tools()?)
        .arg("--out")
        .arg(folder.join("demo"));
    let mut second = Command::new(workbench()?);
    fs::create_dir(folder.join("tools"))?;
    fs::copy(
        tools()?.join("whoami.wasm"),
        folder.join("tools/whoami.wasm"),
    )?;
    second
        .arg(folder.join("tools"))
        .arg("--bailiwick")
        .arg(bailiwick()?);
    for command in [&mut first, &mut second] {
        command.env("TMPDIR", temporary).env("NO_COLOR", "1");
        command.env("XDG_CACHE_HOME", folder.join("caches"));
    }
    Ok([(first, "Serving until Ctrl-C"), (second, "serving http")])
}

/// Returns the command as a shell would run it, on a terminal of its own, whose end is a signal
/// even if these tests run under `nohup`.
fn on_terminal(command: &Command) -> Command {
    let quoted =
        |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
    let inner = command.as_std();
    let words: Vec<_> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(quoted)
        .collect();
    let mut script = Command::new("env");
    script.args([
        "--default-signal=HUP",
        "script",
        "--quiet",
        "--flush",
        "--return",
        "--command",
        &words.join(" "),
        "/dev/null",
    ]);
    script.envs(
        inner
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    script
}

#[tokio::test]
async fn whatever_ends_demo_and_workbench_nothing_of_them_is_left() -> Result<()> {
    // The last end is that of the parent: it closes the program's standard input.
    for end in [Some(Signal::KILL), Some(Signal::INT), None] {
        let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
        for (mut command, sign) in programs(folder.path(), temporary.path())? {
            let program = command.as_std().get_program().to_owned();
            if end.is_none() {
                command.arg(UNTIL_STDIN_CLOSES);
            }
            let mut family = Family::start(command, sign).await?;
            let host = family.relative("bailiwick", "serve")?;
            family.relative("bailiwick", "compile-spawner")?;
            ensure!(
                !host.process.ends(Duration::ZERO)?,
                "the host has ended already"
            );
            match end {
                Some(signal) => family.signal(signal)?,
                None => drop(family.child.stdin.take()),
            }
            family
                .all_end()
                .await
                .with_context(|| format!("{}, {end:?}", program.display()))?;
        }
        ensure_eq(
            fs::read_dir(temporary.path())?.count(),
            0,
            &format!("temporary folders after {end:?}"),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_terminal_that_closes_ends_demo_workbench_and_host() -> Result<()> {
    let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
    let remains = World::start().await?.stop().await?;
    let mut serve = Command::new(bailiwick()?);
    serve
        .arg("serve")
        .arg("--config")
        .arg(remains.folder.config());
    let [first, second] = programs(folder.path(), temporary.path())?;
    for (command, sign) in [first, second, (serve, "listening on")] {
        let family = Family::start(on_terminal(&command), sign).await?;
        family.relative("bailiwick", "compile-spawner")?;
        // This closes the terminal.
        family.signal(Signal::KILL)?;
        family
            .all_end()
            .await
            .with_context(|| format!("{}", command.as_std().get_program().display()))?;
    }
    ensure_eq(
        fs::read_dir(temporary.path())?.count(),
        0,
        "temporary folders",
    )?;
    let records = remains.records()?;
    ensure_eq(
        text(records.last().context("empty")?, "event"),
        "host.stopped",
        "the last record",
    )
}

#[tokio::test]
async fn a_host_that_keeps_its_terminal_or_wants_none_serves_on_after_sighup() -> Result<()> {
    let world = World::start().await?;
    world.host.signal(Signal::HUP)?;
    ensure!(
        world
            .call(&world.token("alice")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "after SIGHUP"
    );

    let remains = world.stop().await?;
    let said = remains.folder.path().join("said");
    let mut command = Command::new("sh");
    let script = r#"nohup "$0" serve --config "$1" >"$2" 2>&1 & tail -f "$2""#;
    fs::write(&said, "")?;
    command
        .arg("-c")
        .arg(script)
        .arg(bailiwick()?)
        .arg(remains.folder.config())
        .arg(&said);
    let family = Family::start(on_terminal(&command), "listening on").await?;
    let host = family.relative("bailiwick", "serve")?;
    let (id, process) = (host.id, Other::of(host.id)?);
    let beside = Other::of(family.relative("tail", "-f")?.id)?;
    family.signal(Signal::KILL)?;
    ensure!(
        tokio::task::spawn_blocking(move || beside.ends(DEADLINE)).await??,
        "the terminal is still there"
    );
    let words = fs::read_to_string(&said)?;
    let url = words
        .split_once("listening on ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let health = url.context("no address")?.replace("/mcp", "/healthz");
    ensure_eq(client::fetch(&health).await?.status.as_u16(), 200, "health")?;
    send(id, Signal::TERM)?;
    ensure!(
        tokio::task::spawn_blocking(move || process.ends(DEADLINE)).await??,
        "it does not stop"
    );
    let records = remains.records()?;
    ensure_eq(
        text(records.last().context("empty")?, "event"),
        "host.stopped",
        "the last record",
    )
}

#[tokio::test]
async fn a_host_that_was_started_by_a_program_stops_with_it_and_only_once() -> Result<()> {
    let remains = World::start().await?.stop().await?;
    let serve = |stdin: Stdio| -> Result<Child> {
        let mut command = Command::new(bailiwick()?);
        command
            .arg("serve")
            .arg("--config")
            .arg(remains.folder.config())
            .arg(UNTIL_STDIN_CLOSES);
        Ok(command
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?)
    };
    let mut child = serve(Stdio::piped())?;
    let mut said = BufReader::new(child.stderr.take().context("no standard error")?).lines();
    while let Some(line) = tokio::time::timeout(DEADLINE, said.next_line()).await?? {
        if line.contains("listening on") {
            drop(child.stdin.take());
        }
    }
    let status = tokio::time::timeout(DEADLINE, child.wait()).await??;
    ensure!(status.success(), "{status}");
    let records = remains.records()?;
    ensure_eq(
        text(records.last().context("empty")?, "event"),
        "host.stopped",
        "the last record",
    )?;

    let refused =
        tokio::time::timeout(DEADLINE, serve(Stdio::null())?.wait_with_output()).await??;
    let words = String::from_utf8_lossy(&refused.stderr);
    ensure!(
        !refused.status.success() && words.contains("pipe"),
        "{words}"
    );
    Ok(())
}
