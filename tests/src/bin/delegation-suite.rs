//! Checks how an MCP gateway delegates. `docs/delegation-suite.md` explains how to configure the
//! gateway and how to read the report.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bailiwick_tests::delegation::{Gateway, Settings, Stage, run};
use bailiwick_tests::exit_of;
use clap::Parser;

/// Checks whether an MCP gateway mixes users up, believes an authorization server that lies, or
/// falls back to another credential.
///
/// Starts an authorization server and a service on this machine, prints what to configure, and
/// waits until the gateway's tool reaches the service. Exit code: 0 if nothing was wrong, 1 if
/// something was or nothing of a class was tried, 2 if the gateway could not be checked.
#[derive(Parser)]
#[command(name = "delegation-suite")]
struct Args {
    /// The gateway's MCP endpoint, as clients use it.
    #[arg(long)]
    url: String,
    /// The tool that makes one GET to the service, on behalf of its user.
    #[arg(long)]
    tool: String,
    /// The tool's arguments.
    #[arg(long, default_value = "{}")]
    arguments: String,
    /// A PEM file with the authorities that vouch for the gateway, in place of the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The audience of the users' tokens, if it is not the URL.
    #[arg(long)]
    audience: Option<String>,
    /// The number of users who take turns and then call at once.
    #[arg(long, default_value_t = 20)]
    users: usize,
    /// The port of the authorization server.
    #[arg(long, default_value_t = 8701)]
    issuer_port: u16,
    /// The port of the service.
    #[arg(long, default_value_t = 8702)]
    service_port: u16,
    /// The gateway's client at the authorization server.
    #[arg(long, default_value = "gateway")]
    client_id: String,
    /// The secret of that client.
    #[arg(long, default_value = "a-secret-of-the-gateway")]
    client_secret: String,
    /// The seconds that it may take until the gateway is configured.
    #[arg(long, default_value_t = 300)]
    wait: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_of("delegation-suite", check(Args::parse()).await)
}

/// Checks the gateway and reports; returns true if nothing was wrong.
async fn check(args: Args) -> Result<bool> {
    let gateway = Gateway {
        url: args.url,
        ca: args.ca,
        audience: args.audience,
        tool: args.tool,
        arguments: serde_json::from_str(&args.arguments).context("--arguments: expected JSON")?,
        users: args.users,
        patience: Duration::from_secs(args.wait),
    };
    let stage = Stage::start(Settings {
        issuer_port: args.issuer_port,
        service_port: args.service_port,
        client_id: args.client_id,
        client_secret: args.client_secret,
    })
    .await?;
    let mut out = std::io::stdout();
    write!(out, "{}", stage.told())?;
    writeln!(out, "waiting until {} reaches the service\n", gateway.tool)?;
    out.flush()?;
    let report = run(&stage, &gateway).await?;
    write!(out, "{report}")?;
    Ok(report.is_good())
}
