//! `bailiwick serve`: starts, waits for a signal, drains.

mod fields;
mod signals;
mod streams;

use std::io::{self, BufWriter, IsTerminal as _, Stderr, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick::app::{App, Program};
use bailiwick::audit::Bell;
use bailiwick::intake::Workers;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{say_error, wait_ringing};
use crate::allocator::{give_back, memory};
use fields::Quoted;
use signals::StopSignals;

/// The command line of `bailiwick serve`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    /// Also stop when standard input, a pipe, closes: for a host that must not outlive the program
    /// that started it.
    #[arg(long)]
    until_stdin_closes: bool,
    /// Serve one client on standard input and output, and no port. Its access token is in the file
    /// that `BAILIWICK_TOKEN_FILE` names, or in `BAILIWICK_TOKEN`.
    #[arg(long, conflicts_with = "until_stdin_closes")]
    stdio: bool,
    /// The form of the log on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log_format: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let _lines = log_to_stderr(args.log_format);
    raise_descriptors();
    let bell = Bell::default();
    let streams = if args.stdio {
        Some(streams::standard()?)
    } else {
        None
    };
    wait_ringing(&bell, async {
        let mut signals = StopSignals::new(args.until_stdin_closes)?;
        // Before this process holds a secret or a guest.
        let workers = Workers::start()
            .context("the process that starts compile workers cannot be started")?;
        bailiwick::harden::serving()?;
        give_back();
        let program = Program {
            workers,
            bell: bell.clone(),
            memory,
        };
        let app = tokio::select! {
            app = App::start(&args.config, program, streams) => app?,
            () = signals.end() => anyhow::bail!(
                "stopped before it listened; the next start closes the calls that were open"
            ),
        };
        say_error(&match app.url() {
            Some(url) => format!("listening on {url}"),
            None => "serving standard input and output".to_owned(),
        });
        let stop = CancellationToken::new();
        let mut serving = tokio::spawn(app.run(stop.clone()));
        tokio::select! {
            ended = &mut serving => return ended.context("the server failed")?,
            () = signals.end() => {}
        }
        tracing::info!("stopping: calls under way may finish");
        stop.cancel();
        tokio::select! {
            ended = serving => ended.context("the server failed")?,
            () = signals.end() => anyhow::bail!(
                "stopped at once by a second signal; the next start closes the calls that were open"
            ),
        }
    })
}

/// Raises the limit of open files as far as the system lets this process.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    ) {
        tracing::warn!(cause = %error, "the number of open files stays at its soft limit");
    }
}

/// Sends logs to stderr through a thread of their own: if no one reads them, lines are lost and the
/// host goes on.
///
/// Libraries are held at `warn` whatever `RUST_LOG` says: at finer levels they print requests, and
/// requests carry tokens. `rmcp` is held at `error`: at `warn` it prints every refused call of an
/// unknown tool in full. Its `service` prints an error for each listener that goes away, so that is
/// left out.
fn log_to_stderr(format: LogFormat) -> WorkerGuard {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    let own = filter_fn(|metadata| {
        let target = metadata.target();
        let from_rmcp = target == "rmcp" || target.starts_with("rmcp::");
        let most = if from_rmcp {
            tracing::Level::ERROR
        } else {
            tracing::Level::WARN
        };
        let of_departures = target == "rmcp::service";
        let is_own = target.starts_with("bailiwick") || target == "tool";
        is_own || (*metadata.level() <= most && !of_departures)
    });
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MAX_LINES)
        .finish(Paced(BufWriter::with_capacity(BUFFER, io::stderr())));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(format == LogFormat::Text && io::stderr().is_terminal())
        .with_target(false);
    let lines = match format {
        LogFormat::Text => lines.fmt_fields(Quoted).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(own))
        .with(filter)
        .init();
    guard
}

/// Standard error, for the thread that writes the log. It pauses after what it has written, so that
/// under load many lines go out together and no call has to wake it.
struct Paced(BufWriter<Stderr>);

impl Write for Paced {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this thread has nothing else to do"
    )]
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(PAUSE);
        Ok(())
    }
}

/// The pause between two writes of the log. Far fewer lines come meanwhile than may wait.
const PAUSE: Duration = Duration::from_millis(2);

/// The bytes that go out together.
const BUFFER: usize = 64 << 10;

/// The most lines that may wait to be written.
const MAX_LINES: usize = 8192;
