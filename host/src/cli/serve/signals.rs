//! The events that stop a serving host: SIGTERM, SIGINT, a terminal that closes, and the end of the
//! program that started it.
//!
//! SIGHUP alone does nothing, because changes of the configuration are applied as they come. It
//! stops the host only if the host has lost the terminal that it was started on: a daemon has none,
//! and `nohup` asks for SIGHUP to be ignored.
//!
//! Invariant: the end of the program that started the host counts once, so that it never cuts short
//! a stop that is under way.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;

use anyhow::Context as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The events that ask this process to end.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
    on_terminal: bool,
    starter: Option<Starter>,
}

/// A stream that closes when the program that started this one ends.
type Starter = Box<dyn AsyncRead + Unpin + Send>;

impl StopSignals {
    /// Starts to listen for signals, and for the end of standard input if this host lives only as
    /// long as the program that started it.
    pub(super) fn new(until_stdin_closes: bool) -> anyhow::Result<Self> {
        // A handler would undo the request of `nohup`. Without a terminal, a handler keeps SIGHUP
        // from ending the host.
        let hangup = if ignores_hangup() {
            None
        } else {
            Some(signal(SignalKind::hangup())?)
        };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup,
            on_terminal: has_terminal(),
            starter: if until_stdin_closes {
                Some(standard_input()?)
            } else {
                None
            },
        })
    }

    /// Waits until one of them arrives.
    pub(super) async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                () = came(&mut self.hangup) => if self.on_terminal && !has_terminal() {
                    self.on_terminal = false;
                    return;
                },
                () = closed(&mut self.starter) => {
                    self.starter = None;
                    return;
                }
            }
        }
    }
}

fn standard_input() -> anyhow::Result<Starter> {
    let duplicate = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Some programs make a socket pair where others make a pipe.
    if duplicate.metadata()?.file_type().is_socket() {
        let socket = UnixStream::from(OwnedFd::from(duplicate));
        socket.set_nonblocking(true)?;
        return Ok(Box::new(tokio::net::UnixStream::from_std(socket)?));
    }
    let pipe = Receiver::from_owned_fd(duplicate.into()).context(
        "--until-stdin-closes: expected a pipe as standard input, which the program that starts \
         this host keeps open",
    )?;
    Ok(Box::new(pipe))
}

async fn came(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Waits until no more input can come, and discards the input.
async fn closed(starter: &mut Option<Starter>) {
    let Some(pipe) = starter else {
        return std::future::pending().await;
    };
    let mut bytes = [0; 64];
    while pipe.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}

/// Returns true if this process has a terminal that can end it. The kernel takes the terminal away
/// before it sends SIGHUP.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Returns true if the program that started this one asked for SIGHUP to be ignored.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
