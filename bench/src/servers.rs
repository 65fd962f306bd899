//! The servers of one run: started here, stopped here.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_dev::{Config, Folder, Host, Issuer, TokenSpec, mcp};
use http::{HeaderMap, HeaderName};
use hyper::body::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use url::Url;

use crate::client::Target;
use crate::other;
use crate::plan::{ARGUMENTS, Plan};
use crate::report::say;

/// The running servers, and how to call them.
pub(crate) struct Servers {
    pub(crate) targets: Vec<Target>,
    hosts: Vec<Host>,
    _issuer: Issuer,
    _folders: Vec<TempDir>,
}

/// Starts all servers of the plan.
pub(crate) async fn start(plan: &Plan) -> anyhow::Result<Servers> {
    std::fs::create_dir_all(&plan.work)?;
    let issuer = Issuer::start().await?;
    let (mut targets, mut hosts, mut folders) = (Vec::new(), Vec::new(), Vec::new());
    let native = native().await?;
    targets.push(target("native", &native, &[None])?);
    hosts.push(native);
    let disk = || Some(plan.work.clone());
    let mut builds = vec![
        ("bailiwick", &plan.bailiwick, disk()),
        ("bailiwick-nosync", &plan.bailiwick, memory()),
    ];
    builds.extend(
        plan.before
            .iter()
            .map(|before| ("bailiwick-before", before, disk())),
    );
    for (name, bailiwick, place) in builds {
        let Some(place) = place else {
            say(&format!(
                "left out: {name} (there is no file system in memory at {MEMORY})"
            ));
            continue;
        };
        let folder = TempDir::with_prefix_in("bailiwick-bench-", place)?;
        let host = host(bailiwick, plan, &issuer, folder.path()).await?;
        let tokens: Vec<_> = (0..USERS)
            .map(|user| token(&issuer, &host, user).map(Some))
            .collect::<Result<_, _>>()?;
        targets.push(target(name, &host, &tokens)?);
        hosts.push(host);
        folders.push(folder);
    }
    if let Some(url) = &plan.url {
        targets.push(other::open(plan, url).await?);
    }
    Ok(Servers {
        targets,
        hosts,
        _issuer: issuer,
        _folders: folders,
    })
}

impl Servers {
    /// Stops them, each by its own handle.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for host in self.hosts {
            host.stop().await?;
        }
        Ok(())
    }
}

async fn native() -> anyhow::Result<Host> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("native");
    Host::start_command(command)
        .await
        .context("the native server")
}

async fn host(
    bailiwick: &Path,
    plan: &Plan,
    issuer: &Issuer,
    place: &Path,
) -> anyhow::Result<Host> {
    let folder = Folder::create(&place.join("host"))?;
    folder.add_tool(&plan.component)?;
    let mut config = Config::new(issuer.url(), TRUST_DOMAIN);
    LIMITS.clone_into(&mut config.limits);
    folder.write_config(&config)?;
    Host::start(bailiwick, &folder.config()).await
}

fn token(issuer: &Issuer, host: &Host, user: usize) -> anyhow::Result<String> {
    let spec = TokenSpec::of(&format!("user-{user}"))
        .audience(&host.url())
        .lifetime(LIFETIME);
    issuer.token(&spec).context("a token cannot be made")
}

/// Makes the request of the stateless revision, which both servers know.
fn target(name: &str, server: &Host, tokens: &[Option<String>]) -> anyhow::Result<Target> {
    let url = &server.url();
    let arguments: Value = serde_json::from_str(ARGUMENTS)?;
    let headers = tokens
        .iter()
        .map(|token| headers(token.as_deref(), "echo", url));
    Ok(Target {
        name: name.to_owned(),
        url: Url::parse(url)?,
        headers: headers.collect::<Result<_, _>>()?,
        body: Bytes::from(call("echo", &arguments).to_string()),
        process: server.id(),
    })
}

/// Returns the headers of a call.
pub(crate) fn headers(token: Option<&str>, tool: &str, url: &str) -> anyhow::Result<HeaderMap> {
    let url = Url::parse(url)?;
    let mut headers = mcp::headers("tools/call", token)?;
    headers.insert(HeaderName::from_static("mcp-name"), tool.parse()?);
    headers.insert(http::header::HOST, url.authority().parse()?);
    Ok(headers)
}

/// Returns a call of the stateless revision.
pub(crate) fn call(tool: &str, arguments: &Value) -> Value {
    mcp::message(
        "tools/call",
        &serde_json::json!({"name": tool, "arguments": arguments}),
    )
}

/// Finds a file system in memory, where a sync writes nothing.
fn memory() -> Option<PathBuf> {
    let memory = PathBuf::from(MEMORY);
    memory.is_dir().then_some(memory)
}

const MEMORY: &str = "/dev/shm";
const TRUST_DOMAIN: &str = "bench.example";
/// The number of users who take turns.
const USERS: usize = 8;
const LIFETIME: i64 = 3600;
/// The most places that a host can have: the most connections exceed the default.
const LIMITS: &str = "[limits]\nconcurrent_calls = 256\nconcurrent_calls_per_user = 256\n";
