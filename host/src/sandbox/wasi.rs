//! The compatibility tier: the part of WASI that a component may import, and what the host puts
//! behind it.
//!
//! Language runtimes import WASI even for pure code. They find an empty world: no files, no
//! arguments, no environment, a coarse clock, random bytes, and an output that ends in the host's
//! log. `wasi:sockets` and `wasi:http` are not in the table, so they are never linked.
//!
//! Invariant: exactly [`GRANTED`] is linked; docs/wasi.md shows the same table.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::log::{Level, Log};
use crate::seams::Clock;

/// The interfaces of the compatibility tier, in any version 0.2.N.
pub(crate) const GRANTED: &[(&str, &str)] = &[
    (
        "wasi:cli/environment",
        "no variables, no arguments, no working directory",
    ),
    ("wasi:cli/exit", "ends the call as failed"),
    ("wasi:cli/stdin", "at its end"),
    ("wasi:cli/stdout", "lines in the host's log, at level info"),
    ("wasi:cli/stderr", "lines in the host's log, at level warn"),
    ("wasi:cli/terminal-input", "never given"),
    ("wasi:cli/terminal-output", "never given"),
    ("wasi:cli/terminal-stdin", "none"),
    ("wasi:cli/terminal-stdout", "none"),
    ("wasi:cli/terminal-stderr", "none"),
    (
        "wasi:clocks/monotonic-clock",
        "counts from the start of the call, in steps of 1 ms",
    ),
    ("wasi:clocks/wall-clock", "UTC, in steps of 1 ms"),
    ("wasi:filesystem/preopens", "none"),
    (
        "wasi:filesystem/types",
        "of no use without a preopened folder",
    ),
    ("wasi:io/error", "as in WASI"),
    ("wasi:io/poll", "as in WASI, within the time of the call"),
    ("wasi:io/streams", "as in WASI"),
    ("wasi:random/insecure", "at most 4096 bytes at once"),
    ("wasi:random/insecure-seed", "unpredictable"),
    (
        "wasi:random/random",
        "at most 4096 bytes at once, from a cryptographically secure generator",
    ),
];

/// Returns true if an import belongs to the compatibility tier.
pub(crate) fn is_granted(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else {
        return false;
    };
    let patch = version.strip_prefix("0.2.").unwrap_or_default();
    let is_number = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
    is_number && GRANTED.iter().any(|(granted, _)| *granted == interface)
}

/// Links the table, and nothing else of WASI.
pub(super) fn link<S: WasiView + 'static>(linker: &mut Linker<S>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<S, Io>(linker, |state| state.ctx().table)?;
    io::poll::add_to_linker::<S, Io>(linker, |state| state.ctx().table)?;
    io::streams::add_to_linker::<S, Io>(linker, |state| state.ctx().table)?;
    cli::environment::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::exit::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stdin::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stdout::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stderr::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_input::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_output::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stdin::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stdout::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stderr::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    clocks::monotonic_clock::add_to_linker::<S, WasiClocks>(linker, S::clocks)?;
    clocks::wall_clock::add_to_linker::<S, WasiClocks>(linker, S::clocks)?;
    filesystem::preopens::add_to_linker::<S, WasiFilesystem>(linker, S::filesystem)?;
    filesystem::types::add_to_linker::<S, WasiFilesystem>(linker, S::filesystem)?;
    random::insecure::add_to_linker::<S, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<S, WasiRandom>(linker, |state| {
        state.ctx().ctx.random()
    })?;
    random::random::add_to_linker::<S, WasiRandom>(linker, |state| state.ctx().ctx.random())
}

/// The marker type for `wasi:io`, which works on the call's handles.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// One call's WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    pub(super) fn new(handles: usize, clock: &Arc<dyn Clock>, log: &Arc<Log>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let mut builder = WasiCtx::builder();
        builder
            .stdout(LineOutput {
                log: Arc::clone(log),
                level: Level::Info,
            })
            .stderr(LineOutput {
                log: Arc::clone(log),
                level: Level::Warn,
            })
            .wall_clock(Coarse {
                clock: Arc::clone(clock),
                start: 0,
            })
            .monotonic_clock(Coarse {
                clock: Arc::clone(clock),
                start: clock.now_ms(),
            })
            .max_random_size(MAX_RANDOM);
        Self {
            context: builder.build(),
            table,
        }
    }

    /// Returns the view that the interfaces work on.
    pub(super) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}

/// A clock with steps of a millisecond, counted from `start`.
struct Coarse {
    clock: Arc<dyn Clock>,
    start: u64,
}

impl Coarse {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.clock.now_ms().saturating_sub(self.start))
    }
}

impl HostWallClock for Coarse {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.elapsed()
    }
}

impl HostMonotonicClock for Coarse {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// An output whose lines go to the log.
struct LineOutput {
    log: Arc<Log>,
    level: Level,
}

impl IsTerminal for LineOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Not reached: it serves version 0.3 only, which is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(LineStream {
            log: Arc::clone(&self.log),
            level: self.level,
            line: Vec::new(),
        })
    }
}

/// One handle to an output. A last line without a line end is written when the handle is dropped.
struct LineStream {
    log: Arc<Log>,
    level: Level,
    line: Vec<u8>,
}

impl LineStream {
    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.log
                .write(self.level, &String::from_utf8_lossy(&self.line));
            self.line.clear();
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line
                .extend_from_slice(text.get(..text.len().min(room)).unwrap_or_default());
            if text.len() < piece.len() || text.len() > room {
                self.end_line();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

impl Drop for LineStream {
    fn drop(&mut self) {
        self.end_line();
    }
}

const MAX_RANDOM: u64 = 4096;
const MAX_LINE: usize = 4096;
const MAX_WRITE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_table_is_granted_and_the_network_never() {
        for (import, granted) in [
            ("wasi:cli/environment@0.2.0", true),
            ("wasi:random/random@0.2.12", true),
            ("wasi:random/random@0.2", false),
            ("wasi:random/random@0.2.", false),
            ("wasi:random/random@0.2.x", false),
            ("wasi:random/random@0.3.0", false),
            ("wasi:random/random", false),
            ("wasi:sockets/tcp@0.2.0", false),
            ("wasi:sockets/network@0.2.0", false),
            ("wasi:http/types@0.2.0", false),
            ("wasi:cli/run@0.2.0", false),
            ("wasi:clocks/timezone@0.2.0", false),
        ] {
            assert_eq!(is_granted(import), granted, "{import}");
        }
    }

    #[test]
    fn the_table_is_the_documents() {
        let page = include_str!("../../../docs/wasi.md");
        let rows: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("| `wasi:"))
            .collect();
        let table: Vec<_> = GRANTED
            .iter()
            .map(|(name, what)| format!("| `{name}` | {what} |"))
            .collect();
        assert_eq!(rows, table);
    }
}
