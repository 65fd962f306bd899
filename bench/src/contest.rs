//! The host beside other servers with the same tool, a tool with a service beside two plain HTTP
//! hops, and an imported operation beside that tool.

mod service;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_dev::{Config, Issuer};
use serde::Serialize;

use crate::client::Target;
use crate::host::{Running, Setup};
use crate::peers::{self, Peer};
use crate::plan::{ARGUMENTS, Plan};
use crate::report::say;
use crate::rounds::{self, Rounds};

pub(crate) use service::{HOPS, IMPORTED, IMPORTED_CONNECTIONS, WRITTEN, imported, service};

/// The names in the results.
pub(crate) const NATIVE: &str = "native";
pub(crate) const RAW: &str = "raw";
pub(crate) const BAILIWICK: &str = "bailiwick";
pub(crate) const BEFORE: &str = "bailiwick-before";
pub(crate) const NO_DISK: &str = "bailiwick-nodisk";

/// The turns of all servers, and the memory that they had at the end.
pub(crate) struct Contest {
    pub(crate) rounds: Rounds,
    pub(crate) memory: Vec<Memory>,
}

/// The memory of a server at the end, at rest.
#[derive(Serialize)]
pub(crate) struct Memory {
    pub(crate) server: String,
    /// The calls that it had answered.
    pub(crate) calls: u64,
    pub(crate) resident_mib: Option<f64>,
}

/// Measures the host beside the other servers.
pub(crate) async fn http(plan: &Plan) -> anyhow::Result<Contest> {
    let issuer = Issuer::start().await?;
    let hosts = hosts(plan, &issuer).await?;
    let mut peers = vec![Peer::echo(NATIVE).await?, Peer::echo(RAW).await?];
    peers.extend(peers::installed(plan).await?);
    let mut targets = order(&peers, &hosts);
    targets.extend(peers::running(plan).await?);
    let loads: Vec<_> = plan
        .connections
        .iter()
        .map(|&many| plan.load(many))
        .collect();
    introduce(&targets).await?;
    let rounds = rounds::run("calls", &targets, &loads, plan.rounds).await?;
    Ok(Contest {
        rounds,
        memory: end(peers, hosts).await?,
    })
}

/// Starts the measured build, with its journal on the disk and in memory, and the one before.
async fn hosts(plan: &Plan, issuer: &Issuer) -> anyhow::Result<Vec<Running>> {
    let disk = || Some(plan.work.clone());
    let mut builds = vec![
        (BAILIWICK, &plan.bailiwick, disk()),
        (NO_DISK, &plan.bailiwick, memory()),
    ];
    builds.extend(plan.before.iter().map(|before| (BEFORE, before, disk())));
    let mut hosts = Vec::new();
    for (name, bailiwick, place) in builds {
        match place {
            Some(place) => {
                let setup = echo(plan, issuer, name, (bailiwick, &place))?;
                hosts.push(setup.start().await?);
            }
            None => say(&format!("left out: {name} (there is no {MEMORY})")),
        }
    }
    Ok(hosts)
}

/// Describes a host with the tool `echo` and the shipped configuration.
pub(crate) fn echo<'s>(
    plan: &Plan,
    issuer: &'s Issuer,
    name: &'s str,
    (bailiwick, place): (&'s Path, &'s Path),
) -> anyhow::Result<Setup<'s>> {
    Ok(Setup {
        name,
        bailiwick,
        place,
        issuer,
        components: vec![plan.component("echo")?],
        secrets: Vec::new(),
        configure: &as_shipped,
        tools: vec!["echo".to_owned()],
        arguments: ARGUMENTS,
        scopes: &[],
        users: USERS,
    })
}

/// Keeps a configuration as it is.
pub(crate) fn as_shipped(config: Config) -> Config {
    config
}

/// Begins with the server that the others are compared with, and ends with the hosts.
pub(crate) fn order(peers: &[Peer], hosts: &[Running]) -> Vec<Target> {
    let peers = peers.iter().map(|peer| peer.target.clone());
    peers
        .chain(hosts.iter().map(|host| host.target.clone()))
        .collect()
}

/// Calls every server once with each request, so that its users are known.
pub(crate) async fn introduce(targets: &[Target]) -> anyhow::Result<()> {
    for target in targets {
        target.introduce().await?;
    }
    Ok(())
}

/// Stops all servers; returns the memory that each has at rest.
pub(crate) async fn end(peers: Vec<Peer>, hosts: Vec<Running>) -> anyhow::Result<Vec<Memory>> {
    tokio::time::sleep(REST).await;
    let mut memory = Vec::new();
    for peer in peers {
        memory.push(peer.stop().await?);
    }
    for host in hosts {
        let server = host.target.name.clone();
        let stopped = host.stop().await?;
        memory.push(Memory {
            server,
            calls: stopped.answered,
            resident_mib: stopped.resident_mib,
        });
    }
    Ok(memory)
}

/// Finds a file system in memory, where a sync writes nothing.
fn memory() -> Option<PathBuf> {
    let memory = PathBuf::from(MEMORY);
    memory.is_dir().then_some(memory)
}

const MEMORY: &str = "/dev/shm";
/// The time after which a server has given back what it freed. Allocators and runtimes keep it for
/// a while, so what one has right after a call says when it was called last.
const REST: Duration = Duration::from_secs(3);
/// The users who call in turn: few enough to be known, enough for none to reach a bound of its
/// own.
pub(crate) const USERS: usize = 32;
