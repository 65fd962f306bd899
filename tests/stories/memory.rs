//! Short memory: the host takes no more than there is, and compiling processes end before the
//! serving one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bailiwick_dev::journal::events;
use bailiwick_dev::process;
use bailiwick_tests::bombs::bombs;
use bailiwick_tests::hostile::{Case, Expect, Guest, Phase, Source};
use bailiwick_tests::{Plan, World, bailiwick, ensure_eq};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// The time in which something must happen by itself.
const DEADLINE: Duration = Duration::from_secs(60);

/// A control group with little memory, gone when dropped.
struct Group(PathBuf);

impl Group {
    /// Makes a group; `None`, with a line, if this process may not make one.
    #[expect(clippy::print_stdout, reason = "what is left out is said")]
    fn make(name: &str, mebibytes: u64) -> Option<Self> {
        let name = format!("bailiwick-test-{name}-{}", std::process::id());
        for (hierarchy, file) in [("memory", "memory.limit_in_bytes"), ("", "memory.max")] {
            let path = Path::new("/sys/fs/cgroup").join(hierarchy).join(&name);
            if fs::create_dir(&path).is_err() {
                continue;
            }
            let group = Self(path);
            // Opened without creating it: where the file is missing, the group bounds no memory.
            let bound = group.0.join(file);
            if bound.exists() && fs::write(&bound, (mebibytes << 20).to_string()).is_ok() {
                return Some(group);
            }
        }
        println!("left out: no control group can be made here");
        None
    }
}

