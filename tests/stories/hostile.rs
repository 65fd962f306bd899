//! A hostile guest cannot harm the host or others. The kit is `tests/hostile/`.

mod memory;
mod offers;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::folder::digest;
use bailiwick_dev::journal::{self, events, text};
use bailiwick_tests::hostile::{Case, Expect, SERVICE, cases, good};
use bailiwick_tests::{Plan, World, count, ensure_eq, wanted};
use serde_json::{Value, json};

use super::operations::{OPERATIONS, url_of};
use memory::Memory;

/// The limits that the kit is made for.
const LIMITS: &str = "memory = \"16MiB\"\ncpu = \"100ms\"\ntime = \"1s\"\noutput = \"64KiB\"";

/// The memory by which the host may grow after the first rounds, in bytes.
const KEPT: u64 = 32 << 20;

/// The number of calls of each guest, unless `BAILIWICK_HOSTILE_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

/// The time that a call may take beyond its limit on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns a world in whose tools folder all of these are from the start.
async fn among(guests: &[Case]) -> Result<World> {
    within(guests, LIMITS).await
}

async fn within(guests: &[Case], limits: &'static str) -> Result<World> {
    let mut components = Vec::new();
    let mut asking = Vec::new();
    for case in guests {
        let bytes = case.bytes()?;
        if case.asks_a_service() {
            asking.push((case.name, digest(&bytes)));
        }
        components.push((format!("{}.wasm", case.name), bytes));
    }
    World::with(Plan {
        components,
        config: Box::new(move |config| {
            config.limits = format!("[limits]\n{limits}\n{OPERATIONS}");
            config.services = config
                .services
                .replacen("allow = [", "allow = [\"GET /{**}\", ", 1);
            for (name, digest) in asking {
                *config = config
                    .clone()
                    .grant(name, &digest, &[(SERVICE, "on_behalf_of")]);
            }
        }),
        ..Plan::default()
    })
    .await
}

/// Returns the reasons for which components were refused, by the name of the file.
fn refusals(records: &[Value]) -> BTreeMap<String, String> {
    let of = |record: &&Value| {
        let name = record
            .pointer("/detail/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        (name.to_owned(), text(record, "reason").to_owned())
    };
    events(records, "component.refused")
        .iter()
        .map(of)
        .collect()
}

/// A neighbour, who calls while others do harm.
struct Neighbour<'w> {
    world: &'w World,
    token: String,
}

impl Neighbour<'_> {
    /// Calls once: the answer must come and be about this user. Returns the time that it took.
    async fn call(&self) -> Result<Duration> {
        let began = Instant::now();
        let answer = self.world.call(&self.token, "whoami", &json!({})).await?;
        ensure!(
            answer.is_success(),
            "the neighbour is not served: {}",
            answer.raw
        );
        let sub = answer
            .structured()
            .pointer("/actor/sub")
            .and_then(Value::as_str);
        ensure_eq(sub, Some("bob"), "the neighbour is somebody else")?;
        Ok(began.elapsed())
    }

    /// Calls again and again until `harm` is over; returns its result and the slowest call.
    async fn beside<T>(&self, harm: impl Future<Output = Result<T>>) -> Result<(T, Duration)> {
        let mut slowest = Duration::ZERO;
        tokio::pin!(harm);
        loop {
            let call = self.call();
            tokio::pin!(call);
            tokio::select! {
                done = &mut harm => {
                    slowest = slowest.max(call.await?);
                    return Ok((done?, slowest));
                }
                took = &mut call => slowest = slowest.max(took?),
            }
        }
    }
}

/// Returns the reason of a call's end in the journal; empty if it was done. Only the one line is
/// parsed, because there are many.
fn end_of(world: &World, tool: &str) -> Result<String> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(world.folder.audit())? {
        segments.push(entry?.path());
    }
    segments.retain(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("journal-"))
    });
    segments.sort();
    let marks = [
        "\"event\":\"call.closed\"".to_owned(),
        format!("\"target\":{{\"kind\":\"tool\",\"name\":\"{tool}\"}}"),
    ];
    for segment in segments.iter().rev() {
        let text = fs::read_to_string(segment)?;
        let Some(line) = text
            .lines()
            .rfind(|line| marks.iter().all(|mark| line.contains(mark)))
        else {
            continue;
        };
        let record: Value = serde_json::from_str(line)?;
        ensure_eq(journal::text(&record, "actor_sub"), "alice", tool)?;
        return Ok(journal::text(&record, "reason").to_owned());
    }
    anyhow::bail!("{tool}: not closed")
}

/// The outcome of calling a hostile guest.
struct Suffered {
    /// The reason for which it was ended; empty if it was not.
    reason: String,
    /// The time that the call took.
    took: Duration,
    /// The neighbour's slowest call meanwhile.
    beside: Duration,
}

