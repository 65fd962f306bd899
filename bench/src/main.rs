//! `bailiwick-bench`: measures the cost of Bailiwick against a server that does none of its work.
//!
//! One client calls the native server, the host, the host with its journal in memory and any other
//! server in turn, round after round, so that noise of the machine hits all alike.
//! `cargo xtask bench` builds the parts and passes their paths. Trusts the servers to be the ones
//! it started. Hands on a table, `bench.json` and a chart.
//!
//! Invariant: a call counts only if its whole answer was read and is a success.

mod chart;
mod client;
mod floor;
mod inside;
mod other;
mod plan;
mod processor;
mod report;
mod rounds;
mod server;
mod servers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::say;

/// Measures Bailiwick against a native MCP server with the same tool.
#[derive(Parser)]
#[command(name = "bailiwick-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, print a table, write bench.json.
    Measure(Box<plan::Plan>),
    /// Run the native server: the tool `echo`, no security.
    Native,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Measure(plan) => measure(&plan),
        Command::Native => server::native::run(),
    };
    done.map_or_else(
        |error| {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Measures with one thread for the client, so that it takes the same from every server.
fn measure(plan: &plan::Plan) -> anyhow::Result<()> {
    let inside = inside::measure(plan)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(async {
        let servers = servers::start(plan).await?;
        let fsync_floor_us = floor::measure(&plan.work)?;
        let http = rounds::run(plan, &servers.targets).await?;
        servers.stop().await?;
        anyhow::Ok(report::Report {
            http,
            in_process: inside,
            fsync_floor_us,
        })
    })?;
    report.print();
    report.write(plan)
}
