//! The serving process's end of the spawner.
//!
//! One task owns the pipes, so that a load that is given up leaves no half message in them.
//!
//! Invariant: one component is compiled at a time. A spawner that ends is replaced, after a pause
//! that grows while none answers, and its request is repeated, a bounded number of times. Once the
//! `keeper` is gone, every attempt fails with a typed error that says so.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

use super::frame::{CODE, FAILED, Frame, REFUSED, TOO_COSTLY};
use super::keeper::{Keeper, NoSpawner, Pipes};
use super::{Compile, CompileError, Compiling, MAX_CODE};
use crate::harden::CompileLimits;
use crate::sandbox::Tier;

/// The workers of this process, through their spawner.
pub struct Workers {
    requests: mpsc::Sender<CompileJob>,
}

/// A request that waits for its answer.
struct CompileJob {
    request: Frame,
    answer_to: oneshot::Sender<Frame>,
    /// The number of spawners that ended over this request.
    ended: u32,
}

struct Spawner {
    requests: pipe::Sender,
    answers: pipe::Receiver,
    answered: bool,
}

impl Workers {
    /// Starts the keeper, and through it the spawner. This comes before any secret is read, and
    /// before the right to start processes is given up.
    ///
    /// # Errors
    /// Fails if the keeper cannot be started.
    pub fn start() -> io::Result<Self> {
        let keeper = Keeper::start()?;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(serve(keeper, receiver));
        Ok(Self { requests: sender })
    }
}

impl Compile for Workers {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], limits: CompileLimits) -> Compiling<'a> {
        Box::pin(async move {
            let (answer_to, answer) = oneshot::channel();
            let asked = CompileJob {
                request: Frame::request(tier, limits, bytes),
                answer_to,
                ended: 0,
            };
            let sent = self.requests.send(asked).await;
            let answer = if sent.is_ok() {
                answer.await.ok()
            } else {
                None
            };
            let gone = || {
                CompileError::Unavailable(
                    "the process that starts compile workers is gone; restart the host".into(),
                )
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
        _ => Err(CompileError::Unavailable(
            "the process that starts compile workers sent an unknown answer".to_owned(),
        )),
    }
}

/// Passes requests on, to one spawner after another, until no requester is left.
async fn serve(mut keeper: Keeper, mut requests: mpsc::Receiver<CompileJob>) {
    let (mut pending, mut pause) = (None, FIRST_PAUSE);
    while !requests.is_closed() {
        let cause = match keeper
            .spawner()
            .await
            .and_then(|pipes| Spawner::new(pipes).map_err(|_| NoSpawner::Failed))
        {
            Err(NoSpawner::Gone(cause)) => {
                tracing::error!(
                    %cause,
                    "the process that starts compile workers is gone: loaded components still serve, but no new component loads \
                     until the host is restarted"
                );
                return;
            }
            Err(failed) => failed.to_string(),
            Ok(mut spawner) => {
                let Some(cause) = spawner.serve(&mut requests, &mut pending).await else {
                    return;
                };
                if spawner.answered {
                    pause = FIRST_PAUSE;
                }
                cause
            }
        };
        tracing::error!(
            cause,
            "the process that starts compile workers has ended; it is started again"
        );
        pending = pending.and_then(CompileJob::once_more);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

impl CompileJob {
    /// Returns the request, if it may be repeated.
    fn once_more(mut self) -> Option<Self> {
        self.ended += 1;
        // A component that ends one spawner after another must not block all others for ever.
        if self.ended < ATTEMPTS {
            return Some(self).filter(|asked| !asked.answer_to.is_closed());
        }
        let text = format!(
            "the process that starts compile workers ended {ATTEMPTS} times while this was compiled"
        );
        drop(self.answer_to.send(Frame::new(FAILED, text)));
        None
    }
}

impl Spawner {
    fn new(pipes: Pipes) -> io::Result<Self> {
        let (requests, answers) = (
            pipe::Sender::from_owned_fd(pipes.requests)?,
            pipe::Receiver::from_owned_fd(pipes.answers)?,
        );
        Ok(Self {
            requests,
            answers,
            answered: false,
        })
    }

    /// Passes requests on, starting with the pending one. Returns the reason for its end, or `None`
    /// if no requester is left.
    async fn serve(
        &mut self,
        requests: &mut mpsc::Receiver<CompileJob>,
        pending: &mut Option<CompileJob>,
    ) -> Option<String> {
        loop {
            let mut early = [0];
            let asked = if let Some(asked) = pending.take() {
                asked
            } else {
                tokio::select! {
                    read = self.answers.read(&mut early) => return Some(ended(read)),
                    asked = requests.recv() => asked?,
                }
            };
            let patience = asked.request.patience() + GRACE;
            let cause = match tokio::time::timeout(patience, self.ask(&asked.request)).await {
                Ok(Ok(answer)) => {
                    self.answered = true;
                    // The requester may have stopped waiting for it.
                    drop(asked.answer_to.send(answer));
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_elapsed) => format!("no answer in {} s", patience.as_secs()),
            };
            *pending = Some(asked);
            return Some(cause);
        }
    }

    async fn ask(&mut self, request: &Frame) -> io::Result<Frame> {
        request.write(&mut self.requests).await?;
        let answer = Frame::read(&mut self.answers, MAX_CODE).await?;
        answer.ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer")
        })
    }
}

fn ended(read: io::Result<usize>) -> String {
    match read {
        Ok(0) => "it ended".to_owned(),
        Ok(_) => "it sent bytes out of turn".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The time that the host allows beyond a worker's own limit.
const GRACE: Duration = Duration::from_secs(10);
/// The number of spawners that may end over one component.
const ATTEMPTS: u32 = 3;
/// The first pause before a spawner is replaced; it grows to the longest below.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(30);
