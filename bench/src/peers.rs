//! The servers that the host is compared with: processes started here, and one that runs already.

use std::path::Path;

use anyhow::Context as _;
use bailiwick_dev::Host;
use tokio::process::Command;

use crate::call;
use crate::client::Target;
use crate::contest::Memory;
use crate::plan::{ARGUMENTS, Other, Plan};
use crate::report::say;
use crate::usage::{Meter, resident_mib};

/// A server that was started here, and how to call it.
pub(crate) struct Peer {
    pub(crate) target: Target,
    process: Host,
}

/// Starts a server of this program, such as `native`.
pub(crate) async fn own(name: &str, more: &[&str]) -> anyhow::Result<Host> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).args(more);
    start(name, command).await
}

async fn start(name: &str, command: Command) -> anyhow::Result<Host> {
    let started = Host::start_command(command).await;
    started.with_context(|| format!("the server {name}"))
}

impl Peer {
    /// Makes a peer of a process; `call` is the call that it gets.
    pub(crate) async fn of(name: &str, process: Host, call: &Other) -> anyhow::Result<Self> {
        let request = call::tried(&process.url(), call).await?;
        let meter = Meter::new(process.id(), None);
        let target = Target::new(name, &process.url(), vec![request])?.metered(meter);
        Ok(Self { target, process })
    }

    /// Starts a server of this program with the tool `echo`.
    pub(crate) async fn echo(name: &str) -> anyhow::Result<Self> {
        Self::of(name, own(name, &[]).await?, &echo()).await
    }

    /// Stops it; returns the memory that it had.
    pub(crate) async fn stop(self) -> anyhow::Result<Memory> {
        let memory = Memory {
            calls: self.target.answered(),
            resident_mib: self.process.id().and_then(resident_mib),
            server: self.target.name,
        };
        // A server in another language ends as it likes.
        drop(self.process.stop().await?);
        Ok(memory)
    }
}

/// Starts the servers on other MCP libraries that are installed.
pub(crate) async fn installed(plan: &Plan) -> anyhow::Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for (name, program, script) in INSTALLED {
        let script = plan.peers.join(script);
        if !script.is_file() {
            say(&format!(
                "left out: {name} ({} is missing)",
                script.display()
            ));
            continue;
        }
        let own = plan.peers.join(program);
        let mut command = Command::new(if own.is_file() {
            &own
        } else {
            Path::new(program)
        });
        command.arg(&script);
        peers.push(Peer::of(name, start(name, command).await?, &echo()).await?);
    }
    Ok(peers)
}

/// Returns the server that the plan names by its URL.
pub(crate) async fn running(plan: &Plan) -> anyhow::Result<Option<Target>> {
    let Some(url) = &plan.other.url else {
        return Ok(None);
    };
    let request = call::tried(url, &plan.other).await?;
    let meter = Meter::new(plan.other.process, None);
    let target = Target::new(&plan.other.name, url, vec![request])?.metered(meter);
    Ok(Some(target))
}

/// Returns the call of the tool that all servers have.
fn echo() -> Other {
    Other::calling("echo", ARGUMENTS)
}

/// The name of each, the program that runs it, and its script, in the folder of the peers.
const INSTALLED: [(&str, &str, &str); 2] = [
    (FASTMCP, "python/bin/python", "python/server.py"),
    (TYPESCRIPT, "node", "node/server.mjs"),
];
/// The names in the results.
pub(crate) const FASTMCP: &str = "fastmcp";
pub(crate) const TYPESCRIPT: &str = "typescript";
