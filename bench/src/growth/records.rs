//! One host whose journal grows: the cost of a call beside the native server's, the time to start,
//! and the time to verify beside that of `sha256sum`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bailiwick_dev::Issuer;
use serde::Serialize;
use tokio::process::Command;

use super::{CALLING, without_rates};
use crate::client::Load;
use crate::contest::{NATIVE, echo};
use crate::host::{Running, Setup};
use crate::peers::Peer;
use crate::plan::Plan;
use crate::report::say;
use crate::rounds::{self, Row, first_server};

/// A journal of one size.
#[derive(Serialize)]
pub(crate) struct Stage {
    /// The records when the host stopped, in round figures.
    pub(crate) records: u64,
    /// Bytes of the journal.
    pub(crate) bytes: u64,
    /// The time until the host listened again.
    pub(crate) start_ms: f64,
    /// Its memory then.
    pub(crate) resident_mib: Option<f64>,
    /// The time of `audit verify --strict`.
    pub(crate) verify_s: f64,
    /// The time of `sha256sum` of the same files.
    pub(crate) sha256_s: f64,
    /// Calls from then on, compared with the native server.
    pub(crate) calls: Row,
}

pub(super) async fn measure(plan: &Plan, issuer: &Issuer) -> anyhow::Result<Vec<Stage>> {
    let setup = Setup {
        configure: &without_rates,
        ..echo(plan, issuer, "bailiwick", (&plan.bailiwick, &plan.work))?
    };
    let native = Peer::echo(NATIVE).await?;
    let mut host = setup.start().await?;
    let mut stages = Vec::new();
    let mut records = LEAST;
    while records <= plan.records {
        say(&format!("  records: {records}"));
        let missing = (records / 2).saturating_sub(host.recorded());
        host.target.call(usize::try_from(missing)?).await?;
        let (stage, running) = stage(plan, &setup, (&native, host), records).await?;
        stages.push(stage);
        host = running;
        records *= 10;
    }
    host.stop().await?;
    native.stop().await?;
    Ok(stages)
}

/// Stops the host, verifies, starts it again, and calls it.
async fn stage(
    plan: &Plan,
    setup: &Setup<'_>,
    (native, host): (&Peer, Running),
    records: u64,
) -> anyhow::Result<(Stage, Running)> {
    let stopped = host.stop().await?;
    let (bytes, verified) = (stopped.bytes, stopped.verified);
    let hashed = sha256sum(&stopped.audit).await?;
    let host = setup.again(stopped).await?;
    let (started, resident_mib) = (host.started, host.resident_mib());
    host.target.introduce().await?;
    let targets = [native.target.clone(), host.target.clone()];
    let rounds = rounds::run("records", &targets, &[short(plan)], plan.rounds).await?;
    let calls = rounds.rows(first_server).pop().context("no turn")?;
    let stage = Stage {
        records,
        bytes,
        start_ms: started.as_secs_f64() * 1e3,
        resident_mib,
        verify_s: verified.as_secs_f64(),
        sha256_s: hashed.as_secs_f64(),
        calls,
    };
    Ok((stage, host))
}

/// Returns a load so short that the journal hardly grows.
fn short(plan: &Plan) -> Load {
    Load {
        warm_up: Duration::from_millis(50),
        turn: Duration::from_millis(300),
        ..plan.load(CALLING)
    }
}

/// Returns the time of `sha256sum` of a journal's files, which were read just before.
async fn sha256sum(folder: &Path) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let mut command = Command::new("sh");
    command.arg("-c").arg("exec sha256sum journal-*");
    let output = command
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "sha256sum: {}", output.status);
    Ok(begin.elapsed())
}

const LEAST: u64 = 1_000;
