//! Checks an MCP server's behaviour as an OAuth resource server. `tests/resource-server/README.md`
//! explains how to run it and how to read its report.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bailiwick_tests::exit_of;
use bailiwick_tests::resource_server::{Mint, Target, run};
use clap::Parser;

/// Checks how an MCP server behaves as an OAuth resource server.
///
/// Exit code: 0 if no MUST failed, 1 if one did, 2 if the server could not be checked.
#[derive(Parser)]
#[command(name = "resource-server-suite")]
struct Args {
    /// The MCP endpoint, as clients use it.
    #[arg(long)]
    url: String,
    /// A PEM file with the authorities that vouch for the server, in place of the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A command for `sh` that reads an order from standard input and prints a token.
    #[arg(long)]
    mint: String,
    /// The audience of good tokens, if it is not the URL.
    #[arg(long)]
    audience: Option<String>,
    /// The user of good tokens.
    #[arg(long, default_value = "alice")]
    subject: String,
    /// The scopes of good tokens, with spaces between.
    #[arg(long, default_value = "")]
    scopes: String,
    /// A tool that needs those scopes; it is called some 120 times.
    #[arg(long)]
    tool: Option<String>,
    /// The tool's arguments.
    #[arg(long, default_value = "{}")]
    arguments: String,
    /// A file for the report as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_of("resource-server-suite", check(Args::parse()).await)
}

/// Checks the server and reports; returns true if no MUST failed.
async fn check(args: Args) -> Result<bool> {
    let target = Target {
        url: args.url,
        ca: args.ca,
        audience: args.audience,
        subject: args.subject,
        scopes: args.scopes.split_whitespace().map(str::to_owned).collect(),
        tool: args.tool,
        arguments: serde_json::from_str(&args.arguments).context("--arguments: expected JSON")?,
        mint: Mint::Command(args.mint),
    };
    let report = run(&target).await?;
    if let Some(file) = args.json {
        fs::write(&file, format!("{:#}\n", report.to_json()))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    write!(std::io::stdout(), "{report}")?;
    Ok(report.is_good())
}
