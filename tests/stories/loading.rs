//! The path of components to code: in a process of its own, kept in a private folder; and the
//! effects of its failures.

mod cache;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_tests::{Plan, World, count, ensure_eq, tools};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Returns a component that exports the functions of a tool and costs seconds to compile: so many
/// functions of so many additions.
fn bomb(functions: usize, additions: usize) -> Result<Vec<u8>> {
    let body = "i32.const 7 i32.add i32.load ".repeat(additions);
    let one = format!("(func i32.const 0 {body} drop)");
    let text = format!(
        r#"(component (core module (memory 1) {}) (instance $none)
            (export "bailiwick:tool/tools@0.2.0" (instance $none)))"#,
        one.repeat(functions)
    );
    Ok(wat::parse_str(text)?)
}

/// Starts a world in which compiling may take this long.
async fn world(compile_cpu: &'static str) -> Result<World> {
    World::with(Plan::config(move |config| {
        config.limits = format!("[limits]\ncompile_cpu = \"{compile_cpu}\"\n");
    }))
    .await
}

/// Waits until `look` finds something.
async fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let arrive = async {
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), arrive)
        .await
        .with_context(|| format!("in vain: {what}"))?
}

/// Waits for `wanted` records of refused components; returns the cause in the last one.
async fn refusal(world: &World, wanted: usize) -> Result<String> {
    until("a refused component", || {
        let records = world.records()?;
        let refused = events(&records, "component.refused");
        let last = refused.last().filter(|_| refused.len() >= wanted);
        Ok(last.map(|record| text_of(record, "/detail/cause")))
    })
    .await
}

fn text_of(record: &Value, pointer: &str) -> String {
    record
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Returns the children of a process that were started as this command.
fn children(of: u32, command: &str) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{of}/task"))? {
        let children = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .filter_map(|child| child.parse::<u32>().ok())
        {
            let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if line
                .split(|byte| *byte == 0)
                .any(|word| word == command.as_bytes())
            {
                found.push(child);
            }
        }
    }
    Ok(found)
}

fn host(world: &World) -> Result<u32> {
    world.host.id().context("the host does not run")
}

/// Returns the process that keeps the spawner.
fn keeper(world: &World) -> Result<u32> {
    children(host(world)?, "compile-keeper")?
        .pop()
        .context("there is no keeper")
}

async fn spawner(world: &World) -> Result<u32> {
    let keeper = keeper(world)?;
    until("a spawner", || {
        Ok(children(keeper, "compile-spawner")?.pop())
    })
    .await
}

async fn worker(world: &World) -> Result<u32> {
    let spawner = spawner(world).await?;
    until("a compile worker", || {
        Ok(children(spawner, "compile-worker")?.pop())
    })
    .await
}

fn kill(process: u32) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(process)?).context("a process")?;
    Ok(kill_process(pid, Signal::KILL)?)
}

fn status(path: &Path, field: &str) -> Result<String> {
    let status = fs::read_to_string(path)?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    Ok(line
        .with_context(|| format!("{}: no {field}", path.display()))?
        .trim()
        .to_owned())
}