impl Group {
    /// Removes it when the last of its processes has ended.
    async fn remove(self) -> Result<()> {
        let begun = Instant::now();
        while fs::remove_dir(&self.0).is_err() {
            ensure!(begun.elapsed() < DEADLINE, "{} is in use", self.0.display());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // After a story that failed, a process that is still in it keeps it.
        let _left = fs::remove_dir(&self.0);
    }
}

/// Returns a tool that takes so many mebibytes, writes to all of it, and then computes until its
/// time is up.
fn greedy(mebibytes: u64) -> Result<Vec<u8>> {
    let code = format!(
        "(if (i32.eq (memory.grow (i32.const {})) (i32.const -1)) (then unreachable))
         (memory.fill (i32.const 524288) (i32.const 1) (i32.const {})) (loop (br 0))",
        mebibytes * 16,
        mebibytes << 20
    );
    let text = Guest::new().call(code).text("greedy");
    let case = Case {
        name: "greedy",
        does: "Takes memory.",
        at: Phase::Call,
        expect: Expect::Ended(&["overloaded"]),
        source: Source::Text(text),
    };
    Ok(case.bytes()?)
}

async fn calls(world: &World, who: &str, tool: &str, times: usize) -> Result<Vec<String>> {
    let token = world.token(who)?;
    let url = world.host.url();
    let mut running = Vec::new();
    for _ in 0..times {
        let (url, token, tool) = (url.clone(), token.clone(), tool.to_owned());
        running.push(tokio::spawn(async move {
            bailiwick_dev::mcp::call(&url, Some(&token), &tool, &json!({})).await
        }));
    }
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await??.raw);
    }
    Ok(answers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_cannot_take_more_memory_than_the_hosts_group_has() -> Result<()> {
    let Some(group) = Group::make("calls", 512) else {
        return Ok(());
    };
    let world = World::with(Plan {
        components: vec![("greedy.wasm".into(), greedy(60)?)],
        environment: vec![("CONTROL_GROUP".into(), group.0.display().to_string())],
        ..Plan::default()
    })
    .await?;
    let process = world.host.id();
    let answers = calls(&world, "alice", "greedy", 32).await?;
    let overloaded = answers
        .iter()
        .filter(|answer| answer.contains("overloaded"))
        .count();
    ensure!(
        overloaded > 0,
        "512 MiB are enough for 32 calls with 60 MiB each: {answers:?}"
    );
    ensure!(
        world
            .call(&world.token("bob")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "others are served"
    );
    ensure_eq(world.host.id(), process, "process")?;
    let said = world.stop().await?.said;
    ensure!(said.contains("memory_total = \"256MiB\""), "{said}");
    group.remove().await
}

#[tokio::test]
async fn check_says_which_limits_are_lower_here_and_warns_about_those_that_are_too_high()
-> Result<()> {
    let Some(group) = Group::make("check", 512) else {
        return Ok(());
    };
    let remains = World::start().await?.stop().await?;
    let config = remains.folder.config();
    let text = fs::read_to_string(&config)?;
    for (limits, expected, warned) in [
        (
            "",
            "memory_total = \"256MiB\", compile_memory = \"512MiB\", because this process can have 512 MiB",
            false,
        ),
        (
            "[limits]\nmemory_total = \"1GiB\"\n",
            "limits.memory_total is \"1024MiB\", but this process can have 512 MiB",
            true,
        ),
    ] {
        fs::write(&config, format!("{text}\n{limits}"))?;
        let script = r#"echo $$ >"$0/cgroup.procs"; exec "$1" check --config "$2""#;
        let (place, config) = (group.0.display().to_string(), config.display().to_string());
        let program = bailiwick()?.display().to_string();
        let output =
            process::run(Path::new("sh"), &["-c", script, &place, &program, &config]).await?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(
            output.status.success() && said.contains(expected),
            "{limits}: {said}"
        );
        ensure_eq(said.contains("1 warning"), warned, &said)?;
    }
    group.remove().await
}

#[tokio::test]
async fn a_component_that_takes_all_memory_to_compile_ends_its_worker_and_not_the_host()
-> Result<()> {
    let Some(group) = Group::make("compile", 256) else {
        return Ok(());
    };
    let world = World::with(Plan {
        environment: vec![("CONTROL_GROUP".into(), group.0.display().to_string())],
        // Address space beyond what the group has, so that it is the kernel that acts.
        config: Box::new(|config| {
            config.limits = "[limits]\ncompile_memory = \"4GiB\"\n".to_owned();
        }),
        ..Plan::default()
    })
    .await?;
    let process = world.host.id();
    let large = bombs()
        .into_iter()
        .find(|bomb| bomb.name == "15 functions of 1 MB")
        .context("no such bomb")?;
    world.folder.write_tool("large.wasm", &large.bytes)?;
    refusal(&world).await?;
    ensure!(
        world
            .call(&world.token("bob")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "others are served"
    );
    ensure_eq(world.host.id(), process, "process")?;
    let said = world.stop().await?.said;
    ensure!(
        said.contains("limits.compile_memory is \"4096MiB\", but this process can have 256 MiB"),
        "{said}"
    );
    group.remove().await
}

/// Waits for the record of a refused component.
async fn refusal(world: &World) -> Result<String> {
    let begun = Instant::now();
    loop {
        let records = world.records()?;
        if let Some(refused) = events(&records, "component.refused").first() {
            return Ok(refused.to_string());
        }
        ensure!(
            begun.elapsed() < DEADLINE,
            "no refusal: {}",
            world.host.said()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the children of a process: number and command.
fn children(id: u32) -> Result<BTreeMap<u32, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(child) = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        let of = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split(' ').nth(2)?.parse::<u32>().ok());
        if of == Some(id) {
            found.insert(
                child,
                fs::read_to_string(path.join("cmdline"))
                    .unwrap_or_default()
                    .replace('\0', " "),
            );
        }
    }
    Ok(found)
}

/// Returns the process that `id` started to run this command.
fn child(id: u32, command: &str) -> Result<u32> {
    let found = children(id)?
        .into_iter()
        .find(|(_, started)| started.contains(command));
    found
        .map(|(child, _)| child)
        .with_context(|| format!("no {command}"))
}

/// Returns the score by which the kernel prefers a process when it has to end one.
fn score(id: u32) -> Result<i32> {
    Ok(fs::read_to_string(format!("/proc/{id}/oom_score_adj"))?
        .trim()
        .parse()?)
}

/// Waits for the next compile worker to be ready, and kills it.
async fn kill_worker(spawner: u32) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < DEADLINE {
        for (id, command) in children(spawner)? {
            // It gives its rights up before it reads anything, and it can end by itself at any
            // moment.
            if command.contains("compile-worker") && score(id).is_ok_and(|score| score == 1000) {
                let pid = i32::try_from(id)
                    .ok()
                    .and_then(Pid::from_raw)
                    .context("no process")?;
                return Ok(kill_process(pid, Signal::KILL)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("no compile worker asks to be ended first")
}

#[tokio::test]
async fn what_compiles_is_ended_before_what_serves_and_the_refusal_names_memory() -> Result<()> {
    let world = World::start().await?;
    let host = world.host.id().context("the host has ended")?;
    let keeper = child(host, "compile-keeper")?;
    let spawner = child(keeper, "compile-spawner")?;
    let between = |score| i32::midpoint(score, 1000);
    let kept = between(score(host)?);
    ensure_eq(score(keeper)?, kept, "the keeper's score")?;
    ensure_eq(score(spawner)?, between(kept), "the spawner's score")?;

    let large = bombs()
        .into_iter()
        .find(|bomb| bomb.name == "15 functions of 1 MB")
        .context("no such bomb")?;
    world.folder.write_tool("large.wasm", &large.bytes)?;
    kill_worker(spawner).await?;
    let refused = refusal(&world).await?;
    ensure!(
        refused.contains("large") && refused.contains("memory ran out"),
        "{refused}"
    );
    ensure!(
        world
            .call(&world.token("bob")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "others are served"
    );
    Ok(())
}
