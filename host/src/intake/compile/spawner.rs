//! The process that starts compile workers: `bailiwick compile-spawner`.
//!
//! The keeper starts it for the serving process, which has given up the right to start anything. It
//! reads one request at a time on standard input, starts a worker for it, and answers on standard
//! output. It understands no component and no code.
//!
//! Trusts the serving process, which has the other ends of its pipes; of a worker it trusts only
//! that the kernel limits it.
//!
//! Invariant: it holds no key and no secret; it ends when the serving process does, and its worker
//! with it. Descriptors that were open when the host started reach both processes; a worker's
//! filter lets it use none but the standard ones.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::frame::{CODE, FAILED, Frame, REFUSED, TOO_COSTLY};
use super::{MAX_CODE, MAX_COMPONENT};
use crate::harden::{self, CompileLimits};

/// Runs the spawner until the serving process ends.
///
/// # Errors
/// Fails if its pipes do.
pub async fn spawn_workers() -> anyhow::Result<()> {
    harden::spawning()?;
    // Those signals are for the serving process, which then closes the pipe.
    let _passed_over = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    );
    let mut requests = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let mut answers = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
    while let Some(request) = Frame::read(&mut requests, MAX_REQUEST).await? {
        let mut early = [0];
        let answer = tokio::select! {
            answer = compile(&request) => answer,
            // The pipe is closed, or the other side sent something out of turn.
            _ = requests.read(&mut early) => return Ok(()),
        };
        answer.write(&mut answers).await?;
    }
    Ok(())
}

/// Lets a worker compile. Dropping this kills the worker.
async fn compile(request: &Frame) -> Frame {
    let Some((limits, component)) = request.asked() else {
        return Frame::new(
            FAILED,
            "expected a request to compile from the serving process",
        );
    };
    let arguments = [
        "compile-worker".to_owned(),
        limits.cpu.to_string(),
        limits.address_space.to_string(),
    ];
    let mut worker = match start(&arguments) {
        Ok(worker) => worker,
        Err(error) => return Frame::new(FAILED, format!("no process can be started: {error}")),
    };
    let patience = request.patience();
    match tokio::time::timeout(patience, converse(&mut worker, request.kind, component)).await {
        Ok(Ok((status, code, said))) => judge(status, code, &said, limits),
        Ok(Err(error)) => Frame::new(
            FAILED,
            format!("the connection to the compile worker failed: {error}"),
        ),
        Err(_elapsed) => {
            let _ = worker.kill().await;
            Frame::new(
                FAILED,
                format!(
                    "the compile worker was stopped after {} s by the clock",
                    patience.as_secs()
                ),
            )
        }
    }
}

/// Gives the worker its input and reads its output.
async fn converse(
    worker: &mut Child,
    tier: u8,
    component: &[u8],
) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (Some(mut input), Some(output), Some(errors)) = (
        worker.stdin.take(),
        worker.stdout.take(),
        worker.stderr.take(),
    ) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let feed = async {
        // A worker that ends early leaves the rest unread; its exit status gives the reason.
        if input.write_u8(tier).await.is_ok() {
            let _ = input.write_all(component).await;
        }
        drop(input);
    };
    let ((), code, said) = tokio::join!(feed, bounded(output, MAX_CODE), bounded(errors, MAX_SAID));
    Ok((worker.wait().await?, code?, said?))
}

/// Reads up to one byte more than `most`. The rest finds a closed pipe.
async fn bounded(from: impl AsyncRead + Unpin, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1))
        .read_to_end(&mut bytes)
        .await?;
    Ok(bytes)
}

/// Returns the answer that a worker's end stands for.
fn judge(status: ExitStatus, code: Vec<u8>, said: &[u8], limits: CompileLimits) -> Frame {
    let said = visible(said);
    let ended_by = |signal: Signal| status.signal() == Some(signal.as_raw());
    if code.len() > MAX_CODE {
        return Frame::new(
            TOO_COSTLY,
            format!("its code is larger than {} MiB", MAX_CODE >> 20),
        );
    }
    if status.success() {
        return Frame::new(CODE, code);
    }
    if ended_by(Signal::XCPU) {
        return Frame::new(
            TOO_COSTLY,
            format!(
                "it took more than {} s of processor time (limits.compile_cpu)",
                limits.cpu
            ),
        );
    }
    if ended_by(Signal::ABORT) && said.contains("memory allocation") {
        return Frame::new(
            TOO_COSTLY,
            format!(
                "it took more than {} MiB of memory (limits.compile_memory)",
                limits.address_space >> 20
            ),
        );
    }
    if ended_by(Signal::KILL) {
        return Frame::new(
            FAILED,
            "the compile worker was killed, most likely by the kernel because memory ran out",
        );
    }
    match (
        status.code(),
        said.strip_prefix("error: it does not compile: "),
    ) {
        (Some(1), Some(cause)) => Frame::new(REFUSED, cause),
        (Some(1), None) => Frame::new(FAILED, said),
        _ => Frame::new(
            REFUSED,
            format!("the compiler failed on it ({status}): {said}"),
        ),
    }
}

/// Returns text from outside, on one line.
fn visible(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said.get(..MAX_SAID).unwrap_or(said));
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.trim().chars().map(plain).collect()
}

/// Returns a command that runs this very program with these internal arguments, and hands on
/// nothing else of this process.
pub(super) fn command(arguments: &[String]) -> io::Result<Command> {
    let mut process = Command::new(this_program()?);
    process
        .arg0("bailiwick")
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .kill_on_drop(true);
    Ok(process)
}

fn start(arguments: &[String]) -> io::Result<Child> {
    let mut process = command(arguments)?;
    process
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Returns the path of the running program: on Linux the program itself, even if its file has been
/// replaced.
fn this_program() -> io::Result<OsString> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        Ok(running.into())
    } else {
        std::env::current_exe().map(OsString::from)
    }
}

/// A component, and the limits before it.
const MAX_REQUEST: usize = MAX_COMPONENT + 16;
/// The most of a worker's standard error, in bytes.
const MAX_SAID: usize = 2048;
