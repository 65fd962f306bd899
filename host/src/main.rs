//! The `bailiwick` command.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick::app::App;
use bailiwick::{audit, build};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// An MCP server host that runs every tool as a WebAssembly component which knows for whom it
/// acts and holds no keys.
#[derive(Parser)]
#[command(name = "bailiwick", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the tools of a folder as an MCP server.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Build a Rust crate into a component for the tools folder.
    Build {
        /// The crate's folder.
        path: PathBuf,
        /// Where to put the component.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Where to keep build products.
        #[arg(long, value_name = "DIR")]
        target_dir: Option<PathBuf>,
    },
    /// Look into the audit journal.
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Subcommand)]
enum Audit {
    /// Verify a journal offline: every record, every checkpoint, nothing missing.
    Verify {
        /// The journal's folder.
        folder: PathBuf,
        /// The journal's public key, as text or as a file that holds it; keep it somewhere else
        /// than the journal.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// Fail unless the key is given and everything is covered by a checkpoint.
        #[arg(long)]
        strict: bool,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve { config } => serve(&config),
        Command::Build { path, out, target_dir } => build_component(&build::Request { path, out, target_dir }),
        Command::Audit(Audit::Verify { folder, key, strict }) => verify(&folder, key.as_deref(), strict),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(config: &std::path::Path) -> anyhow::Result<()> {
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let app = App::start(config).await?;
        say_error(&format!("listening on {}", app.url()));
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let serving = tokio::spawn(app.run(stop));
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopping.cancel();
        serving.await.context("the server failed")?
    })
}

/// Logs go to stderr. Libraries are held at `warn` whatever `RUST_LOG` says: at finer levels they
/// print requests, and requests carry tokens.
fn log_to_stderr() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let own = filter_fn(|metadata| {
        let target = metadata.target();
        *metadata.level() <= tracing::Level::WARN || target.starts_with("bailiwick") || target == "tool"
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(own)).with(filter).init();
}

fn build_component(request: &build::Request) -> anyhow::Result<()> {
    let built = build::build(request)?;
    say(&format!("{} ({} bytes, {})", built.component.display(), built.bytes, built.digest));
    Ok(())
}

fn verify(folder: &std::path::Path, key: Option<&str>, strict: bool) -> anyhow::Result<()> {
    let key = key.map(read_key).transpose()?;
    let report = audit::verify(folder, key.as_ref())?;
    say(&report.to_string());
    if strict {
        anyhow::ensure!(report.pinned, "the key was not given (--key), so whoever wrote the journal chose it");
        anyhow::ensure!(report.unsigned == 0, "{} records are not covered by a checkpoint", report.unsigned);
    }
    Ok(())
}

/// A key as text, or a file that holds it.
fn read_key(text: &str) -> anyhow::Result<audit::VerifierKey> {
    let path = std::path::Path::new(text);
    let text = if path.is_file() {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
    } else {
        text.to_owned()
    };
    Ok(text.trim().parse::<audit::VerifierKey>()?)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn say_error(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
