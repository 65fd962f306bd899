//! The serving process's end of the spawner.
//!
//! One task owns the pipes, so that a load which is given up leaves no half a message in them.
//!
//! Invariant: one component is compiled at a time. Once the spawner is gone, every attempt is a typed error and says so;
//! it is not started again, because this process can start nothing any more.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use super::frame::{CODE, FAILED, Frame, REFUSED, TOO_COSTLY};
use super::spawner::start;
use super::{Compile, CompileError, Compiling, MAX_CODE};
use crate::harden::CompileLimits;
use crate::sandbox::engine::Tier;

/// The workers of this process, through their spawner.
pub struct Workers {
    requests: mpsc::Sender<(Frame, oneshot::Sender<Frame>)>,
}

struct Spawner {
    process: Child,
    requests: ChildStdin,
    answers: ChildStdout,
}

impl Workers {
    /// Starts the spawner. This comes before anything secret is read, and before the right to do so is given up.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start() -> io::Result<Self> {
        let mut process = start(&["compile-spawner".to_owned()], Stdio::null())?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(Spawner { process, requests, answers }.serve(receiver));
        Ok(Self { requests: sender })
    }
}

impl Compile for Workers {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], limits: CompileLimits) -> Compiling<'a> {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let sent = self.requests.send((Frame::request(tier, limits, bytes), sender)).await;
            let answer = if sent.is_ok() { receiver.await.ok() } else { None };
            let gone = || {
                CompileError::Unavailable("the process that starts compile workers is gone; restart the host".into())
            };
            judge(answer.ok_or_else(gone)?)
        })
    }
}

fn judge(answer: Frame) -> Result<Vec<u8>, CompileError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match answer.kind {
        CODE => Ok(answer.bytes),
        REFUSED => Err(CompileError::Refused(text(&answer.bytes))),
        TOO_COSTLY => Err(CompileError::TooCostly(text(&answer.bytes))),
        FAILED => Err(CompileError::Unavailable(text(&answer.bytes))),
        _ => Err(CompileError::Unavailable("the process that starts compile workers makes no sense".to_owned())),
    }
}

impl Spawner {
    /// Passes requests on until nobody asks any more or the spawner ends; then it is ended, and its worker with it.
    async fn serve(mut self, mut requests: mpsc::Receiver<(Frame, oneshot::Sender<Frame>)>) {
        let cause = loop {
            let (request, answer_to) = tokio::select! {
                ended = self.process.wait() => break format!("it ended: {ended:?}"),
                request = requests.recv() => match request {
                    Some(request) => request,
                    None => return,
                },
            };
            let asked = ask(&mut self.requests, &mut self.answers, &request);
            let patience = request.patience() + GRACE;
            match tokio::time::timeout(patience, asked).await {
                // Whether or not somebody still waits for it.
                Ok(Ok(answer)) => drop(answer_to.send(answer)),
                Ok(Err(error)) => break error.to_string(),
                Err(_elapsed) => break format!("no answer in {} s", patience.as_secs()),
            }
        };
        tracing::error!(
            cause,
            "the process that starts compile workers is gone: what is loaded serves on, but no new component loads until \
             the host is restarted"
        );
    }
}

async fn ask(requests: &mut ChildStdin, answers: &mut ChildStdout, request: &Frame) -> io::Result<Frame> {
    request.write(requests).await?;
    let answer = Frame::read(answers, MAX_CODE).await?;
    answer.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer"))
}

/// More than the spawner waits for a worker.
const GRACE: Duration = Duration::from_secs(10);
