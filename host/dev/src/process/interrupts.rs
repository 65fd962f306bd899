//! The events that ask a program here to end, and the end of the program that started it.

use std::io::{copy, sink, stdin};
use std::thread;

use anyhow::Context as _;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::oneshot;

/// The argument that makes a program here end with the one that started it.
pub const UNTIL_STDIN_CLOSES: &str = "--until-stdin-closes";

/// Waits until standard input closes, which the program that started this one keeps open.
pub async fn stdin_closes() {
    let (open, closed) = oneshot::channel::<()>();
    // A thread that this process does not wait for at its end, unlike those of the runtime.
    thread::spawn(move || {
        let _end = copy(&mut stdin().lock(), &mut sink());
        drop(open);
    });
    // Nothing is ever sent.
    let _closed = closed.await;
}

/// Ctrl-C, SIGTERM and a closing terminal. While this value exists, they do not end the process by
/// themselves.
pub struct Interrupts {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
    until_stdin_closes: bool,
}

impl Interrupts {
    /// Starts listening, and to the end of the program that started this one if standard input says
    /// so.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen(until_stdin_closes: bool) -> anyhow::Result<Self> {
        let listen = |kind| unix::signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            until_stdin_closes,
        })
    }

    /// Waits for any of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            () = stdin_closes(), if self.until_stdin_closes => {}
        }
    }
}