#[tokio::test]
async fn a_component_that_takes_too_long_to_compile_is_refused_while_calls_go_on() -> Result<()> {
    let world = world("1s").await?;
    let token = world.token("alice")?;
    world.folder.write_tool("bomb.wasm", &bomb(300, 3000)?)?;
    let worker = worker(&world).await?;
    let mut slowest = Duration::ZERO;
    let mut calls = 0;
    while count(&world.records()?, "component.refused") == 0 {
        let begun = Instant::now();
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure!(answer.is_success(), "{}", answer.raw);
        slowest = slowest.max(begun.elapsed());
        calls += 1;
    }
    let cause = refusal(&world, 1).await?;
    ensure!(
        cause.contains("more than 1 s of processor time (limits.compile_cpu)"),
        "{cause}"
    );
    ensure!(
        calls > 0 && slowest < Duration::from_secs(5),
        "{calls} calls, the slowest took {slowest:?}"
    );
    until("the end of the worker", || {
        Ok((!Path::new(&format!("/proc/{worker}")).exists()).then_some(()))
    })
    .await?;
    world
        .folder
        .write_tool("again.wasm", &fs::read(tools()?.join("whoami.wasm"))?)?;
    until("the next component", || {
        Ok((count(&world.records()?, "component.refused") > 1).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_component_whose_compilation_is_killed_is_refused_and_the_host_serves_on() -> Result<()> {
    let world = world("60s").await?;
    world.folder.write_tool("bomb.wasm", &bomb(600, 3000)?)?;
    kill(worker(&world).await?)?;
    let cause = refusal(&world, 1).await?;
    ensure!(cause.contains("killed"), "{cause}");
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "it does not serve"
    );
    world.folder.write_tool("bomb.wasm", &bomb(1, 1)?)?;
    let cause = refusal(&world, 2).await?;
    ensure!(
        cause.contains("does not link"),
        "the next one is not compiled: {cause}"
    );
    Ok(())
}

#[tokio::test]
async fn a_spawner_that_is_killed_is_started_again_and_what_is_new_loads() -> Result<()> {
    let world = world("60s").await?;
    let first = spawner(&world).await?;
    kill(first)?;
    world.folder.add_tool(&tools()?.join("billing.wasm"))?;
    until("the new component", || {
        Ok((count(&world.records()?, "component.loaded") == 3).then_some(()))
    })
    .await?;
    let said = world.host.said();
    ensure!(
        said.contains("the process that starts compile workers has ended; it is started again"),
        "{said}"
    );
    let second = spawner(&world).await?;
    ensure!(second != first, "the dead one is still there");

    world.folder.write_tool("bomb.wasm", &bomb(600, 3000)?)?;
    worker(&world).await?;
    kill(second)?;
    until("another spawner", || {
        Ok((children(keeper(&world)?, "compile-spawner")?.pop() != Some(second)).then_some(()))
    })
    .await?;
    let again = worker(&world).await?;
    kill(again)?;
    let cause = refusal(&world, 1).await?;
    ensure!(
        cause.contains("killed"),
        "what was being compiled is not compiled again: {cause}"
    );
    Ok(())
}

#[tokio::test]
async fn without_any_spawner_the_host_serves_what_it_has_and_refuses_what_is_new() -> Result<()> {
    let world = World::start().await?;
    let spawner = spawner(&world).await?;
    kill(keeper(&world)?)?;
    kill(spawner)?;
    world.folder.write_tool("new.wasm", &bomb(1, 1)?)?;
    let cause = refusal(&world, 1).await?;
    ensure!(cause.contains("restart the host"), "{cause}");
    let whoami = world.folder.path().join("tools/whoami.wasm");
    fs::write(&whoami, bomb(1, 2)?)?;
    refusal(&world, 2).await?;
    let token = world.token("alice")?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "the last good version is gone"
    );
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the other tool is gone"
    );
    ensure!(
        world
            .host
            .said()
            .contains("the process that starts compile workers is gone"),
        "{}",
        world.host.said()
    );
    let remains = world.stop().await?;
    ensure_eq(
        count(&remains.records()?, "host.stopped"),
        1,
        "records of the stop",
    )
}

#[tokio::test]
async fn a_host_that_ends_takes_its_compile_processes_along() -> Result<()> {
    let world = world("60s").await?;
    world.folder.write_tool("bomb.wasm", &bomb(600, 3000)?)?;
    let processes = [
        keeper(&world)?,
        spawner(&world).await?,
        worker(&world).await?,
    ];
    let begun = Instant::now();
    let remains = world.kill().await?;
    for process in processes {
        let gone = || Ok((!Path::new(&format!("/proc/{process}")).exists()).then_some(()));
        until("the end of a compile process", gone).await?;
    }
    fs::remove_file(remains.folder.path().join("tools/bomb.wasm"))?;
    let world = remains.restart().await?;
    world.folder.write_tool("bomb.wasm", &bomb(600, 3000)?)?;
    worker(&world).await?;
    world.stop().await?;
    ensure!(
        begun.elapsed() < Duration::from_secs(60),
        "a stop waits for what is being compiled"
    );
    Ok(())
}

#[tokio::test]
async fn the_serving_process_has_given_up_what_it_does_not_need() -> Result<()> {
    let world = World::start().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "it does not serve"
    );
    let proc = PathBuf::from(format!("/proc/{}", host(&world)?));
    let mut threads = 0;
    for task in fs::read_dir(proc.join("task"))? {
        let file = task?.path().join("status");
        ensure_eq(status(&file, "Seccomp")?, "2", "filter of system calls")?;
        ensure_eq(status(&file, "NoNewPrivs")?, "1", "no new privileges")?;
        threads += 1;
    }
    ensure!(threads > 2, "{threads} threads");
    let limits = fs::read_to_string(proc.join("limits"))?;
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .context("no limit")?;
    ensure!(
        core.split_whitespace().filter(|word| *word == "0").count() == 2,
        "{core}"
    );
    ensure_eq(
        fs::metadata(proc.join("environ"))?.uid(),
        0,
        "owner of its memory",
    )?;
    Ok(())
}

#[tokio::test]
async fn the_processes_that_compile_hold_nothing_of_the_host() -> Result<()> {
    let world = World::with(Plan {
        environment: vec![("A_SECRET".into(), "of the service manager".into())],
        config: Box::new(|config| config.limits = "[limits]\ncompile_cpu = \"60s\"\n".into()),
        ..Plan::default()
    })
    .await?;
    world.folder.write_tool("bomb.wasm", &bomb(600, 3000)?)?;
    let (keeper, spawner, worker) = (
        keeper(&world)?,
        spawner(&world).await?,
        worker(&world).await?,
    );
    let folder = world.folder.path().to_string_lossy().into_owned();
    for process in [keeper, spawner, worker] {
        let proc = PathBuf::from(format!("/proc/{process}"));
        ensure!(
            fs::read(proc.join("environ"))?.is_empty(),
            "it has an environment"
        );
        until("a filter of system calls", || {
            Ok((status(&proc.join("status"), "Seccomp")? == "2").then_some(()))
        })
        .await?;
        ensure_eq(
            status(&proc.join("status"), "NoNewPrivs")?,
            "1",
            "no new privileges",
        )?;
        for entry in fs::read_dir(proc.join("fd"))? {
            let target = fs::read_link(entry?.path())?.to_string_lossy().into_owned();
            ensure!(!target.contains(&folder), "it has {target} open");
            ensure!(
                process != worker || !target.contains("socket"),
                "the worker has {target} open"
            );
        }
    }
    // It inherits the filters of the keeper and of the spawner, and adds narrower ones when it
    // begins.
    until("a lower priority and a filter of its own", || {
        let stat = fs::read_to_string(format!("/proc/{worker}/stat"))?;
        let nice = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(16))
            .map(str::to_owned);
        let filters = status(
            Path::new(&format!("/proc/{worker}/status")),
            "Seccomp_filters",
        )?;
        Ok((nice.as_deref() == Some("10") && filters == "4").then_some(()))
    })
    .await?;
    kill(worker)
}
