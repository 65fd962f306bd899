//! `bailiwick-bench`: measures the cost of Bailiwick against servers that do none of its work.
//!
//! One client calls the native server, the host, the host with its journal in memory and others in
//! turn, round after round, so that noise of the machine hits all alike. `cargo xtask bench` builds
//! the parts and passes their paths. Trusts the servers to be the ones it started. Hands on tables,
//! `bench.json` and a chart.
//!
//! Invariant: a call counts only if its whole answer was read and is a success, and, if it is the
//! host's, if the journal has its two records.

mod call;
mod chart;
mod client;
mod contest;
mod disk;
mod figures;
mod goals;
mod growth;
mod host;
mod inside;
mod machine;
mod peers;
mod plan;
mod report;
mod rounds;
mod server;
mod table;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use contest::Contest;
use growth::Growth;
use plan::{Part, Plan};
use report::{Report, say};
use rounds::{Row, first_server};

/// Measures Bailiwick against other MCP servers with the same tool.
#[derive(Parser)]
#[command(name = "bailiwick-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, print tables, write bench.json.
    Measure(Box<Plan>),
    /// Run the native server: the tool `echo`, no security.
    Native,
    /// Run the raw server: HTTP and JSON, and nothing else.
    Raw,
    /// Run the service behind a tool.
    Desk,
    /// Run the server whose tool asks the service at this URL.
    Hops {
        /// The URL.
        desk: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Measure(plan) => measure(&plan),
        Command::Native => server::native::run(),
        Command::Raw => server::raw::run(),
        Command::Desk => server::desk::run(),
        Command::Hops { desk } => server::hops::run(&desk),
    };
    done.map_or_else(
        |error| {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Measures everything that the plan has, and publishes it.
fn measure(plan: &Plan) -> anyhow::Result<()> {
    let before = machine::Before::look(&plan.work)?;
    let in_process = inside::measure(plan)?;
    // One thread, so that the client takes the same from every server.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let OverHttp {
        http,
        service,
        imported,
        growth,
    } = runtime.block_on(over_http(plan))?;
    let machine = before.after(&plan.work)?;
    let report = Report {
        commit: plan.commit.clone(),
        command: plan.command.clone(),
        goals: goals::of(
            http.as_ref(),
            (service.as_ref(), imported.as_ref()),
            &machine,
        ),
        machine,
        http: rows(http.as_ref()),
        service: rows(service.as_ref()),
        imported: rows(imported.as_ref()),
        memory: http.map(|http| http.memory).unwrap_or_default(),
        growth,
        in_process,
    };
    report.publish(plan)
}

/// The parts of the plan that were measured over HTTP.
#[derive(Default)]
struct OverHttp {
    http: Option<Contest>,
    service: Option<Contest>,
    imported: Option<Contest>,
    growth: Option<Growth>,
}

async fn over_http(plan: &Plan) -> anyhow::Result<OverHttp> {
    let mut measured = OverHttp::default();
    if plan.has(Part::Http) {
        measured.http = Some(contest::http(plan).await?);
    }
    if plan.has(Part::Service) {
        measured.service = Some(contest::service(plan).await?);
    }
    if plan.has(Part::Imported) {
        measured.imported = Some(contest::imported(plan).await?);
    }
    if plan.has(Part::Growth) {
        measured.growth = Some(growth::measure(plan).await?);
    }
    Ok(measured)
}

/// Compares the servers with the first.
fn rows(contest: Option<&Contest>) -> Vec<Row> {
    contest.map_or_else(Vec::new, |contest| contest.rounds.rows(first_server))
}