/// Calls the tool of a guest beside the neighbour, and checks the outcome.
async fn suffer(
    world: &World,
    neighbour: &Neighbour<'_>,
    token: &str,
    case: &Case,
) -> Result<Suffered> {
    let began = Instant::now();
    let nothing = json!({});
    let harm = world.call(token, case.name, &nothing);
    let (answer, beside) = neighbour.beside(harm).await?;
    let took = began.elapsed();
    ensure!(
        answer.raw.len() < 100_000,
        "{}: an answer of {} bytes",
        case.name,
        answer.raw.len()
    );
    ensure!(took < PATIENCE, "{}: ended after {took:?}", case.name);
    let reason = end_of(world, case.name)?;
    match case.expect {
        Expect::Ended(reasons) => {
            ensure!(
                !answer.is_success(),
                "{}: it answers: {}",
                case.name,
                answer.raw
            );
            ensure!(
                reasons.contains(&reason.as_str()),
                "{}: {reason:?}, not {reasons:?}",
                case.name
            );
        }
        Expect::Harmless(said) => {
            ensure!(
                answer.is_success(),
                "{}: {reason}: {}",
                case.name,
                answer.raw
            );
            ensure!(
                answer.text().contains(said),
                "{}: {}",
                case.name,
                answer.raw
            );
            let meta = answer
                .result()
                .pointer("/_meta")
                .map(Value::to_string)
                .unwrap_or_default();
            ensure!(
                !meta.contains("io.bailiwick"),
                "{}: it speaks for the host: {meta}",
                case.name
            );
        }
        Expect::Refused(_) | Expect::Either(_) => {}
    }
    Ok(Suffered {
        reason,
        took,
        beside,
    })
}

#[expect(
    clippy::print_stdout,
    reason = "what was measured, for who asks with --nocapture"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_guest_is_refused_or_ended_and_nobody_else_notices() -> Result<()> {
    let guests: Vec<Case> = cases().into_iter().chain([good()]).collect();
    let world = among(&guests).await?;
    let process = world.host.id();
    let refused = refusals(&world.records()?);
    let mut wrong = Vec::new();
    for case in &guests {
        let seen = refused.get(case.name).map(String::as_str);
        let fits = match case.expect {
            Expect::Refused(reasons) => seen.is_some_and(|seen| reasons.contains(&seen)),
            Expect::Either(reasons) => seen.is_none_or(|seen| reasons.contains(&seen)),
            Expect::Ended(_) | Expect::Harmless(_) => seen.is_none(),
        };
        if !fits {
            wrong.push(format!("{}: {seen:?}, not {:?}", case.name, case.expect));
        }
    }

    let neighbour = Neighbour {
        world: &world,
        token: world.token("bob")?,
    };
    let token = world.token("alice")?;
    neighbour.call().await?;
    let called = || {
        guests
            .iter()
            .filter(|case| !refused.contains_key(case.name))
    };
    let rounds = wanted("BAILIWICK_HOSTILE_ROUNDS")?.unwrap_or(ROUNDS);
    let operations = url_of(&world)?;
    let (mut plateau, mut grown) = (None, Memory::default());
    for round in 0..rounds {
        let (mut longest, mut slowest) =
            (BTreeMap::<String, Duration>::new(), (Duration::ZERO, ""));
        for case in called() {
            match suffer(&world, &neighbour, &token, case).await {
                Ok(suffered) => {
                    let longest = longest.entry(suffered.reason).or_default();
                    *longest = suffered.took.max(*longest);
                    slowest = slowest.max((suffered.beside, case.name));
                }
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
        let now = Memory::of(&world, &operations).await?;
        println!("round {round}: {now}; longest {longest:?}; slowest neighbour {slowest:?}");
        // The pool keeps 512 KiB of each slot that it has used, and takes some rounds to use all.
        if round >= (rounds / 3).max(1) {
            grown = now.beyond(plateau.get_or_insert(now));
        }
        ensure!(
            grown.allocated < KEPT && grown.resident < KEPT,
            "the host keeps {grown}"
        );
    }
    println!(
        "{rounds} rounds of {} guests, {} of them callable; the host grew by {grown}",
        guests.len(),
        called().count()
    );
    neighbour.call().await?;
    // Of all the segments that mean another path, the service saw the one that is harmless.
    for request in world.orders.requests() {
        ensure_eq(
            request.path.as_str(),
            "/%252e%252E%252e",
            "a path at the service",
        )?;
    }
    ensure!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    ensure_eq(world.host.id(), process, "process")?;
    let remains = world.stop().await?;
    ensure!(!remains.said.contains("panicked"), "{}", remains.said);
    let (content, said) = remains.verify().await?;
    ensure!(content, "the journal does not verify: {said}");
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was measured, for who asks with --nocapture"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_guest_that_is_dropped_in_disturbs_no_call() -> Result<()> {
    let world = among(&[]).await?;
    let neighbour = Neighbour {
        world: &world,
        token: world.token("bob")?,
    };
    let mut slowest = Duration::ZERO;
    let at_load = cases()
        .into_iter()
        .filter(|case| matches!(case.expect, Expect::Refused(_)));
    for case in at_load.filter(|case| {
        [
            "loop-in-start",
            "describe-with-all-memory",
            "10-000-instances",
        ]
        .contains(&case.name)
    }) {
        let file = format!("{}.wasm", case.name);
        let before = count(&world.records()?, "component.refused");
        world.folder.write_tool(&file, &case.bytes()?)?;
        let refusal = async {
            while count(&world.records()?, "component.refused") == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(PATIENCE, neighbour.beside(refusal)).await;
        let ((), took) = waited.with_context(|| format!("{}: no refusal in time", case.name))??;
        slowest = slowest.max(took);
        fs::remove_file(world.folder.path().join("tools").join(file))?;
    }
    println!("slowest neighbour during a load: {slowest:?}");
    ensure!(slowest < PATIENCE, "a neighbour waited {slowest:?}");
    Ok(())
}
